import assert from "node:assert/strict";
import fc from "fast-check";
import { TableRows } from "../../lib/query/table_rows.ts";
import { textWidth } from "../../lib/query/text_width.ts";
import { columnsOf, print, Printed } from "./printed.ts";

const people = { width: 60, rowsMost: 4, hasCount: true };
const table = (options = people) => (output: Printed["output"]) => new TableRows(output, options);
const numbered = (count: number) =>
  Array.from({ length: count }, (_, i) => [String(i + 1), `name ${i + 1}`]);

Deno.test("a table has names, types, values and a count", async () => {
  const text = await print(table(), "id:int4 name", [["1", "a"], ["20", null]]);
  assert.equal(
    text,
    [
      "┌──────┬──────┐",
      "│  id  │ name │",
      "│ int4 │ text │",
      "├──────┼──────┤",
      "│    1 │ a    │",
      "│   20 │ NULL │",
      "└──────┴──────┘",
      "2 rows\n",
    ].join("\n"),
  );
});

Deno.test("of many rows the first and the last ones are shown, and all are counted", async () => {
  for (const batchRows of [1, 2, 3, 7, 1_000]) {
    const text = await print(table(), "id:int4 name", numbered(1_234), batchRows);
    const cells = [...text.matchAll(/│ +(\d+|·) │/g)].map(([, one]) => one);
    assert.deepEqual(cells, ["1", "2", "·", "·", "·", "1233", "1234"]);
    assert.match(text, /\n1,234 rows, 4 shown\n$/);
  }
});

for (const rowsMost of [1, 2, 3, 4, 5, 7]) {
  Deno.test(`as many rows as are wanted (${rowsMost}) are all shown; of one more a row is left out`, async () => {
    const options = { ...people, rowsMost };
    const all = await print(table(options), "id:int4 name", numbered(rowsMost));
    assert.ok(!all.includes("·") && !all.includes("shown"), all);
    for (let id = 1; id <= rowsMost; id++) assert.ok(all.includes(`name ${id} `), all);
    const more = await print(table(options), "id:int4 name", numbered(rowsMost + 1));
    assert.ok(more.includes(`${rowsMost + 1} rows, ${rowsMost} shown`), more);
    assert.equal(more.match(/name \d+ /g)?.length, rowsMost);
  });
}

Deno.test("columns in the middle are left out when they do not fit, and it is told", async () => {
  const columns = Array.from({ length: 20 }, (_, i) => `column_${i}`).join(" ");
  const row = Array.from({ length: 20 }, (_, i) => `value ${i}`);
  const text = await print(table(), columns, [row]);
  assert.match(text, /column_0 .*│ … │.* column_19/);
  assert.match(text, /1 row, \d of 20 columns shown\n$/);
  for (const line of text.trimEnd().split("\n").slice(0, -1)) {
    assert.ok(textWidth(line) <= 60, line);
  }
});

Deno.test("a wide column is made narrower before another one is left out", async () => {
  const text = await print(table(), "id:int4 note other", [["1", "x".repeat(500), "short"]]);
  assert.match(text, /│ {4}1 │ x{30,}… │ short │/);
});

Deno.test("a value commands no terminal, and stays in its line", async () => {
  const text = await print(table(), "a", [["\x1b[31mred\nnext\ttab"]]);
  assert.ok(text.includes("\\u001b[31mred\\nnext\\ttab"), text);
});

Deno.test("a value turns no text around", async () => {
  const text = await print(table(), "a", [["\u202eabc\u2066"]]);
  assert.ok(text.includes("│ \\u202eabc\\u2066 │"), text);
});

Deno.test("an empty result has its header, and says that there are no rows", async () => {
  const text = await print(table(), "id:int4", []);
  assert.match(text, /│ {2}id {2}│\n│ int4 │\n├──────┤\n└──────┘\n0 rows\n$/);
});

Deno.test("in a pipe all rows and whole values are printed, as they come, and no count", async () => {
  const printed = new Printed();
  const writer = new TableRows(printed.output, {
    width: Infinity,
    rowsMost: Infinity,
    hasCount: false,
  });
  await writer.begin(columnsOf("id:int4 name"));
  await writer.rows(numbered(1_000));
  assert.match(printed.take(), /name 1000/);
  await writer.rows([["1001", "y".repeat(1_000)]]);
  assert.ok(printed.take().includes("y".repeat(1_000)));
  await writer.end({ rows: 1_001, tag: "SELECT 1001", isWhole: true });
  assert.match(printed.take(), /^└─+┴─+┘\n$/);
});

Deno.test("a result that was given up is counted as far as it came", async () => {
  const printed = new Printed();
  const writer = new TableRows(printed.output, people);
  await writer.begin(columnsOf("id:int4 name"));
  await writer.rows(numbered(10));
  await writer.end({ rows: 10, tag: "", isWhole: false });
  assert.match(printed.take(), /10 rows so far, then stopped, 4 shown\n$/);
});

Deno.test("whatever the values and the width, each line of a table is as wide as the others", async () => {
  const value = fc.option(fc.string({ unit: "grapheme", maxLength: 40 }));
  const shape = fc.integer({ min: 1, max: 8 }).chain((count) =>
    fc.tuple(
      fc.array(fc.array(value, { minLength: count, maxLength: count }), { maxLength: 12 }),
      fc.constant(count),
    )
  );
  await fc.assert(
    fc.asyncProperty(shape, fc.integer({ min: 20, max: 120 }), async ([rows, count], width) => {
      const columns = Array.from({ length: count }, (_, i) => `c${i}`).join(" ");
      const text = await print(table({ ...people, width }), columns, rows);
      const lines = text.trimEnd().split("\n").slice(0, -1);
      const [first = ""] = lines;
      assert.ok(textWidth(first) <= width, text);
      for (const line of lines) assert.equal(textWidth(line), textWidth(first), text);
    }),
    { numRuns: 60 },
  );
});
