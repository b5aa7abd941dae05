import assert from "node:assert/strict";
import { Growth } from "../../../lib/clients/reporters/report.ts";
import { entry } from "./reports.ts";

Deno.test("growth is counted from the report before, for each label by itself", async () => {
  const growth = new Growth(1_000);
  const take = async (nowMs: number, ...values: [topic: string, value: number][]) => {
    const entries = await growth.take(
      values.map(([topic, value]) => entry({ kind: "counter", labels: { topic }, value })),
      nowMs,
    );
    return entries.map(({ grown, rate }) => [grown, rate]);
  };
  assert.deepEqual(await take(3_000, ["a", 10]), [[10, 5]], "all of it is new");
  assert.deepEqual(await take(13_000, ["a", 30], ["b", 5]), [[20, 2], [5, 0.5]]);
  assert.deepEqual(await take(14_000, ["b", 5]), [[0, 0]]);
});

Deno.test("growth is never negative, and no time at all is no reason for an endless rate", async () => {
  const growth = new Growth(0);
  const take = async (value: number, nowMs: number) => {
    const entries = await growth.take([entry({ kind: "counter", value })], nowMs);
    return entries.map(({ grown, rate }) => [grown, rate]);
  };
  assert.deepEqual(await take(5, 0), [[5, 5_000]]);
  assert.deepEqual(await take(3, 1_000), [[0, 0]]);
});

Deno.test("gauges do not grow; timers do by their count", async () => {
  const growth = new Growth(0);
  const entries = await growth.take(
    [entry({ value: 9 }), entry({ kind: "timer", value: 4 })],
    2_000,
  );
  assert.deepEqual(entries.map(({ grown, rate }) => [grown, rate]), [[0, 0], [4, 2]]);
});
