import assert from "node:assert/strict";
import { complaintsAbout } from "../../scripts/layers.ts";
import { tallyOf } from "../../scripts/stages.ts";

const cases: [path: string, text: string, complaint: RegExp | null][] = [
  ["lib/core/a.ts", 'import { b } from "../formats/b.ts";', /above/],
  ["lib/forward/a.ts", 'import { b } from "../baldr/b.ts";', /do not know each other/],
  ["lib/forward/a.ts", 'import { b } from "../clients/kafka/link.ts";', /import its door/],
  ["lib/forward/a.ts", 'import { b } from "../clients/kafka/kafka.ts";', null],
  ["lib/forward/a.ts", 'import { z } from "zod";', /only a client/],
  ["lib/clients/a.ts", 'import { z } from "zod";', null],
  ["lib/clients/a.ts", 'import { Kafka } from "kafkajs";', /for tests only/],
  ["commands/a.ts", 'const a = await import("../main.ts");', /above/],
  ["commands/a.ts", "Deno.exit(1);", /only main\.ts/],
  ["main.ts", "Deno.exit(1);", null],
  ["lib/core/a.ts", '// import { b } from "../formats/b.ts";', null],
  ["lib/core/a.ts", "\n".repeat(401), /401 lines/],
  ["lib/core/a.ts", `function long() {\n${"a();\n".repeat(70)}}`, /long has 72 lines/],
];

for (const [path, text, complaint] of cases) {
  const short = text.trim().slice(0, 50).replaceAll("\n", " ");
  Deno.test(`${path} with "${short}" is ${complaint ? "complained about" : "fine"}`, () => {
    const complaints = complaintsAbout(path, text);
    if (complaint === null) return assert.deepEqual(complaints, []);
    assert.equal(complaints.length, 1, complaints.join("\n"));
    assert.match(complaints[0] ?? "", complaint);
  });
}

Deno.test("tallyOf() adds up runs, and counts one failure for a run that ended without a count", () => {
  const output = "ok | 6 passed (2 steps) | 0 failed (1s)\nFAILED | 1 passed | 2 failed (1s)\n";
  assert.deepEqual(tallyOf({ success: false, output }), { passed: 7, failed: 2 });
  assert.deepEqual(tallyOf({ success: false, output: "killed" }), { passed: 0, failed: 1 });
});
