import type { Session, WarehouseKind } from "../clients/warehouse/warehouse.ts";
import { usageError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { quoteLiteral, quoteTable, type TableName } from "../formats/sql_text.ts";
import { type TargetColumn, targetColumnOf } from "../formats/target_column.ts";

/** How identifiers and literals are written for a kind. */
export function dialectOf(kind: WarehouseKind): "postgres" | "redshift" {
  return kind === "redshift" ? "redshift" : "postgres";
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
  const table = quoteLiteral(quoteTable(target), dialectOf(session.kind));
  // Redshift tells of an identity column by its default; it has no other generated ones.
  const [special, defaults] = session.kind === "redshift"
    ? [
      `CASE WHEN d.adsrc LIKE '%"identity"(%' THEN 'a' ELSE '' END, ''`,
      "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum ",
    ]
    : ["a.attidentity, a.attgenerated", ""];
  const { rows } = await session.query(
    `SELECT a.attname, format_type(a.atttypid, a.atttypmod), ${special} FROM pg_attribute a ` +
      `${defaults}WHERE a.attrelid = ${table}::regclass AND a.attnum > 0 AND NOT a.attisdropped`,
  );
  const types = new Map(rows.map(([name, ...rest]) => [name ?? "", rest]));
  return columns.map((name) => {
    const [type, identity, generated] = types.get(name) ?? [];
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
