import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { Counts } from "../../lib/archive/counts.ts";
import { Intake } from "../../lib/archive/intake.ts";
import type { Partition } from "../../lib/archive/partition.ts";
import type { FetchedPartition } from "../../lib/clients/kafka/kafka.ts";
import { crc32c } from "../../lib/formats/crc32c.ts";
import { type MadeBatch, madeBatch, madeMarker } from "../support/made_batches.ts";
import { bytesOf, textOf } from "../support/syslog_reading.ts";
import { Bench, fileOf } from "./makers.ts";
import { concat, turn } from "./rig.ts";

class IntakeBench extends Bench {
  readonly counts = new Counts();
  readonly cut: string[] = [];
  relieved = 0;
  relieve: () => void = () => {};
  readonly intake: Intake;

  constructor(settings: ConstructorParameters<typeof Bench>[0] = {}) {
    super(settings);
    this.intake = new Intake({
      ...{ world: this.world, memory: this.memory, counts: this.counts },
      settings: this.tools.settings,
      relieve: () => {
        this.relieved++;
        this.relieve();
      },
      onCut: ({ name }) => this.cut.push(name),
    });
  }

  async take(partition: Partition, offset: bigint, ...parts: Uint8Array[]): Promise<void> {
    await this.intake.take(partition, offset, answer(concat(parts)));
  }
}

function answer(
  records: Uint8Array<ArrayBuffer>,
  aborted: FetchedPartition["aborted"] = [],
): FetchedPartition {
  const limits = { highWatermark: 99n, lastStableOffset: 99n, logStartOffset: 0n };
  const which = { topic: "t", partition: 0, outcome: "ok" as const, error: null };
  return { ...which, ...limits, aborted, records };
}

function batch(
  baseOffset: bigint,
  values: readonly (string | null)[],
  more: Partial<MadeBatch> = {},
) {
  const records = values.map((value, offsetDelta) => ({
    offsetDelta,
    value: value === null ? null : bytesOf(value),
  }));
  return madeBatch({ baseOffset, records, baseTimestampMs: 100n + baseOffset, ...more });
}

/** The values of all objects that were cut. */
async function valuesIn(partition: Partition): Promise<string[]> {
  const values: string[] = [];
  for (const { object } of partition.waiting) {
    const plain = new Uint8Array(gunzipSync(await fileOf(await object)));
    for (let at = 0; at < plain.length;) {
      const length = plain[at + 7] ?? 0;
      values.push(textOf(plain.subarray(at + 8, at + 8 + length)));
      at += 8 + length;
    }
  }
  return values;
}

Deno.test("records from the asked offset on are taken in, and what they say of themselves", async () => {
  const bench = new IntakeBench();
  const partition = bench.partition(1n);
  await bench.take(partition, 1n, batch(0n, ["a", "b", null]), batch(7n, ["c"]));
  const { open } = partition;
  assert.deepEqual([open?.firstOffset, open?.nextOffset], [1n, 8n]);
  assert.deepEqual([open?.records, open?.nullValues], [3, 1]);
  assert.deepEqual([open?.firstTimestampMs, open?.lastTimestampMs], [100, 107]);
  assert.equal(partition.newestTimestampMs, 107);
  partition.cut();
  assert.deepEqual(await valuesIn(partition), ["b", "", "c"]);
});

Deno.test("what was aborted and what is no record is left out, and its offsets are passed", async () => {
  const bench = new IntakeBench();
  const partition = bench.partition(0n);
  const inside = { isTransactional: true, producerId: 7n };
  const parts = [batch(0n, ["x", "y"], inside), madeMarker("abort", 7n, 2n)];
  parts.push(batch(3n, ["z"], inside), madeMarker("commit", 7n, 4n));
  const aborted = [{ producerId: 7n, firstOffset: 0n }];
  await bench.intake.take(partition, 0n, answer(concat(parts), aborted));
  assert.equal(partition.takenOffset, 5n);
  assert.equal(bench.counts.aborted, 2);
  partition.cut();
  assert.deepEqual(await valuesIn(partition), ["z"]);
});

Deno.test("an object is cut with the batch that makes it due, not in the middle of it", async () => {
  const bench = new IntakeBench({ rotateRecords: 2 });
  const partition = bench.partition();
  await bench.take(partition, 0n, batch(0n, ["a", "b", "c"]), batch(3n, ["d"]), batch(4n, ["e"]));
  assert.deepEqual(partition.waiting.map(({ nextOffset }) => nextOffset), [3n, 5n]);
  assert.deepEqual(bench.cut, ["t-0", "t-0"]);
});

Deno.test("an object's age counts from its first record, not from an offset without one", async () => {
  const bench = new IntakeBench();
  const partition = bench.partition();
  await bench.take(partition, 0n, madeMarker("commit", 7n, 0n));
  bench.world.time.nowMs += 900;
  await bench.take(partition, 1n, batch(1n, ["a"]));
  bench.world.time.nowMs += 900;
  assert.equal(partition.isDue, false);
  bench.world.time.nowMs += 100;
  assert.equal(partition.isDue, true);
});

for (
  const [what, damage] of [
    ["its checksum", (bytes: Uint8Array) => bytes[bytes.length - 1] = 0xff],
    ["its version", (bytes: Uint8Array) => bytes[16] = 1],
  ] as const
) {
  Deno.test(`a batch that is wrong in ${what} is fetched again; what came before is kept`, async () => {
    const bench = new IntakeBench();
    const partition = bench.partition();
    partition.fetchOffset = 2n;
    const bad = batch(1n, ["b"]);
    damage(bad);
    await bench.take(partition, 0n, batch(0n, ["a"]), bad);
    assert.deepEqual([partition.takenOffset, partition.fetchOffset, partition.epoch], [1n, 1n, 1]);
    assert.match(partition.fetchTrouble ?? "", /offset 1\b/);
    assert.equal(partition.restUntilMs, bench.world.nowMs() + 5_000);
    await bench.take(partition, 1n, batch(1n, ["b"]));
    partition.cut();
    assert.deepEqual(await valuesIn(partition), ["a", "b"]);
  });
}

Deno.test("a batch that breaks off inside throws the open object away, and nothing that was cut", async () => {
  const bench = new IntakeBench();
  const partition = bench.partition();
  await bench.take(partition, 0n, batch(0n, ["a"]));
  partition.cut();
  await bench.take(partition, 1n, batch(1n, ["b"]));
  const { resets } = partition;
  // One record, where the head announces two.
  const short = batch(2n, ["c"], { lastOffsetDelta: 3 });
  const view = new DataView(short.buffer);
  view.setInt32(57, 2);
  view.setUint32(17, crc32c(short, 21, short.length));
  await bench.take(partition, 2n, short);
  assert.equal(partition.open, null);
  assert.equal(partition.resets, resets, "whoever puts the first object may go on");
  assert.deepEqual([partition.takenOffset, partition.fetchOffset], [1n, 1n]);
  await bench.take(partition, 1n, batch(1n, ["b"]), short);
  assert.deepEqual(await valuesIn(partition), ["a", "b"], "what is sound is to be put");
  assert.deepEqual([partition.takenOffset, partition.fetchOffset], [2n, 2n]);
  await bench.take(partition, 2n, batch(2n, ["c"]), batch(3n, ["d"]));
  partition.cut();
  assert.deepEqual(await valuesIn(partition), ["a", "b", "c", "d"]);
  for (const { object } of partition.waiting) await (await object).body.remove();
  assert.deepEqual([bench.memory.usedBytes, bench.memory.fillers], [0, 0]);
});

Deno.test("what does not join on to what was taken in is not taken in", async () => {
  const bench = new IntakeBench();
  const partition = bench.partition();
  await bench.take(partition, 0n, batch(0n, ["a"]));
  partition.fetchOffset = 6n;
  await bench.take(partition, 5n, batch(5n, ["f"]));
  assert.deepEqual([partition.takenOffset, partition.fetchOffset], [1n, 1n]);
  assert.match(partition.fetchTrouble ?? "", /offset 5 has come, but 1 is next/);
});

Deno.test("while memory is full nothing more is taken in, and somebody is made to give", async () => {
  const bench = new IntakeBench();
  const partition = bench.partition();
  bench.memory.take(bench.memory.limitBytes);
  const taking = bench.take(partition, 0n, batch(0n, ["a"]), batch(1n, ["b"]));
  await turn();
  assert.deepEqual([partition.takenOffset, bench.relieved], [1n, 1]);
  bench.memory.give(1);
  await turn();
  assert.deepEqual(
    [partition.takenOffset, bench.relieved],
    [1n, 2],
    "still full: the block counts",
  );
  bench.memory.give(bench.memory.limitBytes - 1);
  await taking;
  assert.equal(partition.takenOffset, 2n);
});

Deno.test("the rest of an answer is dropped when the partition goes back meanwhile", async () => {
  const bench = new IntakeBench();
  const partition = bench.partition();
  bench.memory.take(bench.memory.limitBytes);
  const taking = bench.take(partition, 0n, batch(0n, ["a"]), batch(1n, ["b"]));
  await turn();
  partition.finish();
  bench.memory.give(bench.memory.limitBytes);
  await taking;
  assert.equal(partition.takenOffset, 1n);
  assert.equal(partition.fetchTrouble, null);
});

Deno.test("after half a megabyte others get their turn", async () => {
  const bench = new IntakeBench();
  const partition = bench.partition();
  const large = batch(0n, ["x".repeat(600_000)]);
  let hasTurned = false;
  setTimeout(() => hasTurned = true, 0);
  await bench.take(partition, 0n, large);
  assert.equal(hasTurned, true);
  await partition.leave();
});
