import assert from "node:assert/strict";
import { openWarehouse } from "../../lib/clients/warehouse/warehouse.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";
import {
  columnsSql,
  databasesSql,
  keysSql,
  ledgerSql,
  loadErrorsSql,
  namesSql,
  relationsSql,
  schemasWithSql,
} from "../../lib/query/catalog.ts";
import { readNamePattern } from "../../lib/query/name_pattern.ts";
import { assertComplaint, runSluice } from "../support/command_line.ts";
import { peakBytesOf } from "../support/peak_memory.ts";
import { startPostgres } from "../support/postgres_server.ts";
import { assertRedshiftTakes } from "../support/redshift_grammar.ts";
import { startRedshift } from "../support/redshift_stand_in.ts";
import { startS3 } from "../support/s3_server.ts";
import { TempFiles } from "../support/temp_files.ts";
import { Drops, ingestOnce } from "./ingesting.ts";

Deno.test("PGlite: statements, read-only, every format, catalogs", async () => {
  await using files = await TempFiles.of();
  const url = `pglite:${files.path("db")}`;
  const ask = (...args: string[]) => runSluice(["query", url, ...args]);
  const made = await ask(
    "--write",
    "CREATE TABLE t (id int PRIMARY KEY, name text); " +
      "INSERT INTO t SELECT g, 'n' || g FROM generate_series(1, 3) g; SELECT * FROM t",
  );
  assert.deepEqual([made.code, made.stdout, made.stderr], [0, "id,name\n1,n1\n2,n2\n3,n3\n", ""]);
  assertComplaint(await ask("DELETE FROM t"), 2, /run DELETE: .*give --write/);
  for (
    const sql of [
      "WITH a AS (DELETE FROM t RETURNING 1) TABLE a",
      "SET standard_conforming_strings = off; SELECT 'a\\' || '; COMMIT; DELETE FROM t; SELECT 1 --'",
    ]
  ) assert.equal((await ask(sql)).code, 1, sql);
  assert.equal((await ask("SELECT count(*) AS n FROM t")).stdout, "n\n3\n");
  assert.equal(
    (await ask("--format=jsonl", "SELECT * FROM t LIMIT 1")).stdout,
    '{"id":1,"name":"n1"}\n',
  );
  assert.match((await ask("--format=table", "TABLE t")).stdout, /│ {4}3 │ n3 +│/);
  assert.equal(
    (await ask("\\d t")).stdout,
    'column,type,null,default\nid,integer,not null,""\nname,text,"",""\nname,what\nt_pkey,PRIMARY KEY (id)\n',
  );
  assertComplaint(
    await ask("SELECT nothing"),
    1,
    /"nothing" does not exist .*; at line 1: nothing/,
  );
});

/** One row of what is easily spoilt, and one of nothing. */
const hard =
  "SELECT * FROM (VALUES (1::int2, 9007199254740993::int8, 12345678901234567890.10::numeric, " +
  "'NaN'::float8, true, date '2026-01-02', timestamptz '2026-01-02 03:04:05.678901+00', '', " +
  "ARRAY['a,b', NULL, 'q\"'], '\\xde00'::bytea, '{\"k\": 1.10}'::json, '日本👍 \"q\"', " +
  "E'e\\x1b[31m\\nl'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) " +
  "v(a, a, b, c, d, e, f, g, h, i, j, k, l) ORDER BY 1";

Deno.test("PostgreSQL and PGlite: each format keeps every value, digit and byte, and NULL apart", async () => {
  await using server = await startPostgres();
  await using files = await TempFiles.of();
  const ask = async (env: Record<string, string>, format: string) => {
    const { code, stdout, stderr } = await runSluice(
      ["query", `--format=${format}`, `SET timezone = 'UTC'; ${hard}`],
      { env },
    );
    assert.deepEqual([code, stderr], [0, ""]);
    return stdout;
  };
  const wanted: Record<string, string> = {
    csv: "a,a,b,c,d,e,f,g,h,i,j,k,l\n1,9007199254740993,12345678901234567890.10,NaN,t,2026-01-02," +
      '2026-01-02 03:04:05.678901+00,"","{""a,b"",NULL,""q\\""""}",\\xde00,"{""k"": 1.10}",' +
      '"日本👍 ""q""","e\x1b[31m\nl"\n,,,,,,,,,,,,\n',
    tsv:
      "a\ta\tb\tc\td\te\tf\tg\th\ti\tj\tk\tl\n1\t9007199254740993\t12345678901234567890.10\tNaN\tt\t" +
      '2026-01-02\t2026-01-02 03:04:05.678901+00\t\t{"a,b",NULL,"q\\\\""}\t\\\\xde00\t{"k": 1.10}\t' +
      `日本👍 "q"\te\x1b[31m\\nl\n${new Array(13).fill("\\N").join("\t")}\n`,
    jsonl:
      '{"a":1,"a_1":9007199254740993,"b":12345678901234567890.10,"c":"NaN","d":true,"e":"2026-01-02",' +
      '"f":"2026-01-02 03:04:05.678901+00","g":"","h":"{\\"a,b\\",NULL,\\"q\\\\\\"\\"}","i":"\\\\xde00",' +
      '"j":{"k": 1.10},"k":"日本👍 \\"q\\"","l":"e\\u001b[31m\\nl"}\n' +
      `{${["a", "a_1", ..."bcdefghijkl"].map((one) => `"${one}":null`).join(",")}}\n`,
  };
  const postgres = { SLUICE_QUERY_URL: server.url };
  const pglite = { SLUICE_QUERY_URL: `pglite:${files.path("db")}` };
  for (const [format, text] of Object.entries(wanted)) {
    assert.equal(await ask(postgres, format), text);
    // Each start of the engine takes seconds.
    if (format !== "tsv") assert.equal(await ask(pglite, format), text);
  }
  const table = await ask(postgres, "table");
  assert.match(table, /│ +12345678901234567890\.10 │ +NaN │ t +│ 2026-01-02 │/);
  assert.match(table, /│ 日本👍 "q" │ e\\u001b\[31m\\nl │\n/);
  assert.match(await ask(postgres, "markdown"), /\| 日本👍 "q" \| e \\\[31m<br>l \|\n\| NULL \|/);
});

Deno.test("Redshift: rows, refused writing, and catalogs that it can be asked", async () => {
  await using s3 = await startS3();
  await using redshift = await startRedshift({ s3 });
  await redshift.psql("CREATE TABLE t (id int, name varchar(20))");
  const ask = (...args: string[]) =>
    runSluice(["query", ...args], { env: { SLUICE_QUERY_URL: redshift.url() } });
  const made = await ask("--write", "INSERT INTO t VALUES (1, 'a\\'b'); SELECT * FROM t");
  assert.deepEqual([made.code, made.stdout, made.stderr], [0, "id,name\n1,a'b\n", ""]);
  assertComplaint(
    await ask("DELETE FROM t"),
    2,
    /^Cannot run DELETE: it may change something, .*; give --write/,
  );
  assertComplaint(await ask("WITH a AS (SELECT 1) DELETE FROM t USING a"), 2, /WITH ... DELETE/);
  // What the words do not tell is refused by the transaction, which reads.
  await redshift.psql(
    "CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'DELETE FROM t RETURNING 1'",
  );
  for (const sql of ["SELECT writes()", "BEGIN; SELECT writes()"]) {
    const refused = await ask(sql);
    assertComplaint({ ...refused, stdout: "" }, 1, /read-only transaction .*--write/);
  }
  assert.equal(
    (await ask("BEGIN; SELECT id FROM t; COMMIT; SELECT 2 AS two")).stdout,
    "id\n1\ntwo\n2\n",
  );
  assert.equal(await redshift.psql("SELECT count(*) FROM t"), "1");
  assert.match((await ask("\\dt")).stdout, /^schema,name,type,owner\npublic,t,table,/m);
  assert.match(
    (await ask("\\d t")).stdout,
    /^id,integer,"",""\nname,character varying\(20\),"",""$/m,
  );
  assert.match((await ask("\\l")).stdout, /^name,owner\n/);
  await redshift.psql(
    "INSERT INTO pg_catalog.redshift_load_error (query_id, start_time, file_name, line_number, " +
      "column_name, error_message) VALUES (7, now(), 's3://drop/1.csv', 3, 'id', 'Invalid digit')",
  );
  const errors = await ask("\\load-errors", "--format=jsonl");
  const error = JSON.parse(errors.stdout);
  assert.deepEqual(
    [error.query_id, error.file_name, error.line_number, error.column_name, error.error_message],
    [7, "s3://drop/1.csv", 3, "id", "Invalid digit"],
  );
  // Clusters of old have only the other view.
  await redshift.psql(
    "SET allow_system_table_mods = on; DROP VIEW pg_catalog.sys_load_error_detail",
  );
  assert.match(
    (await ask("\\load-errors")).stdout,
    /^start_time,[^\n]*raw_field\n[^\n]*Invalid digit/,
  );
});

Deno.test("whatever is asked of catalogs is SQL that Redshift takes", () => {
  for (const name of ["orders", "s.*", '"Odd""\\name"']) {
    const pattern = readNamePattern(name);
    const asked = [
      ...[relationsSql("redshift", pattern, true), relationsSql("redshift", null, false)],
      ...[columnsSql("redshift", pattern, true), columnsSql("redshift", pattern, false)],
      ...[keysSql("redshift", pattern), databasesSql, namesSql, ...loadErrorsSql],
      ...[schemasWithSql("redshift", name), ledgerSql(["public", "s"], name)],
    ];
    for (const sql of asked) assertRedshiftTakes(sql);
  }
});

Deno.test("\\ledger lists what ingest has loaded", async () => {
  await using server = await startPostgres();
  await using drops = await Drops.make();
  await server.psql("CREATE TABLE people (id int PRIMARY KEY, name text)");
  const columns = ["id", "name"];
  const more = { columns, "pk-columns": ["id"], options: ["CSV"], "target-url": server.url };
  await drops.manifest("a", { ...more, table: "people" });
  await drops.put("a/1.csv", "1,one\n");
  await drops.put("a/2.csv", "2,two\n");
  assert.equal((await ingestOnce(drops.url)).code, 0);
  const { stdout } = await runSluice(["query", "\\ledger", "--format=jsonl"], {
    env: { SLUICE_QUERY_URL: server.url },
  });
  const load = JSON.parse(stdout);
  assert.deepEqual(
    [load.target_table, load.directory.replace(/\/$/, ""), load.files, load.bytes],
    ['"people"', `${drops.url}/a`, 2, 12],
  );
});

Deno.test("memory stays flat however large the result is, in every format", async () => {
  await using server = await startPostgres();
  await using files = await TempFiles.of({ url: server.url });
  const sql = (rows: number) => `SELECT g, md5(g::text), now() FROM generate_series(1, ${rows}) g`;
  for (const format of ["csv", "tsv", "jsonl", "table", "arrow"]) {
    const peak = async (rows: number) => {
      const args = [`--url-file=${files.path("url")}`, "--max-rows=40", `--format=${format}`];
      const { code, peakBytes } = await peakBytesOf(["query", ...args, sql(rows)], files.folder);
      assert.equal(code, 0);
      return peakBytes / 1e6;
    };
    const [some, many] = [await peak(300_000), await peak(2_400_000)];
    // 70 bytes and more a row: as a whole the larger one would be 147 MB more, as objects 500 MB. V8
    // lets some 64 MB of buffers that nobody uses any more lie about before it looks for them.
    if (format === "csv") assert.ok(many < 200, `${many.toFixed(0)} MB`);
    assert.ok(many < some + 100, `${format}: ${some.toFixed(0)} MB, then ${many.toFixed(0)} MB`);
  }
});

Deno.test("a stream that is read to its end knows what the server calls it", async () => {
  await using server = await startPostgres();
  const warehouse = await openWarehouse(new Secret(server.url), realWorld(() => {}));
  try {
    const session = await warehouse.connect();
    const rows = await session.stream("SELECT generate_series(1, 5)");
    assert.equal(rows.tag, "");
    for await (const _ of rows);
    assert.equal(rows.tag, "SELECT 5");
    assert.equal((await session.stream("CREATE TABLE t (id int)")).tag, "CREATE TABLE");
  } finally {
    await warehouse.close();
  }
});
