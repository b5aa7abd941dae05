import assert from "node:assert/strict";
import { TerminalGuard } from "../../lib/clients/stdio.ts";
import { ExpandedRows } from "../../lib/query/expanded_rows.ts";
import { JsonRows } from "../../lib/query/json_rows.ts";
import { MarkdownRows } from "../../lib/query/markdown_rows.ts";
import { CsvRows, TsvRows } from "../../lib/query/separated_rows.ts";
import { distinctNames } from "../../lib/query/values.ts";
import { columnsOf, print, Printed } from "./printed.ts";

/** A value whose control characters would do something to a terminal, or to a line. */
const controls = "\x1b]0;x\x07\b\f\v\x9b31m\x7f\r\n\tend";

const odd = [["1", null, "", 'a"b'], ["2", "x,y", "l\nm", "t\tr\r\\"]];

Deno.test("CSV tells NULL from the empty text, and quotes what needs it", async () => {
  const text = await print((output) => new CsvRows(output), "id:int4 a,b c d", odd);
  assert.equal(text, 'id,"a,b",c,d\n1,,"","a""b"\n2,"x,y","l\nm","t\tr\r\\"\n');
});

Deno.test("the end mark of COPY is quoted where it would be alone in its line", async () => {
  const text = await print((output) => new CsvRows(output), "a", [["\\."], [null], ["\\.x"]]);
  assert.equal(text, 'a\n"\\."\n\n\\.x\n');
});

Deno.test("TSV is COPY's text", async () => {
  const text = await print((output) => new TsvRows(output), "id:int4 a,b c d", odd);
  assert.equal(text, 'id\ta,b\tc\td\n1\t\\N\t\ta"b\n2\tx,y\tl\\nm\tt\\tr\\r\\\\\n');
});

Deno.test("control characters are COPY's escapes in TSV, JSON's in JSON, as they are in CSV", async () => {
  const rows = [[controls]];
  const tsv = await print((output) => new TsvRows(output), "a", rows);
  assert.equal(tsv, "a\n\x1b]0;x\x07\\b\\f\\v\x9b31m\x7f\\r\\n\\tend\n");
  const csv = await print((output) => new CsvRows(output), "a", rows);
  assert.equal(csv, `a\n"${controls}"\n`);
  const json = await print((output) => new JsonRows(output), "a", rows);
  assert.deepEqual(JSON.parse(json), { a: controls });
});

Deno.test("no value commands a terminal, in whatever format, and wherever its bytes are cut", async () => {
  const bytes = new TextEncoder().encode(`日${controls}👍`);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const printed = new Printed();
    const guard = new TerminalGuard({ write: (part) => printed.output.bytes(part) });
    await guard.write(bytes.subarray(0, cut));
    await guard.write(bytes.subarray(cut));
    assert.equal(
      printed.take(),
      "日\\u001b]0;x\\u0007\\u0008\\u000c\\u000b\\u009b31m\\u007f\\u000d\n\tend👍",
    );
  }
});

Deno.test("JSON keeps digits, and what is no JSON number is text", async () => {
  const rows = [
    ["9007199254740993", "1.10", "NaN", "t", '{"a":\n1}', "é\u0001"],
    ["1", "-0.5", "1e+20", "f", "null", null],
  ];
  const text = await print(
    (output) => new JsonRows(output),
    "id:int8 n:numeric f:float8 ok:bool j:json id",
    rows,
  );
  assert.equal(
    text,
    '{"id":9007199254740993,"n":1.10,"f":"NaN","ok":true,"j":{"a": 1},"id_1":"é\\u0001"}\n' +
      '{"id":1,"n":-0.5,"f":1e+20,"ok":false,"j":null,"id_1":null}\n',
  );
  for (const line of text.trimEnd().split("\n")) JSON.parse(line);
});

Deno.test("columns of one name get names of their own, which no other column has", () => {
  assert.deepEqual(distinctNames(columnsOf("a a a_1 a")), ["a", "a_2", "a_1", "a_3"]);
});

Deno.test("Markdown's own characters stand for themselves", async () => {
  const text = await print((output) => new MarkdownRows(output), "id:int4 a|b c d", odd);
  assert.equal(
    text,
    '| id | a\\|b | c | d |\n| ---: | --- | --- | --- |\n| 1 | NULL |  | a"b |\n' +
      "| 2 | x,y | l<br>m | t r<br>\\\\ |\n",
  );
});

Deno.test("what Markdown would read as more than text is text", async () => {
  const texts = ["*a* _b_ c_d", "`x` ~y~ [z](u)", "<b>&amp; AT&T", "a|b"];
  const text = await print((output) => new MarkdownRows(output), "a", texts.map((one) => [one]));
  assert.deepEqual(text.split("\n").slice(2), [
    "| \\*a\\* \\_b\\_ c_d |",
    "| \\`x\\` \\~y\\~ \\[z\\](u) |",
    "| &lt;b>&amp;amp; AT&T |",
    "| a\\|b |",
    "",
  ]);
});

Deno.test("an empty result is a header, or nothing, or an empty table", async () => {
  assert.equal(await print((output) => new CsvRows(output), "a b", []), "a,b\n");
  assert.equal(await print((output) => new TsvRows(output), "a b", []), "a\tb\n");
  assert.equal(await print((output) => new JsonRows(output), "a b", []), "");
  assert.equal(await print((output) => new MarkdownRows(output), "a", []), "| a |\n| --- |\n");
});

Deno.test("expanded rows are a value a line, and counted", async () => {
  const text = await print((output) => new ExpandedRows(output, true), "id:int4 name", [
    ["1", "a"],
    ["2", null],
  ]);
  assert.equal(
    text,
    "─── row 1 ───\nid   │ 1\nname │ a\n─── row 2 ───\nid   │ 2\nname │ NULL\n2 rows\n",
  );
});
