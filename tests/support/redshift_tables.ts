import { sqlLiteral, sqlName, sqlShape, type SqlToken, sqlTokens } from "./redshift_sql.ts";

/** A CREATE TABLE as PostgreSQL is to run it. */
export interface CreatedTable {
  readonly sql: string;
  /** Statements for behind it: what was said of keys, which Redshift notes and does not enforce. */
  readonly after: readonly string[];
}

const createTable = /^CREATE (?:LOCAL )?(?:TEMP |TEMPORARY )?TABLE /;

/**
 * Writes a CREATE TABLE of Redshift for PostgreSQL.
 * - Keys are "informational only; they are not enforced" (CREATE TABLE, r_CREATE_TABLE_NEW; "Defining
 *   table constraints", t_Defining_constraints): they go to pg_catalog.redshift_constraint. The
 *   columns of a primary key are NOT NULL, which Redshift does enforce.
 * - TEXT is VARCHAR(256), VARCHAR without a length is VARCHAR(256), DECIMAL is (18,0) ("Character
 *   types", r_Character_types; "Numeric types", r_Numeric_types201).
 * - IDENTITY, DISTKEY, SORTKEY, DISTSTYLE, ENCODE and BACKUP (r_CREATE_TABLE_NEW).
 *
 * @returns undefined when the statement is none.
 */
export function createdTable(sql: string): CreatedTable | undefined {
  const tokens = sqlTokens(sql);
  const shape = sqlShape(tokens);
  if (!createTable.test(shape)) return undefined;
  const open = tokens.findIndex(({ text }) => text === "(");
  const isQuery = tokens.findIndex(({ value, kind }) => kind === "word" && value === "AS");
  if (open < 0 || isQuery >= 0 && isQuery < open) return { sql: withoutAttributes(sql), after: [] };
  const close = closing(tokens, open);
  const nameAt = tokens.findIndex(({ value }) => value === "TABLE") + 1;
  const nameFrom = shape.includes("TABLE IF NOT EXISTS") ? nameAt + 3 : nameAt;
  const table = sql.slice(tokens[nameFrom]?.start, tokens[open - 1]?.end);
  const after: string[] = [];
  const parts = split(tokens.slice(open + 1, close)).map((part) => {
    const written = columnSql(sql, part, table, after);
    return written;
  }).filter((text) => text !== "");
  const head = sql.slice(0, tokens[open]?.end);
  const rest = withoutAttributes(sql.slice(tokens[close]?.end));
  return { sql: `${head}${parts.join(", ")})${rest}`, after };
}

function columnSql(sql: string, part: readonly SqlToken[], table: string, after: string[]): string {
  const shape = sqlShape(part);
  const key = /^(?:CONSTRAINT \S+ )?(PRIMARY KEY|UNIQUE|FOREIGN KEY) \(/.exec(shape)?.[1];
  if (key !== undefined) {
    const open = part.findIndex(({ text }) => text === "(");
    const names = part.slice(open + 1, closing(part, open))
      .filter(({ text }) => text !== ",").map(nameOf);
    note(table, key, names, after);
    return "";
  }
  if (/^LIKE /.test(shape)) return slice(sql, part);
  const name = part[0] ? nameOf(part[0]) : "";
  let text = ` ${typed(sql, part)} `;
  if (/ PRIMARY KEY\b/.test(shape)) note(table, "PRIMARY KEY", [name], after);
  if (/ UNIQUE\b/.test(shape)) note(table, "UNIQUE", [name], after);
  text = text.replace(/\bprimary\s+key\b|\bunique\b|\breferences\s+\S+(\s*\([^)]*\))?/gi, " ")
    .replace(/\bencode\s+\w+|\bdistkey\b|\bsortkey\b/gi, " ")
    .replace(
      /\b(?:generated\s+(by\s+default)\s+as\s+)?identity\s*\(\s*(-?\d+)\s*,\s*(-?\d+)\s*\)/i,
      (_, byDefault, seed, step) =>
        `GENERATED ${
          byDefault ? "BY DEFAULT" : "ALWAYS"
        } AS IDENTITY (START ${seed} INCREMENT ${step}${
          Number(seed) < 1 ? ` MINVALUE ${seed}` : ""
        })`,
    );
  return text.trim();
}

/** The column's text with the lengths that Redshift takes where none is written. */
function typed(sql: string, part: readonly SqlToken[]): string {
  const type = part[1];
  const next = part[2];
  if (!type || type.kind !== "word") return slice(sql, part);
  const hasLength = next?.text === "(";
  const [name, rest] = [
    sql.slice(part[0]?.start, part[0]?.end),
    sql.slice(type.end, part.at(-1)?.end),
  ];
  if (["TEXT", "BPCHAR"].includes(type.value)) {
    return `${name} ${type.value === "TEXT" ? "varchar(256)" : "char(256)"}${rest}`;
  }
  if (["VARCHAR", "NVARCHAR"].includes(type.value)) {
    const length = /^\s*\(\s*max\s*\)/i.test(rest) ? "(65535)" : hasLength ? undefined : "(256)";
    if (length === undefined) return `${name} varchar${rest}`;
    return `${name} varchar${length}${rest.replace(/^\s*\(\s*max\s*\)/i, "")}`;
  }
  if (type.value === "CHARACTER" && next?.value === "VARYING" && part[3]?.text !== "(") {
    return `${name} varchar(256)${sql.slice(next.end, part.at(-1)?.end)}`;
  }
  if (["DECIMAL", "NUMERIC"].includes(type.value) && !hasLength) {
    return `${name} numeric(18,0)${rest}`;
  }
  return slice(sql, part);
}

/** Primary keys' columns are NOT NULL; the keys themselves are a note. */
function note(table: string, kind: string, names: readonly string[], after: string[]): void {
  after.push(
    `INSERT INTO pg_catalog.redshift_constraint SELECT ${sqlLiteral(table)}::regclass, ` +
      `${sqlLiteral(kind)}, ARRAY[${names.map(sqlLiteral).join(", ")}]::text[] ` +
      "ON CONFLICT DO NOTHING",
  );
  if (kind !== "PRIMARY KEY") return;
  for (const name of names) {
    after.push(`ALTER TABLE ${table} ALTER COLUMN ${sqlName(name)} SET NOT NULL`);
  }
}

function nameOf({ kind, value, text }: SqlToken): string {
  return kind === "name" ? value : text.toLowerCase();
}

function slice(sql: string, part: readonly SqlToken[]): string {
  return sql.slice(part[0]?.start, part.at(-1)?.end);
}

function withoutAttributes(text: string): string {
  return text
    .replace(
      /\bdiststyle\s+\w+|\bdistkey\s*\([^)]*\)|\bbackup\s+(yes|no)\b|\bencode\s+auto\b/gi,
      " ",
    )
    .replace(/\b(compound\s+|interleaved\s+)?sortkey\s*(\([^)]*\)|auto\b)/gi, " ");
}

/** The place of the bracket that closes the one at `open`. */
export function closing(tokens: readonly SqlToken[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i]?.text === "(") depth++;
    if (tokens[i]?.text === ")" && --depth === 0) return i;
  }
  return tokens.length;
}

function split(tokens: readonly SqlToken[]): SqlToken[][] {
  const parts: SqlToken[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.text === "(") depth++;
    if (token.text === ")") depth--;
    if (token.text === "," && depth === 0) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts.filter((part) => part.length > 0);
}
