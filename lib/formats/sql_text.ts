import { usageError } from "../core/errors.ts";
import { readSql } from "./sql_words.ts";

/** A table as a person names it: `table` or `schema.table`. */
export interface TableName {
  /** Null when the server's search path finds the table. */
  readonly schema: string | null;
  readonly name: string;
}

/**
 * A name between double quotes, so that any name goes: upper case, spaces, reserved words, quotes.
 *
 * @throws {SluiceError} `usage` for an empty name and one with a NUL, which no server can have.
 */
export function quoteIdentifier(name: string): string {
  if (name === "" || name.includes("\0")) {
    throw usageError("name a table or column", `"${name}": give a name of one letter at least`);
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** Several names between commas, each quoted. */
export function quoteIdentifiers(names: readonly string[]): string {
  return names.map(quoteIdentifier).join(", ");
}

/** The table as SQL, quoted: `"schema"."table"`. */
export function quoteTable({ schema, name }: TableName): string {
  return `${schema === null ? "" : `${quoteIdentifier(schema)}.`}${quoteIdentifier(name)}`;
}

/**
 * A text as a literal of SQL. On Redshift a backslash in a plain literal escapes the next character,
 * as in PostgreSQL 8.0; PostgreSQL is told by `E` that it does, whatever its settings are.
 *
 * @throws {SluiceError} `usage` for a text with a NUL, which no server takes.
 */
export function quoteLiteral(text: string, kind: "postgres" | "redshift"): string {
  if (text.includes("\0")) {
    throw usageError("write a literal", "it holds a NUL, no server takes one");
  }
  const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
  return kind === "postgres" && text.includes("\\") ? `E${quoted}` : quoted;
}

/**
 * A column's name as a person writes it: what stands between double quotes is taken out of them, as in
 * SQL; anything else is the name as it is, upper case and spaces included.
 *
 * @returns undefined when it is empty or its quotes are not whole.
 */
export function readColumnName(text: string): string | undefined {
  const quoted = /^"((?:[^"]|"")*)"$/.exec(text);
  const name = quoted ? (quoted[1] ?? "").replaceAll('""', '"') : text.trim();
  return name === "" || name.includes("\0") ? undefined : name;
}

const qualifiedName = /^(?:("(?:[^"]|"")+"|[^".]+)\.)?("(?:[^"]|"")+"|[^".]+)$/;

/**
 * A table's name as a person writes it: `table`, `schema.table`, `"odd.name"`, `schema."Odd name"`.
 *
 * @throws {SluiceError} `usage` when it is none of these.
 */
export function readTableName(text: string): TableName {
  const [, schemaText, nameText] = qualifiedName.exec(text.trim()) ?? [];
  const name = nameText === undefined ? undefined : readColumnName(nameText);
  const schema = schemaText === undefined ? null : readColumnName(schemaText);
  if (name === undefined || schema === undefined) {
    throw usageError(
      `read table name "${text}"`,
      `give table or schema.table; a name with a dot or quotes goes between double quotes`,
    );
  }
  return { schema, name };
}

/**
 * What keeps an SQL condition from standing between brackets in a statement of ours: an open quote or
 * bracket, a semicolon, a comment. Undefined when nothing does; the server judges the rest.
 *
 * @param kind of the server, which tells what a backslash means.
 */
export function conditionComplaint(
  sql: string,
  kind: "postgres" | "redshift",
): string | undefined {
  if (sql.trim() === "") return "it is empty";
  const { statements: [statement], open, hasSemicolon, hasComment } = readSql(sql, kind);
  if (hasComment) return "it holds a comment";
  if (open !== null) return `${open} is not closed`;
  if (hasSemicolon) return 'it holds a ";": give one condition';
  let depth = 0;
  for (const word of statement?.words ?? []) {
    if (word === "(") depth++;
    if (word === ")") depth--;
    if (depth < 0) return 'a ")" closes nothing';
  }
  return depth > 0 ? 'a "(" is not closed' : undefined;
}
