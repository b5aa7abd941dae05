import type { ByteSink } from "../core/bytes.ts";
import type { Column, Row } from "../clients/warehouse/warehouse.ts";

/** What a result came to. */
export interface Ending {
  /** Rows that were read. */
  readonly rows: number;
  /** What the server calls what it did: `SELECT 5`; empty when it was stopped before. */
  readonly tag: string;
  /** False: the rest was not wanted, or could not be had. */
  readonly isWhole: boolean;
}

/** Prints results, row by row: one after the other, each begun and ended. Memory is bounded. */
export interface RowWriter {
  /** The options of COPY by which the server makes the very same of a query, if there are any. */
  readonly copyOptions?: string;
  /** Told once for each result that has columns, though it may have no rows. */
  begin(columns: readonly Column[]): Promise<void>;
  rows(batch: readonly Row[]): Promise<void>;
  end(ending: Ending): Promise<void>;
}

/** Text to where bytes go. */
export class TextOutput {
  readonly #encoder = new TextEncoder();
  #buffer = new Uint8Array(256 * 1024);

  constructor(private readonly sink: ByteSink & { readonly isClosed?: boolean }) {}

  /** Nobody reads any more. */
  get isClosed(): boolean {
    return this.sink.isClosed === true;
  }

  async write(text: string): Promise<void> {
    // A character of UTF-16 is three bytes at most.
    if (text.length * 3 > this.#buffer.length) this.#buffer = new Uint8Array(text.length * 3);
    const { written } = this.#encoder.encodeInto(text, this.#buffer);
    await this.sink.write(this.#buffer.subarray(0, written));
  }

  async bytes(bytes: Uint8Array): Promise<void> {
    await this.sink.write(bytes);
  }
}
