import assert from "node:assert/strict";
import { refuseEnding, refuseNoSelect } from "../../lib/ingest/sql_guard.ts";

const atomic = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; " +
  "SELECT 2; END";

const ending: readonly (readonly [sql: string, kind?: "redshift"])[] = [
  ["COMMIT"],
  ["DELETE FROM a; end"],
  ["/* x /* y */ z */ rollback"],
  ["Start Transaction"],
  ["-- x\nprepare\n transaction 'a'"],
  // A backslash escapes nothing on PostgreSQL but in E'...'.
  ["UPDATE a SET b = '\\'; COMMIT; --'"],
  ["UPDATE a SET b = E'\\\\'; COMMIT; --'"],
  [`${atomic}; END`],
  ["SELECT $a$ ; $b$ $a$; COMMIT"],
  ["SELECT x$1$; COMMIT; SELECT $1$"],
  ["BEGIN"],
  ["TRUNCATE a", "redshift"],
  ["SELECT 'it\\'s'; VACUUM", "redshift"],
];

for (const [sql, kind] of ending) {
  Deno.test(`SQL of a manifest cannot end the transaction: ${sql}`, () => {
    const refuse = () => refuseEnding("pre-sql", [sql], kind === "redshift");
    assert.throws(refuse, /ends the transaction/);
  });
}

const harmless: readonly (readonly [sql: string, kind?: "redshift"])[] = [
  ["UPDATE a SET b = '; commit'"],
  ["UPDATE a SET b = E'\\'; commit'"],
  ["UPDATE a SET b = '\\'; commit'", "redshift"],
  ['DELETE FROM "; commit"'],
  ["TRUNCATE a"],
  [atomic],
  [`${atomic}; DELETE FROM a`],
  ["DO $$ BEGIN x; END $$"],
  ["SELECT CASE WHEN a THEN b END FROM c"],
  ["SELECT 1 -- ; commit"],
  ["SELECT 1 /* ; commit */;"],
  ["SAVEPOINT a; RELEASE a"],
];

for (const [sql, kind] of harmless) {
  Deno.test(`SQL of a manifest that ends nothing: ${sql} (${kind ?? "postgres"})`, () => {
    refuseEnding("pre-sql", [sql], kind === "redshift");
  });
}

Deno.test("TRUNCATE commits on Redshift: another way is told", () => {
  assert.throws(() => refuseEnding("post-sql", ["TRUNCATE a"], true), /write DELETE FROM/);
});

Deno.test("what does not end is not guessed at", () => {
  assert.throws(() => refuseEnding("pre-sql", ["SELECT 'a"], false), /a quote is not closed/);
  assert.throws(() => refuseEnding("pre-sql", ["SELECT /* a"], false), /a comment is not closed/);
  assert.throws(() => refuseEnding("pre-sql", ["SELECT $x$ a"], false), /\$x\$ is not closed/);
});

const selects = [
  "SELECT DISTINCT * FROM {{table}}",
  "WITH a AS (SELECT ';' FROM {{table}}) SELECT * FROM a",
  "(SELECT 1) UNION (SELECT 2)",
  "/* all */ TABLE {{table}}",
  "SELECT * FROM {{table}};",
];
for (const sql of selects) {
  Deno.test(`staging-select may be ${sql}`, () => refuseNoSelect(sql, false));
}

for (
  const [sql, complaint] of [
    ["SELECT * FROM {{table}}; COMMIT", /more than one statement/],
    ["DELETE FROM {{table}}", /begins with DELETE/],
    ["SELECT '\\' FROM {{table}}; COMMIT; --'", /more than one statement/],
    ["-- nothing", /begins with nothing/],
  ] as const
) {
  Deno.test(`staging-select cannot be ${sql}`, () => {
    assert.throws(() => refuseNoSelect(sql, false), complaint);
  });
}
