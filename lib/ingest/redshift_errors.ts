import { serverReportOf, type Session } from "../clients/warehouse/warehouse.ts";
import { faultOf } from "../core/errors.ts";
import { isDataFailure } from "./bad_file.ts";

/** An error that Redshift has noted of a COPY. */
export interface LoadError {
  /** Cut off behind 256 characters. */
  readonly url: string;
  readonly line: number;
  readonly column: string | null;
  readonly reason: string;
  /** Only STL_LOAD_ERRORS has it, with a point in place of each character of several bytes. */
  readonly raw: string | null;
}

/** MAXERROR lets no more rows be left out. */
const errorsMost = 100_000;

/**
 * Whether a failed statement may be the fault of the data. Redshift's compute nodes call everything
 * XX000; what the leader says of the statement itself has a code of its own.
 */
export function mayBeData(thrown: unknown): boolean {
  if (isDataFailure(thrown)) return true;
  return faultOf(thrown) === "permanent" && serverReportOf(thrown)?.sqlState === "XX000";
}

/**
 * What Redshift has noted of the COPYs of this session into a table, each table having a number of its
 * own. The notes outlive the transaction; in one that has failed they cannot be read.
 *
 * SYS_LOAD_ERROR_DETAIL is there on provisioned clusters and on Serverless, STL_LOAD_ERRORS on the
 * former only: asked first it would give nothing for a cluster that was scaled up. Either is asked for
 * by the table's number and the session's.
 *
 * @throws {SluiceError} `transient` when the connection is lost; no rights are no errors.
 */
export async function loadErrorsOf(session: Session, tableId: string): Promise<LoadError[]> {
  if (!/^\d+$/.test(tableId)) return [];
  const fromSys = await asked(
    session,
    "SELECT TRIM(file_name), line_number, TRIM(column_name), TRIM(error_message), NULL " +
      `FROM sys_load_error_detail WHERE table_id = ${tableId} AND session_id = pg_backend_pid() ` +
      `ORDER BY 1, 2 LIMIT ${errorsMost}`,
  );
  if (fromSys.length > 0) return fromSys;
  return await asked(
    session,
    "SELECT TRIM(filename), line_number, TRIM(colname), TRIM(err_reason), TRIM(raw_line) " +
      `FROM stl_load_errors WHERE tbl = ${tableId} AND session = pg_backend_pid() ` +
      `ORDER BY 1, 2 LIMIT ${errorsMost}`,
  );
}

async function asked(session: Session, sql: string): Promise<LoadError[]> {
  try {
    const { rows } = await session.query(sql);
    return rows.map(([url, line, column, reason, raw]) => ({
      url: url ?? "",
      line: Number(line ?? 0),
      column: column || null,
      reason: reason || "Redshift tells no reason",
      raw: raw ?? null,
    }));
  } catch (thrown) {
    if (session.isBroken || faultOf(thrown) === "transient") throw thrown;
    return [];
  }
}
