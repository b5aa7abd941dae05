import assert from "node:assert/strict";
import { Retention } from "../../lib/archive/retention.ts";
import type { Cluster } from "../../lib/clients/kafka/kafka.ts";
import { Bench } from "./makers.ts";

const hourMs = 3_600_000;

function benchOf(answer: () => Promise<ReadonlyMap<string, number>>) {
  const bench = new Bench();
  const asked: (readonly string[])[] = [];
  const cluster = {
    retentionMs: (topics: readonly string[]) => {
      asked.push(topics);
      return answer();
    },
  };
  const retention = new Retention(cluster as unknown as Cluster, bench.world);
  const stop = new AbortController();
  const watch = (topics: readonly string[]) => retention.watch(() => topics, stop.signal);
  return { bench, retention, asked, stop, watch };
}

Deno.test("the time left counts from the newest record that was taken in", async () => {
  const { bench, retention, stop, watch } = benchOf(() =>
    Promise.resolve(new Map([["t", 24 * hourMs]]))
  );
  const one = bench.partition();
  one.highWatermark = 10n;
  one.newestTimestampMs = bench.world.nowMs() - 20 * hourMs;
  assert.equal(retention.hoursLeft(one), null, "nothing is known yet");
  const watching = watch(["t"]);
  await bench.world.time.pass(1);
  assert.equal(Math.round(retention.hoursLeft(one) ?? 0), 4);
  one.newestTimestampMs -= 10 * hourMs;
  assert.equal(Math.round(retention.hoursLeft(one) ?? 0), -6);
  one.newestTimestampMs = null;
  assert.equal(retention.hoursLeft(one), null, "nothing is known of where it stands");
  one.tip = 10n;
  assert.equal(retention.hoursLeft(one), 24, "all is archived");
  stop.abort();
  await watching;
});

Deno.test("topics that keep all have no time, and topics are asked for from time to time", async () => {
  const { bench, retention, asked, stop, watch } = benchOf(() => Promise.resolve(new Map()));
  const watching = watch(["t"]);
  await bench.world.time.pass(11 * 60_000);
  assert.deepEqual(asked, [["t"], ["t"], ["t"]]);
  assert.equal(retention.hoursLeft(bench.partition()), null);
  stop.abort();
  await watching;
});

Deno.test("what cannot be asked for is no trouble, and what was known stays", async () => {
  let isAway = false;
  const { bench, retention, stop, watch } = benchOf(() =>
    isAway ? Promise.reject(new Error("denied")) : Promise.resolve(new Map([["t", hourMs]]))
  );
  const watching = watch(["t"]);
  await bench.world.time.pass(1);
  isAway = true;
  await bench.world.time.pass(6 * 60_000);
  assert.equal(retention.hoursLeft(bench.partition()), 1);
  assert.deepEqual([bench.world.said("warn"), bench.world.said("error")], [[], []]);
  stop.abort();
  await watching;
});

Deno.test("without topics nobody is asked", async () => {
  const { bench, asked, stop, watch } = benchOf(() => Promise.resolve(new Map()));
  const watching = watch([]);
  await bench.world.time.pass(1);
  assert.deepEqual(asked, []);
  stop.abort();
  await watching;
});
