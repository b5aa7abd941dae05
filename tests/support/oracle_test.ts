import assert from "node:assert/strict";
import { numberedKey, numberedLine, numberedLines } from "./numbered_lines.ts";
import { compareLines, type Comparison, describeComparison } from "./oracle.ts";

const lines = [...numberedLines(6, "a")];
const [one = "", two = "", three = "", four = "", five = "", six = ""] = lines;
const clean: Comparison = {
  sent: 6,
  received: 6,
  lost: [],
  foreign: [],
  altered: [],
  duplicates: 0,
  orderBreaks: 0,
};

Deno.test("numberedLine() gives 164 bytes that no other line has", () => {
  const all = new Set<string>();
  for (const source of ["a", "host", "a-much-longer-host.example.com"]) {
    for (const n of [1, 2, 10, 999_999, 1_000_000]) {
      const line = numberedLine(n, source);
      assert.equal(new TextEncoder().encode(line).length, 164);
      assert.equal(numberedKey(line), `${String(n).padStart(6, "0")} of ${source}`);
      all.add(line);
    }
  }
  assert.equal(all.size, 15);
});

Deno.test("compareLines() finds nothing when everything arrived once and in order", () => {
  assert.deepEqual(compareLines(lines, lines), clean);
});

Deno.test("compareLines() sees each kind of harm, and only that", () => {
  const changed = three.replace("abc", "abd");
  const cases: [string, string[], Partial<Comparison>][] = [
    ["a lost line", [one, two, four, five, six], { received: 5, lost: [three] }],
    ["all lost", [], { received: 0, lost: lines }],
    ["a foreign line", [...lines, "x"], { received: 7, foreign: ["x"] }],
    ["a foreign number", [...lines, numberedLine(7, "a")], {
      received: 7,
      foreign: [numberedLine(7, "a")],
    }],
    ["an altered line", [one, two, changed, four, five, six], { altered: [changed] }],
    ["a cut line", [one, two, three.slice(0, 99), four, five, six], {
      altered: [three.slice(0, 99)],
    }],
    ["a duplicate", [one, two, two, ...lines.slice(2)], { received: 7, duplicates: 1 }],
    ["a repeated run", [...lines.slice(0, 4), two, three, four, five, six], {
      received: 9,
      duplicates: 3,
    }],
    ["two exchanged", [one, three, two, four, five, six], { orderBreaks: 1 }],
    ["a late line", [two, three, four, five, six, one], { orderBreaks: 1 }],
  ];
  for (const [name, received, harm] of cases) {
    assert.deepEqual(compareLines(lines, received), { ...clean, ...harm }, name);
  }
});

Deno.test("compareLines() keeps the order of each source in each partition apart", () => {
  const other = [...numberedLines(6, "b")];
  const mixed = [...other, ...lines];
  assert.equal(compareLines([...lines, ...other], mixed).orderBreaks, 0);
  const spread = [two, one, four, three].map((line, i) => ({ line, partition: i % 2 }));
  assert.equal(compareLines([one, two, three, four], spread).orderBreaks, 0);
  const crossed = [three, one, four, two].map((line, i) => ({ line, partition: i % 2 }));
  assert.equal(compareLines([one, two, three, four], crossed).orderBreaks, 0);
  const broken = [three, one, two].map((line) => ({ line, partition: 0 }));
  assert.equal(compareLines([one, two, three], broken).orderBreaks, 2);
});

Deno.test("compareLines() counts a line sent twice and received twice as no duplicate", () => {
  const twice = compareLines(["x", "x", "y"], ["x", "x", "y"]);
  assert.deepEqual(twice, { ...clean, sent: 3, received: 3 });
  assert.equal(compareLines(["x", "x", "y"], ["x", "x", "x", "y"]).duplicates, 1);
});

Deno.test("describeComparison() names an example of what is wrong", () => {
  assert.equal(
    describeComparison(compareLines(["x", "y"], ["x", "z"])),
    '2 sent, 2 received, 1 lost (such as "y"), 1 foreign (such as "z"), 0 altered, ' +
      "0 duplicates, 0 order breaks",
  );
});
