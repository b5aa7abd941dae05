import type { IngestCase, TargetKind } from "./ingest_cases_type.ts";
import type { Value } from "./ingest_model.ts";

/** The ledger that a case's files are written down in. */
function ledgerOf({ schema }: IngestCase): string {
  return `${schema === undefined ? "" : `${schema}.`}sluice_ingest_ledger`;
}

/** The table of a case as SQL names it. */
export function tableOf({ id, sqlTable }: IngestCase): string {
  return sqlTable ?? name(id);
}

/** The columns that the table has on a server. */
export function columnsOn({ has }: IngestCase, kind: TargetKind): string[] {
  return Object.keys(has).filter((column) => typeOn(has[column], kind) !== null);
}

/** Makes what a case needs, in the server's own words. */
export function makeSql(one: IngestCase, kind: TargetKind): string[] {
  const { keys = [], schema, has, beside } = one;
  const columns = columnsOn(one, kind).map((column) =>
    `${name(column)} ${typeOn(has[column], kind)}`
  );
  if (keys.length > 0 && !one.isUnkeyed) columns.push(`PRIMARY KEY (${keys.map(name).join(", ")})`);
  return [
    ...schema === undefined ? [] : [`CREATE SCHEMA ${schema}`],
    `CREATE TABLE ${tableOf(one)} (${columns.join(", ")})`,
    ...beside === undefined ? [] : [beside.make],
  ];
}

/** Brings the first rows in, in PostgreSQL's words. */
export function startSql(one: IngestCase): string[] {
  const { start = [], columns, startColumns = columns } = one;
  if (start.length === 0) return [];
  const rows = start.map((row) => `(${row.map(value).join(", ")})`).join(", ");
  return [`INSERT INTO ${tableOf(one)} (${startColumns.map(name).join(", ")}) VALUES ${rows}`];
}

/** What is to be run before a pass, in PostgreSQL's words. */
export function betweenSql(one: IngestCase, pass: number): string[] {
  const sql = pass === 0 ? undefined : one.between?.[pass - 1];
  return sql === undefined ? [] : [sql.replaceAll("{{ledger}}", ledgerOf(one))];
}

/** Asks for all rows of a table as one JSON array of arrays of texts. */
export function rowsSql(table: string, columns: readonly string[] | null): string {
  const row = columns === null
    ? "(SELECT array_agg(value ORDER BY ordinality) FROM json_each_text(to_json(t)) WITH ORDINALITY)"
    : `ARRAY[${columns.map((one) => `${name(one)}::text`).join(", ")}]`;
  return `SELECT coalesce(json_agg(to_json(${row})), '[]')::text FROM ${table} t`;
}

/** Asks for the names of a directory in the ledger, as a JSON array. */
export function ledgerSql(one: IngestCase, directory: string): string {
  return `SELECT coalesce(json_agg(name), '[]')::text FROM ${ledgerOf(one)} ` +
    `WHERE directory LIKE '%/${directory.replaceAll("_", "\\_")}'`;
}

function typeOn(type: IngestCase["has"][string] | undefined, kind: TargetKind): string | null {
  if (type === undefined || typeof type === "string") return type ?? null;
  return kind === "redshift" ? type.redshift : type.postgres;
}

function name(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function value(text: Value): string {
  return text === null ? "NULL" : `'${text.replaceAll("'", "''")}'`;
}
