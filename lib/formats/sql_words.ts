/** What stands between two semicolons, or in the whole text when there is none. */
export interface SqlStatement {
  /** Its bare words in upper case, brackets and other signs one by one; what is quoted is left out. */
  readonly words: readonly string[];
}

/** A text of SQL taken apart. */
export interface SqlText {
  /** Those that have a word. */
  readonly statements: readonly SqlStatement[];
  /** Whether a semicolon ends something in it. */
  readonly hasSemicolon: boolean;
  /** What does not end: "a quote", "a comment"; null when all does. */
  readonly open: string | null;
  readonly hasComment: boolean;
}

/** What a server tells apart, in the order in which it looks. `$` goes on a word, but begins none. */
const token =
  /\s+|--[^\n]*|(\/\*)|("(?:[^"]|"")*"?)|([eE]?)(')|\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|[^]/y;

/**
 * Takes SQL apart, as far as one has to in order to know where its statements begin: quotes, comments
 * (which nest), `$tag$` texts. A backslash takes the next sign's meaning away in every literal on
 * Redshift, on PostgreSQL (whose standard_conforming_strings is on) in `E'...'` alone. A semicolon
 * between BEGIN ATOMIC and its END ends no statement.
 */
export function readSql(text: string, kind: "postgres" | "redshift"): SqlText {
  const statements: SqlStatement[] = [];
  let words: string[] = [];
  let open: string | null = null;
  let hasComment = false;
  let hasSemicolon = false;
  /** CASE and BEGIN ATOMIC that are not ended; counted within a body only. */
  let depth = 0;
  const end = () => {
    if (words.length > 0) statements.push({ words });
    words = [];
  };
  for (let at = 0; at < text.length && open === null;) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) break;
    const [all, comment, name, escape, quote, tag, word] = match;
    at = token.lastIndex;
    if (comment !== undefined) {
      hasComment = true;
      at = commentEnd(text, at);
      if (at < 0) open = "a comment";
    } else if (all.startsWith("--")) hasComment = true;
    else if (name !== undefined) {
      if (!/^"(?:[^"]|"")*"$/.test(name)) open = "a quote";
      words.push('"');
    } else if (quote !== undefined) {
      at = literalEnd(text, at, kind === "redshift" || escape !== "");
      if (at < 0) open = "a quote";
      words.push("'");
    } else if (all.length > 1 && all.startsWith("$")) {
      const close = text.indexOf(all, at);
      if (close < 0) open = `a text between $${tag ?? ""}$`;
      at = close + all.length;
      words.push("'");
    } else if (word !== undefined) {
      const upper = word.toUpperCase();
      if (upper === "ATOMIC" && words.at(-1) === "BEGIN") depth++;
      else if (depth > 0 && upper === "CASE") depth++;
      else if (depth > 0 && upper === "END") depth--;
      words.push(upper);
    } else if (all === ";" && depth === 0) {
      hasSemicolon = true;
      end();
    } else if (all.trim() !== "") words.push(all);
  }
  end();
  return { statements, hasSemicolon, open, hasComment };
}

/** Behind the end of a literal whose quote is before `at`; negative when it has none. */
function literalEnd(text: string, at: number, hasEscapes: boolean): number {
  for (let i = at; i < text.length; i++) {
    if (hasEscapes && text[i] === "\\") i++;
    else if (text[i] === "'") {
      if (text[i + 1] !== "'") return i + 1;
      i++;
    }
  }
  return -1;
}

/** Behind the end of a comment, which may hold others. */
function commentEnd(text: string, at: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = at;
  for (let depth = 1, match; (match = mark.exec(text)) !== null;) {
    depth += match[0] === "/*" ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return -1;
}
