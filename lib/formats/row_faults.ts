import { DataError, rawOf, type RowFault } from "./data_error.ts";

/** A row as it stands in its file. */
export interface FoundRow {
  readonly line: number;
  /** The beginning of it, 1 KiB at most. */
  readonly raw: Uint8Array;
}

/** So many are kept for the report; all are counted. */
const KEPT_MOST = 1000;

/** The rows of a file that were left out, and the one that was looked for. */
export class RowFaults {
  /** The number, from 1, of the row that is looked for; 0 for none. */
  readonly wanted: number;
  readonly #most: number;
  readonly #kept: RowFault[] = [];
  #count = 0;
  #found: FoundRow | null = null;

  /** @param most rows that may be left out (MAXERROR). */
  constructor(most: number, wanted = 0) {
    this.#most = most;
    this.wanted = wanted;
  }

  get count(): number {
    return this.#count;
  }

  /** The first of them, 1,000 at most. */
  get first(): readonly RowFault[] {
    return this.#kept;
  }

  /** The row that was looked for, once it has been written. */
  get found(): FoundRow | null {
    return this.#found;
  }

  /** @throws {DataError} when that is one row too many. */
  add(fault: Omit<RowFault, "raw">, bytes: Uint8Array, start: number, end: number): void {
    this.#count++;
    const row = { ...fault, raw: rawOf(bytes, start, end) };
    if (this.#count > this.#most) throw new DataError(row);
    if (this.#kept.length < KEPT_MOST) this.#kept.push(row);
  }

  find(line: number, bytes: Uint8Array, start: number, end: number): void {
    this.#found = { line, raw: rawOf(bytes, start, end) };
  }
}
