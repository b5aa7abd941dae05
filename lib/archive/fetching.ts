import {
  type Cluster,
  type FetchedPartition,
  type FetchWish,
  releaseFetched,
} from "../clients/kafka/kafka.ts";
import { reasonOf } from "../core/errors.ts";
import { Gate } from "../core/gate.ts";
import { backoffMs, networkRetry } from "../core/retry.ts";
import type { World } from "../core/world.ts";
import { nextOffsetIn } from "./heads.ts";
import type { Memory } from "./memory.ts";
import type { Partition } from "./partition.ts";
import type { ArchiveSettings } from "./settings.ts";

/** What one answer may hold; the client has it whole in memory, and one more is on its way. */
const answerBytes = 2 * 1024 * 1024;
/** A partition gets at least so much of an answer: less than a batch would be a batch all the same. */
const partitionBytesLeast = 1024 * 1024;
const maxWaitMs = 500;
/** Less than this is not worth an answer before its time: topics with little traffic would cost much. */
const minBytes = 64 * 1024;
/** How long a partition rests after an answer that was no good. */
const restMs = 300;

/** What fetching needs. */
export interface FetchTools {
  readonly world: World;
  readonly cluster: Cluster;
  readonly settings: Pick<ArchiveSettings, "isolation" | "once">;
  readonly memory: Memory;
  readonly partitions: () => Iterable<Partition>;
  /** Takes in what came for a partition; waits for memory. */
  readonly takeIn: (
    partition: Partition,
    offset: bigint,
    fetched: FetchedPartition,
  ) => Promise<void>;
  /** The log does not have the offset that was asked for. */
  readonly outOfRange: (partition: Partition) => void;
  /** Somebody else leads a partition now. */
  readonly moved: () => void;
  /** Whether the disk has no room for more. */
  readonly isSpoolFull: () => boolean;
}

/** What was asked of a partition, and for whom. */
interface Asked extends FetchWish {
  readonly of: Partition;
  readonly epoch: number;
}

/** An answer for one partition, with what was asked. */
interface Arrival {
  readonly partition: Partition;
  readonly epoch: number;
  readonly offset: bigint;
  readonly fetched: FetchedPartition;
}

/**
 * Fetches from all brokers, each by a loop of its own. While an answer is being taken in the next one
 * is on its way: where it begins is known from the heads of the batches alone.
 */
export class Fetching {
  readonly #loops = new Map<number, Promise<void>>();
  readonly #changed = new Gate();
  /** Why nothing comes, by broker. */
  readonly #troubles = new Map<number, string>();
  fetchedBytes = 0;

  constructor(private readonly tools: FetchTools, private readonly stop: AbortSignal) {
    stop.addEventListener("abort", () => this.#changed.wake());
  }

  /** Why nothing comes from some broker; null when all is well. */
  get trouble(): string | null {
    return this.#troubles.values().next().value ?? null;
  }

  /** Looks again at what is to be fetched; begins loops for brokers that have none. */
  changed(): void {
    for (const { topic, partition } of this.tools.partitions()) {
      const nodeId = this.tools.cluster.leaderId(topic, partition);
      if (nodeId === undefined || this.#loops.has(nodeId) || this.stop.aborted) continue;
      this.#loops.set(nodeId, this.#loop(nodeId));
    }
    this.#changed.wake();
  }

  /** Waits until all loops have ended, after the stop. */
  async ended(): Promise<void> {
    await Promise.all(this.#loops.values());
  }

  async #loop(nodeId: number): Promise<void> {
    let taking: Promise<void> = Promise.resolve();
    for (let attempt = 0; !this.stop.aborted;) {
      const asked = this.#asked(nodeId);
      if (asked.size === 0) {
        this.#troubles.delete(nodeId); // it leads nothing that is wanted: nothing is missed
        await Promise.race([this.#changed.wait(), this.tools.world.sleep(restMs, this.stop)]);
        continue;
      }
      try {
        const answer = await this.#fetch(nodeId, [...asked.values()]);
        attempt = 0;
        this.#troubles.delete(nodeId);
        const arrivals = this.#arrivals(nodeId, asked, answer);
        // Not more than one answer waits: memory is bounded by the answers, and by their blocks.
        await taking;
        taking = this.#takeIn(arrivals);
      } catch (thrown) {
        if (this.stop.aborted) break;
        this.#failed(nodeId, thrown);
        this.tools.moved();
        const ms = backoffMs(networkRetry, ++attempt, this.tools.world.random());
        await this.tools.world.sleep(ms, this.stop);
      }
    }
    await taking;
  }

  /** The partitions that this broker leads and that want more, with where they stand. */
  #asked(nodeId: number): Map<string, Asked> {
    const { cluster, partitions, world, isSpoolFull } = this.tools;
    const asked = new Map<string, Asked>();
    if (isSpoolFull()) return asked;
    const nowMs = world.monotonicMs();
    const wanting = [...partitions()].filter((one) =>
      one.wantsMore && nowMs >= one.restUntilMs &&
      (one.arriving === 0 || one.arrivingFrom === nodeId) &&
      cluster.leaderId(one.topic, one.partition) === nodeId
    );
    const maxBytes = Math.max(partitionBytesLeast, Math.floor(answerBytes / wanting.length));
    // The broker fills an answer in the order of the wishes: whoever has waited longest comes first.
    for (const one of wanting.sort((a, b) => a.servedMs - b.servedMs)) {
      const { topic, partition, fetchOffset: offset, epoch } = one;
      asked.set(one.name, { topic, partition, offset, maxBytes, of: one, epoch });
    }
    return asked;
  }

  #fetch(nodeId: number, wishes: readonly FetchWish[]): Promise<readonly FetchedPartition[]> {
    return this.tools.cluster.fetch(nodeId, wishes, {
      maxWaitMs,
      minBytes: this.tools.settings.once ? 1 : minBytes,
      maxBytes: answerBytes,
      isolation: this.tools.settings.isolation,
      signal: this.stop,
    });
  }

  /** Moves each partition on by what came, before the next fetch is sent. */
  #arrivals(
    nodeId: number,
    asked: ReadonlyMap<string, Asked>,
    answer: readonly FetchedPartition[],
  ): Arrival[] {
    const arrivals: Arrival[] = [];
    const nowMs = this.tools.world.monotonicMs();
    for (const fetched of answer) {
      const wish = asked.get(`${fetched.topic}-${fetched.partition}`);
      if (wish === undefined) continue;
      const { of: partition, epoch, offset } = wish;
      // It was reset or lost meanwhile: this answer is to a question of former times.
      if (partition.epoch !== epoch || partition.fetchOffset !== offset) continue;
      if (!this.#isGood(partition, fetched, nowMs)) continue;
      partition.highWatermark = fetched.highWatermark;
      partition.lastStableOffset = fetched.lastStableOffset;
      partition.logStartOffset = fetched.logStartOffset;
      const next = nextOffsetIn(fetched.records, offset);
      if (next === null || next <= offset) continue;
      this.fetchedBytes += fetched.records.length;
      partition.servedMs = nowMs;
      partition.fetchOffset = next;
      partition.arriving++;
      partition.arrivingFrom = nodeId;
      arrivals.push({ partition, epoch, offset, fetched });
    }
    return arrivals;
  }

  #isGood(partition: Partition, { outcome, error }: FetchedPartition, nowMs: number): boolean {
    if (outcome === "ok") {
      if (partition.fetchTrouble !== null) {
        this.tools.world.log("info", "A partition is read again", { partition: partition.name });
      }
      partition.fetchTrouble = null;
      return true;
    }
    partition.restUntilMs = nowMs + restMs;
    if (outcome === "moved") this.tools.moved();
    else if (outcome === "out-of-range") this.tools.outOfRange(partition);
    else {
      const reason = reasonOf(error);
      if (partition.fetchTrouble !== reason) {
        this.tools.world.log("error", "Cannot read a partition, trying on", {
          partition: partition.name,
          reason,
        });
      }
      partition.fetchTrouble = reason;
      partition.restUntilMs = nowMs + 10 * restMs;
    }
    return false;
  }

  async #takeIn(arrivals: readonly Arrival[]): Promise<void> {
    for (const { partition, epoch, offset, fetched } of arrivals) {
      if (partition.epoch === epoch) await this.tools.takeIn(partition, offset, fetched);
      partition.arriving--;
    }
    releaseFetched(arrivals.map(({ fetched }) => fetched));
    this.changed();
  }

  #failed(nodeId: number, thrown: unknown): void {
    const reason = reasonOf(thrown);
    if (reason !== this.#troubles.get(nodeId)) {
      this.tools.world.log("warn", "Cannot fetch, trying on", { broker: nodeId, reason });
    }
    this.#troubles.set(nodeId, reason);
  }
}
