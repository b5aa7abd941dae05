import assert from "node:assert/strict";
import { refusal } from "./fake_tables.ts";
import { Rig } from "./rig.ts";

Deno.test("replicate, told to stop, finishes what was begun; of a table of partitions it says that it is not done", async () => {
  const rig = new Rig();
  const days = Object.fromEntries(
    Array.from({ length: 6 }, (_, i) => [`2026010${i + 1}`, [`r${i}`]] as const),
  );
  rig.cloud.table("p1.web", "days", { timePartitioning: { type: "DAY" } }, days);
  rig.cloud.table("p1.web", "a", {}, ["a"]);
  const stop = new AbortController();
  rig.world.sleep(1_500).then(() => stop.abort());
  const outcomes = await rig.run({ via: "extract", agents: 2 }, undefined, stop.signal);
  assert.equal(outcomes["days"], "stopped");
  assert.equal(rig.rows("days"), null);
  // The next run goes on with what is there, and leaves nothing behind.
  const next = await rig.run({ via: "extract", agents: 2 });
  assert.equal(next["days"], "copied");
  assert.deepEqual(Object.fromEntries(rig.destination.tables.get("days")?.partitions ?? []), days);
  assert.deepEqual([...rig.destination.tables.keys()].sort(), ["a", "days"]);
  assert.deepEqual(rig.cloud.objects(), []);
});

Deno.test("replicate says of a table that waits after a failure why it was not done", async () => {
  const rig = new Rig();
  rig.cloud.table("p1.web", "t", {}, ["a"]);
  rig.cloud.fault = (call) =>
    call.startsWith("jobs.") ? refusal(503, "backendError", "down") : undefined;
  const stop = new AbortController();
  rig.world.sleep(30_000).then(() => stop.abort());
  assert.deepEqual(await rig.run({ via: "extract" }, undefined, stop.signal), { t: "failed" });
  assert.match(rig.reason("t"), /down/);
});
