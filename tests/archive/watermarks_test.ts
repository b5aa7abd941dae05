import assert from "node:assert/strict";
import { Watermarks } from "../../lib/archive/watermarks.ts";
import type { Cluster, OffsetWish } from "../../lib/clients/kafka/kafka.ts";
import { Bench } from "./makers.ts";

Deno.test("the end of a partition that is not fetched is asked for, that of the others is known", async () => {
  const bench = new Bench();
  const resting = bench.partition();
  resting.state = "refused";
  resting.highWatermark = 5n;
  const asked: (readonly OffsetWish[])[] = [];
  let end: bigint | null = 40n;
  const cluster = {
    listOffsets: (wishes: readonly OffsetWish[]) => {
      asked.push(wishes);
      return Promise.resolve(wishes.map((wish) => ({ ...wish, offset: end, error: null })));
    },
  };
  const watermarks = new Watermarks(
    cluster as unknown as Cluster,
    bench.world,
    () => [resting],
  );
  const stop = new AbortController();
  const watching = watermarks.watch(stop.signal);
  await bench.world.time.pass(10_001);
  assert.equal(resting.highWatermark, 40n);
  end = null; // no answer about it
  await bench.world.time.pass(10_000);
  assert.equal(resting.highWatermark, 40n);
  resting.state = "reading";
  await bench.world.time.pass(10_000);
  assert.equal(asked.length, 2);
  stop.abort();
  await watching;
});
