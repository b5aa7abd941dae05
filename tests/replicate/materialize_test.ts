import assert from "node:assert/strict";
import { SluiceError } from "../../lib/core/errors.ts";
import { estimate, materialize } from "../../lib/replicate/materialize.ts";
import {
  type Materialization,
  parseParameter,
  parseRange,
  queryConfiguration,
} from "../../lib/replicate/materialize_job.ts";
import { Rig, to } from "./rig.ts";

function wish(more: Partial<Materialization> = {}): Materialization {
  return {
    sql: "SELECT 1",
    table: { ...to, tableId: "t" },
    disposition: "WRITE_EMPTY",
    parameters: [],
    maximumBytesBilled: null,
    timePartitioning: null,
    rangePartitioning: null,
    clustering: [],
    labels: new Map(),
    isLegacySql: false,
    isBatch: false,
    runId: null,
    ...more,
  };
}

function toolsOf(rig: Rig, stop = new AbortController().signal, gate?: () => Promise<void>) {
  const { bigQuery: client } = rig.cloud.client(gate);
  const jobs: string[] = [];
  const onJob = ({ jobReference }: { jobReference: { jobId: string } }) =>
    void jobs.push(jobReference.jobId);
  return { client, world: rig.world, patienceMs: 60_000, location: null, stop, onJob, jobs };
}

const run = (rig: Rig, wanted: Materialization) =>
  rig.world.until(materialize(wanted, toolsOf(rig)));

Deno.test("materialize writes a table once it is empty, and refuses one with rows", async () => {
  const rig = new Rig();
  assert.equal((await run(rig, wish())).rows, "1");
  await assert.rejects(run(rig, wish()), /there are rows in t already; --force replaces them/);
  assert.equal((await run(rig, wish({ disposition: "WRITE_TRUNCATE" }))).isOld, false);
});

Deno.test("materialize, killed and repeated, waits for the job that runs and begins no second one", async () => {
  const rig = new Rig();
  rig.cloud.jobMs = 600_000;
  const wanted = wish({ disposition: "WRITE_APPEND" });
  let calls = 0;
  const hang = () => ++calls > 6 ? new Promise<void>(() => {}) : Promise.resolve();
  await assert.rejects(
    rig.world.until(materialize(wanted, toolsOf(rig, undefined, hang))),
    /Nothing can go on/,
  );
  assert.equal(rig.cloud.jobs.size, 1);
  assert.equal((await run(rig, wanted)).rows, "1");
  assert.equal(rig.cloud.jobs.size, 1);
  // It is over: the next one is meant.
  await run(rig, wanted);
  assert.equal(rig.cloud.jobs.size, 2);
});

Deno.test("materialize knows its own job again when the answer was lost and the job is over", async () => {
  const rig = new Rig();
  rig.cloud.jobMs = 0;
  const wanted = wish({ disposition: "WRITE_APPEND" });
  await run(rig, wanted);
  let lost = 0;
  rig.cloud.fault = (call) => call.startsWith("jobs.insert") && lost++ === 1 ? "lost" : undefined;
  await run(rig, wanted);
  // One answer told of the first run's job, one was lost.
  assert.deepEqual([lost, rig.cloud.jobs.size], [2, 2]);
});

Deno.test("materialize finds a job that was begun before midnight", async () => {
  const rig = new Rig();
  rig.cloud.jobMs = 3_600_000;
  rig.world.clockMs = 86_400_000 - rig.world.nowMs() % 86_400_000 - 60_000;
  const wanted = wish({ disposition: "WRITE_TRUNCATE" });
  const stop = new AbortController();
  const first = materialize(wanted, toolsOf(rig, stop.signal));
  rig.world.sleep(30_000).then(() => stop.abort());
  await assert.rejects(rig.world.until(first), /told to stop; the job goes on/);
  await rig.world.until(rig.world.sleep(120_000));
  await run(rig, wanted);
  assert.equal(rig.cloud.jobs.size, 1);
});

Deno.test("materialize with a run's name happens once, ever", async () => {
  const rig = new Rig();
  const wanted = wish({ disposition: "WRITE_APPEND", runId: "2026-01-01" });
  assert.equal((await run(rig, wanted)).isOld, false);
  await rig.world.until(rig.world.sleep(3 * 86_400_000));
  assert.equal((await run(rig, wanted)).isOld, true);
  assert.equal(rig.cloud.jobs.size, 1);
  await run(rig, { ...wanted, runId: "2026-01-02" });
  assert.equal(rig.cloud.jobs.size, 2);
  rig.destination.tables.delete("t");
  await assert.rejects(run(rig, wanted), /the table is gone; give another --run-id/);
});

Deno.test("materialize tries again what may pass, and says what will not", async () => {
  const rig = new Rig();
  rig.cloud.jobFault = (id) =>
    /_[01]$/.test(id) ? { reason: "backendError", message: "again" } : undefined;
  await run(rig, wish());
  assert.equal(rig.cloud.jobs.size, 3);
  rig.cloud.jobFault = () => ({ reason: "invalidQuery", message: "Syntax error at [1:1]" });
  await assert.rejects(run(rig, wish({ sql: "SELEC" })), /Syntax error at \[1:1\]/);
  await assert.rejects(
    run(rig, wish({ table: { ...to, datasetId: "none", tableId: "t" } })),
    /the dataset p2\.none: there is none/,
  );
});

Deno.test("estimate() runs nothing", async () => {
  const rig = new Rig();
  const { bytes } = await rig.world.until(estimate(wish(), toolsOf(rig)));
  assert.equal(bytes, 1_000_000_000_000n);
  assert.equal(rig.cloud.jobs.size, 0);
});

Deno.test("queryConfiguration() says all that was asked for, and nothing else", () => {
  const plain = queryConfiguration(wish())["query"] as Record<string, unknown>;
  assert.deepEqual(Object.keys(plain).sort(), [
    ...["createDisposition", "destinationTable", "priority", "query", "useLegacySql"],
    ...["useQueryCache", "writeDisposition"],
  ]);
  const { query, labels } = queryConfiguration(wish({
    parameters: [parseParameter("d:DATE:2026-01-01"), parseParameter("n:ARRAY<INT64>:[1,2]")],
    maximumBytesBilled: 1_000,
    timePartitioning: { type: "DAY", field: "d" },
    clustering: ["a"],
    labels: new Map([["team", "web"]]),
  })) as { query: Record<string, unknown>; labels: unknown };
  assert.deepEqual(labels, { team: "web" });
  assert.equal(query["maximumBytesBilled"], "1000");
  assert.equal(query["parameterMode"], "NAMED");
  assert.deepEqual(query["queryParameters"], [
    { name: "d", parameterType: { type: "DATE" }, parameterValue: { value: "2026-01-01" } },
    {
      name: "n",
      parameterType: { type: "ARRAY", arrayType: { type: "INT64" } },
      parameterValue: { arrayValues: [{ value: "1" }, { value: "2" }] },
    },
  ]);
});

Deno.test("parseParameter() reads as bq does, and refuses by name", () => {
  assert.deepEqual(parseParameter("a::b:c"), { name: "a", type: "STRING", value: "b:c" });
  assert.deepEqual(parseParameter(":integer:5"), { name: "", type: "INT64", value: "5" });
  assert.deepEqual(parseParameter("t:TIMESTAMP:2026-01-01 00:00:00"), {
    ...{ name: "t", type: "TIMESTAMP", value: "2026-01-01 00:00:00" },
  });
  for (
    const bad of ["a", "a:b", "1a:INT64:5", "a:WHAT:5", "a:ARRAY<INT64>:5", "a:ARRAY<INT64>:[{}]"]
  ) {
    assert.throws(
      () => parseParameter(bad),
      (thrown) =>
        thrown instanceof SluiceError && thrown.fault === "usage" && thrown.message.includes(bad),
    );
  }
});

Deno.test("parseRange() reads column, start, end and interval", () => {
  assert.deepEqual(parseRange("n,0,100,10"), {
    field: "n",
    range: { start: "0", end: "100", interval: "10" },
  });
  for (const bad of ["n", "n,0,100", "n,100,0,10", "n,0,100,0", "n,a,b,c"]) {
    assert.throws(() => parseRange(bad), { name: "SluiceError" });
  }
});
