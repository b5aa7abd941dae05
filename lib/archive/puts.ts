import { crashPoint } from "../clients/crash_point.ts";
import { faultOf, reasonOf } from "../core/errors.ts";
import type { Permits } from "../core/permits.ts";
import { backoffMs, networkRetry, retry, type RetryPolicy } from "../core/retry.ts";
import type { World } from "../core/world.ts";
import type { ObjectNotes } from "../formats/object_notes.ts";
import type { Commits } from "./commits.ts";
import type { Counts } from "./counts.ts";
import type { CutObject } from "./cut_object.ts";
import type { Partition, Waiting } from "./partition.ts";

/** A store that refuses us is not asked as often as one that is away. */
const deniedRetry: RetryPolicy = { firstMs: 1_000, mostMs: 30_000 };

/** What putting objects needs. */
export interface PutTools {
  readonly world: World;
  readonly permits: Permits;
  readonly counts: Counts;
  readonly commits: Commits;
  /** Whether the partition is surely ours at this moment. */
  readonly holds: (partition: Partition) => boolean;
  /** Tells whoever wants to know of an object that it is in the store; before its commit. */
  readonly notify: (partition: Partition, notes: ObjectNotes, fileBytes: number) => Promise<void>;
  readonly timePut: (seconds: number) => void;
  /** Something changed that a fetch or a stop may be waiting for. */
  readonly changed: () => void;
}

/**
 * Puts the objects of one partition, one after the other, until it is lost: put, tell, commit, throw
 * the local bytes away. What fails is tried on for ever. After a crash between any two of these steps
 * the next one is done by whoever gets the partition, from what is in the store.
 */
export class Puts {
  #isRunning = false;
  #trouble: string | null = null;
  /** Commits that are under way. */
  #committing = 0;

  constructor(private readonly partition: Partition, private readonly tools: PutTools) {}

  /** Why objects are not being put; null when they are. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** Whether everything that was cut is in the store and committed. */
  get isIdle(): boolean {
    return !this.#isRunning && this.partition.waiting.length === 0 && this.#committing === 0;
  }

  /** Begins to put what waits, unless that is being done. */
  wake(): void {
    if (this.#isRunning || this.partition.isGone || this.partition.waiting.length === 0) return;
    this.#isRunning = true;
    this.#run().finally(() => {
      this.#isRunning = false;
      // What was cut at the very end has found us running still.
      this.wake();
      this.tools.changed();
    });
  }

  async #run(): Promise<void> {
    const { partition } = this;
    for (let attempt = 1; !partition.isGone;) {
      const next = partition.waiting[0];
      if (next === undefined) return;
      const { resets } = partition;
      const object = await this.#completed(next);
      if (object === null || resets !== partition.resets) continue;
      crashPoint("after-draft");
      try {
        if (await this.tools.permits.use(() => this.#put(object, resets))) attempt = 1;
        else await this.#wait(attempt++, networkRetry);
      } catch (thrown) {
        if (resets !== partition.resets) continue;
        this.tools.counts.putErrors++;
        this.#failed(thrown);
        if (object.body.isBroken) await partition.reset(partition.tip);
        else await this.#wait(attempt++, isTransient(thrown) ? networkRetry : deniedRetry);
      }
    }
  }

  /** The object with all its blocks; null when one of them was lost, and it has to be fetched again. */
  async #completed(next: Waiting): Promise<CutObject | null> {
    const { partition } = this;
    const { resets } = partition;
    try {
      return await next.object;
    } catch (thrown) {
      if (resets !== partition.resets) return null;
      this.#failed(thrown);
      await partition.reset(partition.tip);
      return null;
    }
  }

  /** One try. @returns false when the partition may not be ours: to be looked at again. */
  async #put(object: CutObject, resets: number): Promise<boolean> {
    const { partition } = this;
    const { holds, timePut, world, counts } = this.tools;
    if (resets !== partition.resets || partition.isGone) return true;
    if (!holds(partition)) return false;
    const begunMs = world.monotonicMs();
    const result = await partition.chain.put(object, partition.lost.signal);
    timePut((world.monotonicMs() - begunMs) / 1000);
    crashPoint("after-put");
    this.#succeeded();
    if (resets !== partition.resets) return true;
    if (result.kind === "taken") {
      counts.adopted++;
      await this.#adopt(result.notes);
      return true;
    }
    partition.tip = object.notes.nextOffset;
    partition.waiting.shift();
    this.#count(object);
    this.#conclude(object).catch((thrown) =>
      world.log("error", "An object was put but not concluded", { reason: reasonOf(thrown) })
    );
    this.tools.changed();
    return true;
  }

  /** Another writer was first: what we have overlaps with its object and is fetched anew behind it. */
  async #adopt(notes: ObjectNotes): Promise<void> {
    const { partition } = this;
    this.tools.world.log(
      "warn",
      "Another writer has archived from the same offset; going on after it",
      {
        partition: partition.name,
        offset: String(notes.firstOffset),
        next: String(notes.nextOffset),
        writer: notes.writer,
      },
    );
    await partition.reset(notes.nextOffset);
    this.#committing++;
    this.tools.commits.commit(partition, notes.nextOffset).finally(() => {
      this.#committing--;
      this.tools.changed();
    });
  }

  /** What follows the put, while the next object is being put already. */
  async #conclude(object: CutObject): Promise<void> {
    const { partition } = this;
    const { notify, commits, world } = this.tools;
    const { notes, body } = object;
    this.#committing++;
    try {
      // Not waited for before the rest: later objects would overtake this one.
      const told = notes.gap === null ? null : this.#tellGap(notes);
      const fileBytes = body.sizeBytes;
      await notify(partition, notes, fileBytes);
      if (await commits.commit(partition, notes.nextOffset)) crashPoint("after-commit");
      world.log("debug", "Archived", {
        partition: partition.name,
        offset: String(notes.firstOffset),
        next: String(notes.nextOffset),
        records: notes.records,
        bytes: fileBytes,
      });
      await told;
    } finally {
      await body.remove();
      this.#committing--;
      this.tools.changed();
    }
  }

  /** The empty object closes the gap; this is for people, and not worth a stop when it is refused. */
  async #tellGap(notes: ObjectNotes): Promise<void> {
    const { world } = this.tools;
    const { name, chain, lost } = this.partition;
    const what = `write down the gap of ${name}`;
    await retry(world, () => chain.tellGap(notes), { what, signal: lost.signal }).catch((thrown) =>
      world.log("error", reasonOf(thrown))
    );
  }

  #count({ notes, body }: CutObject): void {
    const { counts } = this.tools;
    counts.objects++;
    counts.records += notes.records;
    counts.nullValues += notes.nullValues;
    counts.rawBytes += notes.uncompressedBytes;
    counts.fileBytes += body.sizeBytes;
    if (notes.gap !== null) {
      counts.gaps++;
      counts.gapOffsets += notes.nextOffset - notes.firstOffset;
    }
    const topic = counts.ofTopic(this.partition.topic);
    topic.records += notes.records;
    topic.rawBytes += notes.uncompressedBytes;
    topic.fileBytes += body.sizeBytes;
  }

  async #wait(attempt: number, policy: RetryPolicy): Promise<void> {
    const { world } = this.tools;
    const ms = backoffMs(policy, attempt, world.random());
    await world.sleep(ms, this.partition.lost.signal);
  }

  #failed(thrown: unknown): void {
    const reason = reasonOf(thrown);
    if (reason !== this.#trouble) {
      const level = isTransient(thrown) ? "warn" : "error";
      this.tools.world.log(level, "Cannot put an object, trying on", {
        partition: this.partition.name,
        reason,
      });
    }
    this.#trouble = reason;
  }

  #succeeded(): void {
    if (this.#trouble === null) return;
    this.#trouble = null;
    this.tools.world.log("info", "Objects are put again", { partition: this.partition.name });
  }
}

function isTransient(thrown: unknown): boolean {
  return faultOf(thrown) === "transient";
}
