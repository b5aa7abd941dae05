import assert from "node:assert/strict";
import fc from "fast-check";
import type { TableEntry } from "../../lib/clients/bigquery/bigquery.ts";
import { compareListings, wholeNamePattern } from "../../lib/replicate/table_choice.ts";

function entries(...names: string[]): TableEntry[] {
  return names.map((tableId) => ({ tableId, type: "TABLE" }));
}

function there(...names: string[]): ReadonlyMap<string, TableEntry> {
  return new Map(entries(...names).map((entry) => [entry.tableId, entry]));
}

/** As the predecessor: both datasets filtered, source without destination, sorted, reversed, N taken. */
const cases: readonly {
  readonly source: readonly string[];
  readonly destination?: readonly string[];
  readonly filter?: string;
  readonly number?: number;
  readonly chosen: readonly string[];
}[] = [
  { source: [], chosen: [] },
  { source: ["a"], destination: ["a"], chosen: [] },
  {
    source: ["d_20160711", "d_20160713", "d_20160712"],
    chosen: ["d_20160713", "d_20160712", "d_20160711"],
  },
  { source: ["d_1", "d_2", "d_3"], number: 2, chosen: ["d_3", "d_2"] },
  { source: ["d_1", "d_2", "d_3"], destination: ["d_3"], number: 1, chosen: ["d_2"] },
  // More than the default of 7.
  {
    source: ["1", "2", "3", "4", "5", "6", "7", "8", "9"],
    chosen: ["9", "8", "7", "6", "5", "4", "3"],
  },
  // By code units, not by number or alphabet.
  { source: ["t2", "t10", "t1"], chosen: ["t2", "t10", "t1"] },
  { source: ["a", "B", "_c", "é"], chosen: ["é", "a", "_c", "B"] },
  // The whole name has to match.
  { source: ["visits", "visits_old", "my_visits"], filter: "visits", chosen: ["visits"] },
  { source: ["visits_1", "visits_2", "x"], filter: "visits_\\d", chosen: ["visits_2", "visits_1"] },
  { source: ["ab", "b", "cb"], filter: "a|b", chosen: ["b"] },
  { source: ["Visits", "visits"], filter: "visits", chosen: ["visits"] },
  { source: ["Visits", "visits"], filter: "(?i)visits", chosen: ["visits", "Visits"] },
  { source: ["a"], filter: "", chosen: [] },
  // What is in the destination alone is nobody's business.
  { source: ["a"], destination: ["b"], chosen: ["a"] },
];

for (const { source, destination = [], filter = ".*", number = 7, chosen } of cases) {
  const what = `${source.join(" ")} without ${destination.join(" ")}, /${filter}/, ${number}`;
  Deno.test(`replicate chooses as its predecessor: ${what}`, () => {
    const pattern = wholeNamePattern(filter);
    const { wanted } = compareListings(
      entries(...source),
      there(...destination),
      pattern,
      "missing",
    );
    assert.deepEqual(wanted.slice(0, number).map(({ tableId }) => tableId), chosen);
  });
}

Deno.test("compareListings() takes a copy that was begun and not finished for missing", () => {
  const destination = new Map(
    ["loaded", "wrong", "made", "other"].map((state) => [
      state,
      { tableId: state, type: "TABLE", labels: { sluice_state: state } },
    ]),
  );
  const sources = entries("loaded", "wrong", "made", "other");
  const { wanted, present } = compareListings(sources, destination, /.*/, "missing");
  assert.deepEqual(wanted.map(({ tableId }) => tableId), ["wrong", "made", "loaded"]);
  assert.deepEqual(present.map(({ tableId }) => tableId), ["other"]);
});

Deno.test("compareListings() names what is left out, and takes views apart", () => {
  const sources = ["EXTERNAL", "SNAPSHOT", "VIEW", "MATERIALIZED_VIEW", "CLONE", "ODD"]
    .map((type) => ({ tableId: type.toLowerCase(), type }));
  const { wanted, views, skipped } = compareListings(sources, new Map(), /.*/, "missing");
  assert.deepEqual(wanted.map(({ tableId }) => tableId), ["clone"]);
  assert.deepEqual(views.map(({ tableId }) => tableId), ["view", "materialized_view"]);
  assert.deepEqual(skipped.map(({ tableId }) => tableId), ["snapshot", "odd", "external"]);
  assert.match(skipped[1]?.reason ?? "", /type ODD, which is not known/);
});

Deno.test("compareListings() leaves tables alone that sluice puts together", () => {
  const { wanted } = compareListings(entries("sluice_tmp_1", "t"), new Map(), /.*/, "all");
  assert.deepEqual(wanted.map(({ tableId }) => tableId), ["t"]);
});

Deno.test("wholeNamePattern() matches as a full match does, whatever is around the name", () => {
  fc.assert(fc.property(fc.stringMatching(/^[a-z0-9_]{1,8}$/), fc.string(), (name, more) => {
    const pattern = wholeNamePattern(name);
    assert.ok(pattern.test(name));
    assert.equal(pattern.test(name + more), more === "");
    assert.equal(pattern.test(more + name), more === "");
  }));
});
