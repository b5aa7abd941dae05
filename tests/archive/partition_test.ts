import assert from "node:assert/strict";
import { addRecord, Bench } from "./makers.ts";
import { turn } from "./rig.ts";

Deno.test("objects of a partition join on to each other", async () => {
  const bench = new Bench();
  const one = bench.partition(7n);
  assert.equal(one.takenOffset, 7n);
  addRecord(one.filling(), "a");
  one.advance(12n);
  one.cut();
  one.cut();
  addRecord(one.filling(), "b");
  one.cut();
  assert.deepEqual(one.waiting.map(({ firstOffset, nextOffset }) => [firstOffset, nextOffset]), [
    [7n, 12n],
    [12n, 13n],
  ]);
  const notes = (await one.waiting[0]?.object)?.notes;
  assert.deepEqual([notes?.firstOffset, notes?.nextOffset, notes?.records], [7n, 12n, 1]);
  await one.leave();
  await turn();
  assert.deepEqual([bench.memory.usedBytes, bench.memory.fillers], [0, 0]);
});

Deno.test("an object tells a watermark that is not below its end", async () => {
  const bench = new Bench();
  const one = bench.partition();
  for (const [watermark, told] of [[0n, 1n], [90n, 90n]] as const) {
    one.highWatermark = watermark;
    addRecord(one.filling(), "a");
    one.cut();
    assert.equal((await one.waiting.at(-1)?.object)?.notes.highWatermark, told);
  }
  await one.leave();
});

Deno.test("no more is read while three objects wait, or when it is not to be read", () => {
  const one = new Bench().partition();
  assert.equal(one.wantsMore, true);
  for (let i = 0; i < 3; i++) {
    addRecord(one.filling(), "a");
    one.cut();
  }
  assert.equal(one.wantsMore, false);
  one.waiting.pop();
  assert.equal(one.wantsMore, true);
  for (const state of ["starting", "refused", "leaving", "gone"] as const) {
    one.state = state;
    assert.equal(one.wantsMore, false, state);
  }
});

Deno.test("an object is due by its records, its bytes, or its age", () => {
  const byRecords = new Bench({ rotateRecords: 2 }).partition();
  assert.equal(byRecords.isDue, false, "there is none");
  addRecord(byRecords.filling(), "a");
  assert.equal(byRecords.isDue, false);
  addRecord(byRecords.filling(), "a");
  assert.equal(byRecords.isDue, true);

  const byBytes = new Bench({ rotateBytes: 600 }).partition();
  addRecord(byBytes.filling(), "a".repeat(992));
  assert.equal(byBytes.isDue, false, "half of it is guessed");
  addRecord(byBytes.filling(), "a".repeat(492));
  assert.equal(byBytes.isDue, true);

  const bench = new Bench({ rotateMs: 1_000 });
  const byAge = bench.partition();
  addRecord(byAge.filling(), "a");
  bench.world.time.nowMs += 999;
  assert.equal(byAge.isDue, false);
  bench.world.time.nowMs += 1;
  assert.equal(byAge.isDue, true);
});

Deno.test("offsets without a record are due late, and are not cut at the end", () => {
  const bench = new Bench({ rotateMs: 1_000 });
  const one = bench.partition();
  one.advance(5n);
  one.advance(3n);
  assert.equal(one.takenOffset, 5n);
  bench.world.time.nowMs += 599_999;
  assert.equal(one.isDue, false);
  bench.world.time.nowMs += 1;
  assert.equal(one.isDue, true);
  one.finish();
  assert.deepEqual([one.waiting.length, one.state], [0, "leaving"]);
});

Deno.test("a gap ends the object before it, and reading goes on behind it", async () => {
  const one = new Bench().partition(4n);
  addRecord(one.filling(), "a");
  one.cutGap(40n);
  assert.deepEqual(one.waiting.map(({ firstOffset, nextOffset }) => [firstOffset, nextOffset]), [
    [4n, 5n],
    [5n, 40n],
  ]);
  assert.deepEqual([one.fetchOffset, one.takenOffset], [40n, 40n]);
  const notes = (await one.waiting[1]?.object)?.notes;
  assert.deepEqual([notes?.gap, notes?.records, notes?.highWatermark], ["retention", 0, 40n]);
  await one.leave();
});

Deno.test("a partition that goes back gets nothing that was asked for before", async () => {
  const bench = new Bench();
  const one = bench.partition(4n);
  addRecord(one.filling(), "a");
  one.fetchOffset = 90n;
  one.rewind();
  assert.deepEqual([one.fetchOffset, one.epoch, one.resets], [5n, 1, 0]);
  addRecord(one.filling(), "b");
  await one.dropOpen();
  assert.deepEqual([one.fetchOffset, one.epoch, one.resets, one.open], [4n, 2, 0, null]);
  addRecord(one.filling(), "a");
  one.cut();
  await one.reset(30n);
  assert.deepEqual([one.tip, one.fetchOffset, one.takenOffset, one.epoch], [30n, 30n, 30n, 3]);
  assert.deepEqual([one.resets, one.waiting.length], [1, 0]);
  assert.deepEqual([bench.memory.usedBytes, bench.memory.fillers], [0, 0]);
});

Deno.test("a partition that is left is gone, and whoever waits for it is told", async () => {
  const bench = new Bench();
  const one = bench.partition();
  addRecord(one.filling(), "a");
  one.cut();
  addRecord(one.filling(), "b");
  await one.leave();
  assert.deepEqual([one.isGone, one.lost.signal.aborted], [true, true]);
  await turn();
  assert.deepEqual([bench.memory.usedBytes, bench.memory.fillers], [0, 0]);
});
