import { type OpenPart, type SqlToken, sqlTokens } from "./sql_tokens.ts";

export type { OpenPart };

/** One statement of a text of SQL, without its semicolon and what stands around it. */
export interface Statement {
  readonly text: string;
  /** In the whole text, from 1. */
  readonly line: number;
}

/** A text of SQL taken apart. */
export interface Split {
  readonly statements: readonly Statement[];
  /** The statement that no semicolon ends; null when only white space and comments are left. */
  readonly rest: Statement | null;
  readonly open: OpenPart;
}

/**
 * Takes SQL apart at its semicolons, but for those in literals, names, comments, brackets, and the
 * bodies of functions.
 *
 * @param hasBackslashes whether a backslash escapes in plain literals, as on Redshift.
 */
export function splitStatements(sql: string, hasBackslashes: boolean): Split {
  const splitter = new Splitter(sql);
  for (const token of sqlTokens(sql, hasBackslashes)) splitter.take(token);
  return splitter.end();
}

class Splitter {
  readonly #statements: Statement[] = [];
  /** Where the statement under way begins and ends so far; -1 before its first word. */
  #from = -1;
  #to = 0;
  #brackets = 0;
  #body = new BodyWatch();
  #open: OpenPart = "=";
  #countedTo = 0;
  #line = 1;

  constructor(private readonly sql: string) {}

  take({ type, from, to, open }: SqlToken): void {
    if (open) this.#open = open;
    if (type === "space" || type === "comment") return;
    const char = type === "other" ? this.sql[from] : "";
    if (char === ";" && this.#brackets <= 0 && !this.#body.isOpen) {
      if (this.#from >= 0) this.#statements.push(this.#statement());
      this.#from = -1;
      this.#brackets = 0;
      this.#body = new BodyWatch();
      return;
    }
    if (this.#from < 0) this.#from = from;
    this.#to = to;
    if (type === "word") this.#body.see(this.sql.slice(from, to).toLowerCase());
    if (char === "(") this.#brackets++;
    if (char === ")") this.#brackets--;
  }

  end(): Split {
    const rest = this.#from < 0 ? null : this.#statement();
    if (this.#open === "=" && this.#brackets > 0) this.#open = "(";
    else if (this.#open === "=" && rest !== null) this.#open = "-";
    return { statements: this.#statements, rest, open: this.#open };
  }

  #statement(): Statement {
    for (; this.#countedTo < this.#from; this.#countedTo++) {
      if (this.sql[this.#countedTo] === "\n") this.#line++;
    }
    return { text: this.sql.slice(this.#from, this.#to), line: this.#line };
  }
}

/** Semicolons between BEGIN ATOMIC and END belong to the function that is made. */
class BodyWatch {
  readonly #first: string[] = [];
  #depth = 0;
  #last = "";

  get isOpen(): boolean {
    return this.#depth > 0;
  }

  see(name: string): void {
    if (this.#first.length < 4) this.#first.push(name);
    const makes = this.#first[0] === "create" &&
      (this.#first.includes("function") || this.#first.includes("procedure"));
    if (makes && name === "atomic" && this.#last === "begin") this.#depth = 1;
    else if (this.#depth > 0 && name === "case") this.#depth++;
    else if (this.#depth > 0 && name === "end") this.#depth--;
    this.#last = name;
  }
}
