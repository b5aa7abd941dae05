/** A piece of a SQL text. `value` is what a literal or a quoted name means, or a word in capitals. */
export interface SqlToken {
  readonly kind: "word" | "name" | "literal" | "number" | "symbol";
  readonly text: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

const pattern = new RegExp(
  [
    String.raw`(?<space>\s+|--[^\n]*|/\*[\s\S]*?\*/)`,
    String.raw`(?<dollar>(\$\w*\$)[\s\S]*?\3)`,
    String.raw`(?<literal>[eEnN]?'(?:[^'\\]|\\[\s\S]|'')*')`,
    String.raw`(?<name>"(?:[^"]|"")*")`,
    String.raw`(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)`,
    String.raw`(?<word>[A-Za-z_\u0080-\uffff#][A-Za-z0-9_$\u0080-\uffff]*)`,
    String.raw`(?<symbol>::|<=|>=|<>|!=|\|\||->>|->|[\s\S])`,
  ].join("|"),
  "gy",
);

/**
 * Takes a SQL text apart as Redshift reads it: in a plain literal a backslash is an escape, as in
 * PostgreSQL 8.0 (Database Developer Guide, "POSIX operators": patterns need two backslashes).
 */
export function sqlTokens(sql: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  for (const found of sql.matchAll(pattern)) {
    const { space, dollar, literal, name, number, word } = found.groups ?? {};
    if (space !== undefined) continue;
    const text = found[0];
    const place = { text, start: found.index, end: found.index + text.length };
    if (literal !== undefined) {
      tokens.push({ kind: "literal", value: literalValue(text.replace(/^[^']/, "")), ...place });
    } else if (dollar !== undefined) tokens.push({ kind: "literal", value: dollar, ...place });
    else if (name !== undefined) {
      tokens.push({ kind: "name", value: name.slice(1, -1).replaceAll('""', '"'), ...place });
    } else if (number !== undefined) tokens.push({ kind: "number", value: text, ...place });
    else if (word !== undefined) {
      tokens.push({ kind: "word", value: text.toUpperCase(), ...place });
    } else tokens.push({ kind: "symbol", value: text, ...place });
  }
  return tokens;
}

const escapes: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", b: "\b", f: "\f" };

/** What a literal means. `\N` stays as it is, for the COPY reference writes NULL AS's default so. */
function literalValue(text: string): string {
  return text.slice(1, -1).replace(/''|\\([0-7]{1,3}|[\s\S])/g, (all, code?: string) => {
    if (code === undefined) return "'";
    if (/^[0-7]/.test(code)) return String.fromCharCode(parseInt(code, 8));
    return code === "N" ? all : escapes[code] ?? code;
  });
}

/** The statements of a text, without empty ones and without the semicolons. */
export function sqlStatements(sql: string): string[] {
  const ends = sqlTokens(sql).filter(({ text }) => text === ";").map(({ start }) => start);
  const texts = [...ends, sql.length].map((end, i) =>
    sql.slice(i === 0 ? 0 : (ends[i - 1] ?? 0) + 1, end).trim()
  );
  return texts.filter((text) => sqlTokens(text).length > 0);
}

/** A literal as PostgreSQL understands it, whatever its settings are. */
export function sqlLiteral(value: string | number | null): string {
  if (value === null) return "NULL";
  return ` E'${String(value).replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

/** A name, quoted. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The words of the tokens, in capitals, with single spaces: names and literals as `?`. */
export function sqlShape(tokens: readonly SqlToken[]): string {
  return tokens.map(({ kind, value }) => kind === "literal" || kind === "name" ? "?" : value)
    .join(" ");
}

/**
 * The text with its quoted names in small letters: "the case of name identifiers is not preserved, and
 * instead converted to lowercase" (enable_case_sensitive_identifier, false by default).
 */
export function folded(sql: string): string {
  let text = "";
  let at = 0;
  for (const { kind, text: name, start, end } of sqlTokens(sql)) {
    if (kind !== "name") continue;
    text += sql.slice(at, start) + name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    at = end;
  }
  return text + sql.slice(at);
}
