import type { Secret } from "../../core/secret.ts";
import type { World } from "../../core/world.ts";
import { type WarehousePlace, warehousePlaceOf } from "./warehouse_url.ts";

export { hasPassword, withPassword } from "./warehouse_url.ts";

export { type CopyContext, type ServerReport, serverReportOf } from "./server_report.ts";

/** What speaks at the other end; each has habits of its own. */
export type WarehouseKind = "postgres" | "redshift" | "pglite";

/** A column of a result. */
export interface Column {
  readonly name: string;
  /** As the server names it: `int4`, `timestamptz`, `_text` for `text[]`; `oid 16412` when unknown. */
  readonly type: string;
}

/** The values of one row, as the server's own text. */
export type Row = readonly (string | null)[];

/** The whole result of one statement. */
export interface QueryResult {
  /** None when the statement gives no rows. */
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Rows given, or touched by INSERT, UPDATE, DELETE, MERGE or COPY; 0 when the server tells none. */
  readonly affected: number;
}

/**
 * A result as it comes, in batches of rows of which at most a few are in memory. It can be read once.
 * The session is taken until the end; who leaves the loop before it cancels the statement.
 */
export interface RowStream extends AsyncIterable<readonly Row[]> {
  readonly columns: readonly Column[];
  /** What the server calls what it did, `INSERT 0 5`; empty before the end is reached. */
  readonly tag: string;
}

/**
 * One connection, which does one thing at a time: what is asked for while something runs waits for it.
 *
 * Every method throws {@linkcode SluiceError}; what the server said of it is in its cause:
 * {@linkcode serverReportOf}. `transient`: the connection is lost, the server is starting, stopping or
 * full, a deadlock, a serialization failure, a lock that was not to be had, a time-out, a cancel.
 * `denied`: wrong password, no rights. `permanent`: errors in the SQL and in the data.
 *
 * After an error within BEGIN the session is usable, for a ROLLBACK first of all. Unless
 * {@linkcode Session.isBroken}: then the connection is gone, and with it what was not committed. When
 * that becomes so during COMMIT, nobody here knows whether the transaction has happened.
 */
export interface Session {
  readonly kind: WarehouseKind;
  /** True: the connection is of no use any more; close it and open another one. */
  readonly isBroken: boolean;
  /**
   * Whether a transaction was open behind the last statement, as the server tells; `failed`: it
   * takes nothing any more but its end.
   */
  readonly transaction: "none" | "open" | "failed";
  /**
   * Runs one statement and gives its whole result.
   *
   * @param params for $1, $2, ...; as texts, whose types the server finds out.
   */
  query(sql: string, params?: Row): Promise<QueryResult>;
  /**
   * Runs one or more statements; several without BEGIN are one transaction (on Redshift and
   * PostgreSQL alike). Gives the rows that the last one touched.
   */
  execute(sql: string): Promise<number>;
  /**
   * Runs `COPY ... FROM STDIN` with these bytes. Pieces are asked for no faster than the server takes
   * them; each may be used again when the next one is asked for. Rejects as soon as the server does,
   * and with what `pieces` throws: then the server has taken nothing.
   *
   * @returns the rows copied.
   * @throws {SluiceError} `permanent` on Redshift, which has no such COPY.
   */
  copyIn(sql: string, pieces: AsyncIterable<Uint8Array>): Promise<number>;
  /**
   * The bytes of `COPY ... TO STDOUT`, with bounded memory. Who leaves the loop early cancels it.
   *
   * @throws {SluiceError} `permanent` on Redshift, which has no such COPY.
   */
  copyOut(sql: string, options?: StatementOptions): AsyncIterable<Uint8Array>;
  /** Runs one statement and gives its rows as they come; resolves when the columns are known. */
  stream(sql: string, options?: StatementOptions): Promise<RowStream>;
  /**
   * Asks the server, from another connection, to give up the statement under way, which then rejects
   * as `transient` with the SQLSTATE 57014. One that is done already is not harmed. On pglite only a
   * COPY that waits for its data can be given up: everything else runs in this very thread, and is
   * done before this call is heard.
   */
  cancel(): Promise<void>;
  /** Ends the connection; what was not committed is undone. Closed again, nothing happens. */
  close(): Promise<void>;
}

/** How a statement is sent. */
export interface StatementOptions {
  /** The server refuses it, as a whole, when it is more than one statement. @default false */
  readonly isSingle?: boolean;
}

/** How a session is wanted. */
export interface SessionOptions {
  /**
   * A statement that takes longer is given up by the server, as `transient` with the SQLSTATE 57014;
   * not by pglite, where nobody watches the clock. @default the server's
   */
  readonly statementTimeoutMs?: number;
  /** What the server lists the session as. @default "sluice" */
  readonly applicationName?: string;
}

/** A database that can be connected to. */
export interface Warehouse {
  readonly kind: WarehouseKind;
  /** For messages: without the password. */
  readonly url: string;
  connect(options?: SessionOptions): Promise<Session>;
  /** Ends all sessions. */
  close(): Promise<void>;
}

/**
 * Opens the warehouse of a URL; for PostgreSQL and Redshift nothing is asked of it yet:
 *
 * - `postgres://USER:PASSWORD@HOST[:5432]/DATABASE[?sslmode=...]`, also `postgresql:` and
 *   `jdbc:postgresql:`
 * - `redshift://USER:PASSWORD@HOST[:5439]/DATABASE`, also `jdbc:redshift:`
 * - `pglite:FOLDER`: PostgreSQL within this process, loaded only now; one process per folder.
 *
 * @throws {SluiceError} `usage` for any other value, never repeating the password; `permanent` when
 *   another process has the folder open.
 */
export async function openWarehouse(url: Secret, world: World): Promise<Warehouse> {
  const place: WarehousePlace = warehousePlaceOf(url);
  if (place.kind === "pglite") return (await import("./pglite.ts")).openPglite(place, world);
  return (await import("./postgres.ts")).openPostgres(place, world);
}
