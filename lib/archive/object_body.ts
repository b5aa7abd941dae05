import type { SpoolFile } from "../clients/spool.ts";
import type { PutBody } from "../clients/store/store.ts";
import { freeBytes } from "../core/bytes.ts";
import { SluiceError } from "../core/errors.ts";
import type { Memory } from "./memory.ts";

/** Compressed bytes up to here stay in memory; an object that is no larger never touches the disk. */
const memoryMost = 64 * 1024;

/** The bytes that unfinished objects take on disk, all together. */
export interface SpoolUse {
  usedBytes: number;
}

/**
 * The file of an object: what comes before and after is known last, so it is kept apart. In between
 * are compressed blocks, in memory as long as they are few and there is room, else in the spool.
 */
export class ObjectBody implements PutBody {
  #head = new Uint8Array(0);
  #end = new Uint8Array(0);
  #inMemory: Uint8Array[] = [];
  #memoryBytes = 0;
  #isGone = false;
  #isBroken = false;

  constructor(
    private readonly memory: Memory,
    private readonly spoolUse: SpoolUse,
    private readonly file: SpoolFile,
  ) {}

  /** Whether what was spooled could not be read back: the object is lost, and made anew from Kafka. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Bytes of blocks so far. */
  get blockBytes(): number {
    return this.file.sizeBytes + this.#memoryBytes;
  }

  get sizeBytes(): number {
    return this.#head.length + this.blockBytes + this.#end.length;
  }

  /** Bytes of blocks that are not on disk. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Takes a compressed block into memory. */
  add(block: Uint8Array): void {
    this.#inMemory.push(block);
    this.#memoryBytes += block.length;
    this.memory.take(block.length);
  }

  /** Whether what is in memory should go to the disk now. */
  get wantsDisk(): boolean {
    return this.#memoryBytes > memoryMost ||
      (this.#memoryBytes > 0 && !this.memory.hasPlenty(0));
  }

  /**
   * Moves what is in memory to the spool.
   *
   * @throws {SluiceError} `transient` for a full disk; everything is as it was before.
   */
  async toDisk(): Promise<void> {
    const before = this.file.sizeBytes;
    const blocks = [...this.#inMemory];
    if (blocks.length === 0) return;
    await this.file.append(blocks);
    if (this.#isGone) return void await this.file.remove();
    const movedBytes = this.file.sizeBytes - before;
    this.spoolUse.usedBytes += movedBytes;
    this.#inMemory.splice(0, blocks.length);
    this.memory.give(movedBytes);
    this.#memoryBytes -= movedBytes;
    blocks.forEach(freeBytes);
  }

  /** Sets what is written before and after the blocks. */
  finish(head: Uint8Array<ArrayBuffer>, end: Uint8Array<ArrayBuffer>): void {
    this.#head = head;
    this.#end = end;
  }

  /** @throws {SluiceError} `transient` when the body was removed: half of it must not be put. */
  async read(at: number, length: number): Promise<Uint8Array> {
    const { file } = this;
    const out = new Uint8Array(length);
    const fileAt = this.#head.length;
    const fileEnd = fileAt + file.sizeBytes;
    const from = Math.max(at, fileAt);
    const to = Math.min(at + length, fileEnd);
    if (from < to) await this.#fromDisk(from - fileAt, out.subarray(from - at, to - at));
    if (this.#isGone) {
      throw new SluiceError(
        "read an object to be put",
        "transient",
        "it was thrown away meanwhile",
      );
    }
    let begin = fileEnd;
    copyOverlap(out, at, this.#head, 0);
    for (const block of this.#inMemory) {
      copyOverlap(out, at, block, begin);
      begin += block.length;
    }
    copyOverlap(out, at, this.#end, begin);
    return out;
  }

  release(bytes: Uint8Array): void {
    freeBytes(bytes);
  }

  async #fromDisk(at: number, into: Uint8Array): Promise<void> {
    try {
      await this.file.read(at, into);
    } catch (thrown) {
      this.#isBroken = true;
      throw thrown;
    }
  }

  /** Gives back everything that the body holds, on disk and in memory. */
  async remove(): Promise<void> {
    if (this.#isGone) return;
    this.#isGone = true;
    this.memory.give(this.#memoryBytes);
    this.#memoryBytes = 0;
    this.#inMemory = [];
    this.spoolUse.usedBytes -= this.file.sizeBytes;
    if (this.file.sizeBytes > 0) await this.file.remove();
  }
}

/** Copies what of `bytes`, which begin at `begin` of the whole, lies in the window `out` at `at`. */
function copyOverlap(out: Uint8Array, at: number, bytes: Uint8Array, begin: number): void {
  const from = Math.max(at, begin);
  const to = Math.min(at + out.length, begin + bytes.length);
  if (from < to) out.set(bytes.subarray(from - begin, to - begin), from - at);
}
