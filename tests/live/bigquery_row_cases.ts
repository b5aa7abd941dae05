import assert from "node:assert/strict";
import type { Field } from "../support/bigquery_schema.ts";
import type { TableName } from "../support/bigquery_upstream.ts";
import {
  eu,
  everyRow,
  everything,
  extractAndLoad,
  liveTest,
  projectId,
  simple,
  someRows,
  us,
} from "./bigquery_rig.ts";

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
