import { type CopyClause, readCopy } from "./redshift_copy_clause.ts";
import { fetchFiles, type LoadRights } from "./redshift_files.ts";
import { readRows } from "./redshift_rows.ts";
import { sqlLiteral, sqlName } from "./redshift_sql.ts";
import { copyLine, type LoadColumn, type LoadFault } from "./redshift_values.ts";
import { RedshiftError } from "./redshift_wire.ts";

/** The session whose COPY it is. */
export interface LoadSession {
  readonly processId: number;
  readonly database: string;
  /** Runs a query out of the client's sight. @throws {RedshiftError} */
  query(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  /** Runs COPY FROM STDIN out of the client's sight. @throws {RedshiftError} with the context as detail. */
  copyIn(sql: string, lines: readonly string[]): Promise<void>;
  /** Runs SQL in a transaction of its own, which is committed whatever becomes of this one. */
  note(sql: string): Promise<void>;
}

interface Target {
  readonly oid: string;
  readonly columns: readonly LoadColumn[];
}

interface FileFault extends LoadFault {
  readonly url: string;
}

/**
 * Runs a COPY from S3: all files or none (COPY usage notes, copy-usage_notes-multiple-files).
 *
 * @param queryId as SYS_LOAD_ERROR_DETAIL names it.
 * @returns the INFO messages for the client.
 * @throws {RedshiftError}
 */
export async function loadFromS3(
  sql: string,
  session: LoadSession,
  rights: LoadRights,
  queryId: number,
): Promise<string[]> {
  const clause = readCopy(sql);
  const { options, tableName } = clause;
  const target = await targetOf(clause, session);
  const files = await fetchFiles(clause, rights);
  const names = target.columns.map(({ name }) => name);
  const lines: string[] = [];
  const places: { readonly url: string; readonly line: number; readonly raw: string }[] = [];
  const faults: FileFault[] = [];
  // MAXERROR: "if the load returns the error_count number of errors or greater, the load fails".
  const most = Math.max(1, options.maxError);
  for (const { url, bytes } of files) {
    for (const row of readRows(bytes, options, names)) {
      const line = copyLine(row, target.columns, options);
      if (typeof line !== "string") faults.push({ ...line, url });
      else {
        lines.push(line);
        places.push({ url, line: row.line, raw: row.raw });
      }
      if (faults.length >= most) return await fail(clause, target, session, queryId, faults);
    }
  }
  // NOLOAD: "checks the validity of the data files without actually loading" (copy-parameters-data-load).
  if (!options.isNoLoad) {
    try {
      const list = names.map(sqlName).join(", ");
      await session.copyIn(`COPY ${clause.table} (${list}) FROM STDIN`, lines);
    } catch (thrown) {
      const where = thrown instanceof RedshiftError
        ? /, line (\d+)(?:, column ("?[^:]+"?): "([\s\S]*)")?/.exec(thrown.detail ?? "")
        : undefined;
      const place = places[Number(where?.[1] ?? 0) - 1];
      if (!(thrown instanceof RedshiftError) || !place) throw thrown;
      // 1200: what none of the other codes names (Load error reference, r_Load_Error_Reference).
      const column = target.columns.find(({ name }) => name === where?.[2]);
      const fault = { ...place, column, value: where?.[3] ?? "", code: 1200 };
      faults.push({ ...fault, reason: thrown.message });
      return await fail(clause, target, session, queryId, faults);
    }
  }
  if (faults.length > 0) await noteFaults(target, session, queryId, faults);
  const count = options.isNoLoad ? 0 : lines.length;
  await session.query(
    `SELECT set_config('redshift.last_copy_id', '${queryId}', false), ` +
      `set_config('redshift.last_copy_count', '${count}', false)`,
  );
  const done = `Load into table '${tableName}' completed, ${count} record(s) loaded successfully.`;
  if (faults.length === 0) return [done];
  const left =
    `Load into table '${tableName}' completed, ${faults.length} record(s) could not be ` +
    "loaded.  Check 'sys_load_error_detail' system table for details.";
  return [done, left];
}

/** The columns that COPY fills ("Column mapping options", copy-parameters-column-mapping). */
async function targetOf(clause: CopyClause, session: LoadSession): Promise<Target> {
  const rows = await session.query(
    "SELECT a.attname, format_type(a.atttypid, NULL), a.atttypmod, a.attnotnull, a.attidentity, " +
      "a.attrelid::bigint FROM pg_attribute a " +
      `WHERE a.attrelid = to_regclass(${sqlLiteral(clause.table)}) AND a.attnum > 0 ` +
      "AND NOT a.attisdropped ORDER BY a.attnum",
  );
  if (rows.length === 0) {
    throw new RedshiftError(`Cannot COPY into nonexistent table ${clause.tableName}`);
  }
  const all = rows.map(([name, type, modifier, isNotNull, identity]) => {
    const bits = Number(modifier) - 4;
    const isNumeric = type === "numeric";
    return {
      name: name ?? "",
      type: type ?? "",
      length: bits < 0 || isNumeric || !/^char/.test(type ?? "") ? null : bits,
      scale: bits >= 0 && isNumeric ? bits & 0xffff : null,
      isNotNull: isNotNull === "t",
      isIdentity: identity === "a",
    };
  });
  const names = clause.columns ??
    // "as if a complete, in-order column list was specified, with IDENTITY columns omitted".
    all.filter(({ isIdentity }) => !isIdentity).map(({ name }) => name);
  const columns = names.map((name) => {
    const column = all.find((one) => one.name === name);
    if (!column) {
      const text = `column "${name}" of relation "${clause.tableName}" does not exist`;
      throw new RedshiftError(text, "42703");
    }
    if (column.isIdentity) {
      const text =
        `cannot set an identity column to a value: EXPLICIT_IDS is missing for "${name}"`;
      throw new RedshiftError(text, "0A000");
    }
    return column;
  });
  // "If NOT NULL is left out of the list and has no default, COPY fails": PostgreSQL says so itself.
  return { oid: rows[0]?.[5] ?? "0", columns };
}

async function fail(
  { tableName }: CopyClause,
  target: Target,
  session: LoadSession,
  queryId: number,
  faults: readonly FileFault[],
): Promise<never> {
  await noteFaults(target, session, queryId, faults);
  throw new RedshiftError(
    `Load into table '${tableName}' failed.  Check 'sys_load_error_detail' system table for details.`,
  );
}

/** SYS_LOAD_ERROR_DETAIL and STL_LOAD_ERRORS (pages of these names) outlive the ROLLBACK. */
async function noteFaults(
  { oid }: Target,
  session: LoadSession,
  queryId: number,
  faults: readonly FileFault[],
): Promise<void> {
  for (let at = 0; at < faults.length; at += 20) {
    const rows = faults.slice(at, at + 20).map(
      ({ url, line, column, code, reason, raw, value }) => {
        const length = column?.length ?? null;
        const values = [
          ...[queryId, session.processId, session.database, Number(oid), cut(url, 256), line],
          ...[cut(column?.name ?? "", 127), cut(column?.type ?? "", 10), String(length ?? "")],
          ...[code, cut(reason, 100), cut(raw, 1024), cut(value, 1024)],
        ];
        return `(${values.map(sqlLiteral).join(", ")})`;
      },
    );
    await session.note(
      "INSERT INTO pg_catalog.redshift_load_error SELECT query_id::bigint, session_id::int, " +
        "database_name, table_id::bigint, now(), file_name, line_number::bigint, column_name, " +
        "column_type, column_length, error_code::int, error_message, raw_line, raw_field_value " +
        `FROM (VALUES ${rows.join(", ")}) v (query_id, session_id, database_name, table_id, ` +
        "file_name, line_number, column_name, column_type, column_length, error_code, " +
        "error_message, raw_line, raw_field_value)",
    );
  }
}

function cut(text: string, characters: number): string {
  return text.replaceAll("\0", "").slice(0, characters);
}
