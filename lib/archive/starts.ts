import type { Cluster } from "../clients/kafka/kafka.ts";
import { faultOf, reasonOf, SluiceError } from "../core/errors.ts";
import type { Permits } from "../core/permits.ts";
import { backoffMs, networkRetry, type RetryPolicy } from "../core/retry.ts";
import type { World } from "../core/world.ts";
import type { ObjectNotes } from "../formats/object_notes.ts";
import type { Commits } from "./commits.ts";
import type { Counts } from "./counts.ts";
import type { Partition } from "./partition.ts";
import type { ArchiveSettings } from "./settings.ts";

/** What was committed for a partition: offset, and the id of the topic it is of, if that is known. */
export interface Committed {
  readonly offset: bigint;
  readonly topicId: string;
}

/** An operator has to do something first; it is looked at again all the same. */
const refusedRetry: RetryPolicy = { firstMs: 10_000, mostMs: 60_000 };

/** What finding the beginning needs. */
export interface StartTools {
  readonly world: World;
  readonly cluster: Cluster;
  readonly settings: Pick<ArchiveSettings, "resume" | "isolation">;
  readonly permits: Permits;
  readonly commits: Commits;
  readonly counts: Counts;
  readonly committed: (partition: Partition) => Promise<Committed | null>;
  readonly topicIdOf: (topic: string) => string;
  /** Tells of an object that was put by a process that may not have told of it. */
  readonly notify: (partition: Partition, notes: ObjectNotes) => Promise<void>;
  /** The partition can be read, or has objects to be put. */
  readonly started: (partition: Partition) => void;
}

/**
 * Finds where a partition that has just become ours goes on, and lets it be read from there. Tried
 * on for ever; what only an operator can mend is said loudly, and looked at again now and then.
 */
export class Starts {
  constructor(private readonly tools: StartTools) {}

  async start(partition: Partition): Promise<void> {
    const { world, permits } = this.tools;
    for (let attempt = 1; isWaiting(partition); attempt++) {
      try {
        await permits.use(() => this.#try(partition));
        if (!isWaiting(partition)) return;
        if (partition.trouble !== null) {
          world.log("info", "A partition can be archived now", { partition: partition.name });
        }
        partition.trouble = null;
        partition.state = "reading";
        return this.tools.started(partition);
      } catch (thrown) {
        if (!isWaiting(partition)) return;
        const isTransient = faultOf(thrown) === "transient";
        this.#failed(partition, thrown, isTransient);
        const policy = isTransient ? networkRetry : refusedRetry;
        await world.sleep(backoffMs(policy, attempt, world.random()), partition.lost.signal);
      }
    }
  }

  async #try(partition: Partition): Promise<void> {
    if (!isWaiting(partition)) return;
    const { commits, counts, notify, world } = this.tools;
    const committed = await this.tools.committed(partition);
    let log = await this.#logRange(partition);
    partition.topicId = this.tools.topicIdOf(partition.topic);
    const from = await this.#from(partition, committed, log.earliest);
    const { tip, over } = await partition.chain.hop(from.offset);
    refuseOtherTopic(partition, over.at(-1)?.topicId ?? from.topicId);
    // Whoever had the partition before may have put what came after we had asked.
    if (tip > log.latest) log = await this.#logRange(partition);
    // And with another --isolation the chain may have gone beyond a transaction that is still open.
    if (tip > log.latest && tip > await this.#offsetAt(partition, "latest", "read-uncommitted")) {
      throw beyondLog(partition, tip, log.latest);
    }
    for (const notes of over) await notify(partition, notes);
    counts.adopted += over.length;
    if (!isWaiting(partition)) return;
    await partition.reset(tip);
    partition.logStartOffset = log.earliest;
    partition.highWatermark = log.latest;
    partition.endAtStart = log.latest;
    world.log("debug", "Archiving a partition", {
      partition: partition.name,
      committed: committed === null ? null : String(committed.offset),
      from: String(tip),
    });
    // Also where nothing was committed: so the beginning of the chain is the same for everybody before
    // the first object is made.
    if (committed?.offset !== tip) await commits.commit(partition, tip);
    if (tip < log.earliest && isWaiting(partition)) this.#gap(partition, tip, log.earliest);
  }

  /**
   * Where the chain is taken up, before hopping over what is there, and of which topic that is: with a
   * topic Kafka deletes what was committed of it, and only the store remembers that there was another.
   */
  async #from(
    { chain }: Partition,
    committed: Committed | null,
    earliest: bigint,
  ): Promise<Committed> {
    if (committed !== null && this.tools.settings.resume === "group") return committed;
    // Commits of a group that was away for a week are gone; the store remembers.
    const newest = await chain.newest();
    if (newest !== undefined) return { offset: newest.nextOffset, topicId: newest.topicId };
    // The first object may be on its way, from where the chain was begun; the log may begin later now.
    return committed ?? { offset: earliest, topicId: "" };
  }

  #gap(partition: Partition, tip: bigint, earliest: bigint): void {
    this.tools.world.log("error", "Kafka has deleted records that were not archived", {
      partition: partition.name,
      from: String(tip),
      to: String(earliest),
      hint: "raise the topic's retention, or give sluice more instances",
    });
    partition.cutGap(earliest);
  }

  async #logRange(partition: Partition) {
    const { isolation } = this.tools.settings;
    const [earliest, latest] = await Promise.all([
      this.#offsetAt(partition, "earliest", isolation),
      this.#offsetAt(partition, "latest", isolation),
    ]);
    return { earliest, latest };
  }

  async #offsetAt(
    { topic, partition, name }: Partition,
    at: "earliest" | "latest",
    isolation: ArchiveSettings["isolation"],
  ): Promise<bigint> {
    const [found] = await this.tools.cluster.listOffsets([{ topic, partition, at }], isolation);
    if (found !== undefined && found.error === null && found.offset !== null) return found.offset;
    throw found?.error ??
      new SluiceError(`ask for offsets of ${name}`, "transient", "there is no answer about it");
  }

  #failed(partition: Partition, thrown: unknown, isTransient: boolean): void {
    const reason = reasonOf(thrown);
    if (reason !== partition.trouble) {
      this.tools.world.log(
        isTransient ? "warn" : "error",
        "Cannot begin with a partition, trying on",
        {
          partition: partition.name,
          reason,
        },
      );
    }
    partition.trouble = reason;
    partition.state = isTransient ? "starting" : "refused";
  }
}

/** It may be taken from us at any moment, to be finished or at once. */
function isWaiting({ state }: Partition): boolean {
  return state === "starting" || state === "refused";
}

/** A topic that was deleted and made anew counts from 0 again: its offsets are not those of the chain. */
function refuseOtherTopic(partition: Partition, archivedId: string): void {
  const { topic, topicId, name } = partition;
  if (archivedId === "" || topicId === "" || archivedId === topicId) return;
  throw new SluiceError(
    `archive ${name}`,
    "permanent",
    `the topic ${topic} was deleted and made anew (id ${topicId}, archived was ${archivedId}); ` +
      "archive it with another --group or prefix, or move its older objects away and delete the " +
      "group's offsets of it",
  );
}

function beyondLog({ name }: Partition, tip: bigint, latest: bigint): SluiceError {
  return new SluiceError(
    `archive ${name}`,
    "permanent",
    `it is archived up to offset ${tip}, but Kafka has it up to ${latest} only: the topic was ` +
      "made anew, or an unclean election lost records; archive it with another --group or prefix",
  );
}
