import assert from "node:assert/strict";
import { type Outcome, Report } from "../../lib/replicate/report.ts";
import { Teller } from "../../lib/replicate/teller.ts";
import { VirtualWorld } from "../core/virtual_world.ts";

const copied: Outcome = {
  ...{ name: "t", kind: "table", ms: 1_000, is: "copied", way: "extract" },
  ...{ rows: "5", bytes: "9", notes: [] },
};
const failed: Outcome = {
  ...{ name: "u", kind: "table", ms: 1, is: "failed", reason: "no\u001b[2J", fault: "permanent" },
};

/** What a run of two tables writes, and what it logs. */
function told(place: { readonly isJson: boolean; readonly isDaemon: boolean }) {
  let text = "";
  const world = new VirtualWorld();
  const write = (more: string) => void (text += more);
  const teller = new Teller(world, { ...place, write }, () => 0);
  const report = new Report();
  for (const stage of ["planned", "extracting", "loading"] as const) teller.reached("t", stage);
  for (let i = 0; i < 3; i++) teller.failing("t", "loading", new Error("slow down"));
  for (const one of [copied, failed]) {
    report.add(one);
    teller.ended(one);
  }
  teller.finished(report);
  teller.close();
  const logged = world.lines.map(({ level, message, fields }) =>
    [level, message, ...Object.values(fields)].join(" ")
  );
  return { text, logged };
}

const states = [
  ...["planned", "extracting", "loading"].map((one) => `info Table reached a state t ${one}`),
  "warn A table fails, trying on t loading slow down",
];

Deno.test("Teller logs each state without a terminal, and writes a line for each result", () => {
  const { text, logged } = told({ isJson: false, isDaemon: false });
  assert.deepEqual(logged, states);
  assert.equal(
    text,
    "t: 5 rows by extract in 1.0 s\nu: failed: no\\u001b[2J\n1 copied, 5 rows; 1 failed\n",
  );
});

Deno.test("Teller writes results and their sum as lines of JSON", () => {
  const { text, logged } = told({ isJson: true, isDaemon: false });
  assert.deepEqual(logged, states);
  const [first, second, sum] = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual([first.name, first.status, first.rows], ["t", "copied", "5"]);
  assert.deepEqual([second.status, second.fault], ["failed", "permanent"]);
  assert.deepEqual(sum, {
    ...{ copied: 1, unchanged: 0, skipped: 0, refused: 0, failed: 1, stopped: 0 },
    ...{ rows: "5", bytes: "9" },
  });
});

Deno.test("Teller logs results in a daemon", () => {
  const { text, logged } = told({ isJson: false, isDaemon: true });
  assert.equal(text, "");
  assert.deepEqual(logged.slice(states.length, -1), [
    "info A table was copied t 5 9",
    "error A table failed u no\u001b[2J",
  ]);
  assert.match(logged.at(-1) ?? "", /^info The datasets are compared 1 /);
});
