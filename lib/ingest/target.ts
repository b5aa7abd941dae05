import type { Session, WarehouseKind } from "../clients/warehouse/warehouse.ts";
import { SluiceError, usageError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { quoteLiteral, quoteTable, type TableName } from "../formats/sql_text.ts";
import { type TargetColumn, targetColumnOf } from "../formats/target_column.ts";

/** How identifiers and literals are written for a kind. */
export function dialectOf(kind: WarehouseKind): "postgres" | "redshift" {
  return kind === "redshift" ? "redshift" : "postgres";
}

/** The number of a table, as SQL. On Redshift NULL when there is no such table. */
export function tableIdSql(kind: WarehouseKind, target: TableName): string {
  if (kind !== "redshift") return `${quoteLiteral(quoteTable(target), "postgres")}::regclass`;
  const { schema, name } = target;
  const literal = (text: string) => quoteLiteral(text, "redshift");
  const oneOf = (text: string) => `IN (${literal(text)}, ${literal(small(text))})`;
  const place = schema === null ? "pg_table_is_visible(c.oid)" : `n.nspname ${oneOf(schema)}`;
  return "(SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace " +
    `WHERE c.relname ${oneOf(name)} AND ${place} ` +
    `ORDER BY CASE WHEN c.relname = ${literal(name)} THEN 0 ELSE 1 END LIMIT 1)`;
}

/**
 * A column's name as the server has it. Redshift makes small letters of names, of quoted ones too, but
 * where enable_case_sensitive_identifier is on (the page of this name).
 */
export function storedName(
  kind: WarehouseKind,
  name: string,
  known: { has(name: string): boolean },
): string {
  return kind === "redshift" && !known.has(name) ? small(name) : name;
}

function small(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/**
 * The columns of a table that a load names, as the server knows them.
 *
 * @throws {SluiceError} `usage` for a column that is not there or cannot be written to; `permanent`
 *   when there is no such table.
 */
export async function targetColumns(
  session: Session,
  target: TableName,
  columns: readonly string[],
): Promise<TargetColumn[]> {
  const { kind } = session;
  // Redshift tells of an identity column by its default; it has no other generated ones.
  const [special, defaults] = kind === "redshift"
    ? [
      `CASE WHEN d.adsrc LIKE '%"identity"(%' THEN 'a' ELSE '' END, ''`,
      "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum ",
    ]
    : ["a.attidentity, a.attgenerated", ""];
  const { rows } = await session.query(
    `SELECT a.attname, format_type(a.atttypid, a.atttypmod), ${special} FROM pg_attribute a ` +
      `${defaults}WHERE a.attrelid = ${tableIdSql(kind, target)} AND a.attnum > 0 ` +
      "AND NOT a.attisdropped",
  );
  if (rows.length === 0) {
    throw new SluiceError(`load into ${quoteTable(target)}`, "permanent", "there is no such table");
  }
  const types = new Map(rows.map(([name, ...rest]) => [name ?? "", rest]));
  return columns.map((name) => {
    const [type, identity, generated] = types.get(storedName(kind, name, types)) ?? [];
    const action = `load column "${name}" of ${quoteTable(target)}`;
    if (typeof type !== "string") {
      const meant = nearest(name, [...types.keys()]);
      throw usageError(
        action,
        `the table has no such column${meant ? `; did you mean "${meant}"?` : ""}`,
      );
    }
    if (identity === "a" || generated) {
      throw usageError(action, "the server makes its values itself: take it out of columns");
    }
    return targetColumnOf({ name, type });
  });
}
