import { faultOf, reasonOf } from "../core/errors.ts";
import { Gate } from "../core/gate.ts";
import { backoffMs, networkRetry } from "../core/retry.ts";
import type { World } from "../core/world.ts";
import type { Counts } from "./counts.ts";
import type { Partition } from "./partition.ts";

/** An offset to be committed, with what tells the topic from a later one of the same name. */
export interface Commit {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly metadata: string;
}

/** Commits offsets as a member of the group. */
export type SendCommits = (commits: readonly Commit[]) => Promise<void>;

interface Wanted {
  readonly partition: Partition;
  readonly offset: bigint;
  readonly done: ((isCommitted: boolean) => void)[];
}

/**
 * Commits how far the chains have come, all partitions together, one request at a time. A commit may
 * come late or never: whoever takes the partition over finds the objects in the store and goes on
 * after them. It is never early: only what is in the store is committed.
 */
export class Commits {
  #wanted = new Map<Partition, Wanted>();
  readonly #changed = new Gate();
  #reported = "";
  #trouble: string | null = null;

  constructor(
    private readonly send: SendCommits,
    private readonly world: World,
    private readonly counts: Counts,
  ) {}

  /** Why nothing is committed, unless it will pass with time; null when all is well. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** Resolves when the offset is committed; false when the partition was lost before. */
  commit(partition: Partition, offset: bigint): Promise<boolean> {
    return new Promise((resolve) => {
      this.#want({ partition, offset, done: [resolve] });
      this.#changed.wake();
    });
  }

  /** Commits until `stop`; what is wanted then is tried on as long as partitions are ours. */
  async run(stop: AbortSignal): Promise<void> {
    stop.addEventListener("abort", () => this.#changed.wake());
    for (let attempt = 0; !stop.aborted || this.#wanted.size > 0;) {
      if (this.#wanted.size === 0) {
        await this.#changed.wait();
        continue;
      }
      const isDone = await this.#commitAll();
      attempt = isDone ? 0 : attempt + 1;
      if (!isDone) await this.world.sleep(backoffMs(networkRetry, attempt, this.world.random()));
    }
  }

  async #commitAll(): Promise<boolean> {
    const wanted = this.#wanted;
    this.#wanted = new Map();
    for (const [partition, { done }] of wanted) {
      if (!partition.isGone) continue;
      wanted.delete(partition);
      done.forEach((resolve) => resolve(false));
    }
    if (wanted.size === 0) return true;
    const commits = [...wanted.values()].map(({ partition, offset }) => ({
      topic: partition.topic,
      partition: partition.partition,
      offset,
      metadata: metadataOf(partition.topicId),
    }));
    try {
      await this.send(commits);
    } catch (thrown) {
      for (const one of wanted.values()) this.#want(one);
      this.#report(thrown);
      return false;
    }
    this.#reported = "";
    this.#trouble = null;
    this.counts.commits++;
    for (const { done } of wanted.values()) done.forEach((resolve) => resolve(true));
    return true;
  }

  /** Of several offsets of a partition the highest is committed, in whatever order they come. */
  #want({ partition, offset, done }: Wanted): void {
    const other = this.#wanted.get(partition);
    this.#wanted.set(partition, {
      partition,
      offset: other !== undefined && other.offset > offset ? other.offset : offset,
      done: [...other?.done ?? [], ...done],
    });
  }

  #report(thrown: unknown): void {
    const reason = reasonOf(thrown);
    // During a rebalance this is the ordinary course of things.
    const isTransient = faultOf(thrown) === "transient";
    this.#trouble = isTransient ? null : reason;
    if (reason === this.#reported) return;
    this.#reported = reason;
    const level = isTransient ? "debug" : "error";
    this.world.log(level, "Cannot commit offsets, trying on", { reason });
  }
}

const topicIdWord = "topic-id=";

/** What is committed beside the offset. */
export function metadataOf(topicId: string): string {
  return topicId === "" ? "" : topicIdWord + topicId;
}

/** The id of the topic whose offset was committed; empty when that is not known. */
export function topicIdOf(metadata: string | null): string {
  return metadata?.startsWith(topicIdWord) ? metadata.slice(topicIdWord.length) : "";
}
