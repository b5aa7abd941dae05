import type { WarehouseKind } from "../clients/warehouse/warehouse.ts";
import { quoteLiteral, quoteTable } from "../formats/sql_text.ts";
import type { NamePattern } from "./name_pattern.ts";

/**
 * What is asked of the catalogs. All of it is SQL that Redshift runs, too, whose catalogs are those of
 * PostgreSQL 8.0: no regclass of a text, no identity, no arrays.
 */
const types = [
  ["r", "table"],
  ["p", "partitioned table"],
  ["v", "view"],
  ["m", "materialized view"],
  ["f", "foreign table"],
].map(([letter, name]) => `WHEN '${letter}' THEN '${name}'`).join(" ");

const relations = "FROM pg_catalog.pg_class c " +
  "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";

/** Not those of the server itself, nor the temporary ones of other sessions. */
const ofPeople = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', " +
  "'pg_internal', 'pg_automv') AND n.nspname NOT LIKE 'pg_toast%' AND " +
  "(n.nspname NOT LIKE 'pg_temp%' OR pg_catalog.pg_table_is_visible(c.oid))";

/** Tables, and views unless only tables are wanted. */
export function relationsSql(
  kind: WarehouseKind,
  pattern: NamePattern | null,
  onlyTables: boolean,
): string {
  const kinds = onlyTables ? "'r', 'p', 'f'" : "'r', 'p', 'f', 'v', 'm'";
  const where = pattern === null ? ofPeople : patternSql(kind, pattern);
  return `SELECT n.nspname AS "schema", c.relname AS "name", CASE c.relkind ${types} END AS "type", ` +
    `pg_catalog.pg_get_userbyid(c.relowner) AS "owner" ${relations} ` +
    `WHERE c.relkind IN (${kinds}) AND ${where} ORDER BY 1, 2`;
}

/** The columns of a table or view; on Redshift with what only its tables have. */
export function columnsSql(
  kind: WarehouseKind,
  pattern: NamePattern,
  withRedshift: boolean,
): string {
  const more = withRedshift
    ? ', pg_catalog.format_encoding(a.attencodingtype::integer) AS "encoding", ' +
      'a.attisdistkey AS "distkey", a.attsortkeyord AS "sortkey"'
    : "";
  return 'SELECT a.attname AS "column", pg_catalog.format_type(a.atttypid, a.atttypmod) AS "type", ' +
    `CASE WHEN a.attnotnull THEN 'not null' ELSE '' END AS "null", ` +
    `COALESCE(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '') AS "default"${more} ${relations} ` +
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid " +
    "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum " +
    `WHERE a.attnum > 0 AND NOT a.attisdropped AND ${patternSql(kind, pattern)} ` +
    "ORDER BY n.nspname, c.relname, a.attnum";
}

/** Keys and checks of a table; with the indexes where there are any. */
export function keysSql(kind: WarehouseKind, pattern: NamePattern): string {
  const where = patternSql(kind, pattern);
  const keys = 'SELECT con.conname AS "name", pg_catalog.pg_get_constraintdef(con.oid) AS "what" ' +
    `${relations} JOIN pg_catalog.pg_constraint con ON con.conrelid = c.oid ` +
    // PostgreSQL 18 has NOT NULL there, too, which the columns tell.
    `WHERE con.contype <> 'n' AND ${where}`;
  if (kind === "redshift") return `${keys} ORDER BY 1`;
  return `${keys} UNION ALL SELECT i.relname, pg_catalog.pg_get_indexdef(x.indexrelid) ${relations} ` +
    "JOIN pg_catalog.pg_index x ON x.indrelid = c.oid " +
    `JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid WHERE ${where} AND NOT x.indisprimary ` +
    "ORDER BY 1";
}

/** The databases of the server. */
export const databasesSql =
  'SELECT d.datname AS "name", pg_catalog.pg_get_userbyid(d.datdba) AS "owner" ' +
  "FROM pg_catalog.pg_database d ORDER BY 1";

/** All tables with their columns, for completion; those found without their schema are marked. */
export const namesSql = "SELECT n.nspname, c.relname, a.attname, " +
  `CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN 'yes' ELSE 'no' END ${relations} ` +
  "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid " +
  `WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND ${ofPeople} ` +
  "ORDER BY 1, 2, a.attnum";

/** The last errors of COPY, which only Redshift keeps; the second is for clusters of old. */
export const loadErrorsSql: readonly string[] = [
  "SELECT start_time, query_id, TRIM(file_name) AS file_name, line_number, " +
  "TRIM(column_name) AS column_name, TRIM(column_type) AS column_type, " +
  "TRIM(error_message) AS error_message FROM sys_load_error_detail ORDER BY start_time DESC LIMIT 50",
  "SELECT starttime AS start_time, query AS query_id, TRIM(filename) AS file_name, line_number, " +
  "TRIM(colname) AS column_name, TRIM(type) AS column_type, TRIM(err_reason) AS error_message, " +
  "TRIM(raw_field_value) AS raw_field FROM stl_load_errors ORDER BY starttime DESC LIMIT 50",
];

/** The schemas that hold a table of this name. */
export function schemasWithSql(kind: WarehouseKind, name: string): string {
  return `SELECT n.nspname ${relations} WHERE c.relkind IN ('r', 'p') AND c.relname = ` +
    `${literal(kind, name)} ORDER BY 1`;
}

/** The last loads of ingest by the ledgers of these schemas. */
export function ledgerSql(schemas: readonly (string | null)[], name: string): string {
  const rows = schemas.map((schema) =>
    "SELECT load_id, loaded_at, target_table, directory, size_bytes FROM " +
    quoteTable({ schema, name })
  ).join(" UNION ALL ");
  return "SELECT MAX(loaded_at) AS loaded_at, load_id, target_table, directory, COUNT(*) AS files, " +
    `SUM(size_bytes) AS bytes FROM (${rows}) l GROUP BY load_id, target_table, directory ` +
    "ORDER BY 1 DESC, 2 LIMIT 50";
}

function patternSql(kind: WarehouseKind, { schema, name }: NamePattern): string {
  // Redshift has made small letters of names, of quoted ones, too, unless it is told otherwise.
  const like = kind === "redshift" ? "ILIKE" : "LIKE";
  const place = schema === null
    ? "pg_catalog.pg_table_is_visible(c.oid)"
    : `n.nspname ${like} ${literal(kind, schema)}`;
  return `${place} AND c.relname ${like} ${literal(kind, name)}`;
}

function literal(kind: WarehouseKind, text: string): string {
  return quoteLiteral(text, kind === "redshift" ? "redshift" : "postgres");
}
