import { Gate } from "../core/gate.ts";

/** What a partition without traffic costs. */
const blockLeast = 16 * 1024;
/** Larger ones compress no better. */
const blockMost = 1024 * 1024;

/** Spare blocks of the largest size that are kept to be used again. */
const sparesMost = 8;

/**
 * The bytes that may be held in memory, all partitions together: blocks being filled, blocks being
 * compressed, and compressed bytes that are not on disk. Whoever would take in more waits.
 */
export class Memory {
  #usedBytes = 0;
  readonly #spares: ArrayBuffer[] = [];
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
    this.take(size);
    return (size === blockMost ? this.#spares.pop() : undefined) ?? new ArrayBuffer(size);
  }

  /** Takes a block back; its bytes may be used again at once. */
  giveBlock(block: ArrayBuffer): void {
    if (block.byteLength === blockMost && this.#spares.length < sparesMost) {
      this.#spares.push(block);
    }
    this.give(block.byteLength);
  }
}

/** The next power of two, from the smallest block on: few sizes are used again and again. */
function sizeOf(bytes: number): number {
  let size = blockLeast;
  while (size < bytes) size *= 2;
  return size;
}
