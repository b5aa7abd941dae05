import assert from "node:assert/strict";
import { Pressure } from "../../lib/archive/pressure.ts";
import type { Partition } from "../../lib/archive/partition.ts";
import { addRecord, Bench } from "./makers.ts";
import { turn } from "./rig.ts";

/** Partitions whose objects hold so many bytes each. */
function benchOf(
  sizes: readonly number[],
  options: { spoolBytes?: number; memoryBytes?: number } = {},
) {
  const { spoolBytes = 1_000, memoryBytes = 1024 * 1024 } = options;
  const bench = new Bench({ memoryBytes });
  const partitions = sizes.map((size, number) => {
    const partition = bench.partition(0n, number);
    if (size > 0) addRecord(partition.filling(), "x".repeat(size - 8));
    return partition;
  });
  const pressure = new Pressure({ spoolBytes }, bench.memory, () => partitions);
  const cut = () =>
    partitions.filter(({ waiting }) => waiting.length > 0).map((one) => one.partition);
  return { bench, partitions, pressure, cut };
}

async function letGo(partitions: readonly Partition[]): Promise<void> {
  await Promise.all(partitions.map((one) => one.leave()));
}

Deno.test("when memory is full the fullest block goes to be compressed", async () => {
  const { pressure, partitions } = benchOf([100, 300, 0, 200]);
  pressure.relieve();
  assert.deepEqual(partitions.map(({ open }) => open?.filled ?? 0), [100, 0, 0, 200]);
  await letGo(partitions);
});

Deno.test("when nothing is left to be compressed, the largest goes to the disk", async () => {
  const { bench, pressure, partitions } = benchOf([100, 300], { memoryBytes: 40_000 });
  for (const { open } of partitions) open?.seal();
  await turn();
  pressure.relieve();
  await turn();
  assert.ok(bench.files.every(({ sizeBytes }) => sizeBytes === 0), "there is memory enough");
  bench.memory.take(40_000);
  pressure.relieve();
  await turn();
  assert.deepEqual(bench.files.map(({ sizeBytes }) => sizeBytes > 0), [false, true]);
  bench.memory.give(40_000);
  await letGo(partitions);
});

Deno.test("objects are cut when the spool is nearly full, the largest first, and no more than need be", async () => {
  const { pressure, partitions, cut } = benchOf([100, 500, 0, 300]);
  pressure.spoolUse.usedBytes = 749;
  pressure.cutEarly();
  assert.deepEqual(cut(), []);
  pressure.spoolUse.usedBytes = 750;
  pressure.cutEarly();
  assert.deepEqual(cut(), [1, 3]);
  await letGo(partitions);
});

Deno.test("a spool full of objects that wait to be put cuts no small ones again and again", async () => {
  const { pressure, partitions, cut } = benchOf([20, 20]);
  pressure.spoolUse.usedBytes = 1_000;
  pressure.cutEarly();
  assert.deepEqual(cut(), []);
  await letGo(partitions);
});

Deno.test("a spool that has its bytes takes in no more", () => {
  const { pressure } = benchOf([]);
  pressure.spoolUse.usedBytes = 999;
  assert.equal(pressure.isSpoolFull, false);
  pressure.spoolUse.usedBytes = 1_000;
  assert.equal(pressure.isSpoolFull, true);
});
