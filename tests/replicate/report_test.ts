import assert from "node:assert/strict";
import { LiveTable } from "../../lib/replicate/live_table.ts";
import { type Outcome, outcomeJson, outcomeText, Report } from "../../lib/replicate/report.ts";

const base = { name: "t", kind: "table" as const, ms: 1_234 };
const copied: Outcome = {
  ...base,
  ...{ is: "copied", way: "extract", rows: "5", bytes: "9007199254740993", notes: ["n1"] },
};
const failed: Outcome = { ...base, is: "failed", reason: "Cannot x: y", fault: "transient" };

Deno.test("Report counts without losing digits, and tells its exit code", () => {
  const report = new Report();
  assert.equal(report.exit, 0);
  assert.equal(report.summary, "nothing to copy");
  report.add(copied);
  report.add(copied);
  assert.equal(report.bytes, 18014398509481986n);
  report.add(failed);
  report.add({ ...base, is: "refused", reason: "a leak" });
  assert.equal(report.exit, 3);
  assert.equal(report.summary, "2 copied, 10 rows; 1 refused; 1 failed");
  const refused = new Report();
  refused.add(failed);
  refused.add({ ...base, is: "refused", reason: "a leak" });
  assert.equal(refused.exit, 1);
});

Deno.test("outcomeText() and outcomeJson() tell all there is", () => {
  assert.equal(outcomeText(copied), "t: 5 rows by extract in 1.2 s\n  n1");
  assert.equal(outcomeText(failed), "t: failed: Cannot x: y");
  assert.deepEqual(outcomeJson(copied), {
    ...{ name: "t", kind: "table", status: "copied", seconds: 1.234, way: "extract", rows: "5" },
    ...{ bytes: "9007199254740993", notes: ["n1"] },
  });
});

Deno.test("LiveTable shows the slowest first, within the terminal's size", () => {
  let nowMs = 0;
  const table = new LiveTable(() => nowMs);
  table.reached("visits_20260101", "extracting");
  nowMs = 5_000;
  for (let i = 0; i < 9; i++) table.reached(`t${i}`, "loading");
  table.failing("t0", "slow down\u001b[2J");
  const lines = table.lines(60, 5, "3 done");
  assert.equal(lines.length, 5);
  assert.match(lines[0] ?? "", /^visits_20260101 {2}extracting +5 s$/);
  assert.match(lines[1] ?? "", /^t0 .*slow down\\u001b/);
  assert.equal(lines[3], "... and 7 more");
  assert.equal(lines[4], "3 done");
  assert.ok(table.lines(30, 5, "x".repeat(99)).every(({ length }) => length <= 30));
  table.reached("t1$20260101", "copying");
  table.ended("t1");
  assert.ok(!table.rows().some(({ name }) => name.startsWith("t1")));
});
