import assert from "node:assert/strict";
import { parseEdn } from "../../lib/clients/edn.ts";

const read: [name: string, text: string, value: unknown][] = [
  ["a map of keywords", '{:table "a.b", :n 3}', { table: "a.b", n: 3 }],
  ["a map of strings", '{"table" "a"}', { table: "a" }],
  ["a keyword as its name", "{:strategy :merge}", { strategy: "merge" }],
  ["vectors, lists and sets", "[[1 2] (3) #{4}]", [[1, 2], [3], [4]]],
  ["nil, true and a fraction", "[nil true 1.5]", [null, true, 1.5]],
  ["maps in maps", "{:a {:b {:c 1}}}", { a: { b: { c: 1 } } }],
  ["comments with brackets", "; a }\n{:a 1 ; ]\n}", { a: 1 }],
  ["brackets and quotes in strings", '{:a "{\\"(" :b "]"}', { a: '{"(', b: "]" }],
  ["escapes", '"a\\tb\\\\N\\u00e9"', "a\tb\\Né"],
  ["a string over lines", '"a\nb"', "a\nb"],
  ["the first of two values", "{:a 1} {:b 2}", { a: 1 }],
  ["commas as white space", "{:a 1,:b 2,}", { a: 1, b: 2 }],
  ["a set as a value", "{:a #{1 2}}", { a: [1, 2] }],
  ["nothing in a map", "{}", {}],
];

for (const [name, text, value] of read) {
  Deno.test(`parseEdn() reads ${name}`, () => assert.deepEqual(parseEdn(text), value));
}

const refused: [name: string, text: string, detail: RegExp][] = [
  ["a map that is cut", '{:a 1\n :b "x"', /^line 1: "\{" is not closed/],
  ["a vector that is cut", "{:a 1\n :b [1", /^line 2: "\[" is not closed/],
  ["brackets that cross", "{:a\n[1 2}", /^line 2: "}" closes nothing/],
  ["a string without end", '{:a\n"x}', /^line 2: a string does not end/],
  ["a key without value", "{:a 1\n:b}", /^line 2: a key of the map has no value/],
  ["a key without value inside", "{:a {:b}}", /a key of the map has no value/],
  ["a key twice", "{:a 1 :a 2}", /^:a stands twice/],
  ["nothing", " ; only a comment\n", /there is nothing in it/],
  ["a tag", "{:a #foo/bar [1]}", /a tagged value is not/],
  ["a character", "{:a \n\\(}", /^line 2: a character is not understood/],
  ["a discarded value", "{:a #_1 2}", /"#_" is not understood/],
  ["a number as a key", "{1 2}", /a key of a map is no keyword/],
  ["an unknown escape", '"\\q"', /escape/],
  ["a bracket alone", "]", /"]" closes nothing/],
];

for (const [name, text, detail] of refused) {
  Deno.test(`parseEdn() refuses ${name}`, () => {
    assert.throws(() => parseEdn(text), { fault: "usage", detail });
  });
}

Deno.test("parseEdn() never takes the beginning of a map for the whole", () => {
  const text = '{:table "t" :columns ["a" "b"] :x {:y #{1}} :z (1 2)}';
  for (let end = 0; end < text.length; end++) {
    assert.throws(() => parseEdn(text.slice(0, end)), { fault: "usage" }, text.slice(0, end));
  }
});
