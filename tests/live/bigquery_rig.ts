import { type BigQueryClient, openBigQuery } from "../../lib/clients/bigquery/bigquery.ts";
import { type ObjectStore, openObjectStore } from "../../lib/clients/gcs.ts";
import { realWorld } from "../../lib/core/world.ts";
import { type BigQueryServer, startBigQuery } from "../support/bigquery_server.ts";
import type { Field } from "../support/bigquery_schema.ts";
import type { TableName } from "../support/bigquery_upstream.ts";

const world = realWorld(() => {});
/** The project of all datasets. */
export const projectId = "p";
/** A table in US. */
export const us = (tableId: string): TableName => ({ projectId, datasetId: "us", tableId });
/** A table in EU. */
export const eu = (tableId: string): TableName => ({ projectId, datasetId: "eu", tableId });

/** What each test gets. */
export interface Rig {
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

/** A test with a client of the server that all tests of this process share. */
export function liveTest(name: string, act: (rig: Rig) => Promise<void>): void {
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

/** Two columns. */
export const simple: Field[] = [{ name: "id", type: "INTEGER" }, { name: "text", type: "STRING" }];
/** Rows for them. */
export const someRows = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: i, text: `text ${i}` }));

/** A column of each type that every format but CSV can hold. */
export const everything: Field[] = [
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

/** Rows for them, with values at the ends of what the types hold. */
export const everyRow = [
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

/** Takes a table from US to EU through objects in EU. @returns both jobs. */
export async function extractAndLoad(
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

/** Ends the shared server. @returns its folder, which is gone; undefined when no test has started it. */
export async function endShared(): Promise<string | undefined> {
  const server = await shared;
  await server?.stop();
  return server?.folder;
}
