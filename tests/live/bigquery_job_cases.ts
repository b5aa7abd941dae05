import assert from "node:assert/strict";
import { reasonOf } from "../../lib/clients/bigquery/bigquery.ts";
import { faultOf } from "../../lib/core/errors.ts";
import type { TableName } from "../support/bigquery_upstream.ts";
import { isCall, isJob } from "../support/google_proxy_faults.ts";
import { eventually } from "../support/waiting.ts";
import { eu, everything, liveTest, projectId, simple, someRows, us } from "./bigquery_rig.ts";

liveTest("A table keeps what it was made with, and its etag tells of every change", async (rig) => {
  const { server, client, id } = rig;
  const settings = {
    schema: { fields: everything },
    description: "d",
    friendlyName: "f",
    labels: { a: "1", b: "2" },
    timePartitioning: { type: "DAY", field: "day", expirationMs: "86400000" },
    requirePartitionFilter: true,
    clustering: { fields: ["id"] },
    expirationTime: "4102444800000",
    tableConstraints: { primaryKey: { columns: ["id"] } },
    defaultCollation: "und:ci",
  };
  const made = await client.createTable(us(id), settings);
  for (const [name, value] of Object.entries(settings)) assert.deepEqual(made[name], value, name);
  assert.deepEqual([made.location, made.type, made.numRows], ["US", "TABLE", "0"]);
  await assert.rejects(client.createTable(us(id), settings), (thrown: unknown) => {
    assert.deepEqual([faultOf(thrown), reasonOf(thrown)], ["permanent", "duplicate"]);
    return true;
  });
  const patch = { description: null, labels: { b: null, c: "3" } };
  const patched = await client.patchTable(us(id), patch, made.etag);
  assert.deepEqual([patched.description, patched.labels], [undefined, { a: "1", c: "3" }]);
  await assert.rejects(client.patchTable(us(id), patch, made.etag), (thrown: unknown) => {
    assert.equal(reasonOf(thrown), "conditionNotMet");
    return true;
  });
  await server.insert(us(id), [{ id: 1, day: "2026-01-01" }]);
  const filled = await client.getTable(us(id));
  assert.equal(filled?.numRows, "1");
  assert.equal(new Set([made.etag, patched.etag, filled?.etag]).size, 3);
  assert.ok(Number(filled?.lastModifiedTime) > Number(patched.lastModifiedTime));
  const wrong = { kmsKeyName: "projects/p/locations/us/keyRings/r/cryptoKeys/k" };
  await assert.rejects(client.createTable(eu(id), { encryptionConfiguration: wrong }));
  const entries = await Array.fromAsync(client.listTables(projectId, "us"));
  const { labels, timePartitioning } = entries.find(({ tableId }) => tableId === id) ?? {};
  assert.deepEqual([labels, timePartitioning], [{ a: "1", c: "3" }, settings.timePartitioning]);
  await client.deleteTable(us(id));
  assert.equal(await client.getTable(us(id)), null);
});

liveTest(
  "A job's id is used once in its project and location, and seen only there",
  async (rig) => {
    const { server, client, id } = rig;
    await server.createTable(us(id), { schema: { fields: simple } });
    const extract = {
      sourceTable: us(id),
      destinationUris: [`gs://in-us/${id}/*`],
      destinationFormat: "AVRO",
    };
    const before = server.jobs.count();
    const first = await client.insertJob(projectId, id, "US", { extract });
    const second = await client.insertJob(projectId, id, "US", { extract });
    assert.deepEqual([first.attached, second.attached], [false, true]);
    assert.deepEqual(second.job.statistics, first.job.statistics);
    assert.equal(await client.getJob(projectId, id, "EU"), null);
    assert.equal((await client.getJob(projectId, id, "US"))?.status.state, "DONE");
    assert.equal(server.jobs.count(), before + 1);
  },
);

liveTest("Tables are where the job is, and buckets beside them", async (rig) => {
  const { server, client, id } = rig;
  await server.createTable(us(id), { schema: { fields: simple } });
  await server.createTable(eu(id), { schema: { fields: simple } });
  const extract = (sourceTable: TableName, bucket: string) => ({
    extract: {
      sourceTable,
      destinationUris: [`gs://${bucket}/${id}/*`],
      destinationFormat: "AVRO",
    },
  });
  const refused = async (location: string, configuration: Record<string, unknown>) => {
    const thrown = await client.insertJob(projectId, `${id}-${location}`, location, configuration)
      .then(() => null, (thrown) => thrown);
    return [faultOf(thrown), reasonOf(thrown)];
  };
  assert.deepEqual(await refused("EU", extract(us(id), "in-eu")), ["permanent", "notFound"]);
  assert.deepEqual(await refused("EU", extract(eu(id), "in-us")), ["permanent", "invalid"]);
  assert.deepEqual(await refused("US", extract(us(id), "nowhere")), ["permanent", "notFound"]);
  const load = { destinationTable: us(id), sourceUris: ["gs://in-eu/x"], sourceFormat: "AVRO" };
  assert.deepEqual(await refused("EU", { load }), ["permanent", "notFound"]);
  const copy = { sourceTable: us(id), destinationTable: eu(id), writeDisposition: "WRITE_APPEND" };
  assert.deepEqual(await refused("US", { copy }), ["permanent", "invalid"]);
});

liveTest("A query's rows go into a table, and its price is known before", async (rig) => {
  const { server, client, id } = rig;
  await server.createTable(us(id), { schema: { fields: simple } });
  await server.insert(us(id), someRows(5));
  const query = {
    query: "WITH x AS (SELECT id, text FROM `p.us." + id + "`) SELECT id FROM x WHERE id < @most",
    useLegacySql: false,
    parameterMode: "NAMED",
    queryParameters: [{
      name: "most",
      parameterType: { type: "INT64" },
      parameterValue: { value: "3" },
    }],
  };
  const { statistics } = await client.dryRun(projectId, "US", { query });
  const bytes = Number(statistics?.totalBytesProcessed);
  assert.ok(bytes > 0);
  assert.deepEqual(statistics?.query?.schema?.fields?.map(({ name, type }) => [name, type]), [
    ["id", "INTEGER"],
  ]);
  const into = { ...query, destinationTable: us(`${id}_made`) };
  const run = async (jobId: string, more: Record<string, unknown>) => {
    const { job } = await client.insertJob(projectId, jobId, "US", { query: { ...into, ...more } });
    return job.status.errorResult?.reason;
  };
  assert.equal(
    await run(`${id}a`, { maximumBytesBilled: String(bytes - 1) }),
    "bytesBilledLimitExceeded",
  );
  assert.equal(await run(`${id}b`, { maximumBytesBilled: String(bytes) }), undefined);
  assert.equal(await run(`${id}c`, {}), "duplicate");
  assert.equal(await run(`${id}d`, { writeDisposition: "WRITE_APPEND" }), undefined);
  assert.equal((await client.getTable(us(`${id}_made`)))?.numRows, "6");
  assert.equal(await run(`${id}e`, { writeDisposition: "WRITE_TRUNCATE" }), undefined);
  assert.equal((await client.getTable(us(`${id}_made`)))?.numRows, "3");
  const broken = { query: "SELECT no FROM `p.us." + id + "`", useLegacySql: false };
  await assert.rejects(client.dryRun(projectId, "US", { query: broken }), { fault: "permanent" });
});

liveTest("A view needs its tables, and shows their rows", async ({ server, client, id }) => {
  const view = { query: "SELECT id FROM `p.us." + id + "`", useLegacySql: false };
  await assert.rejects(client.createTable(us(`${id}_v`), { view }), { fault: "permanent" });
  await server.createTable(us(id), { schema: { fields: simple } });
  await server.insert(us(id), someRows(2));
  assert.equal((await client.createTable(us(`${id}_v`), { view })).type, "VIEW");
  const query = { query: "SELECT COUNT(*) FROM `p.us." + id + "_v`", useLegacySql: false };
  await client.insertJob(projectId, id, "US", { query });
  assert.deepEqual(await Array.fromAsync(client.queryRows(projectId, id, "US")), [["2"]]);
});

liveTest("Routines and row access policies are kept", async ({ client, server, id }) => {
  const routine = { projectId, datasetId: "us", routineId: id };
  assert.equal(await client.getRoutine(routine), null);
  await client.createRoutine(routine, { routineType: "SCALAR_FUNCTION", definitionBody: "1" });
  await assert.rejects(client.createRoutine(routine, {}), { fault: "permanent" });
  await client.updateRoutine(routine, { routineType: "SCALAR_FUNCTION", definitionBody: "2" });
  assert.equal((await client.getRoutine(routine))?.definitionBody, "2");
  const [listed] = await Array.fromAsync(client.listRoutines(projectId, "us"));
  assert.deepEqual(listed?.routineReference, routine);
  await server.createTable(us(id), { schema: { fields: simple } });
  assert.deepEqual(await Array.fromAsync(client.listRowAccessPolicies(us(id))), []);
  const grantees = ["user:a@p.example"];
  await client.createRowAccessPolicy(us(id), "mine", { filterPredicate: "id = 1", grantees });
  const [policy] = await Array.fromAsync(client.listRowAccessPolicies(us(id)));
  assert.deepEqual([policy?.filterPredicate, policy?.grantees], ["id = 1", undefined]);
});

liveTest("A job takes its time, and what it writes is seen when it is done", async (rig) => {
  const { server, client, id } = rig;
  await server.createTable(us(id), { schema: { fields: simple } });
  await server.insert(us(id), someRows(2));
  server.jobs.latencyMs = 600;
  const copy = { sourceTable: us(id), destinationTable: us(`${id}_copy`) };
  const begun = performance.now();
  const { job } = await client.insertJob(projectId, id, "US", { copy });
  assert.equal(job.status.state, "RUNNING");
  assert.equal(await client.getTable(us(`${id}_copy`)), null);
  await eventually("the end of the job", async () => {
    return (await client.getJob(projectId, id, "US"))?.status.state === "DONE";
  });
  assert.ok(performance.now() - begun >= 600);
  assert.equal((await client.getTable(us(`${id}_copy`)))?.numRows, "2");
});

liveTest(
  "A lost answer, a job that fails, a table that changes: each when it is asked for",
  async (rig) => {
    const { server, client, id } = rig;
    await server.createTable(us(id), { schema: { fields: simple } });
    const copyTo = (tableId: string) => ({
      copy: { sourceTable: us(id), destinationTable: us(tableId) },
    });
    const { faults } = server.proxy;
    const lost = faults.add({ do: "loseReply", when: isJob("copy", new RegExp(`${id}_a`)) });
    const found = await client.insertJob(projectId, `${id}a`, "US", copyTo(`${id}_a`));
    assert.deepEqual([found.attached, lost.met()], [true, 1]);
    faults.add({ do: "failJob", reason: "backendError", when: isJob("copy") });
    const failed = await client.insertJob(projectId, `${id}b`, "US", copyTo(`${id}_b`));
    assert.equal(failed.job.status.errorResult?.reason, "backendError");
    assert.equal(await client.getTable(us(`${id}_b`)), null);
    const before = await client.getTable(us(id));
    faults.add({
      do: "run",
      act: () => server.insert(us(id), someRows(1)),
      when: isJob("copy"),
    });
    await client.insertJob(projectId, `${id}c`, "US", copyTo(`${id}_c`));
    assert.notEqual((await client.getTable(us(id)))?.etag, before?.etag);
    assert.equal((await client.getTable(us(`${id}_c`)))?.numRows, "1");
    const isGet = isCall("GET", "/projects/{project}/datasets/{dataset}/tables/{table}");
    const storm = faults.add({
      do: "answer",
      status: 503,
      reason: "backendError",
      when: isGet,
      times: Infinity,
      share: 0.5,
    });
    const tries = Array.from({ length: 40 }, () => client.getTable(us(id)).then(() => 0, () => 1));
    const refused = (await Promise.all(tries)).reduce<number>((sum, one) => sum + one, 0);
    assert.ok(refused > 5 && refused < 35, `${refused} of 40`);
    assert.equal(storm.met(), refused);
  },
);
