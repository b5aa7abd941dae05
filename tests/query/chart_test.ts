import assert from "node:assert/strict";
import { barLines, lineLines } from "../../lib/query/chart.ts";
import { ChartRows } from "../../lib/query/chart_rows.ts";
import { textWidth } from "../../lib/query/text_width.ts";
import { print } from "./printed.ts";

const room = { width: 40, height: 14 };

Deno.test("bars are as long as their values are large, to the eighth of a cell", () => {
  const lines = barLines([
    { label: "a", value: 8 },
    { label: "bb", value: 4 },
    { label: "", value: 0 },
  ], 18);
  // 18 less the label (2), the value (1), and what stands between them (4).
  assert.deepEqual(lines, ["a  │███████████ 8", "bb │█████▌ 4", "   │ 0"]);
});

Deno.test("a value that is small is seen, and none is longer than the line", () => {
  const [small = "", large = ""] = barLines(
    [{ label: "s", value: 1 }, { label: "日本".repeat(30), value: 1e9 }],
    40,
  );
  assert.match(small, /│▏ 1$/);
  assert.ok(textWidth(large) <= 40, large);
});

Deno.test("bars of numbers below zero go to the left", () => {
  const [below = "", above = ""] = barLines([
    { label: "a", value: -5 },
    { label: "b", value: 5 },
  ], 30);
  assert.equal(below.indexOf("█") + 12, above.indexOf("█"));
  assert.match(below, /│█{12} -5$/);
  assert.match(above, /│ {12}█+[▏▎▍▌▋▊▉]? 5$/);
});

Deno.test("a line goes from its first to its last value, with a scale", () => {
  const lines = lineLines(
    Array.from({ length: 50 }, (_, i) => ({ label: `d${i}`, value: i })),
    40,
    8,
  );
  assert.match(lines[0] ?? "", /^ {2}49 ┤ +[⠀-⣿]+$/);
  assert.match(lines[7] ?? "", /^ {3}0 ┤[⠀-⣿]+ *$/);
  assert.match(lines.at(-1) ?? "", /^ +d0 +d49$/);
  for (const line of lines) assert.ok(textWidth(line) <= 40, line);
});

Deno.test("a line of equal values, of one, and of none", () => {
  assert.equal(lineLines([], 40, 8).length, 0);
  assert.ok(lineLines([{ label: "", value: 3 }], 40, 8).some((line) => /[⠁-⣿]/.test(line)));
  const flat = lineLines([{ label: "a", value: 2 }, { label: "b", value: 2 }], 40, 8);
  assert.equal(flat.filter((line) => /[⠁-⣿]/.test(line)).length, 1);
});

Deno.test("a chart takes a label and a number, in either order, or a number alone", async () => {
  const bars = (columns: string, rows: (string | null)[][]) =>
    print((output) => new ChartRows(output, "bar", room), columns, rows);
  const text = await bars("host n:int8", [["a", "1"], ["b", "2"]]);
  assert.equal(await bars("n:int8 host", [["1", "a"], ["2", "b"]]), text);
  assert.match(text, /^a │█+.* 1\nb │█+ 2\n$/);
  assert.match(await bars("n:int8", [["1"]]), /█ 1\n$/);
  assert.equal(await bars("a n:int8", []), "No rows\n");
  assert.match(
    await bars("a n:int8", [["x", null], ["y", "1"]]),
    /1 row without a number left out/,
  );
  await assert.rejects(bars("a b", [["x", "y"]]), /select a label and a number/);
  await assert.rejects(bars("a n:int4 m:int4", []), /3 columns/);
});

Deno.test("of very many points neighbours are taken together, and it is told", async () => {
  const rows = Array.from({ length: 50_000 }, (_, i) => [String(i), String(i)]);
  const text = await print(
    (output) => new ChartRows(output, "line", room),
    "x y:int4",
    rows,
    1_000,
  );
  assert.match(text, /each point is the mean of 8 rows\n$/);
  const bars = await print((output) => new ChartRows(output, "bar", room), "x y:int4", rows, 1_000);
  assert.match(bars, /50,000 rows, the first 200 shown\n$/);
});
