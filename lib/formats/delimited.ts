import type { CopyOptions } from "./copy_options.ts";
import { DataError, rawOf } from "./data_error.ts";
import { FieldFlag, RowScanner } from "./delimited_row.ts";
import { FieldBytes, NullText } from "./field_bytes.ts";
import { RowsInPieces } from "./rows_in_pieces.ts";

const LF = 10;

/** One row: its fields as bytes of UTF-8, null where NULL is meant. */
export type DelimitedRow = readonly (Uint8Array | null)[];

/**
 * Reads delimited text and CSV as COPY's options say, row by row, header lines included. It is for what
 * looks at rows; the way to a server is `DelimitedRewriter`, which makes no object per field.
 */
export class DelimitedReader {
  readonly #scanner: RowScanner;
  readonly #fields: FieldBytes;
  readonly #null: NullText;
  readonly #pieces: RowsInPieces;
  readonly #onRow: (row: DelimitedRow, line: number) => void;
  readonly #ignoresBlank: boolean;
  #line = 1;

  /** @param onRow gets each row and the line of the file, from 1, on which it begins. */
  constructor(options: CopyOptions, onRow: (row: DelimitedRow, line: number) => void) {
    this.#scanner = new RowScanner(options);
    this.#fields = new FieldBytes(options.quote?.charCodeAt(0) ?? 0);
    this.#null = new NullText(options);
    this.#onRow = onRow;
    this.#ignoresBlank = options.ignoreBlankLines;
    this.#pieces = new RowsInPieces(this.#take.bind(this), () => this.#line);
  }

  /** @throws {DataError} when a row cannot be taken apart. */
  push(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
  }

  /** The file has ended, and with it its last row. */
  finish(): void {
    this.#pieces.finish();
  }

  #take(bytes: Uint8Array, at: number, end: number, isLast: boolean): number {
    while (at < end) {
      const next = this.#scanner.scan(bytes, at, end, isLast);
      if (next < 0) break;
      this.#row(bytes, at, next);
      at = next;
    }
    return at;
  }

  #row(bytes: Uint8Array, at: number, next: number): void {
    const { count, starts, ends, flags, fault } = this.#scanner;
    const line = this.#line;
    if (fault !== null) {
      throw new DataError({ line, column: null, reason: fault, raw: rawOf(bytes, at, next) });
    }
    this.#line += linesOf(this.#scanner);
    if (this.#ignoresBlank && isBlankLine(this.#scanner)) return;
    const row = Array.from({ length: count }, (_, i) => {
      const [start, end, flag] = [starts[i] ?? 0, ends[i] ?? 0, flags[i] ?? 0];
      if (!(flag & FieldFlag.quoted) && this.#null.is(bytes, start, end)) return null;
      return this.#fields.plain(bytes, start, end, flag).slice();
    });
    this.#onRow(row, line);
  }
}

/** How many lines the row takes that was scanned last. */
export function linesOf({ innerLines }: RowScanner): number {
  return 1 + innerLines;
}

/** Whether the row that was scanned last is a line with nothing in it. */
export function isBlankLine({ count, starts, ends, flags }: RowScanner): boolean {
  return count === 1 && starts[0] === ends[0] && !((flags[0] ?? 0) & FieldFlag.quoted);
}

/** How many lines are in bytes that are passed over. */
export function lineFeedsIn(bytes: Uint8Array, start: number, end: number): number {
  let lines = 0;
  for (let i = start; i < end; i++) if (bytes[i] === LF) lines++;
  return lines;
}
