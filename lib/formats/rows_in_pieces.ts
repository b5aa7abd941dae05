import { DataError, rawOf } from "./data_error.ts";

/**
 * Takes all rows that are whole in `bytes[at, end)`; all there are when `isLast`. The bytes are lent.
 * Returns where the first row begins that is not whole; `end` when there is none.
 */
export type RowTaker = (bytes: Uint8Array, at: number, end: number, isLast: boolean) => number;

/** What a stream of bytes with a longer row is: Redshift takes no row over 4 MiB either. */
const ROW_BYTES_MOST = 16 * 1024 * 1024;

/**
 * Hands a stream of pieces on so that every row is whole: what is left of a piece is put before the
 * next. A row that does not fit is looked at again only when its bytes have doubled. A byte order mark
 * at the beginning is passed over.
 */
export class RowsInPieces {
  readonly #take: RowTaker;
  readonly #line: () => number;
  #isBegun = false;
  #rest = new Uint8Array(0);
  #length = 0;
  /** How many bytes must have come before the rest is looked at again. */
  #wanted = 0;

  /** @param line tells on which line the row begins that comes next, for errors. */
  constructor(take: RowTaker, line: () => number) {
    this.#take = take;
    this.#line = line;
  }

  /** @throws {DataError} when a row is longer than 16 MiB. */
  push(bytes: Uint8Array): void {
    if (this.#length === 0) {
      const behind = this.#rows(bytes, bytes.length, false);
      this.#keep(bytes, behind, bytes.length);
      return;
    }
    this.#append(bytes, 0, bytes.length);
    if (this.#length < this.#wanted) return;
    const behind = this.#rows(this.#rest, this.#length, false);
    this.#rest.copyWithin(0, behind, this.#length);
    this.#length -= behind;
    this.#look();
  }

  /** The stream has ended, and with it its last row. */
  finish(): void {
    this.#rows(this.#rest, this.#length, true);
    this.#length = 0;
  }

  #rows(bytes: Uint8Array, end: number, isLast: boolean): number {
    if (this.#isBegun) return this.#take(bytes, 0, end, isLast);
    const begin = behindMark(bytes, end, isLast);
    if (begin < 0) return 0;
    this.#isBegun = true;
    return this.#take(bytes, begin, end, isLast);
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    this.#append(bytes, start, end);
    this.#look();
  }

  #look(): void {
    this.#wanted = Math.min(2 * this.#length, ROW_BYTES_MOST + 1);
    if (this.#length <= ROW_BYTES_MOST) return;
    throw new DataError({
      line: this.#line(),
      column: null,
      reason: `the row is longer than ${ROW_BYTES_MOST} bytes: a quotation mark may not be closed`,
      raw: rawOf(this.#rest, 0, this.#length),
    });
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    const length = this.#length + end - start;
    if (length > this.#rest.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#rest.length));
      larger.set(this.#rest.subarray(0, this.#length));
      this.#rest = larger;
    }
    this.#rest.set(bytes.subarray(start, end), this.#length);
    this.#length = length;
  }
}

/** Where a file begins behind its byte order mark; -1 when too few bytes are there to tell. */
function behindMark(bytes: Uint8Array, end: number, isLast: boolean): number {
  const mark = [0xef, 0xbb, 0xbf];
  for (let i = 0; i < mark.length; i++) {
    if (i === end) return isLast ? 0 : -1;
    if (bytes[i] !== mark[i]) return 0;
  }
  return mark.length;
}
