import { SluiceError } from "../core/errors.ts";
import type { RecordFramer, RecordSink } from "./baldr.ts";
import { Gathered } from "./gathered.ts";

/**
 * Takes a stream of records apart that each end with one byte: lines (LF), or what may hold line
 * feeds itself (NUL). The end of the stream ends the last record too. Nothing else is changed: an
 * empty line is an empty record, and the CR of a CRLF belongs to its record.
 */
export class SeparatedFramer implements RecordFramer {
  readonly #sink: RecordSink;
  readonly #separator: number;
  readonly #recordBytesMost: number;
  /** A record that began in earlier pieces. */
  readonly #open = new Gathered();
  #records = 0;
  #wholeBytes = 0;
  #bytes = 0;

  constructor(
    sink: RecordSink,
    options: { readonly separator: number; readonly recordBytesMost: number },
  ) {
    this.#sink = sink;
    this.#separator = options.separator;
    this.#recordBytesMost = options.recordBytesMost;
  }

  get records(): number {
    return this.#records;
  }

  get wholeBytes(): number {
    return this.#wholeBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws {SluiceError} `permanent` when a record is longer than `recordBytesMost`. */
  push(bytes: Uint8Array): void {
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(this.#separator, start);
      if (end < 0) break;
      this.#end(bytes, start, end);
      start = end + 1;
      this.#wholeBytes = this.#bytes + start;
    }
    this.#bytes += bytes.length;
    this.#keep(bytes, start, bytes.length);
  }

  /** The stream has ended, and with it its last record, if it has none of its separator behind it. */
  finish(): void {
    if (this.#open.length > 0) this.#end(this.#open.bytes, 0, 0);
    this.#wholeBytes = this.#bytes;
  }

  #end(bytes: Uint8Array, start: number, end: number): void {
    if (this.#open.length === 0) {
      this.#refuseLong(end - start);
      this.#hand(bytes, start, end);
    } else {
      this.#keep(bytes, start, end);
      this.#hand(this.#open.bytes, 0, this.#open.length);
      this.#open.clear();
    }
  }

  #hand(bytes: Uint8Array, start: number, end: number): void {
    this.#sink.record(bytes, start, end, 0, false, end - start);
    this.#records++;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    this.#refuseLong(this.#open.length + end - start);
    this.#open.append(bytes, start, end);
  }

  #refuseLong(bytes: number): void {
    if (bytes <= this.#recordBytesMost) return;
    throw new SluiceError(
      "take records apart",
      "permanent",
      `record ${this.#records} is longer than the allowed ${this.#recordBytesMost} bytes; ` +
        "give the right --input, or a larger --max-record",
    );
  }
}
