import { freeBytes } from "../core/bytes.ts";
import { Gate } from "../core/gate.ts";

/** What a partition without traffic costs. */
const blockLeast = 16 * 1024;
/** Larger ones compress no better. */
const blockMost = 1024 * 1024;

/**
 * The bytes that may be held in memory, all partitions together: blocks being filled, blocks being
 * compressed, and compressed bytes that are not on disk. Whoever would take in more waits.
 *
 * Blocks that were given back are kept to be used again, as far as the limit has room for them, and
 * freed at once otherwise: left to the garbage collector, blocks of 512 KiB lay about by the hundred
 * (measured: 80 MB of 285).
 */
export class Memory {
  #usedBytes = 0;
  /** Blocks for use, by their size. */
  readonly #spares = new Map<number, ArrayBuffer[]>();
  #spareBytes = 0;
  readonly #freed = new Gate();

  constructor(readonly limitBytes: number) {}

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get isFull(): boolean {
    return this.#usedBytes >= this.limitBytes;
  }

  /** Whether so much more may be taken without keeping the others short. */
  hasPlenty(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.limitBytes * 0.6;
  }

  take(bytes: number): void {
    this.#usedBytes += bytes;
    this.#freeSpares();
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#freed.wake();
  }

  /** How many objects are being filled; they share the memory. */
  fillers = 0;

  /**
   * How large an object's block may become: large blocks compress better and cost less, but all of
   * them together must leave room for those that are being compressed.
   */
  get blockBytes(): number {
    const share = this.limitBytes / (4 * Math.max(1, this.fillers));
    return sizeOf(Math.min(blockMost, Math.max(blockLeast, share / 2)));
  }

  /** Waits until something was given back. */
  freed(): Promise<void> {
    return this.#freed.wait();
  }

  /** A block of at least `bytes`; it counts until it is given to {@linkcode Memory.giveBlock}. */
  takeBlock(bytes: number): ArrayBuffer {
    const size = sizeOf(bytes);
    const spare = this.#spares.get(size)?.pop();
    if (spare !== undefined) this.#spareBytes -= size;
    this.take(size);
    return spare ?? new ArrayBuffer(size);
  }

  /** Takes a block back; its bytes may be used again at once. */
  giveBlock(block: ArrayBuffer): void {
    const size = block.byteLength;
    const alike = this.#spares.get(size);
    if (alike === undefined) this.#spares.set(size, [block]);
    else alike.push(block);
    this.#spareBytes += size;
    this.give(size);
    this.#freeSpares();
  }

  /** Frees blocks until used and spare bytes are within the limit together. */
  #freeSpares(): void {
    for (const [size, alike] of this.#spares) {
      while (this.#usedBytes + this.#spareBytes > this.limitBytes) {
        const block = alike.pop();
        if (block === undefined) break;
        freeBytes(new Uint8Array(block));
        this.#spareBytes -= size;
      }
    }
  }
}

/** The next power of two, from the smallest block on: few sizes are used again and again. */
function sizeOf(bytes: number): number {
  let size = blockLeast;
  while (size < bytes) size *= 2;
  return size;
}
