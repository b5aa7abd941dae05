import type { ByteSource } from "../../core/bytes.ts";
import { SluiceError } from "../../core/errors.ts";
import { BaldrFramer, type RecordSink } from "../../formats/baldr.ts";
import { Gathered } from "../../formats/gathered.ts";

/** Longest record; no broker takes one that is longer, so it is taken for damage. */
export const recordBytesMost = 2 ** 30;

/**
 * Reads an object's records in blocks: all that a piece of the source completes. So whoever takes
 * them may wait between two, for room or for time, and nothing is allocated per record.
 */
export class RecordBlocks implements RecordSink {
  readonly #source: ByteSource;
  readonly #framer = new BaldrFramer(this, { recordBytesMost });
  /** Start and end of each record of the block; those of the first are in {@linkcode #first}. */
  readonly #places: number[] = [];
  #piece: Uint8Array = new Uint8Array(0);
  /** The record that lay across pieces and is this block's first. */
  #first: Gathered | null = null;
  #open = new Gathered();
  #spare = new Gathered();
  #error: unknown;
  #hasEnded = false;

  /** @param source inflated bytes; whoever gave it closes it. */
  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** How many records the block has; perhaps none. */
  get count(): number {
    return this.#places.length / 2;
  }

  /** The bytes that hold a record of the block, valid until the next {@linkcode next}. */
  bytesOf(index: number): Uint8Array {
    return index === 0 && this.#first !== null ? this.#first.bytes : this.#piece;
  }

  startOf(index: number): number {
    return this.#places[2 * index] as number;
  }

  endOf(index: number): number {
    return this.#places[2 * index + 1] as number;
  }

  /**
   * Goes on to the next block; false at the end.
   *
   * @throws {SluiceError} `corrupt` at damage, after a block with the whole records before it.
   */
  async next(): Promise<boolean> {
    if (this.#error !== undefined) throw this.#error;
    if (this.#hasEnded) return false;
    this.#places.length = 0;
    if (this.#first !== null) this.#spare = this.#first;
    this.#first = null;
    const piece = await this.#source.next();
    try {
      if (piece === undefined) {
        this.#hasEnded = true;
        this.#framer.finish();
        return false;
      }
      this.#piece = piece;
      this.#framer.push(piece);
    } catch (thrown) {
      if (!(thrown instanceof SluiceError) || this.#hasEnded) throw thrown;
      this.#error = thrown;
    }
    return true;
  }

  /** Takes what the framer found. */
  record(
    bytes: Uint8Array,
    start: number,
    end: number,
    part: number,
    more: boolean,
    _length: number,
  ): void {
    if (part === 0 && !more) {
      this.#places.push(start, end);
      return;
    }
    if (part === 0) this.#open.clear();
    this.#open.append(bytes, start, end);
    if (more) return;
    // Only a block's first record can have begun before it.
    this.#first = this.#open;
    this.#open = this.#spare;
    this.#places.push(0, this.#first.length);
  }
}
