import type { Session } from "../clients/warehouse/warehouse.ts";
import { usageError } from "../core/errors.ts";
import { quoteTable, type TableName } from "../formats/sql_text.ts";
import { storedName, tableIdSql } from "./target.ts";

/**
 * Refuses a load into a table with a column that must have a value, gets none from the server, and is
 * not among those of the manifest: no row could be inserted. A table with a trigger before INSERT is
 * let through, for the trigger may fill the column in.
 *
 * @throws {SluiceError} `usage` naming the column.
 */
export async function refuseMissing(
  session: Session,
  target: TableName,
  columns: readonly string[],
): Promise<void> {
  const { kind } = session;
  const table = tableIdSql(kind, target);
  // Identity columns of PostgreSQL have no default of their own; Redshift's have, and no triggers.
  const untold = kind === "redshift" ? "" : ` AND a.attidentity = '' AND NOT EXISTS (` +
    `SELECT 1 FROM pg_trigger t WHERE t.tgrelid = ${table} AND NOT t.tgisinternal ` +
    // Bits of pg_trigger.h: 1 for each row, 2 before, 4 INSERT.
    "AND t.tgtype & 7 = 7)";
  const { rows } = await session.query(
    `SELECT a.attname FROM pg_attribute a WHERE a.attrelid = ${table} AND a.attnum > 0 ` +
      `AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef${untold} ORDER BY a.attnum`,
  );
  const needed = rows.map(([name]) => name ?? "");
  const given = new Set(columns.map((name) => storedName(kind, name, new Set(needed))));
  const missing = needed.filter((name) => !given.has(name));
  if (missing.length === 0) return;
  const names = missing.map((name) => `"${name}"`).join(", ");
  throw usageError(
    `load into ${quoteTable(target)}`,
    `column ${names} must not be NULL, has no default, and is none of the columns of the manifest: ` +
      "add it to columns, or give it a default",
  );
}
