import assert from "node:assert/strict";
import fc from "fast-check";
import { inOrderOfNeed, rewriteNames } from "../../lib/replicate/sql_names.ts";

const source = { projectId: "my-shop", datasetId: "web" };
const destination = { projectId: "eu-shop", datasetId: "web_eu" };
const known = new Set(["visits", "v", "f", "visits_20260101"]);

const cases: readonly [sql: string, result: string, names: readonly string[]][] = [
  ["SELECT 1", "SELECT 1", []],
  ["FROM `my-shop.web.visits`", "FROM `eu-shop.web_eu.visits`", ["visits"]],
  ["FROM `my-shop`.`web`.`visits`", "FROM `eu-shop`.web_eu.visits", ["visits"]],
  ["FROM `my-shop`.web.visits v", "FROM `eu-shop`.web_eu.visits v", ["visits"]],
  ["FROM my-shop.web.visits", "FROM `eu-shop`.web_eu.visits", ["visits"]],
  ["FROM web.visits", "FROM web_eu.visits", ["visits"]],
  ["FROM `web.visits`", "FROM `web_eu.visits`", ["visits"]],
  ["FROM web . visits", "FROM web_eu.visits", ["visits"]],
  ["SELECT `my-shop.web.f`(x)", "SELECT `eu-shop.web_eu.f`(x)", ["f"]],
  ["SELECT web.f(x)", "SELECT web_eu.f(x)", ["f"]],
  ["FROM `my-shop.web.visits_*`", "FROM `eu-shop.web_eu.visits_*`", ["visits_*"]],
  ["FROM `web.visits_*`", "FROM `web_eu.visits_*`", ["visits_*"]],
  ["`my-shop.web.INFORMATION_SCHEMA.TABLES`", "`eu-shop.web_eu.INFORMATION_SCHEMA.TABLES`", [
    "INFORMATION_SCHEMA",
  ]],
  // Somebody else's, or no name at all.
  ["FROM `other.web.visits`", "FROM `other.web.visits`", []],
  ["FROM `my-shop.logs.visits`", "FROM `my-shop.logs.visits`", []],
  ["SELECT web.amount FROM x AS web", "SELECT web.amount FROM x AS web", []],
  ["SELECT t.web.visits", "SELECT t.web.visits", []],
  [
    "SELECT 'my-shop.web.visits', \"web.visits\"",
    "SELECT 'my-shop.web.visits', \"web.visits\"",
    [],
  ],
  ["SELECT '''it's web.visits'''", "SELECT '''it's web.visits'''", []],
  ["SELECT r'a\\'web.v', web.f(1)", "SELECT r'a\\'web.v', web_eu.f(1)", ["f"]],
  [
    "-- web.visits\n# web.v\n/* web.f */ SELECT 1",
    "-- web.visits\n# web.v\n/* web.f */ SELECT 1",
    [],
  ],
  ["-- it's\nFROM web.visits", "-- it's\nFROM web_eu.visits", ["visits"]],
  ['SELECT "a\\"b", web.f(1)', 'SELECT "a\\"b", web_eu.f(1)', ["f"]],
];

for (const [sql, result, names] of cases) {
  Deno.test(`rewriteNames() of ${JSON.stringify(sql)}`, () => {
    assert.deepEqual(rewriteNames(sql, source, destination, known), { sql: result, names });
  });
}

Deno.test("rewriteNames() reads Legacy SQL's brackets only in Legacy SQL", () => {
  const sql = "SELECT a FROM [my-shop:web.visits], [web.v], [other:web.v]";
  assert.deepEqual(rewriteNames(sql, source, destination, known, true), {
    sql: "SELECT a FROM [eu-shop:web_eu.visits], [eu-shop:web_eu.v], [other:web.v]",
    names: ["visits", "v"],
  });
  assert.equal(rewriteNames("x[web.v]", source, destination, known).sql, "x[web.v]");
});

Deno.test("rewriteNames() leaves all alone in which the dataset is not named", () => {
  const words = fc.constantFrom(
    "a",
    " ",
    "'",
    '"',
    "`",
    "--",
    "\n",
    ".",
    "/*",
    "*/",
    "x.y",
    "[",
    "]",
  );
  fc.assert(fc.property(fc.array(words).map((list) => list.join("")), (sql) => {
    assert.equal(rewriteNames(sql, source, destination, known).sql, sql);
  }));
});

Deno.test("inOrderOfNeed() puts what is needed first, also in circles", () => {
  const order = inOrderOfNeed(new Map([["c", ["b"]], ["b", ["a", "table"]], ["a", []]]));
  assert.deepEqual(order, ["a", "b", "c"]);
  assert.deepEqual(inOrderOfNeed(new Map([["a", ["b"]], ["b", ["a"]]])).sort(), ["a", "b"]);
});
