import assert from "node:assert/strict";
import {
  Cluster,
  type ClusterOptions,
  GroupMember,
  type GroupOptions,
  partitionKey,
  type TopicPartition,
} from "../../lib/clients/kafka/kafka.ts";
import { type Fields, type LogLevel, realWorld, sleep, type World } from "../../lib/core/world.ts";
import { delay, eventually } from "../support/waiting.ts";

/** A time in which one member held a partition, ms of the monotonic clock; open at first. */
interface Interval {
  readonly key: string;
  readonly holder: string;
  readonly fromMs: number;
  toMs: number;
}

interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Fields | undefined;
}

/** What the members of one group held and when. */
export class Holdings {
  readonly #intervals: Interval[] = [];

  begin(holder: string, partitions: readonly TopicPartition[]): void {
    const fromMs = performance.now();
    for (const key of partitions.map(partitionKey)) {
      this.#intervals.push({ key, holder, fromMs, toMs: Infinity });
    }
  }

  end(holder: string, partitions: readonly TopicPartition[]): void {
    for (const key of partitions.map(partitionKey)) {
      const open = this.#intervals.find((one) =>
        one.key === key && one.holder === holder && one.toMs === Infinity
      );
      assert.ok(open, `${holder} gives up ${key} that it does not hold`);
      open.toMs = performance.now();
    }
  }

  /** Partition and holder, for all that are held now. */
  get now(): readonly { readonly key: string; readonly holder: string }[] {
    return this.#intervals.filter(({ toMs }) => toMs === Infinity);
  }

  of(holder: string): string[] {
    return this.now.filter((one) => one.holder === holder).map(({ key }) => key).sort();
  }

  /** No partition was two members' at a time. */
  assertNoOverlap(): void {
    for (const [key, intervals] of Map.groupBy(this.#intervals, (one) => one.key)) {
      intervals.sort((a, b) => a.fromMs - b.fromMs).reduce((before, after) => {
        assert.ok(before.toMs <= after.fromMs, `${key}: ${before.holder} and ${after.holder}`);
        return after;
      });
    }
  }

  /** Waits until these members hold all partitions, one more or less. */
  async evenly(total: number, ...names: readonly string[]): Promise<void> {
    await eventually(`${total} partitions held evenly by ${names}`, () => {
      const counts = names.map((name) => this.of(name).length);
      return this.now.length === total && counts.reduce((sum, one) => sum + one, 0) === total &&
        Math.max(...counts) - Math.min(...counts) <= 1;
    }, { timeoutMs: 40_000 });
  }
}

/** How a member of a test is wanted. */
export interface MemberOptions extends Partial<GroupOptions> {
  readonly name: string;
  readonly bootstrap: string;
  readonly holdings: Holdings;
  /** Topics and their numbers of partitions. */
  readonly shared: () => Readonly<Record<string, number>>;
  readonly cluster?: Partial<ClusterOptions>;
}

/** A member of a group in this process, that writes down what it holds. Ends with `await using`. */
export class TestMember implements AsyncDisposable {
  readonly member: GroupMember;
  readonly name: string;
  readonly lines: Line[] = [];
  readonly lost: string[] = [];
  readonly running: Promise<void>;
  readonly #cluster: Cluster;
  readonly #stop = new AbortController();
  #thaw: PromiseWithResolvers<void> | null = null;

  constructor({ name, bootstrap, holdings, shared, cluster, ...options }: MemberOptions) {
    const world = this.#world();
    this.name = name;
    this.#cluster = new Cluster({
      bootstrap: () => Promise.resolve([bootstrap]),
      clientId: name,
      world,
      ...cluster,
    });
    this.member = new GroupMember(this.#cluster, {
      group: "test",
      rebalance: "cooperative",
      sessionTimeoutMs: 6_000,
      rebalanceTimeoutMs: 10_000,
      world,
      topics: () => Object.keys(shared()),
      partitions: () =>
        Object.entries(shared()).flatMap(([topic, count]) =>
          Array.from({ length: count }, (_, partition) => ({ topic, partition }))
        ),
      assigned: (partitions) => holdings.begin(name, partitions),
      revoking: async (partitions) => {
        await delay(20);
        for (const one of partitions) assert.ok(this.member.holds(one));
        holdings.end(name, partitions);
      },
      lost: (partitions) => {
        this.lost.push(...partitions.map(partitionKey));
        holdings.end(name, partitions);
      },
      ...options,
    });
    this.running = this.member.run(this.#stop.signal);
    this.running.catch(() => {}); // whoever expects it to fail awaits it
  }

  /** How often it logged this. */
  said(message: string): number {
    return this.lines.filter((line) => line.message === message).length;
  }

  /** Stops all its timers, as if the process stood still; requests under way are answered. */
  freeze(): void {
    this.#thaw = Promise.withResolvers();
  }

  thaw(): void {
    this.#thaw?.resolve();
    this.#thaw = null;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    this.#stop.abort();
    await this.running.catch(() => {});
    await this.#cluster.close();
  }

  #world(): World {
    return {
      ...realWorld((level, message, fields) => this.lines.push({ level, message, fields })),
      sleep: async (ms, signal) => {
        await sleep(ms, signal);
        await this.#thaw?.promise;
      },
    };
  }
}
