import type { StoredObject } from "../clients/store/store.ts";
import { serverReportOf } from "../clients/warehouse/warehouse.ts";
import { faultOf, reasonOf } from "../core/errors.ts";
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

/** Whether a failure is the data's own: the same file would fail again, and others need not. */
export function isDataFailure(thrown: unknown): boolean {
  if (thrown instanceof DataError || faultOf(thrown) === "corrupt") return true;
  const state = serverReportOf(thrown)?.sqlState ?? "";
  // Data exceptions and integrity constraints; and a bad COPY line as such.
  return /^(22|23)/.test(state);
}

/** What a failure tells of the row, without its line when the server counts by rows of its own. */
export function badRowOf(thrown: unknown): BadRow {
  if (thrown instanceof DataError) {
    const { line, column, reason, raw } = thrown.row;
    return { line, column, reason, raw: textOf(raw) };
  }
  const report = serverReportOf(thrown);
  if (report === null) return { line: null, column: null, reason: reasonOf(thrown), raw: null };
  const { message, detail, copy } = report;
  const reason = detail === undefined ? message : `${message}; ${detail}`;
  return { line: null, column: copy?.column ?? null, reason, raw: null };
}

export function textOf(raw: Uint8Array): string {
  return new TextDecoder().decode(raw);
}
