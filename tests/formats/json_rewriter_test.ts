import assert from "node:assert/strict";
import fc from "fast-check";
import { parseCopyOptions } from "../../lib/formats/copy_options.ts";
import { openRewriter } from "../../lib/formats/copy_rewriter.ts";
import { DataError } from "../../lib/formats/data_error.ts";
import { targetColumnOf } from "../../lib/formats/target_column.ts";
import { everyCut, readCopyText, rewrite, type TextRow } from "../support/copy_text.ts";

const two = ["varchar(20)", "integer"];

// The columns are called c0 and c1. Cases by "COPY from JSON format" (copy-usage_notes-copy-from-json).
const examples: [name: string, options: string, file: string, rows: TextRow[]][] = [
  ["nothing", "", " \n ", []],
  ["objects by line", "", '{"c0":"a","c1":1}\n{"c1":2,"c0":"b"}\n', [["a", "1"], ["b", "2"]]],
  ["objects one behind the other", "", '{"c0":"a"}{"c0":"b"} {"c0":"c"}', [["a", null], [
    "b",
    null,
  ], ["c", null]]],
  ["objects over lines", "", '{\n "c0" : "a" ,\r\n "c1" : 1\n}\n{"c0":"b"\n}', [["a", "1"], [
    "b",
    null,
  ]]],
  ["keys that are missing, null or unknown", "", '{}\n{"c0":null,"x":{"c0":1},"c1":3}', [
    [null, null],
    [null, "3"],
  ]],
  [
    "values of all kinds as text",
    "",
    '{"c0":true}{"c0":-1.50e3}{"c0":[1, "}"]}{"c0":{"a":"\\""}}',
    [
      ["true", null],
      ["-1.50e3", null],
      ['[1, "}"]', null],
      ['{"a":"\\""}', null],
    ],
  ],
  ["every digit of a number", "", '{"c1":12345678901234567890}', [[null, "12345678901234567890"]]],
  ["escapes", "", '{"c0":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00"}', [
    ['"\\/\b\f\n\r\té€😀', null],
  ]],
  ["half a surrogate pair", "", '{"c0":"a\\ud83db\\ude00\\ud83d\\u0041"}', [[
    "a\ufffdb\ufffd\ufffdA",
    null,
  ]]],
  ["escapes in keys", "", '{"\\u00630":"a"}\n{"\\u00630":"b"}', [["a", null], ["b", null]]],
  ["the last of a key that stands twice", "", '{"c0":"a","c0":"b"}', [["b", null]]],
  ["keys of another case as unknown", "", '{"C0":"a"}', [[null, null]]],
  ["keys of any case", "'auto ignorecase'", '{"C0":"a","C1":1}\n{"c0":"b"}', [["a", "1"], [
    "b",
    null,
  ]]],
  ["empty texts and blank numbers", "", '{"c0":"","c1":""}{"c0":" ","c1":" "}', [["", null], [
    " ",
    null,
  ]]],
  ["EMPTYASNULL", "'auto' EMPTYASNULL", '{"c0":""}', [[null, null]]],
  ["TRUNCATECOLUMNS", "'auto' TRUNCATECOLUMNS", `{"c0":"${"é".repeat(11)}"}`, [[
    "é".repeat(10),
    null,
  ]]],
  ["NULL AS", "'auto' NULL AS 'none'", '{"c0":"none","c1":1}', [[null, "1"]]],
  ["IGNOREHEADER", "'auto' IGNOREHEADER 1", 'head {"\n{"c0":"a"}', [["a", null]]],
  ["a byte order mark", "", '\ufeff{"c0":"a"}', [["a", null]]],
  ["brackets in strings", "", '{"c0":"}{","x":["]"]}{"c0":"\\\\"}', [["}{", null], ["\\", null]]],
];

for (const [name, options, file, rows] of examples) {
  Deno.test(`JsonRewriter reads ${name}, cut anywhere`, () => {
    for (const pieces of everyCut(file)) {
      assert.deepEqual(rewrite([`JSON ${options}`], two, pieces).rows, rows);
    }
  });
}

const refused: [name: string, file: string, line: number, reason: RegExp][] = [
  ["a list of objects", '[{"c0":"a"}]\n', 1, /no \{ where an object begins/],
  ["an object that is cut", '{"c0":"a"}\n\n{"c0":"b"', 3, /does not end/],
  ["what is no JSON", '{"c0":"a"}\n{"c0":b}\n', 2, /is not JSON/],
  ["what is no JSON behind long objects", '{\n"c0"\n:1}\n{c0:1}', 4, /is not JSON/],
  ["text behind an object", '{"c0":"a"} x\n', 1, /no \{ where/],
  ["a comma between objects", '{"c0":"a"},\n{"c0":"b"}', 1, /no \{ where/],
  ["a line feed in a string", '{"c0":"a\nb"}\n', 1, /is not JSON/],
];

for (const [name, file, line, reason] of refused) {
  Deno.test(`JsonRewriter refuses ${name}, cut anywhere`, () => {
    for (const pieces of everyCut(file)) {
      assert.throws(() => rewrite(["JSON 'auto'"], two, pieces), (thrown) => {
        assert.ok(thrown instanceof DataError);
        assert.equal(thrown.row.line, line);
        assert.match(thrown.row.reason, reason);
        return true;
      });
    }
  });
}

Deno.test("JsonRewriter refuses bytes that are no UTF-8, or replaces them", () => {
  const file = new TextEncoder().encode('{"c0":"a?b"}\n').map((byte) => byte === 63 ? 0xff : byte);
  for (const pieces of everyCut(file)) {
    assert.throws(() => rewrite(["JSON 'auto'"], two, pieces), { message: /is not JSON/ });
    const { rows } = rewrite(["JSON 'auto' ACCEPTINVCHARS '^'"], two, pieces);
    assert.deepEqual(rows, [["a^b", null]]);
  }
});

Deno.test("JsonRewriter leaves fewer objects out than MAXERROR says", () => {
  const file = '{"c0":"a"}\nnonsense\n{"c0":"b"}\n{c}\n{"c0":"c"}';
  for (const pieces of everyCut(file)) {
    const { rows, faults } = rewrite(["JSON 'auto' MAXERROR 3"], two, pieces);
    assert.deepEqual(rows, [["a", null], ["b", null], ["c", null]]);
    assert.deepEqual(faults.first.map(({ line }) => line), [2, 4]);
  }
});

Deno.test("JsonRewriter finds the line and the bytes of a row that the server names", () => {
  const file = '{"c0":"a"}\n\n{\n"c0":"b"}\n{"c0":"c"}';
  for (const pieces of everyCut(file)) {
    const of = (row: number) =>
      rewrite(["JSON 'auto'"], two, pieces, row).faults.found.get(row) ?? null;
    assert.deepEqual([of(1)?.line, of(2)?.line, of(3)?.line], [1, 3, 5]);
    assert.equal(new TextDecoder().decode(of(2)?.raw), '{\n"c0":"b"}');
    assert.equal(of(4), null);
  }
});

Deno.test("JsonRewriter reads very many objects of one line, in a time that grows with their bytes", () => {
  // With a search for the line's end per object, this takes half a minute and not half a second.
  const file = new TextEncoder().encode('{"c0":"a"}'.repeat(200_000));
  const { rows } = rewrite(["JSON 'auto'"], two, [file.subarray(0, 99_999), file.subarray(99_999)]);
  assert.equal(rows.length, 200_000);
});

Deno.test("JsonRewriter gives the values of any objects in any pieces", () => {
  const names = ["a", "é", 'q"', "A"];
  const value = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.jsonValue(),
  );
  const object = fc.dictionary(fc.constantFrom(...names, "other"), value);
  const columns = names.map((name) => targetColumnOf({ name, type: "text" }));
  const expected = (value: unknown): string | null =>
    value === undefined || value === null
      ? null
      : typeof value === "string"
      ? value
      : JSON.stringify(value);
  fc.assert(fc.property(
    fc.array(object, { maxLength: 8 }),
    fc.constantFrom(undefined, 1),
    fc.array(fc.nat(300), { maxLength: 5 }),
    (objects, indent, cuts) => {
      const file = new TextEncoder().encode(
        objects.map((one) => JSON.stringify(one, null, indent)).join("\n"),
      );
      const options = parseCopyOptions(["JSON 'auto' NULL AS 'no such text'"]);
      const rewriter = openRewriter({ options, columns });
      const places = [0, ...cuts.sort((a, b) => a - b), file.length];
      let text = "";
      for (let i = 1; i < places.length; i++) {
        const piece = file.subarray(places[i - 1], Math.max(places[i - 1] ?? 0, places[i] ?? 0));
        text += new TextDecoder().decode(rewriter.push(piece));
      }
      text += new TextDecoder().decode(rewriter.finish());
      const rows = readCopyText(new TextEncoder().encode(text), "\t");
      const wanted = objects.map((one) =>
        names.map((name) => {
          const value = (one as Record<string, unknown>)[name];
          // What is nested stands as it was written, white space and all.
          return typeof value === "object" && value !== null && indent ? "nested" : expected(value);
        })
      );
      const got = indent
        ? rows.map((row, i) => row.map((one, j) => wanted[i]?.[j] === "nested" ? "nested" : one))
        : rows;
      assert.deepEqual(got, wanted);
    },
  ));
});
