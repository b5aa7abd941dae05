import type { DeflatedBlock, Deflater } from "../clients/deflate/deflate.ts";
import type { World } from "../core/world.ts";
import { backoffMs, networkRetry } from "../core/retry.ts";
import { faultOf, reasonOf } from "../core/errors.ts";
import { combineCrc32, combineCrc32c, gzipEnd, gzipHeader } from "../formats/gzip_parts.ts";
import { notesToExtra, type ObjectNotes } from "../formats/object_notes.ts";
import type { CutObject } from "./cut_object.ts";
import type { Memory } from "./memory.ts";
import type { ObjectBody } from "./object_body.ts";

/** What all objects share. */
export interface ObjectTools {
  readonly world: World;
  readonly memory: Memory;
  readonly deflater: Deflater;
  readonly newBody: () => ObjectBody;
  /** Told why a block cannot be written to the spool, and null when it can again. */
  readonly spoolTrouble: (reason: string | null) => void;
}

/** What the notes of an object say that the object does not know itself. */
export type NotesBase = Pick<
  ObjectNotes,
  "version" | "highWatermark" | "format" | "topicId" | "writer" | "gap"
>;

/**
 * An object that is being filled. Records are framed into a block of memory; a full block is
 * compressed by a worker and goes behind the blocks before it, so that at any time most of the object
 * is small. Nothing of it outlives the process: after a crash it is fetched again.
 */
export class OpenObject {
  /** Behind the last offset that was taken in, whether there was a record of it or not. */
  nextOffset: bigint;
  records = 0;
  nullValues = 0;
  firstTimestampMs: number | null = null;
  lastTimestampMs: number | null = null;
  /** Monotonic time of the first record; of the first offset without one, if that came before. */
  begunMs: number | null = null;
  /** The block that is being filled, as bytes. */
  block = noBlock;
  /** How much of it is filled. */
  filled = 0;
  /** Bytes of the blocks before. */
  #sealedBytes = 0;
  /** Bytes of the blocks whose compressed form is not known yet. */
  #pendingBytes = 0;
  #crc32 = 0;
  #crc32c = 0;
  #last: Promise<void> = Promise.resolve();
  #isFinished = false;
  #isGone = false;

  readonly #body: ObjectBody;

  constructor(readonly firstOffset: bigint, private readonly tools: ObjectTools) {
    this.nextOffset = firstOffset;
    this.#body = tools.newBody();
    tools.memory.fillers++;
  }

  /** Bytes of records and their frames. */
  get rawBytes(): number {
    return this.#sealedBytes + this.filled;
  }

  /** What the file will have, by what has been compressed so far. */
  get estimatedBytes(): number {
    const known = this.#sealedBytes - this.#pendingBytes;
    const ratio = known > 0 ? this.#body.blockBytes / known : 0.5;
    return this.#body.blockBytes + (this.#pendingBytes + this.filled) * ratio;
  }

  /** Bytes in the spool and in memory. */
  get heldBytes(): number {
    return this.#body.blockBytes + this.#pendingBytes + this.filled;
  }

  /** Compressed bytes that are not on disk. */
  get memoryBytes(): number {
    return this.#body.memoryBytes;
  }

  /** Whether there are so many of them that they should be on disk, and would be if it had room. */
  get wantsDisk(): boolean {
    return this.#body.wantsDisk;
  }

  /** Moves compressed bytes to the disk before there are many. */
  spoolNow(): void {
    this.#last = this.#last.then(() => this.#toDisk());
    this.#last.catch(() => {});
  }

  /**
   * Makes sure that there is room in the block: by a larger one, as long as this object's share of the
   * memory allows, else by giving the block away to be compressed.
   *
   * @param bytes so much room at least.
   * @param coming how much is about to come: a first block need not be larger.
   */
  makeRoom(bytes: number, coming: number): void {
    const { length } = this.block;
    if (length - this.filled >= bytes) return;
    const { memory } = this.tools;
    const most = memory.blockBytes;
    if (length === 0 || length >= most) {
      this.seal();
      this.block = new Uint8Array(memory.takeBlock(Math.min(most, this.#sealedBytes + coming)));
      return;
    }
    const grown = new Uint8Array(memory.takeBlock(Math.min(most, length + coming)));
    grown.set(this.block.subarray(0, this.filled));
    memory.giveBlock(this.block.buffer);
    this.block = grown;
  }

  /** Takes in the time range of records. */
  widen(firstMs: number | null, lastMs: number | null): void {
    // A producer may send anything as a time; what is none (2^53 ms are 285,000 years) is not noted.
    if (!isTime(firstMs) || !isTime(lastMs)) return;
    this.firstTimestampMs = Math.min(this.firstTimestampMs ?? firstMs, firstMs);
    this.lastTimestampMs = Math.max(this.lastTimestampMs ?? lastMs, lastMs);
  }

  /** Gives what the block holds to be compressed. */
  seal(): void {
    const { block, filled } = this;
    this.block = noBlock;
    this.filled = 0;
    if (filled === 0) {
      if (block.length > 0) this.tools.memory.giveBlock(block.buffer);
      return;
    }
    this.#sealedBytes += filled;
    this.#pendingBytes += filled;
    const deflated = this.#deflate(block, filled);
    const before = this.#last;
    this.#last = deflated.then(async ({ bytes, crc32, crc32c }) => {
      await before;
      this.#crc32 = combineCrc32(this.#crc32, crc32, filled);
      this.#crc32c = combineCrc32c(this.#crc32c, crc32c, filled);
      this.#pendingBytes -= filled;
      if (this.#isGone) return;
      this.#body.add(bytes);
      if (this.#body.wantsDisk) await this.#toDisk();
    });
    this.#last.catch(() => {}); // thrown by whoever waits for the object
  }

  /** Frees the block as soon as it is compressed, not in its turn: others may wait for memory. */
  async #deflate(block: Uint8Array<ArrayBuffer>, filled: number): Promise<DeflatedBlock> {
    const { memory, deflater } = this.tools;
    const { length } = block;
    try {
      const deflated = await deflater.deflate(block.buffer, filled);
      memory.giveBlock(deflated.spare);
      return deflated;
    } catch (thrown) {
      memory.give(length); // it went with a worker that died
      throw thrown;
    }
  }

  /**
   * Completes the object: what it holds now is all.
   *
   * @throws whatever befell one of its blocks; nothing is held any more then.
   */
  async finish(base: NotesBase): Promise<CutObject> {
    this.tools.memory.fillers--;
    this.#isFinished = true;
    this.seal();
    try {
      await this.#last;
      return this.#completed(base);
    } catch (thrown) {
      await this.discard();
      throw thrown;
    }
  }

  #completed(base: NotesBase): CutObject {
    const notes: ObjectNotes = {
      ...base,
      firstOffset: this.firstOffset,
      nextOffset: this.nextOffset,
      records: this.records,
      nullValues: this.nullValues,
      firstTimestampMs: this.firstTimestampMs,
      lastTimestampMs: this.lastTimestampMs,
      uncompressedBytes: this.#sealedBytes,
      crc32c: this.#crc32c,
    };
    this.#body.finish(gzipHeader(notesToExtra(notes)), gzipEnd(this.#crc32, this.#sealedBytes));
    return { notes, body: this.#body };
  }

  /** Throws away all that the object holds. */
  async discard(): Promise<void> {
    if (this.#isGone) return;
    this.#isGone = true;
    if (!this.#isFinished) this.tools.memory.fillers--;
    this.filled = 0;
    this.seal();
    await this.#body.remove();
  }

  /**
   * For ever, as long as the object is filled: what cannot be spooled stays in memory, and memory that
   * is full holds the intake. A finished object can be put from memory, and frees it then.
   */
  async #toDisk(): Promise<void> {
    const { world, spoolTrouble } = this.tools;
    for (let attempt = 1; !this.#isGone; attempt++) {
      try {
        await this.#body.toDisk();
        return spoolTrouble(null);
      } catch (thrown) {
        spoolTrouble(reasonOf(thrown));
        if (faultOf(thrown) === "corrupt") throw thrown; // what was spooled before is gone
        if (this.#isFinished) return;
        await world.sleep(backoffMs(networkRetry, attempt, world.random()));
      }
    }
  }
}

const noBlock = new Uint8Array(0);

function isTime(ms: number | null): ms is number {
  return ms !== null && Number.isSafeInteger(ms);
}
