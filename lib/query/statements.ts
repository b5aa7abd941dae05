/** One statement of a text of SQL, without its semicolon and what stands around it. */
export interface Statement {
  readonly text: string;
  /** In the whole text, from 1. */
  readonly line: number;
}

/** What is open at the end of a text: a quote, a bracket, a comment, a statement as such, or nothing. */
export type OpenPart = "'" | '"' | "$" | "*" | "(" | "-" | "=";

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
  return new Splitter(sql, hasBackslashes).split();
}

class Splitter {
  readonly #statements: Statement[] = [];
  #at = 0;
  /** Where the statement under way begins and ends so far; -1 before its first word. */
  #from = -1;
  #to = 0;
  #brackets = 0;
  #body = new BodyWatch();
  #open: OpenPart = "=";
  #countedTo = 0;
  #line = 1;

  constructor(private readonly sql: string, private readonly hasBackslashes: boolean) {}

  split(): Split {
    while (this.#at < this.sql.length) this.#step();
    const rest = this.#from < 0 ? null : this.#statement();
    if (this.#open === "=" && this.#brackets > 0) this.#open = "(";
    else if (this.#open === "=" && rest !== null) this.#open = "-";
    return { statements: this.#statements, rest, open: this.#open };
  }

  #step(): void {
    const { sql } = this;
    const char = sql[this.#at] ?? "";
    const two = sql.slice(this.#at, this.#at + 2);
    if (/\s/.test(char)) this.#at++;
    else if (two === "--") this.#at = this.#endOf("\n");
    else if (two === "/*") this.#comment();
    else if (char === ";" && this.#brackets <= 0 && !this.#body.isOpen) {
      if (this.#from >= 0) this.#statements.push(this.#statement());
      this.#at++;
      this.#from = -1;
      this.#brackets = 0;
      this.#body = new BodyWatch();
    } else {
      if (this.#from < 0) this.#from = this.#at;
      this.#token(char);
      this.#to = Math.min(this.#at, sql.length);
    }
  }

  /** A part of a statement. */
  #token(char: string): void {
    if (char === "'") return this.#quoted("'", this.hasBackslashes);
    if (char === '"') return this.#quoted('"', false);
    word.lastIndex = this.#at;
    const name = word.exec(this.sql)?.[0];
    if (name !== undefined) {
      this.#at += name.length;
      this.#body.see(name.toLowerCase());
      // E'...' has escapes whatever the settings are.
      if (/^e$/i.test(name) && this.sql[this.#at] === "'") this.#quoted("'", true);
      return;
    }
    dollar.lastIndex = this.#at;
    const tag = dollar.exec(this.sql)?.[0];
    if (tag !== undefined) return this.#dollarQuoted(tag);
    if (char === "(") this.#brackets++;
    if (char === ")") this.#brackets--;
    this.#at++;
  }

  #quoted(quote: "'" | '"', escapes: boolean): void {
    const { sql } = this;
    for (let at = this.#at + 1; at < sql.length; at++) {
      if (escapes && sql[at] === "\\") at++;
      else if (sql[at] === quote && sql[at + 1] === quote) at++;
      else if (sql[at] === quote) {
        this.#at = at + 1;
        return;
      }
    }
    this.#at = sql.length;
    this.#open = quote;
  }

  #dollarQuoted(tag: string): void {
    const end = this.sql.indexOf(tag, this.#at + tag.length);
    this.#at = end < 0 ? this.sql.length : end + tag.length;
    if (end < 0) this.#open = "$";
  }

  /** Comments of this kind stand within one another. */
  #comment(): void {
    const mark = /\/\*|\*\//g;
    mark.lastIndex = this.#at;
    let depth = 0;
    for (let found; (found = mark.exec(this.sql));) {
      depth += found[0] === "/*" ? 1 : -1;
      if (depth > 0) continue;
      this.#at = mark.lastIndex;
      return;
    }
    this.#at = this.sql.length;
    this.#open = "*";
  }

  #endOf(mark: string): number {
    const end = this.sql.indexOf(mark, this.#at);
    return end < 0 ? this.sql.length : end + mark.length;
  }

  #statement(): Statement {
    for (; this.#countedTo < this.#from; this.#countedTo++) {
      if (this.sql[this.#countedTo] === "\n") this.#line++;
    }
    return { text: this.sql.slice(this.#from, this.#to), line: this.#line };
  }
}

const word = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const dollar = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;

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
