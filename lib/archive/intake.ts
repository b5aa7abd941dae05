import { decompress, type FetchedPartition } from "../clients/kafka/kafka.ts";
import { freeBytes } from "../core/bytes.ts";
import { faultOf, reasonOf, SluiceError } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import {
  AbortedFilter,
  type BatchHead,
  checkBatch,
  controlTypeOf,
  readBatchHead,
  recordsAt,
} from "../formats/fetched_batches.ts";
import { frameRecords, frameValues } from "../formats/record_frames.ts";
import { RecordWalk } from "../formats/record_walk.ts";
import type { Counts } from "./counts.ts";
import type { Memory } from "./memory.ts";
import type { Partition } from "./partition.ts";
import type { ArchiveSettings } from "./settings.ts";

/** Room for a frame's beginning: less is left unused at the end of a block. */
const roomLeast = 64;
/** How long a partition rests when what the broker gives of it is damaged. */
const damagedRestMs = 5_000;
/** After so many bytes others get their turn: timers, heartbeats, blocks that are compressed. */
const turnBytes = 512 * 1024;

/** What taking in needs. */
export interface IntakeTools {
  readonly world: World;
  readonly settings: Pick<ArchiveSettings, "format">;
  readonly memory: Memory;
  readonly counts: Counts;
  /** Memory is full: makes somebody give some back. */
  readonly relieve: () => void;
  /** An object of the partition was cut. */
  readonly onCut: (partition: Partition) => void;
}

/**
 * Takes fetched batches into the object that their partition is filling: drops what was aborted and
 * what is no record, undoes the batches' compression, frames the records.
 */
export class Intake {
  readonly #walk = new RecordWalk();
  #turnBytes = 0;
  /** Base of the batch that is being written into an object: it is there in part when that fails. */
  #framing: bigint | null = null;

  constructor(private readonly tools: IntakeTools) {}

  /**
   * Takes in one partition's part of an answer.
   *
   * @param offset what was asked for: the first batch may begin before it.
   */
  async take(partition: Partition, offset: bigint, fetched: FetchedPartition): Promise<void> {
    const { epoch } = partition;
    const { records } = fetched;
    const filter = new AbortedFilter(fetched.aborted);
    try {
      if (offset !== partition.takenOffset) throw outOfStep(partition, offset);
      for (let at = 0;;) {
        const head = readBatchHead(records, at);
        if (head === null) return;
        this.#takeBatch(partition, offset, records, at, head, filter);
        at += head.sizeBytes;
        if (partition.isDue) {
          partition.cut();
          this.tools.onCut(partition);
        }
        await this.#turn(head.sizeBytes);
        if (partition.epoch !== epoch) return;
      }
    } catch (thrown) {
      if (partition.epoch === epoch) await this.#damaged(partition, thrown);
    }
  }

  #takeBatch(
    partition: Partition,
    offset: bigint,
    bytes: Uint8Array,
    at: number,
    head: BatchHead,
    filter: AbortedFilter,
  ): void {
    checkBatch(bytes, at, head);
    const control = head.isControl ? controlTypeOf(bytes, at, head) : null;
    // Asked about every batch, also those before the offset: transactions may end in them.
    const isWanted = filter.isWanted(head, control);
    if (head.nextOffset <= offset) return;
    if (isWanted) {
      const start = recordsAt(at);
      const end = at + head.sizeBytes;
      if (head.codec === 0) this.#frame(partition, offset, head, bytes, start, end);
      else {
        const plain = decompress(head.codec, bytes.subarray(start, end));
        this.#frame(partition, offset, head, plain, 0, plain.length);
        freeBytes(plain);
      }
    } else if (!head.isControl) this.tools.counts.aborted += head.count;
    partition.advance(head.nextOffset);
  }

  #frame(
    partition: Partition,
    offset: bigint,
    head: BatchHead,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (partition.brokenAt === head.baseOffset && (partition.open?.records ?? 0) > 0) {
      partition.cut();
      this.tools.onCut(partition);
    }
    const walk = this.#walk;
    walk.begin(head, bytes, start, end, offset);
    const open = partition.filling();
    const frame = this.tools.settings.format === "value" ? frameValues : frameRecords;
    this.#framing = head.baseOffset;
    while (!walk.isDone) {
      open.makeRoom(roomLeast, end - start);
      open.filled = frame(walk, open.block, open.filled);
    }
    this.#framing = null;
    if (partition.brokenAt === head.baseOffset) partition.brokenAt = null;
    if (walk.records === 0) return;
    if (open.records === 0) open.begunMs = this.tools.world.monotonicMs();
    open.records += walk.records;
    open.nullValues += walk.nullValues;
    open.widen(walk.firstTimestampMs, walk.lastTimestampMs);
    if (walk.lastTimestampMs !== null) partition.newestTimestampMs = walk.lastTimestampMs;
  }

  /** Waits for memory, and lets the event loop turn now and then. */
  async #turn(bytes: number): Promise<void> {
    const { memory, relieve } = this.tools;
    this.#turnBytes += bytes;
    if (this.#turnBytes >= turnBytes) {
      this.#turnBytes = 0;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    while (memory.isFull) {
      relieve();
      await memory.freed();
    }
  }

  /**
   * A batch that is not as it should be is fetched again: it may have been damaged on its way. If a
   * part of it is in the object already, that object is thrown away; what was cut before is not
   * touched, as it may be on its way into the store at this moment. The next time the object ends
   * before the batch, so that what is sound gets into the store.
   */
  async #damaged(partition: Partition, thrown: unknown): Promise<void> {
    const { world } = this.tools;
    const error = thrown instanceof SluiceError ? thrown : undefined;
    const reason = reasonOf(thrown);
    if (partition.fetchTrouble !== reason) {
      world.log("error", "Cannot take in what Kafka has of a partition, trying on", {
        partition: partition.name,
        reason,
        ...(error === undefined ? { stack: String((thrown as Error)?.stack) } : {}),
        fault: faultOf(thrown),
      });
    }
    partition.fetchTrouble = reason;
    partition.restUntilMs = world.monotonicMs() + damagedRestMs;
    const halfIn = this.#framing;
    this.#framing = null;
    if (halfIn === null) return partition.rewind();
    partition.brokenAt = halfIn;
    await partition.dropOpen();
  }
}

/** What is taken in out of its turn would be a hole in an object that nobody could find later. */
function outOfStep({ name, takenOffset }: Partition, offset: bigint): SluiceError {
  return new SluiceError(
    `take in ${name}`,
    "permanent",
    `offset ${offset} has come, but ${takenOffset} is next; it is fetched again from there`,
  );
}
