import type { CopyOptions } from "../formats/copy_options.ts";
import { isBlankLine, lineFeedsIn, linesOf } from "../formats/delimited.ts";
import { RowScanner } from "../formats/delimited_row.ts";
import { Gathered } from "../formats/gathered.ts";
import { isSpace, objectEnd } from "../formats/json_fields.ts";
import { RowsInPieces } from "../formats/rows_in_pieces.ts";

const [OPEN, LF] = [123, 10];

const encoder = new TextEncoder();

/** A row as it stands in its file. */
export interface NumberedRow {
  /** From 1. */
  readonly line: number;
  /** The beginning of it, 1 KiB at most. */
  readonly raw: string;
}

/** How the rows of a file are numbered. */
export interface Numbering {
  readonly options: CopyOptions;
  /** The column of the number, for JSON. */
  readonly column: string;
  /** The number of the first row. */
  readonly first: number;
  /** The number of a row that is looked for. */
  readonly wanted?: number;
}

/**
 * Puts a number into each row of a file and leaves the rest of it as it is, so that Redshift reads the
 * rows as it would read them in the file: before the first field, or as the last member of an object of
 * JSON. Header lines, and blank ones where they are passed over, are left out. A row that cannot be
 * taken apart is handed on with its number, for COPY to complain of it.
 */
export class RowNumbering {
  /** The number of the next row. */
  next: number;
  /** The row that was looked for, when it has come by. */
  found: NumberedRow | null = null;
  readonly #out = new Gathered();
  readonly #pieces: RowsInPieces;
  readonly #scanner: RowScanner;
  readonly #delimiter: string;
  readonly #member: string;
  #headerLeft: number;
  #line = 1;

  constructor(private readonly numbering: Numbering) {
    const { options, column, first } = numbering;
    this.next = first;
    this.#headerLeft = options.ignoreHeader;
    this.#delimiter = options.delimiter;
    this.#member = `${JSON.stringify(column)}:`;
    this.#scanner = new RowScanner(options);
    const take = options.format === "json" ? this.#objects : this.#rows;
    this.#pieces = new RowsInPieces(take.bind(this), () => this.#line);
  }

  /** The rows that are whole by now; lent until the next call. */
  push(bytes: Uint8Array): Uint8Array {
    this.#out.clear();
    this.#pieces.push(bytes);
    return this.#out.bytes;
  }

  /** The file has ended, and with it its last row. */
  finish(): Uint8Array {
    this.#out.clear();
    this.#pieces.finish();
    return this.#out.bytes;
  }

  #rows(bytes: Uint8Array, at: number, end: number, isLast: boolean): number {
    const scanner = this.#scanner;
    while (at < end) {
      const next = scanner.scan(bytes, at, end, isLast);
      if (next < 0) return at;
      if (this.#headerLeft > 0) this.#headerLeft--;
      else if (!this.numbering.options.ignoreBlankLines || !isBlankLine(scanner)) {
        this.#append(encoder.encode(`${this.next}${this.#delimiter}`));
        this.#take(bytes, at, next);
        this.#endLine(bytes[next - 1]);
      }
      this.#line += linesOf(scanner);
      at = next;
    }
    return at;
  }

  #objects(bytes: Uint8Array, at: number, end: number, isLast: boolean): number {
    for (;;) {
      while (at < end && isSpace(bytes[at] as number)) if (bytes[at++] === LF) this.#line++;
      if (at >= end) return at;
      const isObject = this.#headerLeft === 0 && bytes[at] === OPEN;
      const object = isObject ? objectEnd(bytes, at, end) : -1;
      if (object < 0 && isObject && !isLast) return at;
      const next = object >= 0 ? object : lineEnd(bytes, at, end, isLast);
      if (next < 0) return at;
      if (this.#headerLeft > 0) this.#headerLeft--;
      else if (object >= 0) this.#object(bytes, at, next);
      else {
        this.#take(bytes, at, next);
        this.#endLine(bytes[next - 1]);
      }
      this.#line += lineFeedsIn(bytes, at, next);
      at = next;
    }
  }

  #object(bytes: Uint8Array, at: number, end: number): void {
    let last = end - 2;
    while (last > at && isSpace(bytes[last] as number)) last--;
    const comma = last === at ? "" : ",";
    const member = `${comma}${this.#member}${this.next}}\n`;
    this.#out.append(bytes, at, end - 1);
    this.#append(encoder.encode(member));
    this.#count(bytes, at, end);
  }

  /** Copies a row and counts it. */
  #take(bytes: Uint8Array, at: number, end: number): void {
    this.#out.append(bytes, at, end);
    this.#count(bytes, at, end);
  }

  #count(bytes: Uint8Array, at: number, end: number): void {
    if (this.next++ !== this.numbering.wanted) return;
    const raw = new TextDecoder().decode(bytes.subarray(at, Math.min(end, at + 1024)));
    this.found = { line: this.#line, raw: raw.replace(/\r?\n$/, "") };
  }

  #endLine(last: number | undefined): void {
    if (last !== LF) this.#append(encoder.encode("\n"));
  }

  #append(bytes: Uint8Array): void {
    this.#out.append(bytes, 0, bytes.length);
  }
}

/** What is no object goes up to the end of its line; -1 when that is not there yet. */
function lineEnd(bytes: Uint8Array, at: number, end: number, isLast: boolean): number {
  const feed = bytes.subarray(at, end).indexOf(LF);
  if (feed >= 0) return at + feed + 1;
  return isLast ? end : -1;
}
