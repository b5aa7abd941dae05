/** What is open at the end of a text: a quote, a bracket, a comment, a statement as such, or nothing. */
export type OpenPart = "'" | '"' | "$" | "*" | "(" | "-" | "=";

/** A part of SQL: where it begins and ends, and what it is. */
export interface SqlToken {
  /** `quoted`: a literal, a name between double quotes, a `$tag$` text. `other`: one character. */
  readonly type: "space" | "comment" | "word" | "quoted" | "other";
  readonly from: number;
  readonly to: number;
  /** Set when its end is not there. */
  readonly open?: OpenPart;
}

/** What the server takes for white space; a no-break space is a letter to it. */
const space = /[ \t\n\r\f\v]+/y;
/** Any character beyond ASCII is a letter of a name. */
const word = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
const dollar = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
const lineComment = /--[^\n\r]*/y;
/** Between two literals that are one, as a line break stands between them. */
const joint = /(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*'/y;

/**
 * Takes SQL apart as PostgreSQL's lexer does, to the character: where it is off, a semicolon or a
 * bracket in a literal would be taken for one that is none, or the other way round.
 *
 * @param hasBackslashes whether a backslash escapes in plain literals: on Redshift, and where
 *   standard_conforming_strings is off.
 */
export function* sqlTokens(sql: string, hasBackslashes: boolean): Generator<SqlToken> {
  for (let at = 0; at < sql.length;) {
    const token = tokenAt(sql, at, hasBackslashes);
    yield token;
    at = token.to;
  }
}

function tokenAt(sql: string, from: number, hasBackslashes: boolean): SqlToken {
  const char = sql[from];
  const ended = (type: SqlToken["type"], to: number): SqlToken => ({ type, from, to });
  const blankEnd = endOf(space, sql, from);
  if (blankEnd >= 0) return ended("space", blankEnd);
  const commentEnd = endOf(lineComment, sql, from);
  if (commentEnd >= 0) return ended("comment", commentEnd);
  if (char === "/" && sql[from + 1] === "*") return blockComment(sql, from);
  if (char === "'") return literal(sql, from, from, hasBackslashes);
  if (char === '"') {
    const end = quoteEnd(sql, from, '"', false);
    return end < 0 ? { ...ended("quoted", sql.length), open: '"' } : ended("quoted", end);
  }
  const wordEnd = endOf(word, sql, from);
  if (wordEnd === from + 1 && /[eE]/.test(char ?? "") && sql[wordEnd] === "'") {
    // E'...' has escapes whatever the settings are.
    return literal(sql, from, wordEnd, true);
  }
  if (wordEnd >= 0) return ended("word", wordEnd);
  const tagEnd = endOf(dollar, sql, from);
  if (tagEnd < 0) return ended("other", from + 1);
  const end = sql.indexOf(sql.slice(from, tagEnd), tagEnd);
  if (end < 0) return { ...ended("quoted", sql.length), open: "$" };
  return ended("quoted", end + tagEnd - from);
}

function endOf(pattern: RegExp, sql: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(sql) ? pattern.lastIndex : -1;
}

/** A literal whose quote is at `at`, with those that a line break joins to it. */
function literal(sql: string, from: number, at: number, escapes: boolean): SqlToken {
  let end = quoteEnd(sql, at, "'", escapes);
  for (let next; end >= 0 && (next = endOf(joint, sql, end)) >= 0;) {
    end = quoteEnd(sql, next - 1, "'", escapes);
  }
  if (end < 0) return { type: "quoted", from, to: sql.length, open: "'" };
  return { type: "quoted", from, to: end };
}

/** Where what is quoted from `at` on ends; -1 when it does not. */
function quoteEnd(sql: string, at: number, quote: "'" | '"', escapes: boolean): number {
  for (let i = at + 1; i < sql.length; i++) {
    if (escapes && sql[i] === "\\") i++;
    else if (sql[i] !== quote) continue;
    else if (sql[i + 1] === quote) i++;
    else return i + 1;
  }
  return -1;
}

/** Comments of this kind stand within one another. */
function blockComment(sql: string, from: number): SqlToken {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  let depth = 0;
  for (let found; (found = mark.exec(sql));) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return { type: "comment", from, to: mark.lastIndex };
  }
  return { type: "comment", from, to: sql.length, open: "*" };
}
