/** Every HTTP call of whole runs: a new version of the official clients changes none unseen. */
import assert from "node:assert/strict";
import { runSluice } from "../support/command_line.ts";
import type { RecordedCall } from "../support/google_proxy_calls.ts";
import {
  DatasetPair,
  plain,
  queryFile,
  someRows,
  startReplicating,
} from "../support/replicate_rig.ts";

const dataset = "/projects/{project}/datasets/{dataset}";
const table = `${dataset}/tables/{table}`;
const policies = `${table}/rowAccessPolicies`;
const jobs = "/projects/{project}/jobs";
const listing = "/b/{bucket}/o?fields=items(name,size,generation,timeCreated),nextPageToken" +
  "&maxResults=1000&prefix";
const object = "/b/{bucket}/o/{object}";
const queryRows = "/projects/{project}/queries/{job}?formatOptions.useInt64Timestamp=true" +
  "&maxResults=10000&timeoutMs=20000";

/** `GET web_us TEMPLATE?QUERY 200`, without what differs from run to run. */
function text({ method, template, names, query, status }: RecordedCall): string {
  const place = names["dataset"] ?? names["bucket"] ?? query["location"] ?? "-";
  const isPlain = (name: string) => name === "location" || name === "prettyPrint";
  const given = Object.entries(query).filter(([name]) => !isPlain(name)).sort()
    .map(([name, value]) => name === "prefix" ? name : `${name}=${value}`);
  return `${method} ${place} ${template}${given.length > 0 ? `?${given.join("&")}` : ""} ${status}`;
}

/** What every run begins with. */
const beginning = [
  `GET web_us ${dataset} 200`,
  `GET web_eu ${dataset} 200`,
  `GET web_us ${dataset}/tables?maxResults=1000 200`,
  `GET web_eu ${dataset}/tables?maxResults=1000 200`,
  `GET staging-us ${listing} 200`,
  `GET staging-eu ${listing} 200`,
];

/** A table through files in two buckets; each job is asked for at least once. */
const throughFiles = [
  `GET web_us ${table} 200`,
  `GET web_us ${policies} 200`,
  `POST - ${jobs} 200`,
  `GET US ${jobs}/{job} 200`,
  `GET web_us ${table} 200`,
  `GET staging-eu ${listing} 200`,
  `GET staging-us ${listing} 200`,
  `POST staging-us ${object}/rewriteTo/b/{toBucket}/o/{toObject} 200`,
  `POST - ${jobs} 200`,
  `GET EU ${jobs}/{job} 200`,
  `PATCH web_eu ${table} 200`,
  `GET staging-us ${listing} 200`,
  `DELETE staging-us ${object} 200`,
  `GET staging-eu ${listing} 200`,
  `DELETE staging-eu ${object} 200`,
];

const byCopy = [
  `GET web_us ${table} 200`,
  `GET web_us ${policies} 200`,
  `POST - ${jobs} 200`,
  `GET EU ${jobs}/{job} 200`,
  `GET web_us ${table} 200`,
  `PATCH web_eu ${table} 200`,
];

/** Each once: partitions, views, row access policies, fingerprints, --clean, --partitions. */
const others = [
  `DELETE staging-eu ${object} 200`,
  `DELETE staging-us ${object} 200`,
  `DELETE web_eu ${table} 204`,
  // The temporary table of partitions that were copied in place.
  `DELETE web_eu ${table} 404`,
  `GET EU ${queryRows} 200`,
  `GET US ${queryRows} 200`,
  `GET staging-eu ${listing} 200`,
  `GET staging-us ${listing} 200`,
  `GET web_eu ${dataset} 200`,
  `GET web_eu ${dataset}/tables?maxResults=1000 200`,
  `GET web_eu ${table} 200`,
  `GET web_us ${dataset} 200`,
  `GET web_us ${dataset}/routines?maxResults=1000 200`,
  `GET web_us ${dataset}/tables?maxResults=1000 200`,
  `GET web_us ${table} 200`,
  `GET web_us ${policies} 200`,
  `PATCH web_eu ${table} 200`,
  `POST - ${jobs} 200`,
  `POST - /projects/{project}/queries 200`,
  `POST staging-us ${object}/rewriteTo/b/{toBucket}/o/{toObject} 200`,
  `POST web_eu ${dataset}/tables 200`,
  `POST web_eu ${policies} 200`,
];

const materialized = [
  `GET web_us ${dataset} 200`,
  // Is there one of yesterday that runs on?
  `GET US ${jobs}/{job} 404`,
  `POST - ${jobs} 200`,
  `GET US ${jobs}/{job} 200`,
  `GET web_us ${table} 200`,
];

Deno.test("replicate's and materialize's HTTP calls are these and no others", async (t) => {
  await using server = await startReplicating({ jobLatencyMs: 300 });
  const { calls } = server.proxy;
  /** The calls of one run, in order; of polls of a job in a row the first. */
  const callsOf = async (args: readonly string[]): Promise<string[]> => {
    calls.length = 0;
    const { code, stdout, stderr } = await runSluice(args, { env: server.env() });
    assert.equal(code, 0, stdout + stderr);
    assert.ok(
      calls.every(({ service, query }) =>
        service === "storage" || query["prettyPrint"] === "false"
      ),
    );
    const isPoll = (one: string) => one.includes(`${jobs}/{job}`) && one.endsWith(" 200");
    // How often a job is asked for hangs on how busy this machine is.
    return calls.map(text).filter((one, i, all) => !isPoll(one) || one !== all[i - 1]);
  };
  await t.step("a table through files, and one by a copy job", async () => {
    for (
      const [via, expected] of Object.entries({ extract: throughFiles, auto: byCopy })
    ) {
      const pair = await DatasetPair.make(server, `via-${via}`);
      await pair.fill("t", plain, someRows(2));
      const found = await callsOf([...pair.args, "--via", via]);
      // Those of the beginning come side by side.
      assert.deepEqual(found.slice(0, 6).sort(), [...beginning].sort(), via);
      assert.deepEqual(found.slice(6, 8).sort(), expected.slice(0, 2).sort(), via);
      assert.deepEqual(found.slice(8), expected.slice(2), via);
    }
  });
  await t.step("everything else", async () => {
    server.jobs.latencyMs = 0;
    const pair = await DatasetPair.make(server, "others");
    const days = { ...plain, timePartitioning: { type: "DAY" } };
    await pair.fill("days", days, { "20260101": someRows(2) });
    await pair.fill("empty", plain);
    await pair.fill("guarded", plain, someRows(2));
    pair.restrict("guarded", "few", "id < 2");
    const query = "SELECT * FROM `others.web_us.empty`";
    await pair.fill("view", { view: { query } });
    const args = [...pair.args, "--via", "extract"];
    const first = await callsOf([
      ...[...args, "--row-policy-map", "few=user:somebody", "--verify", "fingerprint"],
      ...["--include-views", "--clean"],
    ]);
    await pair.add("days", { "20260102": someRows(1) });
    const second = await callsOf([...args, "--partitions"]);
    assert.deepEqual([...new Set([...first, ...second])].sort(), [...others].sort());
  });
  await t.step("materialize", async () => {
    server.jobs.latencyMs = 300;
    const pair = await DatasetPair.make(server, "query");
    await using file = await queryFile("SELECT 1 AS id");
    const args = ["materialize", "-p", pair.name, "-d", "web_us", "-t", "t", "-f", file.path];
    assert.deepEqual(await callsOf(args), materialized);
    const dry = [`GET web_us ${dataset} 200`, `POST - ${jobs} 200`];
    assert.deepEqual(await callsOf([...args, "--dry-run"]), dry);
  });
});
