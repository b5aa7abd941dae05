import assert from "node:assert/strict";
import { assertComplaint, runSluice } from "../support/command_line.ts";
import {
  type PostgresServer,
  startPostgres,
  untilAsleep,
  untilNobodySleeps,
} from "../support/postgres_server.ts";
import { TempFiles } from "../support/temp_files.ts";
import { eventually } from "../support/waiting.ts";
import { inShell, loginTo, openUrl, queryWords } from "./querying.ts";

/** One server for all tests of this file, stopped with the process. */
let running: Promise<PostgresServer> | undefined;

async function withServer(test: (server: PostgresServer) => Promise<void>): Promise<void> {
  running ??= startPostgres();
  await test(await running);
}

Deno.test.afterAll(async () => await (await running)?.stop());

function query(server: PostgresServer, ...args: string[]) {
  return runSluice(["query", openUrl(server.url), ...args], { env: loginTo(server) });
}

const odd = "SELECT * FROM (VALUES (1, 'a,b', 1.50, true, timestamptz '2026-01-01 00:00:00.5Z'), " +
  "(2, '', NULL, NULL, NULL), (3, E'l\\nm \"q\"\\t\\\\', 'NaN', false, 'infinity'), " +
  "(4, '日本 👍', -0.0, true, '1900-01-01'), (5, '\\.', 0, false, NULL)) v(id, \"t,x\", n, ok, at)";

Deno.test("CSV is COPY's own, whether COPY makes it or we do", () =>
  withServer(async (server) => {
    const wanted = await server.psql(`COPY (${odd}) TO STDOUT WITH (FORMAT csv, HEADER)`);
    const copied = await query(server, odd);
    assert.deepEqual([copied.code, copied.stdout.trimEnd(), copied.stderr], [0, wanted, ""]);
    // A cursor gives rows to FETCH, which no COPY takes.
    const ours = await query(server, `BEGIN; DECLARE c CURSOR FOR ${odd}; FETCH ALL c`);
    assert.deepEqual([ours.code, ours.stdout, ours.stderr], [0, copied.stdout, ""]);
  }));

Deno.test("TSV is COPY's text", () =>
  withServer(async (server) => {
    const wanted = await server.psql(`COPY (${odd}) TO STDOUT WITH (FORMAT text)`);
    const { stdout } = await query(server, "--format=tsv", odd);
    assert.equal(stdout.slice(stdout.indexOf("\n") + 1).trimEnd(), wanted);
  }));

Deno.test("all kinds of queries come out whole: comments, brackets, no columns, COPY itself", () =>
  withServer(async (server) => {
    const { stdout } = await query(
      server,
      "SELECT 1 AS a -- one\n; /* two */ (SELECT 2 AS b) UNION ALL SELECT 3; VALUES (4);" +
        'COPY (SELECT 5) TO STDOUT; SELECT 6 AS "into" /* select */',
    );
    assert.equal(stdout, "a\n1\nb\n2\n3\ncolumn1\n4\n5\ninto\n6\n");
    const explained = await query(server, "EXPLAIN SELECT 1");
    assert.match(explained.stdout, /^QUERY PLAN\nResult /);
  }));

Deno.test("nothing is written without --write, and with it each statement is", () =>
  withServer(async (server) => {
    const make = "CREATE TABLE made (id int); INSERT INTO made VALUES (1), (2)";
    assertComplaint(
      await query(server, `SELECT 1;\n${make}`),
      2,
      /^Cannot run statement 2 of 3, which begins in line 2: it may change .*; give --write if it is meant$/,
    );
    const first = await query(server, "--write", `${make};\nSELECT wrong;\nDROP TABLE made`);
    assert.equal(first.code, 1);
    assert.match(first.stderr, /statement 3 of 4, which begins in line 2: column "wrong"/);
    assert.match(first.stderr, /; at line 1: wrong\n$/);
    assert.equal(await server.psql("SELECT count(*) FROM made"), "2");
    const rows = await query(server, "--write", "DELETE FROM made RETURNING id");
    assert.deepEqual([rows.code, rows.stdout], [0, "id\n1\n2\n"]);
    assert.equal((await query(server, "--write", "DROP TABLE made")).stdout, "");
  }));

Deno.test("there is no way from reading to writing: by SET, COMMIT, functions, or what looks like no SQL", () =>
  withServer(async (server) => {
    await server.psql(
      "CREATE TABLE kept (id int); INSERT INTO kept VALUES (1); CREATE SEQUENCE counted;" +
        "CREATE FUNCTION writes() RETURNS int LANGUAGE plpgsql AS $$ BEGIN " +
        "PERFORM set_config('transaction_read_only', 'off', false); " +
        "DELETE FROM kept; RETURN 1; END $$; CREATE FUNCTION opens() RETURNS text LANGUAGE sql AS " +
        "$$ SELECT set_config('default_transaction_read_only', 'off', false) $$",
    );
    const attempts: [sql: string, code: number, complaint: RegExp][] = [
      ["DELETE FROM kept", 2, /run DELETE: it may change something/],
      ["SET default_transaction_read_only = off; TABLE kept", 2, /--write/],
      ["SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", 2, /--write/],
      ["BEGIN READ WRITE", 2, /--write/],
      ["DO $$ BEGIN DELETE FROM kept; END $$", 2, /run DO: .*--write/],
      [`COPY (SELECT 1) TO PROGRAM 'touch ${server.folder}/made'`, 2, /run COPY: .*--write/],
      ["WITH a AS (DELETE FROM kept RETURNING *) TABLE a", 1, /in a read-only .*--write/],
      ["SELECT writes()", 1, /transaction read-write mode must be set before any query/],
      ["SELECT nextval('counted')", 1, /nextval\(\) in a read-only transaction .*--write/],
      ["SELECT opens(); WITH a AS (DELETE FROM kept RETURNING 1) TABLE a", 1, /read-only/],
      [
        "BEGIN; SELECT opens(); SAVEPOINT a; WITH a AS (DELETE FROM kept RETURNING 1) TABLE a",
        1,
        /read-only/,
      ],
      ["BEGIN; SELECT set_config('transaction_read_only', 'off', false)", 1, /before any query/],
      [
        "BEGIN; COMMIT AND CHAIN; SELECT set_config('transaction_read_only', 'off', true)",
        1,
        /before any/,
      ],
      ["PREPARE p AS DELETE FROM kept; EXECUTE p", 1, /DELETE in a read-only/],
      ["EXPLAIN ANALYZE DELETE FROM kept", 1, /DELETE in a read-only/],
      [`SELECT 1) TO PROGRAM 'touch ${server.folder}/made' --`, 1, /syntax error/],
      // Where this is off, the server sees the literal end elsewhere than we do.
      [
        "SET standard_conforming_strings = off; " +
        "SELECT 'a\\' || '; COMMIT; DELETE FROM kept; SELECT 1 --'",
        1,
        /cannot insert multiple commands/,
      ],
      [
        "SET standard_conforming_strings = off; SELECT 'a\\' || ') TO PROGRAM " +
        `$$touch ${server.folder}/made$$ --'`,
        1,
        /syntax error/,
      ],
    ];
    for (const [sql, code, complaint] of attempts) {
      const seen = await query(server, sql);
      assert.deepEqual([seen.code, complaint.test(seen.stderr)], [code, true], sql + seen.stderr);
    }
    assert.equal(await server.psql("SELECT count(*) FROM kept"), "1");
    assert.equal(await server.psql("SELECT last_value, is_called FROM counted"), "1|f");
    await assert.rejects(Deno.stat(`${server.folder}/made`), Deno.errors.NotFound);
    // What only reads works, transactions, cursors and settings included.
    const read = await query(
      server,
      "SET search_path = pg_catalog; SHOW search_path; BEGIN ISOLATION LEVEL REPEATABLE READ; " +
        "DECLARE c CURSOR FOR SELECT 1 AS one; FETCH ALL c; COMMIT; PREPARE p AS SELECT 2 AS two; " +
        "EXECUTE p",
    );
    assert.deepEqual([read.stdout, read.stderr], ["search_path\npg_catalog\none\n1\ntwo\n2\n", ""]);
  }));

Deno.test("SQL comes from a file and from standard input, too", () =>
  withServer(async (server) => {
    await using files = await TempFiles.of({ "a.sql": "SELECT 1 AS a;\n-- the end\n" });
    for (const ways of [`-f ${files.path("a.sql")}`, `< ${files.path("a.sql")}`]) {
      const { code, stdout } = await inShell(server, `"$@" ${ways}`);
      assert.deepEqual([code, stdout], [0, "a\n1\n"], ways);
    }
    const { stdout } = await inShell(server, `echo 'SELECT 2' | "$@" -f - --format jsonl`);
    assert.equal(stdout, '{"?column?":2}\n');
  }));

Deno.test("a wrong password and missing rights give 11; a statement that takes too long gives 1", () =>
  withServer(async (server) => {
    const wrong = { ...loginTo(server), SLUICE_QUERY_PASSWORD: "wrong" };
    const seen = await runSluice(["query", openUrl(server.url), "SELECT 1"], { env: wrong });
    assertComplaint(seen, 11, /password authentication failed .*check the user and the password/);
    await server.psql("CREATE ROLE poor LOGIN PASSWORD 'poor'; CREATE TABLE hidden (id int)");
    const url = openUrl(server.url).replace("//sluice@", "//poor@");
    const env = { ...loginTo(server), PGPASSWORD: "poor" };
    const denied = await runSluice(["query", url, "SELECT * FROM hidden"], { env });
    assertComplaint(denied, 11, /permission denied for table hidden/);
    const late = await query(server, "--timeout=200ms", "SELECT pg_sleep(20)");
    assertComplaint({ ...late, stdout: "" }, 1, /canceling statement due to statement timeout/);
  }));

Deno.test("a reader that has enough is no error, and the statement ends with it", () =>
  withServer(async (server) => {
    for (const format of ["csv", "jsonl", "table"]) {
      const sql = "SELECT generate_series(1, 100000000), repeat('x', 1000)";
      const script = `"$@" --format ${format} "${sql}" | head -n 1; echo \${PIPESTATUS[*]}`;
      const { stdout, stderr } = await inShell(server, script);
      assert.match(stdout, /\n0 0\n$/, format);
      assert.equal(stderr, "");
      await eventually(
        "the statement is over",
        async () =>
          await server.psql(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%100000000%' " +
              "AND state = 'active' AND pid <> pg_backend_pid()",
          ) === "0",
      );
    }
  }));

Deno.test("SIGINT gives 130, and the server gives the statement up", () =>
  withServer(async (server) => {
    const [command = "", ...args] = queryWords(openUrl(server.url), "SELECT pg_sleep(600)");
    const child = new Deno.Command(command, {
      ...{ args, env: loginTo(server), clearEnv: true },
      ...{ stdin: "null", stdout: "piped", stderr: "piped" },
    }).spawn();
    await untilAsleep(server, "sluice query");
    child.kill("SIGINT");
    const { code, stderr, stdout } = await child.output();
    // The head of CSV is there before the first row is.
    assert.deepEqual([code, new TextDecoder().decode(stdout), stderr.length], [
      130,
      "pg_sleep\n",
      0,
    ]);
    await untilNobodySleeps(server);
  }));

Deno.test("a connection that is cut gives 10", () =>
  withServer(async (server) => {
    const asked = query(server, "SELECT pg_sleep(600)");
    await untilAsleep(server, "sluice query");
    await server.terminateBackends("application_name = 'sluice query'");
    assertComplaint({ ...await asked, stdout: "" }, 10, /terminating connection/);
  }));

Deno.test("a table of a million rows shows some of them and tells how many there are", () =>
  withServer(async (server) => {
    const sql = "SELECT g AS id FROM generate_series(1, 1000000) g";
    const { stdout } = await query(server, "--format=table", "--max-rows=4", sql);
    const ids = [...stdout.matchAll(/│ +(\d+|·) │/g)].map(([, id]) => id);
    assert.deepEqual(ids, ["1", "2", "·", "·", "·", "999999", "1000000"]);
  }));

Deno.test("charts are drawn of two columns, and of nothing else", () =>
  withServer(async (server) => {
    const { stdout } = await query(server, "--chart=bar", "SELECT 'a', 1 UNION ALL SELECT 'b', 2");
    assert.match(stdout, /^a │█+▌? 1\nb │█+ 2\n$/);
    assertComplaint(
      await query(server, "--chart=line", "SELECT 1, 2, 3"),
      1,
      /there are 3 columns/,
    );
  }));

Deno.test("the database is described: tables, columns, keys, indexes", () =>
  withServer(async (server) => {
    await server.psql(
      'CREATE SCHEMA s; CREATE TABLE s."Odd name" (id int PRIMARY KEY, "N" numeric(9,2) DEFAULT 1); ' +
        'CREATE INDEX odd ON s."Odd name" ("N"); CREATE VIEW s.v AS SELECT 1 AS one',
    );
    const list = await query(server, "\\d s.*");
    assert.equal(list.stdout, "schema,name,type,owner\ns,Odd name,table,sluice\ns,v,view,sluice\n");
    const tables = await query(server, "\\dt s.*");
    assert.ok(!tables.stdout.includes("view"), tables.stdout);
    const one = await query(server, '\\d s."Odd name"');
    assert.equal(
      one.stdout,
      'column,type,null,default\nid,integer,not null,""\nN,"numeric(9,2)","",1\n' +
        "name,what\nOdd name_pkey,PRIMARY KEY (id)\n" +
        'odd,"CREATE INDEX odd ON s.""Odd name"" USING btree (""N"")"\n',
    );
    assert.match((await query(server, "\\l")).stdout, /^name,owner\n[^]*sluice,sluice\n/);
    assertComplaint(await query(server, "\\d nowhere"), 2, /no such table or view/);
    assertComplaint(await query(server, "\\load-errors"), 2, /only Redshift keeps them/);
    assertComplaint(await query(server, "\\ledgr"), 2, /did you mean \\ledger\?/);
  }));
