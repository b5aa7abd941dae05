import { SluiceError } from "../core/errors.ts";
import { visible } from "../core/visible.ts";

/** A row of a file that cannot be loaded. */
export interface RowFault {
  /** The line of the file on which the row begins, from 1, as an editor counts. */
  readonly line: number;
  /** Null when it is the row as a whole. */
  readonly column: string | null;
  readonly reason: string;
  /** The beginning of the row as it stands in the file, 1 KiB at most. */
  readonly raw: Uint8Array;
}

/** How much of a bad row is kept for the report. */
const RAW_BYTES_MOST = 1024;

/** A copy of the beginning of `bytes[start, end)`, without its line feed. */
export function rawOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  let stop = Math.min(end, start + RAW_BYTES_MOST);
  if (stop === end && stop > start && bytes[stop - 1] === 10) stop--;
  if (stop < end && stop > start && bytes[stop - 1] === 13) stop--;
  return bytes.slice(start, stop);
}

/** A file's data cannot be loaded; which row is at fault can be asked. Its fault kind is `permanent`. */
export class DataError extends SluiceError {
  constructor(readonly row: RowFault) {
    const column = row.column === null ? "" : `, column ${visible(row.column)}`;
    super("load a row", "permanent", `line ${row.line}${column}: ${row.reason}`);
  }
}
