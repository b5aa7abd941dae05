import assert from "node:assert/strict";
import { Fetching } from "../../lib/archive/fetching.ts";
import type { Partition } from "../../lib/archive/partition.ts";
import type {
  Cluster,
  FetchedPartition,
  FetchOptions,
  FetchWish,
} from "../../lib/clients/kafka/kafka.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { madeBatch } from "../support/made_batches.ts";
import { Bench } from "./makers.ts";
import { concat, turn } from "./rig.ts";

interface Asked {
  readonly nodeId: number;
  readonly wishes: readonly FetchWish[];
  readonly options: FetchOptions;
  answer(found: readonly FetchedPartition[]): void;
  fail(thrown: Error): void;
}

/** A cluster whose answers the test gives by hand. */
class FetchBench extends Bench {
  readonly asked: Asked[] = [];
  readonly leaders = new Map<number, number>();
  readonly taken: [partition: number, offset: bigint][] = [];
  readonly outOfRange: string[] = [];
  moved = 0;
  isSpoolFull = false;
  takeIn: (partition: Partition) => Promise<void> = () => Promise.resolve();
  readonly stop = new AbortController();
  readonly partitions: Partition[] = [];
  readonly fetching: Fetching;

  constructor(count: number, once = false) {
    super();
    for (let number = 0; number < count; number++) {
      this.partitions.push(this.partition(0n, number));
      this.leaders.set(number, 1);
    }
    const cluster = {
      leaderId: (_topic: string, partition: number) => this.leaders.get(partition),
      fetch: (nodeId: number, wishes: readonly FetchWish[], options: FetchOptions) =>
        this.#fetch(nodeId, wishes, options),
    };
    this.fetching = new Fetching({
      ...{ world: this.world, memory: this.memory, cluster: cluster as unknown as Cluster },
      settings: { isolation: "read-committed", once },
      partitions: () => this.partitions,
      takeIn: async (partition, offset) => {
        this.taken.push([partition.partition, offset]);
        await this.takeIn(partition);
      },
      outOfRange: ({ name }) => this.outOfRange.push(name),
      moved: () => this.moved++,
      isSpoolFull: () => this.isSpoolFull,
    }, this.stop.signal);
  }

  #fetch(nodeId: number, wishes: readonly FetchWish[], options: FetchOptions) {
    return new Promise<readonly FetchedPartition[]>((answer, fail) => {
      this.asked.push({ nodeId, wishes, options, answer, fail });
      options.signal?.addEventListener("abort", () => fail(new Error("given up")));
    });
  }

  /** The request that is under way. */
  get last(): Asked {
    const last = this.asked.at(-1);
    assert.ok(last, "nothing is asked");
    return last;
  }

  async begin(): Promise<void> {
    this.fetching.changed();
    await turn();
  }

  async answer(...found: FetchedPartition[]): Promise<void> {
    this.last.answer(found);
    await turn();
  }

  async end(): Promise<void> {
    this.stop.abort();
    await turn();
    await this.fetching.ended();
  }
}

function offsetsOf({ wishes }: Asked): (readonly [number, bigint])[] {
  return wishes.map(({ partition, offset }) => [partition, offset] as const);
}

/** What came of a partition: a batch of offsets [base, next), or nothing. */
function found(
  partition: number,
  base = 0n,
  next = base,
  outcome: FetchedPartition["outcome"] = "ok",
  error: SluiceError | null = null,
): FetchedPartition {
  const last = Number(next - base) - 1;
  const records = last < 0
    ? concat([])
    : madeBatch({ baseOffset: base, lastOffsetDelta: last, records: [{ offsetDelta: 0 }] });
  const limits = { highWatermark: 50n, lastStableOffset: 40n, logStartOffset: 0n };
  return { topic: "t", partition, outcome, error, ...limits, aborted: [], records };
}

Deno.test("the next fetch is sent before what came is taken in", async () => {
  const bench = new FetchBench(1);
  const gate = Promise.withResolvers<void>();
  bench.takeIn = () => gate.promise;
  await bench.begin();
  assert.deepEqual(offsetsOf(bench.last), [[0, 0n]]);
  await bench.answer(found(0, 0n, 5n));
  assert.deepEqual([bench.asked.length, offsetsOf(bench.last)], [2, [[0, 5n]]]);
  assert.deepEqual(bench.partitions.map(({ highWatermark }) => highWatermark), [50n]);
  await bench.answer(found(0, 5n, 9n));
  assert.deepEqual([bench.asked.length, bench.taken], [2, [[0, 0n]]], "two answers are enough");
  gate.resolve();
  await turn();
  assert.deepEqual([bench.asked.length, bench.taken], [3, [[0, 0n], [0, 5n]]]);
  assert.deepEqual(offsetsOf(bench.last), [[0, 9n]]);
  await bench.end();
});

Deno.test("whoever has waited longest for records is asked for first", async () => {
  const bench = new FetchBench(3);
  await bench.begin();
  bench.world.time.nowMs += 10;
  await bench.answer(found(0, 0n, 5n), found(1), found(2));
  assert.deepEqual(bench.last.wishes.map(({ partition }) => partition), [1, 2, 0]);
  bench.world.time.nowMs += 10;
  await bench.answer(found(1), found(2, 0n, 5n), found(0));
  assert.deepEqual(bench.last.wishes.map(({ partition }) => partition), [1, 0, 2]);
  await bench.end();
});

Deno.test("an answer to a question of former times is not taken in", async () => {
  const bench = new FetchBench(2);
  await bench.begin();
  await bench.partitions[0]?.reset(0n);
  const [, second] = bench.partitions;
  if (second) second.fetchOffset = 3n;
  await bench.answer(found(0, 0n, 5n), found(1, 0n, 5n));
  assert.deepEqual(bench.taken, []);
  assert.deepEqual(bench.partitions.map(({ fetchOffset }) => fetchOffset), [0n, 3n]);
  await bench.end();
});

Deno.test("what waits to be taken in is dropped when the partition goes back", async () => {
  const bench = new FetchBench(2);
  const gate = Promise.withResolvers<void>();
  bench.takeIn = () => gate.promise;
  await bench.begin();
  await bench.answer(found(0, 0n, 5n), found(1, 0n, 5n));
  bench.partitions[1]?.rewind();
  gate.resolve();
  await turn();
  assert.deepEqual(bench.taken, [[0, 0n]]);
  assert.deepEqual(bench.partitions.map(({ arriving }) => arriving), [0, 0]);
  await bench.end();
});

Deno.test("a new leader is not asked while records of the old one are to be taken in", async () => {
  const bench = new FetchBench(1);
  const gate = Promise.withResolvers<void>();
  bench.takeIn = () => gate.promise;
  await bench.begin();
  await bench.answer(found(0, 0n, 5n));
  bench.leaders.set(0, 2);
  await bench.answer(found(0, 0n, 0n, "moved"));
  bench.world.time.nowMs += 1_000;
  await bench.begin();
  assert.deepEqual(bench.asked.map(({ nodeId }) => nodeId), [1, 1]);
  gate.resolve();
  await turn();
  assert.deepEqual([bench.last.nodeId, offsetsOf(bench.last)], [2, [[0, 5n]]]);
  await bench.end();
});

Deno.test("a partition that has moved, or is out of range, rests and is reported", async () => {
  const bench = new FetchBench(2);
  await bench.begin();
  await bench.answer(found(0, 0n, 0n, "moved"), found(1, 0n, 0n, "out-of-range"));
  assert.deepEqual([bench.moved, bench.outOfRange, bench.asked.length], [1, ["t-1"], 1]);
  await bench.world.time.pass(300);
  assert.deepEqual(offsetsOf(bench.last), [[0, 0n], [1, 0n]]);
  await bench.end();
});

Deno.test("a partition that cannot be read is told of once, and when it can again", async () => {
  const bench = new FetchBench(1);
  const error = new SluiceError("fetch from t", "permanent", "the disk of the broker is broken");
  await bench.begin();
  for (let i = 0; i < 3; i++) {
    await bench.answer(found(0, 0n, 0n, "failed", error));
    assert.match(bench.partitions[0]?.fetchTrouble ?? "", /broken/);
    await bench.world.time.pass(3_000);
  }
  await bench.answer(found(0));
  assert.equal(bench.partitions[0]?.fetchTrouble, null);
  assert.deepEqual(bench.world.said("error"), ["Cannot read a partition, trying on"]);
  assert.deepEqual(bench.world.said("info"), ["A partition is read again"]);
  await bench.end();
});

Deno.test("a broker that is away is tried on, and the others go on", async () => {
  const bench = new FetchBench(2);
  bench.leaders.set(1, 2);
  await bench.begin();
  assert.deepEqual(bench.asked.map(({ nodeId }) => nodeId), [1, 2]);
  bench.asked[1]?.fail(new SluiceError("fetch", "transient", "no connection"));
  await turn();
  assert.match(bench.fetching.trouble ?? "", /no connection/);
  bench.asked[0]?.answer([found(0, 0n, 5n)]);
  await bench.world.time.pass(200);
  assert.deepEqual(bench.asked.map(({ nodeId }) => nodeId), [1, 2, 1, 2]);
  assert.equal(bench.moved, 1);
  assert.match(
    bench.fetching.trouble ?? "",
    /no connection/,
    "what comes from another is no remedy",
  );
  bench.last.fail(new SluiceError("fetch", "transient", "no connection"));
  await turn();
  assert.deepEqual(bench.world.said("warn"), ["Cannot fetch, trying on"], "once");
  bench.leaders.set(1, 1);
  await bench.world.time.pass(10_000);
  assert.equal(bench.fetching.trouble, null, "it has nothing for us any more");
  await bench.end();
});

Deno.test("a full spool, or partitions that want no more, leave the broker in peace", async () => {
  const bench = new FetchBench(1);
  bench.isSpoolFull = true;
  await bench.begin();
  await bench.world.time.pass(1_000);
  assert.equal(bench.asked.length, 0);
  bench.isSpoolFull = false;
  const [one] = bench.partitions;
  if (one) one.state = "refused";
  await bench.world.time.pass(1_000);
  assert.equal(bench.asked.length, 0);
  if (one) one.state = "reading";
  await bench.begin();
  assert.equal(bench.asked.length, 1);
  await bench.end();
});

Deno.test("--once waits for no more than a byte", async () => {
  for (const [once, minBytes] of [[false, 64 * 1024], [true, 1]] as const) {
    const bench = new FetchBench(1, once);
    await bench.begin();
    assert.equal(bench.last.options.minBytes, minBytes);
    await bench.end();
  }
});

Deno.test("after the stop nothing is asked, and what was taken in last is waited for", async () => {
  const bench = new FetchBench(1);
  const gate = Promise.withResolvers<void>();
  bench.takeIn = () => gate.promise;
  await bench.begin();
  await bench.answer(found(0, 0n, 5n));
  bench.stop.abort();
  let hasEnded = false;
  bench.fetching.ended().then(() => hasEnded = true);
  await bench.world.time.pass(60_000);
  assert.deepEqual([hasEnded, bench.asked.length], [false, 2]);
  gate.resolve();
  await turn();
  assert.equal(hasEnded, true);
  assert.deepEqual(bench.world.said("warn"), []);
});
