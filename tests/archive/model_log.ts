import type {
  Cluster,
  FetchedPartition,
  FetchOptions,
  FetchWish,
} from "../../lib/clients/kafka/kafka.ts";
import type { OffsetWish } from "../../lib/clients/kafka/kafka.ts";
import { bytesOf } from "../support/syslog_reading.ts";
import { madeBatch, madeMarker } from "../support/made_batches.ts";
import type { Wire } from "./model_wire.ts";
import { concat } from "./rig.ts";

interface LogBatch {
  readonly base: bigint;
  readonly next: bigint;
  readonly bytes: Uint8Array;
  /** Offsets of the records that a reader shall get. */
  readonly wanted: readonly bigint[];
  readonly abortedBy: bigint | null;
}

/** What the record at an offset holds. */
export function valueOf(partition: number, offset: bigint): string {
  return `${partition}/${offset}`;
}

/** A partition's log as its broker has it. */
export class Log {
  batches: LogBatch[] = [];
  start = 0n;
  leader = 1;
  /** Every record that was ever there for a reader. */
  readonly wanted: bigint[] = [];

  constructor(readonly partition: number, private readonly random: () => number) {}

  get end(): bigint {
    return this.batches.at(-1)?.next ?? this.start;
  }

  /** Some batches: records with holes of compaction, or a transaction that is aborted. */
  produce(): void {
    const isAborted = this.random() < 0.2;
    this.#append(isAborted);
    if (!isAborted) return;
    const base = this.end;
    const bytes = madeMarker("abort", 7n, base);
    this.batches.push({ base, next: base + 1n, bytes, wanted: [], abortedBy: null });
  }

  #append(isAborted: boolean): void {
    const base = this.end;
    const lastOffsetDelta = Math.floor(this.random() * 5);
    const deltas = Array.from({ length: lastOffsetDelta + 1 }, (_, i) => i)
      .filter(() => this.random() < 0.8);
    const offsets = deltas.map((delta) => base + BigInt(delta));
    const bytes = madeBatch({
      baseOffset: base,
      lastOffsetDelta,
      records: deltas.map((offsetDelta) => ({
        offsetDelta,
        value: bytesOf(valueOf(this.partition, base + BigInt(offsetDelta))),
      })),
      ...(isAborted ? { isTransactional: true, producerId: 7n } : {}),
    });
    const wanted = isAborted ? [] : offsets;
    this.wanted.push(...wanted);
    const next = base + BigInt(lastOffsetDelta) + 1n;
    this.batches.push({ base, next, bytes, wanted, abortedBy: isAborted ? 7n : null });
  }

  /** Retention removes the oldest batches. */
  trim(): void {
    const count = Math.floor(this.random() * this.batches.length);
    for (const { next } of this.batches.splice(0, count)) this.start = next;
  }

  /** What a fetch gets; the last batch may be cut off. */
  read({ topic, partition, offset }: FetchWish, nodeId: number): FetchedPartition {
    const limits = {
      highWatermark: this.end,
      lastStableOffset: this.end,
      logStartOffset: this.start,
    };
    const none = { topic, partition, error: null, ...limits, aborted: [], records: concat([]) };
    if (nodeId !== this.leader) return { ...none, outcome: "moved" };
    if (offset < this.start || offset > this.end) return { ...none, outcome: "out-of-range" };
    const from = this.batches.findIndex(({ next }) => next > offset);
    if (from < 0) return { ...none, outcome: "ok" };
    const found = this.batches.slice(from, from + 1 + Math.floor(this.random() * 4));
    const aborted = found.flatMap(({ abortedBy, base }) =>
      abortedBy === null ? [] : [{ producerId: abortedBy, firstOffset: base }]
    );
    const cut = this.batches[from + found.length]?.bytes;
    const parts = found.map(({ bytes }) => bytes);
    if (cut !== undefined) parts.push(cut.slice(0, Math.floor(this.random() * cut.length)));
    return { ...none, outcome: "ok", aborted, records: concat(parts) };
  }
}

/** The cluster as one process sees it. */
export class ModelCluster {
  #leaders = new Map<number, number>();

  constructor(private readonly logs: readonly Log[], private readonly wire: Wire) {
    this.refresh();
  }

  get asCluster(): Cluster {
    return this as unknown as Cluster;
  }

  refresh(): void {
    this.#leaders = new Map(this.logs.map(({ partition, leader }) => [partition, leader]));
  }

  leaderId(_topic: string, partition: number): number | undefined {
    return this.#leaders.get(partition);
  }

  fetch(nodeId: number, wishes: readonly FetchWish[], options: FetchOptions) {
    const read = () =>
      wishes.flatMap((wish) => this.logs[wish.partition]?.read(wish, nodeId) ?? []);
    const isQuiet = (found: readonly FetchedPartition[]) =>
      found.every(({ outcome, records }) => outcome === "ok" && records.length === 0);
    return this.wire.ask("fetch", read, {
      waitMs: (found) => isQuiet(found) ? 1_000 : 0,
      signal: options.signal,
    });
  }

  listOffsets(wishes: readonly OffsetWish[]) {
    return this.wire.ask("list offsets", () =>
      wishes.map(({ topic, partition, at }) => {
        const log = this.logs[partition];
        return {
          topic,
          partition,
          offset: (at === "earliest" ? log?.start : log?.end) ?? null,
          error: null,
        };
      }));
  }
}
