import assert from "node:assert/strict";
import {
  applySql,
  lockSql,
  nullKeySql,
  rowColumn,
  type SqlPlan,
  stageSql,
} from "../../lib/ingest/sql_load.ts";

const plan: SqlPlan = {
  kind: "postgres",
  target: { schema: "s", name: 'T"1' },
  columns: ["id", "Part"],
  pkColumns: ["id"],
  strategy: "merge",
  orderBy: [],
};

Deno.test("the target is locked, and the staging table has no schema and takes NULL anywhere", () => {
  assert.equal(lockSql(plan), 'LOCK TABLE "s"."T""1" IN SHARE ROW EXCLUSIVE MODE');
  assert.equal(lockSql({ ...plan, kind: "redshift" }), 'LOCK TABLE "s"."T""1"');
  assert.deepEqual(stageSql({ ...plan, kind: "redshift" }), [
    'CREATE TEMP TABLE "sluice_staging" AS SELECT "id", "Part", CAST(NULL AS BIGINT) AS ' +
    '"sluice_row" FROM "s"."T""1" WHERE 1 = 0',
  ]);
});

Deno.test("merge deletes by key and inserts one row for each key, the last one", () => {
  assert.deepEqual(applySql(plan), [
    'DELETE FROM "s"."T""1" WHERE "id" IN (SELECT "id" FROM "sluice_staging")',
    'INSERT INTO "s"."T""1" ("id", "Part") SELECT "id", "Part" FROM (SELECT "id", "Part", ' +
    'ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "sluice_row" DESC) AS "sluice_rank" ' +
    'FROM "sluice_staging") AS "sluice_ranked" WHERE "sluice_rank" = 1',
  ]);
});

Deno.test("composite keys, an order and delete-when", () => {
  const [clear, insert] = applySql({
    ...plan,
    pkColumns: ["id", "Part"],
    orderBy: [{ column: "Part", descending: true }],
    deleteWhen: "id < 0",
  });
  assert.match(clear ?? "", /USING "sluice_staging" WHERE "T""1"."id" = .* AND "T""1"."Part" = /);
  assert.match(insert ?? "", /ORDER BY "Part" DESC NULLS LAST, "sluice_row" DESC/);
  assert.match(insert ?? "", /"sluice_rank" = 1 AND \(id < 0\) IS NOT TRUE$/);
});

Deno.test("replace deletes and never truncates; append leaves what is there; distinct without a key", () => {
  assert.equal(applySql({ ...plan, strategy: "replace" })[0], 'DELETE FROM "s"."T""1"');
  const [insert] = applySql({ ...plan, strategy: "append" });
  assert.match(insert ?? "", /AND NOT EXISTS \(SELECT 1 FROM "s"."T""1" AS "sluice_there"/);
  const without = { ...plan, pkColumns: [], strategy: "append" as const };
  assert.match(
    applySql({ ...without, stagingSelect: "distinct" })[0] ?? "",
    /SELECT DISTINCT "id"/,
  );
});

Deno.test("staging-select sees the columns of the files alone", () => {
  const [rows, selected] = applySql({ ...plan, stagingSelect: "SELECT DISTINCT * FROM {{table}}" });
  assert.match(rows ?? "", /^CREATE TEMP TABLE "sluice_rows" .* SELECT "id", "Part" FROM/);
  assert.match(selected ?? "", /AS SELECT DISTINCT \* FROM "sluice_rows"$/);
});

Deno.test("our column gives way to one of the files", () => {
  assert.equal(rowColumn({ columns: ["sluice_row"] }), '"sluice_row_"');
  assert.match(nullKeySql(plan), /WHERE "id" IS NULL ORDER BY "sluice_row" LIMIT 1$/);
});
