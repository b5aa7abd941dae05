import assert from "node:assert/strict";
import { faultOf } from "../../lib/core/errors.ts";
import { isPlainQuery, readOnlySql, refuseWriting } from "../../lib/query/read_only.ts";

const reading = [
  "SELECT 1",
  "select 'x into y', \"into\" -- into\n",
  "WITH a AS (SELECT 1) SELECT * FROM a",
  "(SELECT 1) UNION (SELECT 2)",
  "EXPLAIN INSERT INTO t VALUES (1)",
  "SHOW search_path",
  "SET search_path TO a",
  "BEGIN",
  "/* a comment */ TABLE t",
  "PREPARE p AS SELECT 1",
];

for (const sql of reading) {
  Deno.test(`reads, as far as words tell: ${sql.trim()}`, () => refuseWriting(sql));
}

const writing = [
  ...[
    "INSERT INTO t VALUES (1)",
    "UPDATE t SET a = 1",
    "DELETE FROM t",
    "TRUNCATE t",
    "DROP TABLE t",
  ],
  ...[
    "CREATE TABLE t AS SELECT 1",
    "COPY t FROM 's3://b/k'",
    "CALL p()",
    "VACUUM",
    "GRANT ALL ON t TO u",
  ],
  ...["UNLOAD ('SELECT 1') TO 's3://b/k'", "SELECT 1 INTO t", "select a\ninto t from u"],
  ...["MERGE INTO t USING s ON true", "", "PREPARE p AS INSERT INTO t VALUES (1)", "EXECUTE p"],
];

for (const sql of writing) {
  Deno.test(`may write, and is refused with what to do: ${sql.replace("\n", " ") || "nothing"}`, () => {
    assert.throws(() => refuseWriting(sql), (thrown) => {
      assert.equal(faultOf(thrown), "usage");
      assert.match(String(thrown), /--write/);
      return true;
    });
  });
}

Deno.test("only plain queries are run again or by COPY", () => {
  for (const sql of ["SELECT 1", "with a as (select 1) table a", "VALUES (1)"]) {
    assert.ok(isPlainQuery(sql), sql);
  }
  for (
    const sql of [
      ...[
        "SHOW x",
        "SELECT 1 INTO t",
        "EXPLAIN SELECT 1",
        "SELECT * FROM t FOR UPDATE",
        "SET a = 1",
      ],
      "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
    ]
  ) assert.ok(!isPlainQuery(sql), sql);
  assert.ok(isPlainQuery("SELECT 'delete', \"update\" /* into */"));
});

Deno.test("the server holds the session to reading where it can", () => {
  assert.match(readOnlySql("postgres") ?? "", /read_only/);
  assert.equal(readOnlySql("pglite"), readOnlySql("postgres"));
  assert.equal(readOnlySql("redshift"), null);
});
