import assert from "node:assert/strict";
import type { Session, WarehouseKind } from "../../lib/clients/warehouse/warehouse.ts";
import { faultOf } from "../../lib/core/errors.ts";
import { isPlainQuery, readOnly, refuseWriting } from "../../lib/query/read_only.ts";

const everywhere = ["postgres", "pglite", "redshift"] as const;
const notRedshift = ["postgres", "pglite"] as const;

const reading: [sql: string, kinds?: readonly WarehouseKind[]][] = [
  ["SELECT 1"],
  ["select 'x into y', \"into\" -- into\n"],
  ["SELECT '\\', 1"],
  ["WITH a AS (SELECT 1) SELECT * FROM a"],
  ["(SELECT 1) UNION (SELECT 2)"],
  ["EXPLAIN INSERT INTO t VALUES (1)"],
  ["SHOW search_path"],
  ["SET search_path TO a"],
  ["BEGIN"],
  ["BEGIN ISOLATION LEVEL SERIALIZABLE"],
  ["SELECT updated, deleted FROM t /* insert into t */"],
  ["/* a comment */ TABLE t"],
  ["PREPARE p AS SELECT 1", notRedshift],
  ["EXECUTE p", notRedshift],
  ["SAVEPOINT a", notRedshift],
  ["COPY t TO STDOUT", notRedshift],
  ['COPY (SELECT 1 AS "program") TO STDOUT WITH (FORMAT csv)', notRedshift],
];

for (const [sql, kinds = everywhere] of reading) {
  Deno.test(`reads, as far as words tell: ${sql.trim()}`, () => {
    for (const kind of kinds) refuseWriting(sql, kind);
  });
}

const writing: [sql: string, kinds?: readonly WarehouseKind[]][] = [
  ...[
    ...["INSERT INTO t VALUES (1)", "UPDATE t SET a = 1", "DELETE FROM t", "TRUNCATE t"],
    ...["DROP TABLE t", "CREATE TABLE t AS SELECT 1", "COPY t FROM 's3://b/k'", "CALL p()"],
    ...["VACUUM", "GRANT ALL ON t TO u", "UNLOAD ('SELECT 1') TO 's3://b/k'", "SELECT 1 INTO t"],
    ...["select a\ninto t from u", "MERGE INTO t USING s ON true", "", "DO $$ BEGIN END $$"],
    ...[
      "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
      "PREPARE p AS INSERT INTO t SELECT 1",
    ],
    ...["BEGIN READ WRITE", "SET TRANSACTION READ /* not */ WRITE", "COMMIT PREPARED 'x'"],
    ...["SET default_transaction_read_only = off", "PREPARE TRANSACTION 'x'", "ANALYZE t"],
    ...["SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "REINDEX TABLE t", "LOAD 'x'"],
    ...[
      "COPY t TO PROGRAM 'x'",
      "COPY t TO '/tmp/x'",
      "ALTER SYSTEM SET a = 1",
      "COPY t FROM STDIN",
    ],
    ...["COPY (SELECT 1 AS to FROM t stdout) TO PROGRAM 'x'", "NOTIFY a", "DISCARD ALL"],
    // A quote ends at another place, by where backslashes escape.
    "SELECT '\\', x INTO t FROM u --'",
    "SELECT '\\' || ' , 1 INTO t FROM u --'",
  ].map((sql): [string] => [sql]),
  // Nothing stands behind the words there.
  ["WITH a AS (SELECT 1) DELETE FROM t USING a", ["redshift"]],
  ["WITH a AS (SELECT 1) UPDATE t SET b = 1", ["redshift"]],
  ["PREPARE p AS DELETE FROM t USING (SELECT 1) a", ["redshift"]],
  ["EXECUTE p", ["redshift"]],
];

for (const [sql, kinds = everywhere] of writing) {
  Deno.test(`may write, and is refused with what to do: ${sql.replace("\n", " ") || "nothing"}`, () => {
    for (const kind of kinds) {
      assert.throws(() => refuseWriting(sql, kind), (thrown) => {
        assert.equal(faultOf(thrown), "usage");
        assert.match(String(thrown), /--write/);
        return true;
      }, kind);
    }
  });
}

Deno.test("a slip of the pen is told as one", () => {
  assert.throws(() => refuseWriting("selec 1", "postgres"), /run SELEC: .*did you mean SELECT\?/);
});

Deno.test("only plain queries are run again or by COPY", () => {
  for (
    const sql of ["SELECT 1", "with a as (select 1) table a", "VALUES (1)", "SELECT '\\d+', (1)"]
  ) {
    assert.ok(isPlainQuery(sql), sql);
  }
  for (
    const sql of [
      ...["SHOW x", "SELECT 1 INTO t", "EXPLAIN SELECT 1", "SELECT * FROM t FOR UPDATE"],
      ...["SET a = 1", "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a"],
      // Between brackets they would be something else.
      ...["SELECT 1) TO PROGRAM 'x' --", "SELECT 1) TO PROGRAM 'x' /*", "SELECT (1", "SELECT 'a"],
      "SELECT 'a\\' || ') TO PROGRAM $$x$$ --'",
    ]
  ) assert.ok(!isPlainQuery(sql), sql);
  assert.ok(isPlainQuery("SELECT 'delete', \"update\" /* into */"));
});

/** A session that only tells what it was given. */
function recorder(kind: WarehouseKind, transaction: Session["transaction"] = "none") {
  const sent: string[] = [];
  const session = {
    ...{ kind, transaction, isBroken: false },
    execute: (sql: string) => Promise.resolve(sent.push(sql)),
  } as unknown as Session;
  return { session, sent, act: (sql: string) => Promise.resolve(sent.push(sql)) };
}

Deno.test("a statement runs in a transaction that reads, whose own transaction it ever is", async () => {
  const told = async (kind: WarehouseKind, transaction: Session["transaction"], sql: string) => {
    const { session, sent, act } = recorder(kind, transaction);
    await readOnly(session, sql, act);
    return sent;
  };
  const held = "SET TRANSACTION READ ONLY; SELECT 1";
  assert.deepEqual(await told("postgres", "none", "SHOW a"), [
    ...["BEGIN READ ONLY; SELECT 1", "SHOW a", "COMMIT"],
  ]);
  assert.deepEqual(await told("pglite", "open", "SHOW a"), [held, "SHOW a"]);
  assert.deepEqual(await told("postgres", "failed", "SHOW a"), ["SHOW a"]);
  assert.deepEqual(await told("postgres", "none", "begin"), ["begin"]);
  assert.deepEqual(await told("redshift", "none", "SHOW a"), [
    "BEGIN READ ONLY",
    "SHOW a",
    "COMMIT",
  ]);
  assert.deepEqual(await told("redshift", "open", "SHOW a"), ["SHOW a"]);
  assert.deepEqual(await told("redshift", "none", "START TRANSACTION"), ["BEGIN READ ONLY"]);
});
