import assert from "node:assert/strict";
import { eventsOf } from "../../../lib/clients/reporters/riemann_events.ts";
import { entry, recent, report } from "./reports.ts";

const identity = {
  ...{ host: "web-1", prefix: "sluice.", tags: ["production"], attributes: { team: "data" } },
  ttlSeconds: 30,
};

function events(...args: Parameters<typeof report>) {
  return [...eventsOf(report(...args), identity)];
}

Deno.test("an event tells when, who, what, and until when it holds", () => {
  assert.deepEqual(events([entry({ name: "held_bytes", value: 7 })]), [{
    time: 1_700_000_000,
    timeMicros: 1_700_000_000_123_000,
    state: "ok",
    service: "sluice.held_bytes",
    host: "web-1",
    tags: ["production"],
    ttl: 30,
    attributes: [{ key: "team", value: "data" }],
    metricSint64: 7,
  }]);
});

Deno.test("labels are part of the service, as Riemann tells events apart by it, and attributes", () => {
  const [event] = events([entry({ labels: { topic: "a b", partition: "3" } })]);
  assert.equal(event?.service, "sluice.n a b 3");
  assert.deepEqual(event?.attributes, [
    { key: "team", value: "data" },
    { key: "topic", value: "a b" },
    { key: "partition", value: "3" },
  ]);
});

Deno.test("a counter is its value and its rate; a timer its count, rate and spread", () => {
  const told = events([
    entry({ kind: "counter", name: "lines_total", value: 100, grown: 25, rate: 2.5 }),
    entry({ kind: "timer", name: "put_seconds", value: 9, rate: 0.5, recent }),
    entry({ kind: "timer", name: "quiet_seconds", value: 9 }),
  ]).map(({ service, metricSint64, metricD }) => [service, metricSint64 ?? metricD]);
  assert.deepEqual(told, [
    ["sluice.lines_total", 100],
    ["sluice.lines_total rate", 2.5],
    ["sluice.put_seconds count", 9],
    ["sluice.put_seconds rate", 0.5],
    ["sluice.put_seconds mean", 0.25],
    ["sluice.put_seconds p50", 0.2],
    ["sluice.put_seconds p75", 0.3],
    ["sluice.put_seconds p95", 0.4],
    ["sluice.put_seconds p99", 0.45],
    ["sluice.put_seconds max", 0.5],
    ["sluice.quiet_seconds count", 9],
    ["sluice.quiet_seconds rate", 0],
  ]);
});

Deno.test("whole numbers are sent exactly, others as doubles, no numbers not at all", () => {
  const values = [0, -5, Number.MAX_SAFE_INTEGER, 2 ** 60, 0.1, -0, NaN, Infinity];
  const told = values.flatMap((value) =>
    events([entry({ value })]).map(({ metricSint64, metricD }) => [metricSint64, metricD])
  );
  assert.deepEqual(told, [
    [0, undefined],
    [-5, undefined],
    [Number.MAX_SAFE_INTEGER, undefined],
    [undefined, 2 ** 60],
    [undefined, 0.1],
    [undefined, -0],
  ]);
});

Deno.test("a daemon that is not ready is critical, with its reasons, within a bound", () => {
  const gauges = [entry({ name: "forward_ready" }), entry({ name: "forward_held" })];
  const [ready, held] = events(gauges, ["Kafka: away", "x".repeat(5_000)]);
  assert.equal(ready?.state, "critical");
  assert.match(ready?.description ?? "", /^Kafka: away; x+$/);
  assert.equal(ready?.description?.length, 1_000);
  assert.deepEqual([held?.state, held?.description], ["ok", undefined]);
  const [well] = events([entry({ name: "forward_ready", value: 1 })]);
  assert.deepEqual([well?.state, well?.description], ["ok", undefined]);
});
