import type { Chain } from "./chain.ts";
import type { CutObject } from "./cut_object.ts";
import { type ObjectTools, OpenObject } from "./open_object.ts";
import type { ArchiveSettings } from "./settings.ts";

/** How many finished objects of a partition may wait to be put before it is not read any more. */
const waitingMost = 3;

/**
 * Offsets without a record (aborted transactions, control records) make no object of their own until
 * they are so old: each transaction ends with one, and a file for each would be noise.
 */
const emptyMs = 600_000;

/** An object that was cut: its last blocks may still be under compression. */
export interface Waiting {
  readonly firstOffset: bigint;
  readonly nextOffset: bigint;
  readonly object: Promise<CutObject>;
}

/**
 * Where a partition stands. `refused`: it cannot be archived as things are; an operator is needed.
 * `leaving`: what was read is put, no more is read.
 */
export type PartitionState = "starting" | "reading" | "refused" | "leaving" | "gone";

/** What all partitions share. */
export interface PartitionTools extends ObjectTools {
  readonly settings: Pick<ArchiveSettings, "format" | "rotateMs" | "rotateBytes" | "rotateRecords">;
  readonly version: string;
  /** Which process writes, for the notes of objects. */
  readonly writer: string;
}

/**
 * One partition that is ours: the object being filled, and those that wait to be put, in order.
 * Everything here can be thrown away at any time: the chain in the store says where to go on.
 */
export class Partition {
  readonly name: string;
  state: PartitionState = "starting";
  /** Why it does not go on; null when all is well. */
  trouble: string | null = null;
  /** What is to be fetched next. */
  fetchOffset = 0n;
  /** Behind the last object that is in the store. */
  tip = 0n;
  topicId = "";
  /** Where the log ended when the partition was begun with. */
  endAtStart = 0n;
  highWatermark = 0n;
  lastStableOffset = 0n;
  logStartOffset = 0n;
  /** Timestamp of the newest record that was taken in; for the time left until retention. */
  newestTimestampMs: number | null = null;
  /** Counts up whenever the partition goes back: what is under way for an older one is not wanted. */
  epoch = 0;
  /** Counts up whenever objects are thrown away. */
  resets = 0;
  /** Arrivals not yet taken in, and whose they are: no other broker may be asked meanwhile. */
  arriving = 0;
  arrivingFrom: number | null = null;
  /** When records came last, monotonic: whoever has waited longest is asked for first. */
  servedMs = 0;
  /** Why the broker gives nothing of it; null when it does. */
  fetchTrouble: string | null = null;
  /** Until this monotonic time nothing is fetched: the last answer was no good. */
  restUntilMs = 0;
  /** Base of a batch that broke off inside: what comes before it is cut first the next time. */
  brokenAt: bigint | null = null;
  readonly waiting: Waiting[] = [];
  /** Aborted when the partition is not ours any more. */
  readonly lost = new AbortController();
  #open: OpenObject | null = null;

  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly chain: Chain,
    private readonly tools: PartitionTools,
  ) {
    this.name = `${topic}-${partition}`;
  }

  get isGone(): boolean {
    return this.state === "gone";
  }

  get open(): OpenObject | null {
    return this.#open;
  }

  /** Whether more may be fetched. */
  get wantsMore(): boolean {
    return this.state === "reading" && this.waiting.length < waitingMost;
  }

  /** Behind the last offset that was taken in. */
  get takenOffset(): bigint {
    return this.#open?.nextOffset ?? this.waiting.at(-1)?.nextOffset ?? this.tip;
  }

  /** Offsets between what is in the store and the end of the partition. */
  get lag(): number {
    return this.highWatermark > this.tip ? Number(this.highWatermark - this.tip) : 0;
  }

  /** The object being filled, begun if there is none. */
  filling(): OpenObject {
    this.#open ??= new OpenObject(this.takenOffset, this.tools);
    this.#open.begunMs ??= this.tools.world.monotonicMs();
    return this.#open;
  }

  /** Notes that there is nothing to archive before `offset`. */
  advance(offset: bigint): void {
    if (offset <= this.takenOffset) return;
    this.filling().nextOffset = offset;
  }

  /** Whether the object being filled is complete by its size or its age. */
  get isDue(): boolean {
    const open = this.#open;
    if (open === null || open.begunMs === null) return false;
    const { rotateMs, rotateBytes, rotateRecords } = this.tools.settings;
    const ageMs = this.tools.world.monotonicMs() - open.begunMs;
    if (open.records === 0) return ageMs >= Math.max(emptyMs, 10 * rotateMs);
    if (rotateRecords > 0 && open.records >= rotateRecords) return true;
    return ageMs >= rotateMs || open.estimatedBytes >= rotateBytes;
  }

  /** Ends the object being filled; it waits to be put then. */
  cut(): void {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    const { firstOffset, nextOffset } = open;
    // What is in an object was read from below the watermark of its time.
    const seen = this.highWatermark > nextOffset ? this.highWatermark : nextOffset;
    const object = open.finish({ ...this.#base, highWatermark: seen, gap: null });
    object.catch(() => {}); // thrown to whoever puts it
    this.waiting.push({ firstOffset, nextOffset, object });
  }

  /**
   * Closes the hole that retention has torn: an empty object takes its place in the chain, so that a
   * writer that still has these records cannot put them beside what comes after.
   */
  cutGap(nextOffset: bigint): void {
    this.cut();
    const open = new OpenObject(this.takenOffset, this.tools);
    open.nextOffset = nextOffset;
    const object = open.finish({ ...this.#base, highWatermark: nextOffset, gap: "retention" });
    object.catch(() => {});
    this.waiting.push({ firstOffset: open.firstOffset, nextOffset, object });
    this.fetchOffset = nextOffset;
  }

  /** Fetches again what was not taken in. */
  rewind(): void {
    this.epoch++;
    this.fetchOffset = this.takenOffset;
  }

  /** Throws away the object being filled, and fetches its records again. */
  async dropOpen(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    this.rewind();
    await open?.discard();
  }

  /** Throws all local state away and goes on at `tip`. */
  async reset(tip: bigint): Promise<void> {
    this.epoch++;
    this.resets++;
    this.tip = tip;
    this.fetchOffset = tip;
    const open = this.#open;
    const waiting = this.waiting.splice(0);
    this.#open = null;
    await open?.discard();
    for (const { object } of waiting) await object.then(({ body }) => body.remove(), () => {});
  }

  /** Reads no more, and ends the object being filled. */
  finish(): void {
    this.state = "leaving";
    this.rewind();
    // Offsets without a record are left for later: an empty object is worth nothing to anybody.
    if (this.#open !== null && this.#open.records > 0) this.cut();
  }

  /** Lets the partition go: it is somebody else's now. */
  async leave(): Promise<void> {
    this.state = "gone";
    this.lost.abort();
    await this.reset(this.tip);
  }

  get #base() {
    const { settings, version, writer } = this.tools;
    return { version, writer, format: settings.format, topicId: this.topicId };
  }
}
