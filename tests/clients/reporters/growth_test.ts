import assert from "node:assert/strict";
import { Growth } from "../../../lib/clients/reporters/report.ts";
import { entry } from "./reports.ts";

Deno.test("growth is counted from the report before, for each label by itself", () => {
  const growth = new Growth(1_000);
  const take = (nowMs: number, ...values: [topic: string, value: number][]) =>
    growth.take(
      values.map(([topic, value]) => entry({ kind: "counter", labels: { topic }, value })),
      nowMs,
    ).map(({ grown, rate }) => [grown, rate]);
  assert.deepEqual(take(3_000, ["a", 10]), [[10, 5]], "all of it is new");
  assert.deepEqual(take(13_000, ["a", 30], ["b", 5]), [[20, 2], [5, 0.5]]);
  assert.deepEqual(take(14_000, ["b", 5]), [[0, 0]]);
});

Deno.test("growth is never negative, and no time at all is no reason for an endless rate", () => {
  const growth = new Growth(0);
  const take = (value: number, nowMs: number) =>
    growth.take([entry({ kind: "counter", value })], nowMs).map(({ grown, rate }) => [grown, rate]);
  assert.deepEqual(take(5, 0), [[5, 5_000]]);
  assert.deepEqual(take(3, 1_000), [[0, 0]]);
});

Deno.test("gauges do not grow; timers do by their count", () => {
  const growth = new Growth(0);
  const entries = growth.take(
    [entry({ value: 9 }), entry({ kind: "timer", value: 4 })],
    2_000,
  );
  assert.deepEqual(entries.map(({ grown, rate }) => [grown, rate]), [[0, 0], [4, 2]]);
});
