import type { ByteSink } from "../core/bytes.ts";

/** Bytes of one record that may wait for its end; of a longer one they are given as they come. */
const HOLD_BYTES = 1024 * 1024;

/**
 * Gathers what records become and writes it in blocks, one being written while the next is filled.
 * A record's bytes are held back until it is known to be whole, if it is not over `holdBytes`.
 */
export class Output {
  readonly #sink: ByteSink;
  readonly #holdBytes: number;
  #block = new Uint8Array(512 * 1024);
  #spare = new Uint8Array(512 * 1024);
  /** Bytes in the block, and how many of them belong to whole records. */
  #length = 0;
  #whole = 0;
  /** Bytes of the open record that have been given already. */
  #given = 0;
  #writing: Promise<void> = Promise.resolve();

  /** @param options.holdBytes Infinity: a record is given whole or not at all. */
  constructor(sink: ByteSink, options: { readonly holdBytes?: number } = {}) {
    this.#sink = sink;
    this.#holdBytes = options.holdBytes ?? HOLD_BYTES;
  }

  /** Appends `bytes[start, end)`. */
  append(bytes: Uint8Array, start: number, end: number): void {
    const at = this.reserve(end - start);
    this.#block.set(bytes.subarray(start, end), at);
    this.#length = at + end - start;
  }

  /** Appends one byte. */
  byte(byte: number): void {
    const at = this.reserve(1);
    this.#block[at] = byte;
    this.#length = at + 1;
  }

  /** Makes room for so many bytes in {@linkcode block}; returns where they begin. */
  reserve(bytes: number): number {
    const needed = this.#length + bytes;
    if (needed > this.#block.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#block.length));
      larger.set(this.#block.subarray(0, this.#length));
      this.#block = larger;
    }
    return this.#length;
  }

  /** Where to write what room was reserved for. */
  get block(): Uint8Array {
    return this.#block;
  }

  /** What was written to the reserved room ends here. */
  advanceTo(end: number): void {
    this.#length = end;
  }

  /** A record is whole: what was appended may be given. */
  endRecord(): void {
    this.#whole = this.#length;
    this.#given = 0;
  }

  /** Begins to write what may be given; waits only for the block before. */
  async flush(): Promise<void> {
    const open = this.#length - this.#whole;
    const end = open > this.#holdBytes ? this.#length : this.#whole;
    if (end === 0) return;
    await this.#writing;
    if (end > this.#whole) this.#given += open;
    const full = this.#block;
    const rest = full.subarray(end, this.#length);
    this.#block = this.#spare.length < rest.length ? new Uint8Array(2 * rest.length) : this.#spare;
    this.#block.set(rest);
    this.#spare = full;
    this.#length = rest.length;
    this.#whole = 0;
    this.#writing = this.#sink.write(full.subarray(0, end));
    this.#writing.catch(() => {}); // thrown by whoever waits for it next
  }

  /**
   * The open record will have no end: drops it, but for what has been given already. Returns how
   * many bytes that is.
   */
  dropOpen(): number {
    this.#length = this.#whole;
    const given = this.#given;
    this.#given = 0;
    return given;
  }

  /** Writes all that may be given, and waits for it. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#writing;
  }
}
