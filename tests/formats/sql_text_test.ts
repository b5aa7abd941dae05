import assert from "node:assert/strict";
import fc from "fast-check";
import {
  conditionComplaint,
  quoteIdentifier,
  quoteIdentifiers,
  quoteLiteral,
  quoteTable,
  readColumnName,
  readTableName,
} from "../../lib/formats/sql_text.ts";

const tables: [text: string, schema: string | null, name: string, sql: string][] = [
  ["hits", null, "hits", '"hits"'],
  ["web.hits", "web", "hits", '"web"."hits"'],
  ['"web.hits"', null, "web.hits", '"web.hits"'],
  ['web."Odd name"', "web", "Odd name", '"web"."Odd name"'],
  ['"a ""b""".c', 'a "b"', "c", '"a ""b"""."c"'],
  ["select", null, "select", '"select"'],
  ["Größe", null, "Größe", '"Größe"'],
];

for (const [text, schema, name, sql] of tables) {
  Deno.test(`readTableName() reads ${text}`, () => {
    assert.deepEqual(readTableName(text), { schema, name });
    assert.equal(quoteTable({ schema, name }), sql);
  });
}

for (const text of ["", ".", "a.", ".a", "a.b.c", '"a', 'a"b', '""']) {
  Deno.test(`readTableName() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => readTableName(text), { fault: "usage", message: /table name/ });
  });
}

Deno.test("readTableName() reads what quoteTable() writes of any name", () => {
  const name = fc.string({ minLength: 1, unit: "grapheme" }).filter((text) => !text.includes("\0"));
  fc.assert(fc.property(fc.option(name), name, (schema, name) => {
    assert.deepEqual(readTableName(quoteTable({ schema, name })), { schema, name });
  }));
});

Deno.test("readColumnName() takes quotes off and leaves the rest", () => {
  assert.equal(readColumnName(" Order "), "Order");
  assert.equal(readColumnName('"a ""b"""'), 'a "b"');
  assert.equal(readColumnName('in"side'), 'in"side');
  assert.equal(readColumnName(""), undefined);
  assert.equal(readColumnName('""'), undefined);
});

Deno.test("quoteIdentifier() refuses what is no name", () => {
  assert.equal(quoteIdentifiers(["a", 'b"']), '"a", "b"""');
  for (const name of ["", "a\0b"]) assert.throws(() => quoteIdentifier(name), { fault: "usage" });
});

Deno.test("quoteLiteral() doubles quotes and backslashes", () => {
  assert.equal(quoteLiteral("it's", "postgres"), "'it''s'");
  assert.equal(quoteLiteral("a\\b'", "postgres"), "E'a\\\\b'''");
  assert.equal(quoteLiteral("a\\b", "redshift"), "'a\\\\b'");
  assert.throws(() => quoteLiteral("a\0", "postgres"), { fault: "usage" });
});

const conditions: [sql: string, complaint: RegExp | undefined][] = [
  ["deleted = 'yes'", undefined],
  ["(a = 1) or b in (2, 3)", undefined],
  ["note = 'a;b -- )'", undefined],
  ['"odd;name" is null', undefined],
  ["note = $x$ ; ' $x$", undefined],
  ["a = 'it''s'", undefined],
  ["", /empty/],
  ["a = 1; drop table b", /";"/],
  ["a = 1 -- or so", /comment/],
  ["a = 1 /* or */", /comment/],
  ["a = 'x", /quote is not closed/],
  ["a = 1) or (b = 2", /closes nothing/],
  ["(a = 1", /"\(" is not closed/],
  ["a = '\\'; COMMIT; --'", /comment/],
  ["a = '\\' OR b = ';'", undefined],
];

for (const [sql, complaint] of conditions) {
  Deno.test(`conditionComplaint() judges ${JSON.stringify(sql)}`, () => {
    const said = conditionComplaint(sql, "postgres");
    if (complaint === undefined) assert.equal(said, undefined);
    else assert.match(said ?? "", complaint);
  });
}
