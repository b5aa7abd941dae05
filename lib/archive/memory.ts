import { Gate } from "../core/gate.ts";

/** What a partition's blocks take: the smallest is what a partition without traffic costs. */
export const blockSizes = [16 * 1024, 128 * 1024, 1024 * 1024] as const;
/** The largest of them. */
export const blockMost = 1024 * 1024;

/** Spare blocks of the blockMost size that are kept to be used again. */
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

  /** Waits until something was given back. */
  freed(): Promise<void> {
    return this.#freed.wait();
  }

  /** A block of at least `bytes`; it counts until it is given to {@linkcode Memory.giveBlock}. */
  takeBlock(bytes: number): ArrayBuffer {
    const size = blockSizes.find((one) => one >= bytes) ?? bytes;
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
