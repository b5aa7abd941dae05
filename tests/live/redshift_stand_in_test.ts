import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import pg from "pg";
import {
  openWarehouse,
  serverReportOf,
  type Session,
  type Warehouse,
} from "../../lib/clients/warehouse/warehouse.ts";
import { faultOf } from "../../lib/core/errors.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";
import { assertRedshiftTakes, grammarFaults } from "../support/redshift_grammar.ts";
import { type RedshiftStandIn, startRedshift } from "../support/redshift_stand_in.ts";
import { s3ClientOf } from "../support/s3_client.ts";
import { startS3 } from "../support/s3_server.ts";
import { eventually } from "../support/waiting.ts";

/** A stand-in with a bucket, and a session on it. */
interface Stage {
  readonly redshift: RedshiftStandIn;
  readonly warehouse: Warehouse;
  readonly session: Session;
  put(key: string, content: string | Uint8Array): Promise<void>;
  /** Runs a query and gives its rows, fields between bars. */
  rows(sql: string): Promise<string[]>;
}

async function onStage(test: (stage: Stage) => Promise<void>): Promise<void> {
  await using s3 = await startS3();
  await s3.createBucket("drop");
  await using redshift = await startRedshift({ s3 });
  const client = s3ClientOf(s3);
  const warehouse = await openWarehouse(new Secret(redshift.url()), realWorld(() => {}));
  try {
    const session = await warehouse.connect();
    await test({
      redshift,
      warehouse,
      session,
      put: async (key, content) => {
        await client.send(new PutObjectCommand({ Bucket: "drop", Key: key, Body: content }));
      },
      rows: async (sql) => {
        const { rows } = await session.query(sql);
        return rows.map((row) => row.map((one) => one ?? "NULL").join("|"));
      },
    });
  } finally {
    client.destroy();
    await warehouse.close();
  }
}

/** The part of the library's client that pages need; it brings no types. */
interface PagingClient {
  connect(): Promise<void>;
  query(config: { text: string; rows?: number; portal?: string }): Promise<{ rows: unknown[] }>;
  end(): Promise<void>;
}
const { Client } = pg as unknown as { Client: new (url: string) => PagingClient };

/** What the server says when it refuses. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (thrown) {
    const report = serverReportOf(thrown);
    return report ? `${report.sqlState} ${report.message}` : String(thrown);
  }
  return "nothing";
}

function manifest(...keys: readonly string[]): string {
  const entries = keys.map((key) => ({ url: `s3://drop/${key}`, mandatory: true }));
  return JSON.stringify({ entries });
}

Deno.test("Redshift loads all files of a manifest, or by prefix, or none", async () => {
  await onStage(async ({ redshift, session, put, rows }) => {
    await session.execute("CREATE TABLE t (a int, b varchar(10))");
    await put("in/1.csv", 'a,b\n1,x\n2,"y,""z"\n');
    await put("in/2.csv.gz", gzipSync("1|x\n"));
    await put("m.json", manifest("in/1.csv"));
    await put("zip.json", manifest("in/2.csv.gz"));
    await put("missing.json", manifest("in/1.csv", "in/none"));
    const { credentials, role } = redshift;
    await session.execute(
      `COPY t (a, b) FROM 's3://drop/m.json' ${credentials} CSV IGNOREHEADER 1 MANIFEST COMPUPDATE OFF STATUPDATE OFF`,
    );
    assert.deepEqual(await rows("SELECT * FROM t ORDER BY a"), ["1|x", '2|y,"z']);
    assert.deepEqual(await rows("SELECT pg_last_copy_count()"), ["2"]);
    await session.execute(
      `COPY t (b, a) FROM 's3://drop/in/1' IAM_ROLE '${role}' CSV IGNOREHEADER 2 NOLOAD`,
    )
      .then(() => assert.fail("y is no number"), () => {});
    await session.execute(`COPY t FROM 's3://drop/zip.json' IAM_ROLE '${role}' MANIFEST GZIP`);
    assert.deepEqual(await rows("SELECT count(*) FROM t"), ["3"]);
    await session.execute(
      `COPY t FROM 's3://drop/zip.json' IAM_ROLE '${role}' MANIFEST GZIP NOLOAD`,
    );
    assert.deepEqual(await rows("SELECT count(*) FROM t"), ["3"]);
    const missing = session.execute(
      `COPY t FROM 's3://drop/missing.json' ${credentials} CSV IGNOREHEADER 1 MANIFEST`,
    );
    assert.match(await refusal(missing), /XX000 S3ServiceException.*404,Error NoSuchKey/);
    const none = session.execute(`COPY t FROM 's3://drop/nothing' ${credentials}`);
    assert.match(await refusal(none), /The specified S3 prefix 'nothing' does not exist/);
    assert.deepEqual(await rows("SELECT count(*) FROM t"), ["3"]);
    for (
      const [how, said] of [
        ["IAM_ROLE 'arn:aws:iam::1:role/other'", /not authorized to assume IAM Role/],
        ["ACCESS_KEY_ID 'wrong' SECRET_ACCESS_KEY 'x'", /403,Error InvalidAccessKeyId/],
        [
          credentials.replace(/secret_access_key=[^']*/, "secret_access_key=x"),
          /SignatureDoesNotMatch/,
        ],
        ["", /CREDENTIALS argument is not supplied/],
      ] as const
    ) {
      assert.match(await refusal(session.execute(`COPY t FROM 's3://drop/in/1' ${how} CSV`)), said);
    }
  });
});

const loads: readonly (readonly [string, string | Uint8Array, string, readonly string[]])[] = [
  ["an empty field is empty for VARCHAR, NULL for INT", "|\n", "", ["NULL|"]],
  ["EMPTYASNULL and BLANKSASNULL", "1|\n2|  \n", "EMPTYASNULL BLANKSASNULL", ["1|NULL", "2|NULL"]],
  ["NULL AS, and \\N without it", "1|\\N\n2|none\n", "NULL AS 'none'", ["1|\\N", "2|NULL"]],
  ["\\N", "1|\\N\n", "", ["1|NULL"]],
  ["ESCAPE", "1|a\\|b\\\\\n", "ESCAPE", ["1|a|b\\"]],
  ["a backslash without ESCAPE", "1|a\\n\n", "", ["1|a\\n"]],
  ["REMOVEQUOTES", '1|"a|b"\n', "REMOVEQUOTES", ["1|a|b"]],
  ["DELIMITER as an escape", "1\tx\r\n", "DELIMITER '\\t'", ["1|x"]],
  ["FILLRECORD", "1\n", "FILLRECORD", ["1|"]],
  ["IGNOREBLANKLINES", "1|x\n\n2|y\n", "IGNOREBLANKLINES", ["1|x", "2|y"]],
  ["TRIMBLANKS", "1|x  \n", "TRIMBLANKS", ["1|x"]],
  ["TRUNCATECOLUMNS in bytes, whole characters", "1|ééééé\n", "TRUNCATECOLUMNS", ["1|éé"]],
  ["ACCEPTINVCHARS", new Uint8Array([49, 124, 255, 97, 10]), "ACCEPTINVCHARS '^'", ["1|^a"]],
  ["JSON 'auto'", '{"b": "x", "c": 1, "a": 1}{"a":\n2}', "JSON 'auto'", ["1|x", "2|NULL"]],
  ["white space around CSV's quotation marks", '1, "x" \n2," y"\n', "CSV", ["1|x", "2| y"]],
  ["a CSV field over two lines", '1,"x\ny"\n', "CSV", ["1|x\ny"]],
];

Deno.test("Redshift reads files as its COPY options say", async () => {
  await onStage(async ({ redshift: { credentials }, session, put, rows }) => {
    await session.execute("CREATE TABLE t (a int, b varchar(5))");
    for (const [name, content, options, expected] of loads) {
      await put("file", content);
      await session.execute("DELETE FROM t");
      await session.execute(`COPY t FROM 's3://drop/file' ${credentials} ${options}`);
      assert.deepEqual(await rows("SELECT * FROM t ORDER BY 1, 2"), expected, name);
    }
    for (const tool of ["zstd", "bzip2"]) {
      const { stdout } = await new Deno.Command("sh", { args: ["-c", `echo '7|x' | ${tool} -c`] })
        .output();
      await put("packed", stdout);
      await session.execute(`COPY t FROM 's3://drop/packed' ${credentials} ${tool}`);
    }
    assert.deepEqual(await rows("SELECT count(*) FROM t WHERE a = 7"), ["2"]);
    await session.execute("CREATE TABLE d (d date, t timestamp, n decimal(5,2), f boolean)");
    await put("stamps", "31.12.2023|2023-12-31 10:11:12|1.239|yes\n");
    await session.execute(`COPY d FROM 's3://drop/stamps' ${credentials} DATEFORMAT 'DD.MM.YYYY'`);
    await put("epochs", "2023-12-31|1700000000|-1.5|0\n");
    await session.execute(`COPY d FROM 's3://drop/epochs' ${credentials} TIMEFORMAT 'epochsecs'`);
    assert.deepEqual(await rows("SELECT * FROM d ORDER BY t"), [
      "2023-12-31|2023-11-14 22:13:20|-1.50|f",
      "2023-12-31|2023-12-31 10:11:12|1.23|t",
    ]);
  });
});

const errors: readonly (readonly [content: string, said: string])[] = [
  ["1|x\nzwei|x\n", "2|a|integer|1207|Invalid digit, Value 'z', Pos 0, Type: Integer"],
  ["1|éééé\n", "1|b|character|1204|String length exceeds DDL length"],
  ["1|x|y\n", "1|||1202|Extra column(s) found"],
  ["1\n", "1|b|character|1214|Delimiter not found"],
  ["\\N|x\n", "1|a|integer|1213|Missing data for not-null field"],
  ["9999999999|x\n", "1|a|integer|1216|Overflow, Value '9999999999', Type: Integer"],
];

Deno.test("Redshift keeps what was wrong with a load although the transaction is undone", async () => {
  await onStage(async ({ redshift: { credentials }, session, put, rows }) => {
    await session.execute("CREATE TABLE t (a int NOT NULL, b varchar(5))");
    for (const [i, [content, said]] of errors.entries()) {
      await put(`bad${i}`, content);
      await session.execute("BEGIN");
      const failed = session.execute(`COPY t FROM 's3://drop/bad${i}' ${credentials}`);
      assert.equal(
        await refusal(failed),
        "XX000 Load into table 't' failed.  Check 'sys_load_error_detail' system table for details.",
      );
      assert.match(await refusal(session.execute("SELECT 1")), /^25P02/);
      await session.execute("ROLLBACK");
      assert.deepEqual(
        await rows(
          "SELECT line_number, trim(column_name), trim(column_type), error_code, " +
            `trim(error_message) FROM sys_load_error_detail WHERE file_name = 's3://drop/bad${i}'`,
        ),
        [said],
      );
    }
    assert.deepEqual(
      await rows(
        "SELECT trim(raw_line), err_code FROM stl_load_errors WHERE colname = 'a' ORDER BY 2",
      ),
      ["zwei|x", "\\N|x", "9999999999|x"].map((raw, i) => `${raw}|${[1207, 1213, 1216][i]}`),
    );
    await put("mixed", "1|x\nx|x\n3|x\n");
    await session.execute(`COPY t FROM 's3://drop/mixed' ${credentials} MAXERROR 2`);
    assert.deepEqual(await rows("SELECT count(*) FROM t"), ["2"]);
    // "The error_count number of errors or greater": one error is enough for MAXERROR 1.
    const one = session.execute(`COPY t FROM 's3://drop/mixed' ${credentials} MAXERROR 1`);
    assert.match(await refusal(one), /Load into table 't' failed/);
  });
});

Deno.test("Redshift refuses what its grammar lacks", async () => {
  await onStage(async ({ session }) => {
    await session.execute("CREATE TABLE t (a int PRIMARY KEY, b varchar(5))");
    for (
      const [sql, said] of [
        ["COPY t FROM STDIN", /^42601 syntax error/],
        [
          "INSERT INTO t VALUES (1, 'x') ON CONFLICT DO NOTHING",
          /^42601 syntax error at or near "conflict"/,
        ],
        ["CREATE TEMP TABLE public.s (LIKE t)", /^42P16/],
        ["SELECT typarray FROM pg_type", /^42703/],
        ["DISCARD ALL", /^42601/],
        ["SELECT * FROM t, LATERAL (SELECT 1) l", /^42601/],
        ["INSERT INTO t VALUES (1, 'x') RETURNING a", /^42601/],
        ["CREATE INDEX i ON t (a)", /^0A000/],
        ["CREATE TABLE j (a jsonb)", /^0A000/],
        ["SELECT DISTINCT ON (a) a FROM t", /^0A000/],
        ["LOCK t IN EXCLUSIVE MODE", /^42601/],
        ["SET lock_timeout TO 5", /^42704/],
        ["SELECT pg_advisory_lock(1)", /^42883/],
      ] as const
    ) {
      assert.match(await refusal(session.query(sql)), said, sql);
      assert.match(await refusal(session.query(sql, [])), said, sql);
    }
    assert.match(
      await refusal(session.query("SELECT a FROM t WHERE a = $1 FOR UPDATE", ["1"])),
      /^42601/,
    );
    assert.deepEqual((await session.query("SELECT $1::int + 1", ["1"])).rows, [["2"]]);
    assertRedshiftTakes(
      'DELETE FROM "t" USING "s" WHERE "t"."a" = "s"."a"',
      "SELECT 'ON CONFLICT', \"typarray\" FROM t -- RETURNING",
      "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b " +
        "WHEN NOT MATCHED THEN INSERT VALUES (s.a, s.b)",
      "COPY t FROM 's3://b/k' IAM_ROLE default MANIFEST",
    );
    assert.throws(() => assertRedshiftTakes("SELECT 1; DISCARD ALL"), /Redshift would refuse/);
    assert.equal(grammarFaults(`SELECT 1 AS "${"é".repeat(64)}"`).length, 1);
  });
});

Deno.test("Redshift notes keys, commits at TRUNCATE, and has lengths and escapes of its own", async () => {
  await onStage(async ({ redshift, session, rows }) => {
    assert.match(
      (await rows("SELECT version()")).join(),
      /^PostgreSQL 8\.0\.2 on .*Redshift 1\.0\.\d+/,
    );
    await session.execute(
      "CREATE TABLE t (id bigint IDENTITY(1,1), a int ENCODE az64, b text, n numeric, " +
        "PRIMARY KEY (a), UNIQUE (b)) DISTSTYLE KEY DISTKEY (a) SORTKEY (a, b)",
    );
    await session.execute("INSERT INTO t (a, b) VALUES (1, 'x'), (1, 'x')");
    assert.deepEqual(await rows("SELECT id, a FROM t ORDER BY id"), ["1|1", "2|1"]);
    assert.match(await refusal(session.execute("INSERT INTO t (b) VALUES ('x')")), /^23502/);
    assert.equal(
      await redshift.psql("SELECT kind, columns FROM redshift_constraint ORDER BY kind"),
      "PRIMARY KEY|{a}\nUNIQUE|{b}",
    );
    const tooLong = session.execute(`INSERT INTO t (a, b) VALUES (2, '${"x".repeat(257)}')`);
    assert.match(await refusal(tooLong), /^22001/);
    await session.execute("INSERT INTO t (a, b, n) VALUES (3, 'a\\tb', 1.6)");
    assert.deepEqual(await rows("SELECT b, n FROM t WHERE a = 3"), ["a\tb|2"]);
    await session.execute("BEGIN");
    await session.execute("TRUNCATE t");
    await session.execute("ROLLBACK");
    assert.deepEqual(await rows("SELECT count(*) FROM t"), ["0"]);
    await session.execute("CREATE TEMP TABLE s (a int, b varchar(5))");
    await session.execute("INSERT INTO s VALUES (1, 'x'), (1, 'y'), (2, 'z'), (2, 'z')");
    const merge = "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b " +
      "WHEN NOT MATCHED THEN INSERT (a, b) VALUES (s.a, s.b)";
    // Duplicates that the target has not are inserted without a word.
    await session.execute(merge);
    assert.deepEqual(await rows("SELECT count(*) FROM t"), ["4"]);
    assert.equal(
      await refusal(session.execute(merge)),
      "XX000 Found multiple matches to update the same tuple",
    );
    await session.execute("SET query_group TO 'sluice'; VACUUM DELETE ONLY t");
  });
});

Deno.test("Redshift fails on demand: conflicts, lost answers, slow ones, locks", async () => {
  await onStage(async ({ redshift, warehouse, session, rows }) => {
    const { faults } = redshift;
    await session.execute("CREATE TABLE t (a int)");
    const attempt = async (a: number, on: Session) => {
      await on.execute("BEGIN");
      await on.execute(`INSERT INTO t VALUES (${a})`);
      await on.execute("COMMIT");
    };
    faults.conflictAt();
    const conflict = await attempt(1, session).catch((thrown) => thrown);
    assert.equal(faultOf(conflict), "transient");
    assert.match(
      serverReportOf(conflict)?.message ?? "",
      /1023 Serializable isolation violation on table/,
    );
    assert.equal(serverReportOf(conflict)?.sqlState, "XX000");
    assert.deepEqual(await rows("SELECT count(*) FROM t"), ["0"]);
    faults.conflictAt(2);
    assert.match(await refusal(attempt(2, session)), /1023/);
    assert.match(await refusal(session.execute("SELECT 1")), /^25P02/);
    await session.execute("ROLLBACK");
    faults.lockTimeoutAt(/^LOCK/);
    assert.match(await refusal(session.execute("LOCK t")), /^55P03/);
    for (const when of ["before", "after"] as const) {
      const victim = await warehouse.connect();
      faults.dropAt(/^COMMIT/, when);
      const lost = await attempt(3, victim).catch((thrown) => thrown);
      assert.equal(faultOf(lost), "transient");
      assert.ok(victim.isBroken);
      await victim.close();
      // The server ends a session whose client is gone in its own time.
      const count = await redshift.psql("SELECT count(*) FROM t WHERE a = 3");
      assert.equal(count, when === "before" ? "0" : "1", when);
    }
    const before = performance.now();
    faults.slowAt(1, 300);
    await session.execute("SELECT 1");
    assert.ok(performance.now() - before >= 290);
    assert.equal(faults.waiting, 0);
    const running = assert.rejects(
      session.execute("SELECT count(*) FROM generate_series(1, 1000000000)"),
    );
    await eventually("the statement runs", async () => {
      const sql =
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%000)'";
      return await redshift.psql(sql) === "1";
    });
    await session.cancel();
    await running;
    assert.equal((await session.query("SELECT 1")).affected, 1);
  });
});

Deno.test("Redshift is reached by the URL for Java, and streams results", async () => {
  await onStage(async ({ redshift }) => {
    const warehouse = await openWarehouse(new Secret(redshift.url("jdbc")), realWorld(() => {}));
    assert.equal(warehouse.kind, "redshift");
    const session = await warehouse.connect({ statementTimeoutMs: 120_000 });
    let count = 0;
    for await (const batch of await session.stream("SELECT generate_series(1, 100000)")) {
      count += batch.length;
    }
    assert.equal(count, 100_000);
    // Several statements are one transaction.
    assert.match(await refusal(session.execute("CREATE TABLE u (a int); SELECT 1/0")), /^22012/);
    assert.match(await refusal(session.execute("SELECT * FROM u")), /^42P01/);
    await warehouse.close();
  });
});

Deno.test("Redshift gives pages of a result by a named portal only", async () => {
  await onStage(async ({ redshift }) => {
    const text = "SELECT generate_series(1, 10)";
    // The library sends no Sync after the error of a page: it needs a connection for itself.
    const clients = [1, 2].map(() => new Client(redshift.url().replace("redshift:", "postgres:")));
    const [named, unnamed] = clients;
    assert.ok(named && unnamed);
    try {
      for (const client of clients) await client.connect();
      assert.equal((await named.query({ text, rows: 3, portal: "pages" })).rows.length, 10);
      assert.equal((await named.query({ text })).rows.length, 10);
      await assert.rejects(unnamed.query({ text, rows: 3 }), /portal "" cannot be suspended/);
    } finally {
      for (const client of clients) await client.end();
    }
  });
});
