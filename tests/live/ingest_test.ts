import assert from "node:assert/strict";
import { openWarehouse } from "../../lib/clients/warehouse/warehouse.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";
import { startPostgres } from "../support/postgres_server.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { eventually } from "../support/waiting.ts";
import { Drops, gzip, ingestOnce, ledgerOf } from "./ingesting.ts";

const base = { "pk-columns": ["id"], columns: ["id", "name"], options: ["CSV", "GZIP"] };

Deno.test("merge: gzip CSV into a keyed table; the last file wins, files go, the ledger knows them", async () => {
  await using server = await startPostgres();
  await using drops = await Drops.make();
  await server.psql(
    "CREATE TABLE people (n int GENERATED ALWAYS AS IDENTITY, id int PRIMARY KEY, name text, more text DEFAULT 'd')",
  );
  await server.psql(
    "INSERT INTO people (id, name, more) VALUES (1, 'old', 'x'), (9, 'stays', 'x')",
  );
  await drops.manifest("a/people", { ...base, table: "people", "target-url": server.url });
  await drops.put("a/people/1.csv.gz", gzip("1,first\n2,two\n2,two again\n"));
  await drops.put("a/people/2.csv.gz", gzip("1,second\n"));
  const seen = await ingestOnce(drops.url);
  assert.equal(seen.code, 0, seen.stderr);
  assert.equal(
    await server.psql("SELECT id, name, more FROM people ORDER BY id"),
    "1|second|d\n2|two again|d\n9|stays|x",
  );
  assert.deepEqual(await drops.keys(), ["a/people/manifest.json"]);
  assert.equal(await ledgerOf(server), 2);
  assert.ok(!seen.stderr.includes(server.password), "no password in the log");
});

Deno.test("a bad file is moved aside with its line and column, and its siblings load", async () => {
  await using server = await startPostgres();
  await using drops = await Drops.make();
  await server.psql("CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL CHECK (name <> 'no'))");
  const manifest = { ...base, options: ["CSV"], table: "t", "target-url": server.url };
  await drops.manifest("t", manifest);
  await drops.put("t/1.csv", "1,a\n");
  await drops.put("t/2.csv", "2,b\nthree,c\n");
  await drops.put("t/3.csv", '4,"x\ny"\n,d\n');
  await drops.put("t/4.csv", "5,no\n");
  await drops.put("t/5.csv", "6,e,f\n");
  await drops.put("t/6.csv", "7,g\n");
  const seen = await ingestOnce(drops.url);
  assert.equal(seen.code, 3, seen.stderr);
  assert.equal(await server.psql("SELECT id, name FROM t ORDER BY id"), "1|a\n7|g");
  const keys = await drops.keys();
  const reports = await Promise.all(
    keys.filter((key) => /^t\/_rejected\/[^/]+\/\d\.csv\.json$/.test(key)).map(async (key) => {
      const { file, line, column, raw } = JSON.parse(await drops.read(key));
      return [file, line, column, raw];
    }),
  );
  assert.deepEqual(reports, [
    ["t/2.csv", 2, "id", "three,c"],
    ["t/3.csv", 3, "id", ",d"],
    ["t/4.csv", null, null, null],
    ["t/5.csv", 1, null, "6,e,f"],
  ]);
  assert.equal(keys.length, 1 + 2 * 4);
});

Deno.test("on-error stop leaves everything of its directory, and no other is held up", async () => {
  await using server = await startPostgres();
  await using drops = await Drops.make();
  await server.psql("CREATE TABLE t (id int, name text); CREATE TABLE u (id int, name text)");
  const manifest = { ...base, options: ["CSV"], "target-url": server.url, "on-error": "stop" };
  await drops.manifest("t", { ...manifest, table: "t" });
  await drops.manifest("u", { ...manifest, table: "u" });
  await drops.put("t/1.csv", "1,a\n");
  await drops.put("t/2.csv", "x,b\n");
  await drops.put("u/1.csv", "1,a\n");
  const seen = await ingestOnce(drops.url);
  assert.equal(seen.code, 3, seen.stderr);
  assert.match(seen.stderr, /t\/2\.csv, line 1, column id/);
  assert.equal(
    await server.psql("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM u)"),
    "0|1",
  );
  assert.deepEqual(await drops.keys(), [
    "t/1.csv",
    "t/2.csv",
    "t/manifest.json",
    "u/manifest.json",
  ]);
});

for (const point of ["after-copy", "before-commit", "after-commit", "half-deleted"]) {
  Deno.test(`killed ${point}: the next run makes it right, each file once`, async () => {
    await using server = await startPostgres();
    await using drops = await Drops.make();
    await server.psql("CREATE TABLE t (id int, name text)");
    const manifest = { ...base, "pk-columns": [], strategy: "append", options: ["CSV"] };
    await drops.manifest("t", { ...manifest, table: "t", "target-url": server.url });
    for (let n = 0; n < 20; n++) await drops.put(`t/${n}.csv`, `${n},a\n${n},b\n`);
    const killed = await ingestOnce(drops.url, [], { SLUICE_TEST_CRASH_AT: point });
    assert.equal(killed.code, 137, killed.stderr);
    const again = await ingestOnce(drops.url);
    assert.equal(again.code, 0, again.stderr);
    assert.equal(await server.psql("SELECT count(*), count(DISTINCT (id, name)) FROM t"), "40|40");
    assert.equal(await ledgerOf(server), 20);
    assert.deepEqual(await drops.keys(), ["t/manifest.json"]);
    const left =
      "SELECT count(*) FROM pg_class WHERE relname LIKE 'sluice%' AND relpersistence = 't'";
    assert.equal(await server.psql(left), "0");
  });
}

Deno.test("--keep: files stay, nothing is loaded twice, a new version of a file is", async () => {
  await using server = await startPostgres();
  await using drops = await Drops.make();
  await server.psql("CREATE TABLE t (id int, name text)");
  const manifest = { ...base, "pk-columns": [], strategy: "append", options: ["CSV"] };
  await drops.manifest("t", { ...manifest, table: "t", "target-url": server.url });
  await drops.put("t/1.csv", "1,a\n");
  for (let n = 0; n < 2; n++) assert.equal((await ingestOnce(drops.url, ["--keep"])).code, 0);
  assert.equal(await server.psql("SELECT id, name FROM t"), "1|a");
  await drops.put("t/1.csv", "2,b\n");
  assert.equal((await ingestOnce(drops.url, ["--keep"])).code, 0);
  assert.equal(await server.psql("SELECT id, name FROM t ORDER BY id"), "1|a\n2|b");
  assert.deepEqual(await drops.keys(), ["t/1.csv", "t/manifest.json"]);
});

Deno.test("the daemon loads what is dropped, reads a changed manifest anew, and two of them load each file once", async () => {
  await using server = await startPostgres();
  await using drops = await Drops.make();
  await server.psql("CREATE TABLE t (id int, name text); CREATE TABLE u (id int, name text)");
  const manifest = { ...base, "pk-columns": [], strategy: "append", options: ["CSV"] };
  await drops.manifest("t", { ...manifest, table: "t", "target-url": server.url });
  const args = ["ingest", `--from=${drops.url}`, "--poll-interval=100ms", "--http=127.0.0.1:0"];
  await using one = await SluiceProcess.start(args);
  await using two = await SluiceProcess.start(args);
  for (let n = 0; n < 200; n++) await drops.put(`t/${n}.csv`, `${n},a\n`);
  const isEmpty = async () => (await drops.keys()).length === 1;
  await eventually("every file is loaded", isEmpty, { timeoutMs: 60_000 });
  assert.equal(await server.psql("SELECT count(*), count(DISTINCT id) FROM t"), "200|200");
  await drops.manifest("t", { ...manifest, table: "u", "target-url": server.url });
  await drops.put("t/x.csv", "1,a\n");
  await eventually("the file for the other table", isEmpty, { timeoutMs: 60_000 });
  assert.equal(await server.psql("SELECT id, name FROM u"), "1|a");
  assert.equal(await one.metric("ingest_rows_total") + await two.metric("ingest_rows_total"), 201);
  assert.equal(await one.end(), 0);
  assert.equal(await two.end(), 0);
});

Deno.test("pglite: the same manifest, JSON lines, delete-when and order-by", async () => {
  await using drops = await Drops.make();
  await using base = await Drops.make();
  const url = `pglite:${base.folder}/db`;
  const world = realWorld(() => {});
  const made = await openWarehouse(new Secret(url), world);
  const session = await made.connect();
  await session.execute(
    "CREATE TABLE t (id int, part int, name text, v int, PRIMARY KEY (id, part))",
  );
  await session.execute("INSERT INTO t VALUES (1, 1, 'goes', 0), (2, 1, 'old', 0)");
  await session.close();
  await made.close();
  await drops.manifest("t", {
    ...{ table: "public.t", "target-url": url, format: "json", "delete-when": "name = 'gone'" },
    ...{
      "pk-columns": ["id", "part"],
      columns: ["id", "part", "name", "v"],
      "order-by": ["v desc"],
    },
  });
  await drops.put(
    "t/1.json",
    '{"id":1,"part":1,"name":"gone","v":2}\n{"id":2,"part":1,"name":"new","v":3}\n' +
      '{"id":2,"part":1,"name":"older","v":1}\n{"id":3,"part":1,"name":"three"}\n',
  );
  const seen = await ingestOnce(drops.url);
  assert.equal(seen.code, 0, seen.stderr);
  const after = await openWarehouse(new Secret(url), world);
  const look = await after.connect();
  const { rows } = await look.query("SELECT * FROM t ORDER BY id");
  assert.deepEqual(rows, [["2", "1", "new", "3"], ["3", "1", "three", null]]);
  await look.close();
  await after.close();
});
