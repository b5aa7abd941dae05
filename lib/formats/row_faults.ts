import { DataError, rawOf, type RowFault } from "./data_error.ts";

/** A row as it stands in its file. */
export interface FoundRow {
  readonly line: number;
  /** The beginning of it, 1 KiB at most. */
  readonly raw: Uint8Array;
}

/** So many are kept for the report; all are counted. */
export const faultsKeptMost = 1000;

/**
 * How many rows MAXERROR lets be left out. By "Data load operations" in Amazon's Redshift Database
 * Developer Guide (copy-parameters-data-load) a load fails when it returns that number of errors or
 * more, goes on when there are fewer, and fails at the first error with 0 and with 1 alike.
 */
export function rowsLeftOutMost(maxError: number): number {
  return Math.max(0, maxError - 1);
}

/** The rows of a file that were left out, and those that were looked for. */
export class RowFaults {
  /** The number of the row that is looked for next; 0 for none. */
  wanted: number;
  readonly #most: number;
  readonly #kept: RowFault[] = [];
  readonly #wanted: readonly number[];
  readonly #found = new Map<number, FoundRow>();
  #count = 0;

  /**
   * @param most rows that may be left out.
   * @param wanted the numbers, from 1 and ascending, of rows to look for.
   */
  constructor(most: number, wanted: readonly number[] = []) {
    this.#most = most;
    this.#wanted = wanted;
    this.wanted = wanted[0] ?? 0;
  }

  get count(): number {
    return this.#count;
  }

  /** The first of them, 1,000 at most. */
  get first(): readonly RowFault[] {
    return this.#kept;
  }

  /** The rows that were looked for, by their numbers, as far as they have been written. */
  get found(): ReadonlyMap<number, FoundRow> {
    return this.#found;
  }

  /** Whether rows were looked for, and there is none left to look for. */
  get hasFoundAll(): boolean {
    return this.#wanted.length > 0 && this.wanted === 0;
  }

  /** @throws {DataError} when that is one row too many. */
  add(fault: Omit<RowFault, "raw">, bytes: Uint8Array, start: number, end: number): void {
    const row = { ...fault, raw: rawOf(bytes, start, end) };
    if (!this.countOne()) throw new DataError(row);
    if (this.#kept.length < faultsKeptMost) this.#kept.push(row);
  }

  /** Counts a row that somebody else has found bad. False: that is one too many. */
  countOne(): boolean {
    return ++this.#count <= this.#most;
  }

  /** Takes the row that is wanted. */
  find(line: number, bytes: Uint8Array, start: number, end: number): void {
    this.#found.set(this.wanted, { line, raw: rawOf(bytes, start, end) });
    this.wanted = this.#wanted[this.#found.size] ?? 0;
  }
}
