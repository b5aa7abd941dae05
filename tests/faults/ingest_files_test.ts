import assert from "node:assert/strict";
import {
  droppedBucket,
  type DropPlace,
  ingestAll,
  launchIngest,
  stopIngest,
} from "../support/ingest_load.ts";
import { PostgresLink, type Verdict } from "../support/ingest_load_link.ts";
import { type PostgresServer, startPostgres } from "../support/postgres_server.ts";
import { startS3 } from "../support/s3_server.ts";
import { StoreFaults } from "../support/store_faults.ts";
import { eventually } from "../support/waiting.ts";

/** Drops the manifest of a table without a key: what is loaded twice stands there twice. */
async function plain(
  drops: DropPlace,
  table: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const manifest = { table, columns: ["id", "name"], strategy: "append", options: ["CSV"] };
  const target = { "target-url": "env:DROPS_TARGET" };
  await drops.put(`${table}/manifest.json`, JSON.stringify({ ...manifest, ...target, ...more }));
}

function rowsOf(server: PostgresServer, table: string): Promise<string> {
  return server.psql(`SELECT count(*), count(DISTINCT id) FROM ${table}`);
}

Deno.test("a file that is overwritten between COPY and its delete is not lost", async () => {
  await using server = await startPostgres();
  await using s3 = await startS3();
  await using drops = await droppedBucket(s3);
  await using link = new PostgresLink(server.port);
  await server.psql("CREATE TABLE t (id int, name text)");
  await plain(drops, "t");
  for (let n = 0; n < 10; n++) await drops.put(`t/${n}.csv`, `${n},first\n`);
  let commits = 0;
  link.judge = async ({ sql }): Promise<Verdict> => {
    // Everything is copied, nothing is deleted yet.
    if (sql === "COMMIT" && commits++ === 0) {
      for (const n of [3, 7]) await drops.put(`t/${n}.csv`, `${100 + n},second\n`);
    }
    return "pass";
  };
  const env = { DROPS_TARGET: link.through(server.url) };
  assert.equal(await ingestAll(drops, env), 0);
  assert.equal(commits, 1);
  assert.deepEqual(await drops.keys(), ["t/3.csv", "t/7.csv", "t/manifest.json"]);
  assert.equal(await ingestAll(drops, env), 0);
  assert.equal(await rowsOf(server, "t"), "12|12");
  const second = "SELECT string_agg(id::text, ' ' ORDER BY id) FROM t WHERE name = 'second'";
  assert.equal(await server.psql(second), "103 107");
  assert.deepEqual(await drops.keys(), ["t/manifest.json"]);
});

Deno.test("a file whose delete fails ten times is loaded once, and what comes after it loads", async () => {
  await using server = await startPostgres();
  await using s3 = await startS3();
  await using faults = new StoreFaults(`127.0.0.1:${s3.port}`);
  await using drops = await droppedBucket(s3, faults.address);
  await server.psql("CREATE TABLE t (id int, name text)");
  await plain(drops, "t");
  const env = { DROPS_TARGET: server.url };
  faults.refusal = "denied";
  faults.refused = /^DELETE \S+\/t\/1\.csv/;
  await drops.put("t/1.csv", "1,a\n");
  // Each of these processes knows of the file only what the ledger tells.
  for (let n = 2; n < 5; n++) {
    await drops.put(`t/${n}.csv`, `${n},a\n`);
    assert.equal(await ingestAll(drops, env), 3);
    assert.deepEqual(await drops.keys(), ["t/1.csv", "t/manifest.json"]);
  }
  assert.equal(faults.counts.refused, 3);
  faults.refusal = "busy";
  await using sluice = await launchIngest(drops, ["--http=127.0.0.1:0"], env);
  await eventually("ten deletes that fail", async () => {
    return await sluice.metric("ingest_delete_errors_total") >= 7;
  }, { timeoutMs: 120_000 });
  assert.equal(await rowsOf(server, "t"), "4|4");
  faults.refused = null;
  await eventually("the file is gone", async () => (await drops.keys()).length === 1, {
    timeoutMs: 120_000,
  });
  await stopIngest(sluice);
  assert.equal(await rowsOf(server, "t"), "4|4");
  assert.equal(await server.psql("SELECT count(*) FROM sluice_ingest_ledger"), "4");
});

Deno.test("two instances on one bucket load each file once", async () => {
  await using server = await startPostgres();
  await using s3 = await startS3();
  await using drops = await droppedBucket(s3);
  await server.psql("CREATE TABLE t (id int, name text); CREATE TABLE u (id int, name text)");
  for (const table of ["t", "u"]) await plain(drops, table);
  const env = { DROPS_TARGET: server.url };
  await using one = await launchIngest(drops, [], env);
  await using two = await launchIngest(drops, [], env);
  for (let n = 0; n < 150; n++) {
    for (const table of ["t", "u"]) await drops.put(`${table}/${n}.csv`, `${n},a\n`);
  }
  await eventually("every file is loaded", async () => (await drops.keys()).length === 2, {
    timeoutMs: 120_000,
  }).catch(async (thrown) => {
    throw new Error(`${await one.process.tail()}\n${await two.process.tail()}`, { cause: thrown });
  });
  await stopIngest(one);
  await stopIngest(two);
  for (const table of ["t", "u"]) assert.equal(await rowsOf(server, table), "150|150");
  assert.equal(await server.psql("SELECT count(*) FROM sluice_ingest_ledger"), "300");
});

Deno.test("one bad file among 1,000: 999 load, and its report names line and column", async () => {
  await using server = await startPostgres();
  await using s3 = await startS3();
  await using drops = await droppedBucket(s3);
  await server.psql("CREATE TABLE t (id int, name text)");
  await plain(drops, "t");
  const puts = Array.from({ length: 1_000 }, (_, n) => n);
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let n; (n = puts.pop()) !== undefined;) {
      const text = n === 613 ? `${n},a\n"7\n8",b\n9,c\n` : `${n},a\n${n},b\n`;
      await drops.put(`t/${n}.csv`, text);
    }
  }));
  assert.equal(await ingestAll(drops, { DROPS_TARGET: server.url }), 3);
  assert.equal(await rowsOf(server, "t"), "1998|999");
  const keys = await drops.keys();
  const [bad = "", report = "", manifest, ...more] = keys;
  assert.deepEqual([manifest, more], ["t/manifest.json", []]);
  assert.match(bad, /^t\/_rejected\/[^/]+\/613\.csv$/);
  const { file, line, column, reason, raw } = JSON.parse(await drops.read(report));
  assert.deepEqual([file, line, column], ["t/613.csv", 2, "id"]);
  assert.match(reason, /invalid input syntax for type integer/);
  assert.equal(raw, '"7\n8",b');
});

Deno.test("on-error stop holds up its own directory and no other, until the file is mended", async () => {
  await using server = await startPostgres();
  await using s3 = await startS3();
  await using drops = await droppedBucket(s3);
  await server.psql("CREATE TABLE t (id int, name text); CREATE TABLE u (id int, name text)");
  for (const table of ["t", "u"]) await plain(drops, table, { "on-error": "stop" });
  for (let n = 0; n < 20; n++) {
    for (const table of ["t", "u"]) await drops.put(`${table}/${n}.csv`, `${n},a\n`);
  }
  await drops.put("t/7.csv", "7,a\nx,b\n");
  const env = { DROPS_TARGET: server.url };
  assert.equal(await ingestAll(drops, env), 3);
  assert.deepEqual([await rowsOf(server, "t"), await rowsOf(server, "u")], ["0|0", "20|20"]);
  assert.equal((await drops.keys()).length, 20 + 2, "all of t's files stay");
  await drops.put("t/7.csv", "7,a\n");
  assert.equal(await ingestAll(drops, env), 0);
  assert.equal(await rowsOf(server, "t"), "20|20");
});
