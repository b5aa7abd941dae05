import assert from "node:assert/strict";
import { marksOf } from "../../lib/replicate/marks.ts";
import { refusal } from "./fake_tables.ts";
import { Rig } from "./rig.ts";

Deno.test("replicate copies through files to another location, rows and settings equal, nothing left", async () => {
  const rig = new Rig();
  const resource = {
    schema: {
      fields: [{ name: "day", type: "DATE", mode: "REQUIRED", description: "of the visit" }],
    },
    timePartitioning: { type: "DAY", field: "day" },
    clustering: { fields: ["day"] },
    labels: { team: "web" },
    description: "visits",
    friendlyName: "Visits",
    requirePartitionFilter: true,
    tableConstraints: { primaryKey: { columns: ["day"] } },
  };
  rig.cloud.table("p1.web", "visits", resource, ["a", "b", "c"]);
  assert.deepEqual(await rig.run({ via: "extract" }), { visits: "copied" });
  const copy = rig.destination.tables.get("visits");
  assert.deepEqual(rig.rows("visits"), ["a", "b", "c"]);
  const { labels, ...settings } = copy?.resource ?? {};
  const { labels: wanted, ...rest } = resource;
  assert.deepEqual(settings, rest);
  const marks = marksOf(labels as Record<string, string>);
  assert.equal(marks.state, null);
  assert.match(marks.run ?? "", /^sluice_extract_[0-9a-f]{32}_0$/);
  assert.equal((labels as Record<string, string>)["team"], wanted.team);
  assert.deepEqual(rig.cloud.objects(), []);
  assert.deepEqual(
    rig.stages.map(([, stage]) => stage),
    ["planned", "extracting", "loading", "verifying", "cleaning"],
  );
});

Deno.test("replicate makes so many requests for a table through files, and no more", async () => {
  const rig = new Rig();
  rig.cloud.table("p1.web", "t", {}, ["a", "b"]);
  await rig.run({ via: "extract" });
  const kinds = rig.cloud.calls.map((call) => call.split(" ")[0]);
  assert.deepEqual(kinds, [
    ...["tables.list", "tables.list", "objects.list"],
    // The table: two looks, a job and its end twice, a look, a change, and its files.
    ...["tables.get", "rowAccessPolicies.list"],
    ...["jobs.insert", "jobs.get", "jobs.get", "tables.get"],
    ...["jobs.insert", "jobs.get", "jobs.get"],
    ...["tables.patch", "objects.list", "objects.delete", "objects.delete"],
  ]);
});

Deno.test("replicate copies by a copy job within a location, with few requests", async () => {
  const rig = new Rig(["EU", "EU"]);
  rig.cloud.table("p1.web", "t", { labels: { a: "b" } }, ["a", "b"]);
  assert.deepEqual(await rig.run(), { t: "copied" });
  assert.deepEqual(rig.rows("t"), ["a", "b"]);
  assert.equal(rig.destination.tables.get("t")?.labels()["a"], "b");
  const kinds = rig.cloud.calls.slice(3).map((call) => call.split(" ")[0]);
  assert.deepEqual(kinds, [
    ...["tables.get", "rowAccessPolicies.list"],
    ...["jobs.insert", "jobs.get", "jobs.get", "tables.get", "tables.patch"],
  ]);
});

Deno.test("replicate tries one copy job to another location, and files when that is refused", async () => {
  const rig = new Rig();
  for (const name of ["t1", "t2", "t3"]) rig.cloud.table("p1.web", name, {}, [name, "x"]);
  assert.deepEqual(await rig.run({ agents: 1 }), { t3: "copied", t2: "copied", t1: "copied" });
  assert.equal(rig.callsOf("jobs.insert sluice_copy_").length, 1);
  assert.deepEqual(rig.cloud.objects(), []);

  const across = new Rig();
  across.cloud.isCopiedAcross = true;
  across.cloud.table("p1.web", "t1", {}, ["a"]);
  await across.run();
  assert.equal(across.callsOf("jobs.insert sluice_extract_").length, 0);
  assert.deepEqual(across.rows("t1"), ["a"]);
});

Deno.test("replicate takes files for a table that alone is not copied to the other location, once", async () => {
  const rig = new Rig();
  rig.cloud.isCopiedAcross = true;
  for (const name of ["t1", "t2"]) rig.cloud.table("p1.web", name, {}, [name, "x"]);
  rig.cloud.jobFault = (_id, { copy }) => {
    const isRefused = copy !== undefined && JSON.stringify(copy).includes('"t1"');
    return isRefused ? { reason: "invalid", message: "not this one" } : undefined;
  };
  assert.deepEqual(await rig.run({ agents: 1 }), { t2: "copied", t1: "copied" });
  assert.deepEqual(rig.rows("t1"), ["t1", "x"]);
  assert.equal(rig.callsOf("jobs.insert sluice_copy_").length, 2);
  assert.deepEqual(rig.cloud.objects(), []);
});

Deno.test("replicate makes an empty table without a job", async () => {
  const rig = new Rig();
  rig.cloud.table("p1.web", "t", { description: "none yet" });
  await rig.run();
  assert.equal(rig.destination.tables.get("t")?.resource["description"], "none yet");
  assert.equal(rig.callsOf("jobs.insert").length, 0);
});

Deno.test("replicate moves files to the bucket of the other location, and cleans both", async () => {
  const rig = new Rig();
  rig.cloud.bucket("stage-eu");
  rig.cloud.table("p1.web", "t", {}, ["a", "b", "c"]);
  await rig.run({ via: "extract", destinationBucket: { bucket: "stage-eu", prefix: "" } });
  assert.deepEqual(rig.rows("t"), ["a", "b", "c"]);
  assert.deepEqual(rig.cloud.objects(), []);
  assert.ok(rig.stages.some(([, stage]) => stage === "moving"));
});

Deno.test("replicate keeps the partitions of the time of loading, and leaves no temporary table", async () => {
  const rig = new Rig();
  const days = { "20260101": ["a", "b"], "20260102": ["c"], "20260103": ["d"] };
  rig.cloud.table("p1.web", "t", { timePartitioning: { type: "DAY" } }, days);
  assert.deepEqual(await rig.run({ via: "extract" }), { t: "copied" });
  const copy = rig.destination.tables.get("t");
  assert.deepEqual(Object.fromEntries(copy?.partitions ?? []), days);
  assert.deepEqual([...rig.destination.tables.keys()], ["t"]);
  assert.deepEqual(rig.cloud.objects(), []);
});

Deno.test("replicate does a table again that changes while it is extracted or copied", async () => {
  for (const via of ["extract", "copy"] as const) {
    const rig = new Rig(["EU", "EU"]);
    const table = rig.cloud.table("p1.web", "t", {}, ["a", "b"]);
    let changes = 0;
    rig.cloud.onJob = (id) => {
      if (!id.includes(via) || changes++ >= 2) return;
      table.writePartition("", [...table.rows, `new${changes}`], rig.world.nowMs());
      rig.cloud.touch(table);
    };
    assert.deepEqual(await rig.run({ via }), { t: "copied" }, via);
    assert.deepEqual(rig.rows("t"), ["a", "b", "new1", "new2"]);
    assert.deepEqual(rig.cloud.objects(), []);
  }
});

Deno.test("replicate gives a table up that changes without end, and cleans its files", async () => {
  const rig = new Rig();
  const table = rig.cloud.table("p1.web", "t", {}, ["a"]);
  rig.cloud.onJob = () => rig.cloud.touch(table);
  assert.deepEqual(await rig.run({ via: "extract" }), { t: "failed" });
  assert.match(rig.reason("t"), /changed each of the 4 times/);
  assert.equal(rig.rows("t"), null);
  assert.deepEqual(rig.cloud.objects(), []);
});

Deno.test("replicate tries jobs again that fail by what may pass, by another id each", async () => {
  const rig = new Rig();
  rig.cloud.table("p1.web", "t", {}, ["a"]);
  rig.cloud.jobFault = (id) =>
    /_[01]$/.test(id) ? { reason: "backendError", message: "try again" } : undefined;
  assert.deepEqual(await rig.run({ via: "extract" }), { t: "copied" });
  assert.equal(rig.callsOf("jobs.insert").length, 6);
  assert.deepEqual(rig.cloud.objects(), []);
});

Deno.test("replicate fails a table whose job is refused, names why, and copies the others", async () => {
  const rig = new Rig();
  for (const name of ["bad", "good"]) rig.cloud.table("p1.web", name, {}, [name]);
  rig.cloud.jobFault = (_id, { load }) =>
    (load?.["destinationTable"] as { tableId?: string } | undefined)?.tableId === "bad"
      ? { reason: "invalid", message: "Too many fields" }
      : undefined;
  assert.deepEqual(await rig.run({ via: "extract" }), { bad: "failed", good: "copied" });
  assert.match(rig.reason("bad"), /^Cannot copy table bad: Too many fields \(job p2:sluice_load_/);
  assert.equal(rig.rows("bad"), null);
  assert.deepEqual(rig.cloud.objects(), []);
  // The cause is gone: the burnt id is not in the way.
  rig.cloud.jobFault = () => undefined;
  assert.deepEqual(await rig.run({ via: "extract" }), { bad: "copied" });
  assert.deepEqual(rig.cloud.objects(), []);
});

Deno.test("replicate gets through storms of 429 and 503 and lost answers without a second job", async () => {
  const rig = new Rig();
  for (let i = 0; i < 8; i++) rig.cloud.table("p1.web", `t${i}`, {}, [`a${i}`, `b${i}`]);
  let calls = 0;
  rig.cloud.fault = () => {
    calls++;
    if (calls % 3 === 0) return refusal(429, "rateLimitExceeded", "slow down");
    if (calls % 5 === 0) return refusal(503, "backendError", "come back");
    return calls % 7 === 0 ? "lost" : undefined;
  };
  const outcomes = await rig.run({ via: "extract" });
  assert.deepEqual(new Set(Object.values(outcomes)), new Set(["copied"]));
  for (let i = 0; i < 8; i++) assert.deepEqual(rig.rows(`t${i}`), [`a${i}`, `b${i}`]);
  assert.equal(rig.cloud.jobs.size, 16);
  assert.deepEqual(rig.cloud.objects(), []);
});

Deno.test("replicate does not try again what is denied", async () => {
  const rig = new Rig();
  rig.cloud.table("p1.web", "t", {}, ["a"]);
  rig.cloud.fault = (call) =>
    call.startsWith("jobs.insert") ? refusal(403, "accessDenied", "no") : undefined;
  assert.deepEqual(await rig.run({ via: "extract" }), { t: "failed" });
  const [outcome] = rig.outcomes;
  assert.equal(outcome?.is === "failed" && outcome.fault, "denied");
  assert.equal(rig.callsOf("jobs.insert").length, 1);
});

Deno.test("replicate gives up after its patience with what does not pass", async () => {
  const rig = new Rig();
  rig.cloud.table("p1.web", "t", {}, ["a"]);
  rig.cloud.fault = (call) =>
    call.startsWith("jobs.") ? refusal(503, "backendError", "down") : undefined;
  const beganMs = rig.world.clockMs;
  assert.deepEqual(await rig.run({ via: "extract", patienceMs: 60_000 }), { t: "failed" });
  const tookMs = rig.world.clockMs - beganMs;
  assert.ok(tookMs > 60_000 && tookMs < 80_000, String(tookMs));
});

Deno.test("replicate gives up after its patience with jobs that fail again and again, or after five", async () => {
  for (const [patienceMs, jobs] of [[0, 1], [3_000, 2], [30_000, 4], [600_000, 5]] as const) {
    const rig = new Rig();
    rig.cloud.table("p1.web", "t", {}, ["a"]);
    rig.cloud.jobFault = () => ({ reason: "backendError", message: "try again" });
    const beganMs = rig.world.clockMs;
    assert.deepEqual(await rig.run({ via: "extract", patienceMs }), { t: "failed" });
    assert.equal(rig.callsOf("jobs.insert").length, jobs, `${patienceMs} ms`);
    assert.ok(rig.world.clockMs - beganMs <= patienceMs + 20_000, `${patienceMs} ms`);
  }
});

Deno.test("replicate never touches a table in its way, by any of its ways", async () => {
  for (const via of ["extract", "copy"] as const) {
    const rig = new Rig(["EU", "EU"]);
    rig.cloud.table("p1.web", "t", {}, ["a"]);
    rig.cloud.onJob = () => {
      if (!rig.destination.tables.has("t")) rig.cloud.table("p2.web_eu", "t", {}, ["mine"]);
    };
    assert.deepEqual(await rig.run({ via }), { t: "failed" });
    assert.match(rig.reason("t"), /no copy of ours; --all replaces it/);
    assert.deepEqual(rig.rows("t"), ["mine"]);
    assert.deepEqual(rig.cloud.objects(), []);
  }
});

Deno.test("replicate copies t1 and t10 side by side without mixing their files", async () => {
  const rig = new Rig();
  for (const name of ["t1", "t10", "t100"]) rig.cloud.table("p1.web", name, {}, [name, `${name}b`]);
  await rig.run({ via: "extract" });
  for (const name of ["t1", "t10", "t100"]) {
    assert.deepEqual(rig.rows(name), [name, `${name}b`].sort());
  }
  assert.deepEqual(rig.cloud.objects(), []);
});

Deno.test("replicate with 16 agents is at least 6 times as fast as with one", async () => {
  const takes = async (agents: number): Promise<number> => {
    const rig = new Rig();
    for (let i = 0; i < 64; i++) rig.cloud.table("p1.web", `t${i}`, {}, ["a"]);
    const beganMs = rig.world.clockMs;
    await rig.run({ via: "extract", agents });
    return rig.world.clockMs - beganMs;
  };
  const [one, sixteen] = [await takes(1), await takes(16)];
  assert.ok(one / sixteen >= 6, `${one} ms, ${sixteen} ms`);
});

Deno.test("replicate makes no more requests for each of 1,000 tables than for one, and keeps nothing of them", async () => {
  const rig = new Rig();
  for (let i = 0; i < 1_000; i++) rig.cloud.table("p1.web", `t${i}`, {}, [`a${i}`, "b"]);
  const outcomes = await rig.run({ via: "extract", agents: 16 });
  assert.equal(Object.values(outcomes).filter((is) => is === "copied").length, 1_000);
  // Two listings and one of what was left; for a table see above.
  assert.equal(rig.cloud.calls.length, 3 + 1_000 * 13);
  assert.deepEqual(rig.cloud.objects(), []);
});
