import type { StoredObject } from "../clients/store/store.ts";
import { serverReportOf } from "../clients/warehouse/warehouse.ts";
import { faultOf, reasonOf, SluiceError } from "../core/errors.ts";
import { DataError } from "../formats/data_error.ts";

/** What is wrong with a file, as far as it is known. */
export interface BadRow {
  /** Of the file, from 1; null when it is the file as a whole, or nobody knows. */
  readonly line: number | null;
  readonly column: string | null;
  readonly reason: string;
  /** The beginning of the row as it stands in the file, 1 KiB at most. */
  readonly raw: string | null;
}

/** A file that cannot be loaded. */
export interface BadFile {
  readonly file: StoredObject;
  readonly row: BadRow;
}

/** A row that was found bad by a query of ours. */
export class BadRowError extends SluiceError {
  constructor(readonly row: BadRow) {
    super("load a row", "permanent", row.reason);
  }
}

/**
 * SQLSTATEs that a row can bring about: data exceptions and integrity constraints (22, 23; a bad COPY
 * line is 22P04), a WITH CHECK OPTION (44), several rows where one may be (21, in a trigger), what a
 * trigger raises, asserts or misses (P0001 to P0004) or a function in another language throws (38, 39),
 * and values too long for an index or a page (54000).
 */
const ofRows = /^(2[123]|38|39|44|P000[1-4]|54000)/;

/** The classes that PostgreSQL itself has; any other code was raised by somebody's trigger. */
const known = /^(0[01238ABFLPZ]|10|2[0-8BDF]|3[489BDF]|4[024]|5[3-58]|57|72|F0|HV|P0|XX)/;

/** Whether a failure is the data's own: the same file would fail again, and others need not. */
export function isDataFailure(thrown: unknown): boolean {
  if (thrown instanceof DataError || thrown instanceof BadRowError) return true;
  if (faultOf(thrown) === "corrupt") return true;
  const state = serverReportOf(thrown)?.sqlState ?? "";
  return ofRows.test(state) || (/^[0-9A-Z]{5}$/.test(state) && !known.test(state));
}

/** Whether the server would not delete a row of the table since another table refers to it. */
export function isDeleteRefused(thrown: unknown): boolean {
  return ["23001", "23503"].includes(serverReportOf(thrown)?.sqlState ?? "");
}

/** Whether all have failed for one reason, whatever the values are that it names. */
export function areAlike(bad: readonly BadFile[]): boolean {
  const reasons = bad.map(({ row: { column, reason } }) =>
    `${column}: ${reason.replace(/["«„“].*?["»“”]|\([^)]*\)|\d+/g, "")}`
  );
  return new Set(reasons).size <= 1;
}

/** What a failure tells of the row, without its line when the server counts by rows of its own. */
export function badRowOf(thrown: unknown): BadRow {
  if (thrown instanceof DataError) {
    const { line, column, reason, raw } = thrown.row;
    return { line, column, reason, raw: textOf(raw) };
  }
  if (thrown instanceof BadRowError) return thrown.row;
  const report = serverReportOf(thrown);
  if (report === null) return { line: null, column: null, reason: reasonOf(thrown), raw: null };
  const { message, detail, copy } = report;
  const reason = detail === undefined ? message : `${message}; ${detail}`;
  return { line: null, column: copy?.column ?? null, reason, raw: null };
}

export function textOf(raw: Uint8Array): string {
  return new TextDecoder().decode(raw);
}
