import assert from "node:assert/strict";
import type { Entry } from "../../../lib/clients/reporters/report.ts";
import { linesOf, type StatsdForm } from "../../../lib/clients/reporters/statsd_lines.ts";
import { entry, recent, report } from "./reports.ts";

const plain: StatsdForm = { prefix: "sluice.", withTags: false, tags: ["ignored"] };
const dog: StatsdForm = { prefix: "s.", withTags: true, tags: ["production", "team=data"] };

const cases: [what: string, given: Partial<Entry>, plain: string[], dog: string[]][] = [
  [
    "a gauge",
    { name: "held_bytes", value: 12.5 },
    ["sluice.held_bytes:12.5|g"],
    ["s.held_bytes:12.5|g|#production,team:data"],
  ],
  [
    "a gauge below 0, which plain statsd would take for a difference",
    { value: -3 },
    ["sluice.n:0|g", "sluice.n:-3|g"],
    ["s.n:-3|g|#production,team:data"],
  ],
  [
    "a counter, by its growth",
    { kind: "counter", value: 100, grown: 7 },
    ["sluice.n:7|c"],
    ["s.n:7|c|#production,team:data"],
  ],
  ["a counter that has not grown", { kind: "counter", value: 100 }, [], []],
  [
    "labels",
    { labels: { topic: "a.b", partition: "3" }, value: 1 },
    ["sluice.n.a_b.3:1|g"],
    ["s.n:1|g|#production,team:data,topic:a.b,partition:3"],
  ],
  [
    "labels that would end a tag, a line or a name",
    { labels: { topic: "a:b|c,d\n#e@f é" }, value: 1 },
    ["sluice.n.a_b_c_d__e_f__:1|g"],
    ["s.n:1|g|#production,team:data,topic:a:b_c_d__e_f_é"],
  ],
  ["an empty label", { labels: { topic: "" }, value: 1 }, ["sluice.n._:1|g"], [
    "s.n:1|g|#production,team:data,topic:",
  ]],
  ["numbers without an exponent", { value: 2.5e-7 }, ["sluice.n:0.000000250000|g"], [
    "s.n:0.000000250000|g|#production,team:data",
  ]],
  ["huge numbers", { value: 1e21 }, ["sluice.n:1000000000000000000000|g"], [
    "s.n:1000000000000000000000|g|#production,team:data",
  ]],
  ["what is no number", { value: NaN }, [], []],
  ["what has no end", { value: Infinity }, [], []],
];

for (const [what, given, wantedPlain, wantedDog] of cases) {
  Deno.test(`statsd is told of ${what}`, () => {
    assert.deepEqual([...linesOf(report([entry(given)]), plain)], wantedPlain);
    assert.deepEqual([...linesOf(report([entry(given)]), dog)], wantedDog);
  });
}

Deno.test("statsd is told of a timer: how many, and gauges of the last of them", () => {
  const timer = entry({ kind: "timer", name: "put_seconds", value: 9, grown: 3, recent });
  assert.deepEqual([...linesOf(report([timer]), plain)], [
    "sluice.put_seconds.count:3|c",
    "sluice.put_seconds.mean:0.25|g",
    "sluice.put_seconds.p50:0.2|g",
    "sluice.put_seconds.p75:0.3|g",
    "sluice.put_seconds.p95:0.4|g",
    "sluice.put_seconds.p99:0.45|g",
    "sluice.put_seconds.max:0.5|g",
  ]);
  const quiet = entry({ kind: "timer", name: "put_seconds", value: 9 });
  assert.deepEqual([...linesOf(report([quiet]), plain)], []);
});

Deno.test("without tags and labels DogStatsD gets no empty list of tags", () => {
  const bare = { ...dog, tags: [] };
  assert.deepEqual([...linesOf(report([entry({ value: 1 })]), bare)], ["s.n:1|g"]);
});
