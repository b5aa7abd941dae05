import assert from "node:assert/strict";
import {
  type BigQueryClient,
  openBigQuery,
  reasonOf,
} from "../../lib/clients/bigquery/bigquery.ts";
import { type ObjectStore, openObjectStore } from "../../lib/clients/gcs.ts";
import { faultOf } from "../../lib/core/errors.ts";
import { realWorld } from "../../lib/core/world.ts";
import { type BigQueryServer, startBigQuery } from "../support/bigquery_server.ts";
import type { Field } from "../support/bigquery_schema.ts";
import type { TableName } from "../support/bigquery_upstream.ts";
import { isCall, isJob } from "../support/google_proxy_faults.ts";
import { eventually } from "../support/waiting.ts";

const world = realWorld(() => {});
const projectId = "p";
const us = (tableId: string): TableName => ({ projectId, datasetId: "us", tableId });
const eu = (tableId: string): TableName => ({ projectId, datasetId: "eu", tableId });

/** What each test gets. */
interface Rig {
  readonly server: BigQueryServer;
  readonly client: BigQueryClient;
  readonly store: ObjectStore;
  /** A name that no other test has. */
  readonly id: string;
}

// One server for all tests: it takes longer to start than they take to run.
let shared: Promise<BigQueryServer> | undefined;
let tests = 0;

async function startShared(): Promise<BigQueryServer> {
  const server = await startBigQuery({ shardRows: 3 });
  await server.createDataset(projectId, "us", "US");
  await server.createDataset(projectId, "eu", "EU");
  await server.createBucket("in-eu", "EU");
  await server.createBucket("in-us", "US");
  return server;
}

function liveTest(name: string, act: (rig: Rig) => Promise<void>): void {
  Deno.test({
    name,
    // The server outlives the test that starts it.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const server = await (shared ??= startShared());
      server.proxy.faults.clear();
      server.proxy.calls.length = 0;
      server.jobs.latencyMs = 0;
      const { endpoint } = server;
      const client = await openBigQuery({ endpoint }, world);
      const store = await openObjectStore({ endpoint }, world);
      await act({ server, client, store, id: `t${++tests}` });
    },
  });
}

const simple: Field[] = [{ name: "id", type: "INTEGER" }, { name: "text", type: "STRING" }];
const someRows = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: i, text: `text ${i}` }));

const everything: Field[] = [
  { name: "id", type: "INTEGER", mode: "REQUIRED", description: "the id" },
  { name: "truth", type: "BOOLEAN" },
  { name: "real", type: "FLOAT" },
  { name: "num", type: "NUMERIC" },
  { name: "big", type: "BIGNUMERIC" },
  { name: "text", type: "STRING", maxLength: "1000", collation: "und:ci" },
  { name: "raw", type: "BYTES" },
  { name: "day", type: "DATE", defaultValueExpression: "CURRENT_DATE()" },
  { name: "clock", type: "TIME" },
  { name: "local", type: "DATETIME" },
  { name: "moment", type: "TIMESTAMP" },
  { name: "place", type: "GEOGRAPHY" },
  { name: "span", type: "INTERVAL" },
  { name: "list", type: "INTEGER", mode: "REPEATED" },
  {
    name: "deep",
    type: "RECORD",
    mode: "REPEATED",
    fields: [
      { name: "num", type: "NUMERIC" },
      { name: "raw", type: "BYTES" },
      { name: "below", type: "RECORD", fields: [{ name: "day", type: "DATE" }] },
    ],
  },
];

const everyRow = [
  {
    id: "9223372036854775807",
    truth: true,
    real: 0.1,
    num: "12345678901234567890123456789.123456789",
    big: "1.00000000000000000000000000000000000001",
    text: 'a<&>"\\ é😀\n',
    raw: "AP8QYWJj",
    day: "0001-01-01",
    clock: "23:59:59.999999",
    local: "2026-02-03T04:05:06.123456",
    moment: "2026-02-03T04:05:06.123456Z",
    place: "POINT(1.123456789012345 2.25)",
    span: "1 year 2 months 3 days 04:05:06.5",
    list: ["1", "2"],
    deep: [{ num: "0.000000001", raw: "AA==", below: { day: "9999-12-31" } }, { num: "1" }],
  },
  { id: "2", list: [], deep: [] },
];

async function extractAndLoad(
  { client }: Rig,
  [from, to]: readonly [TableName, TableName],
  format: string,
  schema: readonly Field[],
) {
  const staged = `gs://in-eu/${to.tableId}/*`;
  const extract = { sourceTable: from, destinationUris: [staged], destinationFormat: format };
  const first = await client.insertJob(projectId, `e-${to.tableId}`, "US", { extract });
  const load = {
    destinationTable: to,
    sourceUris: [staged],
    sourceFormat: format,
    schema: { fields: schema },
    writeDisposition: "WRITE_EMPTY",
  };
  const second = await client.insertJob(projectId, `l-${to.tableId}`, "EU", { load });
  return { extract: first.job, load: second.job };
}

liveTest("Rows of every type come through Avro, Parquet and NDJSON as they were", async (rig) => {
  const { server, id } = rig;
  await server.createTable(us(id), { schema: { fields: everything } });
  await server.insert(us(id), everyRow);
  const before = await server.rows(us(id));
  assert.match(before.join(), /12345678901234567890123456789\.123456789.*1\.0{37}1.*AP8QYWJj/);
  for (const format of ["AVRO", "PARQUET", "NEWLINE_DELIMITED_JSON"]) {
    const to = eu(`${id}_${format}`);
    const jobs = await extractAndLoad(rig, [us(id), to], format, everything);
    assert.deepEqual(jobs.extract.status, { state: "DONE" });
    assert.deepEqual(jobs.load.status, { state: "DONE" });
    assert.equal(jobs.load.statistics?.load?.outputRows, "2");
    assert.deepEqual(await server.rows(to), before, format);
  }
});

liveTest(
  "A format that cannot hold a type is refused, and the one that can holds it",
  async (rig) => {
    const { server, id } = rig;
    const fields: Field[] = [
      { name: "id", type: "INTEGER" },
      { name: "span", type: "RANGE", rangeElementType: { type: "DATE" } },
      { name: "any", type: "JSON" },
    ];
    await server.createTable(us(id), { schema: { fields } });
    const span = { start: "2026-01-01", end: null };
    await server.insert(us(id), [{ id: 1, span, any: { a: [1, "x"] } }, { id: 2 }]);
    for (const format of ["AVRO", "PARQUET"]) {
      const to = eu(`${id}_${format}`);
      const { extract } = await extractAndLoad(rig, [us(id), to], format, fields);
      assert.equal(extract.status.errorResult?.reason, "invalid");
      assert.deepEqual(await Array.fromAsync(rig.store.list("in-eu", `${to.tableId}/`)), []);
    }
    const to = eu(`${id}_json`);
    await extractAndLoad(rig, [us(id), to], "NEWLINE_DELIMITED_JSON", fields);
    assert.deepEqual(await server.rows(to), await server.rows(us(id)));
  },
);

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

liveTest("A load is whole or nothing, and heeds what is there", async (rig) => {
  const { server, client, id } = rig;
  await server.createTable(us(id), { schema: { fields: simple } });
  await server.insert(us(id), someRows(2));
  await extractAndLoad(rig, [us(id), eu(id)], "AVRO", simple);
  const before = await server.rows(eu(id));
  const load = async (jobId: string, more: Record<string, unknown>) => {
    const { job } = await client.insertJob(projectId, jobId, "EU", {
      load: {
        destinationTable: eu(id),
        sourceUris: [`gs://in-eu/${id}/*`],
        sourceFormat: "AVRO",
        ...more,
      },
    });
    return job.status.errorResult?.reason;
  };
  assert.equal(await load(`${id}a`, { writeDisposition: "WRITE_EMPTY" }), "duplicate");
  assert.equal(await load(`${id}b`, { sourceUris: [`gs://in-eu/${id}x/*`] }), "notFound");
  await server.objects.put("in-eu", `${id}-bad/1`, new TextEncoder().encode("no Avro"));
  const bad = { sourceUris: [`gs://in-eu/${id}/*`, `gs://in-eu/${id}-bad/*`] };
  assert.equal(await load(`${id}c`, { ...bad, writeDisposition: "WRITE_TRUNCATE" }), "invalid");
  const nowhere = { destinationTable: eu(`${id}_no`), createDisposition: "CREATE_NEVER" };
  assert.equal(await load(`${id}d`, nowhere), "notFound");
  assert.deepEqual(await server.rows(eu(id)), before);
  assert.equal(await load(`${id}e`, { writeDisposition: "WRITE_TRUNCATE" }), undefined);
  assert.deepEqual(await server.rows(eu(id)), before);
  assert.equal(await load(`${id}f`, { writeDisposition: "WRITE_APPEND" }), undefined);
  assert.equal((await client.getTable(eu(id)))?.numRows, "4");
});

liveTest(
  "An extract's files have twelve digits, and objects move and go by their names",
  async (rig) => {
    const { server, store, id } = rig;
    await server.createTable(us(id), { schema: { fields: simple } });
    await server.insert(us(id), someRows(7));
    const jobs = await extractAndLoad(rig, [us(id), eu(id)], "NEWLINE_DELIMITED_JSON", simple);
    assert.deepEqual(jobs.extract.statistics?.extract?.destinationUriFileCounts, ["3"]);
    assert.deepEqual(await server.rows(eu(id)), await server.rows(us(id)));
    const listed = async (bucket: string, prefix: string) =>
      (await Array.fromAsync(store.list(bucket, prefix))).map(({ name }) => name);
    const names = [0, 1, 2].map((i) => `${id}/00000000000${i}`);
    assert.deepEqual(await listed("in-eu", `${id}/`), names);
    // Another table's, whose name only begins the same.
    await server.objects.put("in-eu", `${id}0/000000000000`, new Uint8Array(1));
    server.objects.rewriteSteps = 3;
    for (const name of names) {
      await store.copy({ bucket: "in-eu", name }, { bucket: "in-us", name });
      await store.delete("in-eu", name);
    }
    assert.deepEqual(await listed("in-us", `${id}/`), names);
    assert.deepEqual(await listed("in-eu", id), [`${id}0/000000000000`]);
    assert.equal(
      server.proxy.calls.filter(({ template }) => template.includes("rewriteTo")).length,
      9,
    );
    assert.equal(await store.bucketLocation("in-eu"), "EU");
    assert.equal(await store.bucketLocation("nowhere"), null);
    await store.delete("in-eu", names[0] ?? "");
  },
);

liveTest("Partitions are listed, copied and loaded each by itself", async (rig) => {
  const { server, client, id } = rig;
  const timePartitioning = { type: "DAY" };
  await server.createTable(us(id), { schema: { fields: simple }, timePartitioning });
  await server.createTable(eu(id), { schema: { fields: simple }, timePartitioning });
  await server.insert(us(`${id}$20260101`), someRows(2));
  await server.insert(us(`${id}$20260102`), someRows(1));
  const place = { projectId, location: "US" };
  const listed = () => Array.fromAsync(client.listPartitions(us(id), place));
  const before = await listed();
  assert.deepEqual(before.map(({ partitionId, totalRows }) => [partitionId, totalRows]), [
    ["20260101", "2"],
    ["20260102", "1"],
  ]);
  await server.insert(us(`${id}$20260102`), someRows(1));
  const changed = (await listed()).filter(({ lastModifiedTime }, i) =>
    lastModifiedTime !== before[i]?.lastModifiedTime
  );
  assert.deepEqual(changed.map(({ partitionId }) => partitionId), ["20260102"]);
  assert.equal((await client.getTable(us(`${id}$20260101`)))?.numRows, "2");
  for (const part of ["20260101", "20260102"]) {
    const to = eu(`${id}$${part}`);
    const jobId = `${id}-${part}`;
    const staged = [`gs://in-eu/${jobId}/*`];
    const sourceTable = us(`${id}$${part}`);
    const extract = { sourceTable, destinationUris: staged, destinationFormat: "AVRO" };
    await client.insertJob(projectId, `e${jobId}`, "US", { extract });
    const load = { destinationTable: to, sourceUris: staged, sourceFormat: "AVRO" };
    const again = { ...load, writeDisposition: "WRITE_TRUNCATE" };
    await client.insertJob(projectId, `l${jobId}`, "EU", { load });
    await client.insertJob(projectId, `m${jobId}`, "EU", { load: again });
  }
  assert.deepEqual(await server.rows(eu(id)), await server.rows(us(id)));
  const copy = { sourceTable: us(id), destinationTable: eu(`${id}_copy`) };
  const { job } = await client.insertJob(projectId, `c${id}`, "EU", { copy });
  assert.deepEqual(job.status, { state: "DONE" });
  assert.deepEqual(await server.rows(eu(`${id}_copy`)), await server.rows(us(id)));
  const query = "SELECT COUNT(*) FROM `p.us." + id + "` WHERE _PARTITIONTIME < '2026-01-02'";
  await client.insertJob(projectId, `q${id}`, "US", { query: { query, useLegacySql: false } });
  const [row] = await Array.fromAsync(client.queryRows(projectId, `q${id}`, "US"));
  assert.deepEqual(row, ["2"]);
});

liveTest("Rows of a column's partitions stay out of others'", async (rig) => {
  const { server, client, id } = rig;
  const fields = [{ name: "id", type: "INTEGER" }, { name: "day", type: "DATE" }];
  const timePartitioning = { type: "MONTH", field: "day" };
  const range = { start: "0", end: "100", interval: "10" };
  await server.createTable(us(id), { schema: { fields }, timePartitioning });
  await server.insert(us(id), [{ id: 1, day: "2026-01-31" }, { id: 2, day: "2026-02-01" }, {
    id: 3,
  }]);
  const place = { projectId, location: "US" };
  const idsOf = async (table: TableName) =>
    (await Array.fromAsync(client.listPartitions(table, place))).map(({ partitionId }) =>
      partitionId
    );
  assert.deepEqual(await idsOf(us(id)), ["202601", "202602", "__NULL__"]);
  const destinationTable = us(`${id}$202602`);
  const sourceTable = us(`${id}$202601`);
  const { job } = await client.insertJob(projectId, `c${id}`, "US", {
    copy: { sourceTable, destinationTable, writeDisposition: "WRITE_TRUNCATE" },
  });
  assert.equal(job.status.errorResult?.reason, "invalid");
  assert.equal((await client.getTable(destinationTable))?.numRows, "1");
  const byRange = us(`${id}_range`);
  await server.createTable(byRange, {
    schema: { fields },
    rangePartitioning: { field: "id", range },
  });
  await server.insert(byRange, [{ id: 0 }, { id: 19 }, { id: 100 }, {}]);
  assert.deepEqual(await idsOf(byRange), ["0", "10", "__NULL__", "__UNPARTITIONED__"]);
  assert.deepEqual(await idsOf(us(`${id}_none`)), []);
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

Deno.test("The server ends and leaves nothing", async () => {
  const server = await shared;
  if (!server) return;
  await server.stop();
  await assert.rejects(Deno.stat(server.folder), Deno.errors.NotFound);
});
