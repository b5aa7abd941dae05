import assert from "node:assert/strict";
import { complete } from "../../lib/query/completion.ts";
import { readNamePattern } from "../../lib/query/name_pattern.ts";

const tables = [
  { schema: "public", name: "orders", columns: ["id", "total", "Odd name"], isVisible: true },
  { schema: "public", name: "Mixed", columns: ["x"], isVisible: true },
  { schema: "public", name: "or\x1b]0;x\x07", columns: ["i\x9b2J"], isVisible: true },
  { schema: "sales", name: "offers", columns: ["price"], isVisible: false },
];

const typed: [text: string, partial: string, candidates: string[]][] = [
  ["sel", "sel", ["select"]],
  ["SEL", "SEL", ["SELECT"]],
  ["SELECT * FROM o", "o", ["orders"]],
  ["SELECT * FROM ", "", ['"Mixed"', "orders", "sales.offers"]],
  ["SELECT * FROM m", "m", ['"Mixed"']],
  ["select * from orders, sa", "sa", ["sales.offers"]],
  ["SELECT * FROM orders\nWHERE to", "to", ["total"]],
  ["SELECT * FROM orders WHERE o", "o", [
    '"Odd name"',
    "offset",
    "on",
    "or",
    "order",
    "orders",
    "outer",
    "over",
  ]],
  ["SELECT orders.t", "orders.t", ["orders.total"]],
  ["SELECT x FROM orders o WHERE o.i", "o.i", ["o.id"]],
  ["SELECT * FROM sales.o", "sales.o", ["sales.offers"]],
  ["\\d or", "or", ["orders"]],
  ["\\le", "\\le", ["\\ledger"]],
  ["SELECT 1 \\ch", "\\ch", ["\\chart"]],
  ["SELECT ", "", []],
];

for (const [text, partial, candidates] of typed) {
  Deno.test(`completes ${JSON.stringify(text)}`, () => {
    assert.deepEqual(complete(text, tables), { candidates, partial });
  });
}

const patterns: [text: string, schema: string | null, name: string, isWild: boolean][] = [
  ["orders", null, "orders", false],
  ["Orders", null, "orders", false],
  ['"Orders"', null, "Orders", false],
  ["a_b", null, "a\\_b", false],
  ["sales.ord*", "sales", "ord%", true],
  ["sales.*", "sales", "%", true],
  ['"odd.name"', null, "odd.name", false],
  ['s."a""b*"', "s", 'a"b*', false],
];

for (const [text, schema, name, isWild] of patterns) {
  Deno.test(`the name ${text} means a table`, () => {
    assert.deepEqual(readNamePattern(text), { schema, name, isWild });
  });
}

for (const text of ["", "a.b.c", "a.", ".a", '"open', 'a"b']) {
  Deno.test(`the name ${JSON.stringify(text)} means nothing`, () => {
    assert.throws(() => readNamePattern(text), /give table, schema.table/);
  });
}
