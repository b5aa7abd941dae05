import type { Store } from "../../clients/store/store.ts";
import { SluiceError } from "../../core/errors.ts";
import { retry } from "../../core/retry.ts";
import type { World } from "../../core/world.ts";
import type { ObjectNotes } from "../../formats/object_notes.ts";
import { type ListedObject, type ListedPartition, listObjects } from "../listing.ts";
import { ObjectBytes, readNotes } from "./object_bytes.ts";
import { ObjectWriter } from "./object_writer.ts";
import {
  type Cover,
  hasTimes,
  offsetCover,
  type RestoreRange,
  timeCover,
  wantedGap,
} from "./range.ts";
import type { RecordTaker } from "./target_writer.ts";
import type { Throttle } from "./throttle.ts";
import { verifyObject } from "./verify_object.ts";

/** What a reader works with. */
export interface ReaderTools {
  readonly store: Store;
  readonly world: World;
  readonly range: RestoreRange;
  readonly throttle: Throttle;
  /** Ends every wait for a store that cannot be reached. */
  readonly signal: AbortSignal;
}

/** Offsets that no object answers for, or an object that says that they were gone. */
export interface Gap {
  readonly from: bigint;
  readonly to: bigint;
  /** Kafka had deleted them before they could be archived: known, and nobody's fault here. */
  readonly isRetention: boolean;
}

/** Where to begin. */
export interface Seam {
  /** Objects that begin before it have been dealt with; null: none has. */
  readonly source: bigint | null;
  /** So many of the records wanted behind it have been written already. */
  readonly skip: number;
}

/**
 * Reads the wanted records of one partition, object by object along the chain. Each object is proven
 * whole before any of its records is handed on.
 */
export class PartitionReader {
  /** Objects that held something wanted. */
  objects = 0;
  /** Wanted records: handed on, skipped, or told by an object's notes in a count. */
  records = 0;
  readonly gaps: Gap[] = [];
  #expected: bigint | null = null;
  #previousFirst: bigint | null = null;
  #toSkip = 0;

  constructor(private readonly tools: ReaderTools, private readonly partition: ListedPartition) {}

  /** How many of the records to be skipped were not there. */
  get notSkipped(): number {
    return this.#toSkip;
  }

  /**
   * Hands the records on.
   *
   * @param done called behind each object with the offset at which reading may begin another time.
   * @throws {SluiceError} `corrupt` at an object that is damaged or overlaps the one before: what was
   * handed on is sound; of the taker; `permanent` when the range cannot be applied.
   */
  async read(taker: RecordTaker, seam: Seam, done: (source: bigint) => void): Promise<void> {
    this.#begin(seam);
    for await (const { object, following } of this.#objects(seam)) {
      const bytes = await this.#trying(object, () => ObjectBytes.open(this.tools.store, object));
      const { notes } = bytes;
      const cover = this.#coverOf(object, notes, following);
      if (cover !== "none") {
        const records = await this.#trying(object, () => verifyObject(bytes));
        const writer = new ObjectWriter(this.tools, bytes, this.#toSkip);
        const end = endOf(object, notes, following, records);
        await this.#trying(object, () => writer.write(taker, cover, records, end));
        this.#count(writer.wanted);
        this.#toSkip = writer.toSkip;
        done(end);
      } else done(endOf(object, notes, following, 0));
    }
  }

  /** Counts the wanted records; objects are read only where their notes do not tell. */
  async count(taker: RecordTaker): Promise<void> {
    const seam = { source: null, skip: 0 };
    this.#begin(seam);
    for await (const { object, following } of this.#objects(seam)) {
      const notes = await this.#trying(object, () => readNotes(this.tools.store, object));
      const cover = this.#coverOf(object, notes, following);
      if (cover === "none") continue;
      if (cover === "all" && notes !== null) {
        this.#count(notes.records);
        continue;
      }
      const bytes = await this.#trying(object, () => ObjectBytes.open(this.tools.store, object));
      const records = await this.#trying(object, () => verifyObject(bytes));
      const writer = new ObjectWriter(this.tools, bytes, 0);
      const end = endOf(object, notes, following, records);
      await this.#trying(object, () => writer.write(taker, cover, records, end));
      this.#count(writer.wanted);
    }
  }

  #begin({ source, skip }: Seam): void {
    this.#expected = source;
    this.#toSkip = skip;
  }

  #count(records: number): void {
    if (records > 0) this.objects++;
    this.records += records;
  }

  /** The objects that may hold something wanted, each with the one that follows it. */
  async *#objects({ source }: Seam) {
    const { toOffset } = this.tools.range;
    for await (const [object, following] of pairs(listObjects(this.tools.store, this.partition))) {
      if (source !== null && object.first < source) continue;
      if (toOffset !== undefined && object.first >= toOffset) break;
      const next = following?.first ?? null;
      if (offsetCover(object.first, next, this.tools.range) !== "none") yield { object, following };
    }
  }

  /** What of an object is wanted, after a look at how it continues the chain. */
  #coverOf(
    object: ListedObject,
    notes: ObjectNotes | null,
    following: ListedObject | undefined,
  ): Cover {
    const { range } = this.tools;
    this.#follow(object, notes);
    if (notes?.gap === "retention") {
      this.#gap(object.first, notes.nextOffset, true);
      return "none";
    }
    const next = notes?.nextOffset ?? following?.first ?? null;
    const byOffset = offsetCover(object.first, next, range);
    if (byOffset === "none" || !hasTimes(range)) return byOffset;
    if (notes === null) {
      if (object.kind === "records") return "part";
      throw new SluiceError(
        `restore ${object.key} by time`,
        "permanent",
        "it holds values without their times, and does not say from when they are; give offsets",
      );
    }
    const byTime = timeCover(notes, range);
    // Of values it is known only from when to when they are: all of the object then.
    if (byTime === "none" || object.kind === "values") return byTime === "none" ? "none" : byOffset;
    return byTime === "part" ? "part" : byOffset;
  }

  #follow({ first, key }: ListedObject, notes: ObjectNotes | null): void {
    const expected = this.#expected;
    if ((expected !== null && first < expected) || this.#previousFirst === first) {
      const detail = "it overlaps the object before it: sluice archive verify tells more";
      throw new SluiceError(`restore ${key}`, "corrupt", detail);
    }
    if (expected !== null && first > expected) this.#gap(expected, first, false);
    this.#expected = notes?.nextOffset ?? null;
    this.#previousFirst = first;
  }

  #gap(from: bigint, to: bigint, isRetention: boolean): void {
    const wanted = wantedGap([from, to], this.tools.range);
    if (wanted !== null) this.gaps.push({ from: wanted[0], to: wanted[1], isRetention });
  }

  /** Tries on for ever while the store cannot be reached. */
  #trying<T>(object: ListedObject, act: () => Promise<T>): Promise<T> {
    const { world, signal } = this.tools;
    return retry(world, act, { signal, what: `read ${object.key}` });
  }
}

/** The offset at which another reading may begin; of an object that does not say, what is known. */
function endOf(
  { first }: ListedObject,
  notes: ObjectNotes | null,
  following: ListedObject | undefined,
  records: number,
): bigint {
  return notes?.nextOffset ?? following?.first ?? first + BigInt(Math.max(records, 1));
}

/** Each item with the one behind it. */
async function* pairs<T>(items: AsyncIterable<T>): AsyncGenerator<readonly [T, T | undefined]> {
  let held: { readonly item: T } | undefined;
  for await (const item of items) {
    if (held !== undefined) yield [held.item, item];
    held = { item };
  }
  if (held !== undefined) yield [held.item, undefined];
}
