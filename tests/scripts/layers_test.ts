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
  ["lib/clients/a.ts", 'import { chromium } from "playwright-core";', /for tests only/],
  ["commands/a.ts", 'const a = await import("../main.ts");', /above/],
  ["lib/forward/a.ts", 'new URL("../clients/deflate/b.ts", import.meta.url);', /import its door/],
  ["lib/clients/deflate/deflate.ts", 'new URL("./b.ts", import.meta.url);', null],
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

Deno.test("check_layers.ts exits 1 with its complaints, and 0 when there are none", async () => {
  const folder = await Deno.makeTempDir({ prefix: "sluice-layers-" });
  await Deno.mkdir(`${folder}/lib/core`, { recursive: true });
  const check = async (text: string) => {
    await Deno.writeTextFile(`${folder}/lib/core/a.ts`, text);
    const script = new URL("../../scripts/check_layers.ts", import.meta.url);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", script.href, folder],
    }).output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  };
  const upward = await check('import { b } from "../formats/b.ts";\n');
  assert.equal(upward.code, 1);
  assert.match(upward.stderr, /^lib\/core\/a\.ts:1: \.\.\/formats\/b\.ts is above/m);
  assert.deepEqual(await check("export const a = 1;\n"), { code: 0, stderr: "" });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("tallyOf() reads coloured results, and those of many steps", () => {
  const output = "\x1b[0m\x1b[32mok\x1b[0m | 3 passed (41 steps) | 0 failed | 1 ignored (2m3s)\n";
  assert.deepEqual(tallyOf({ success: true, output }), { passed: 3, failed: 0 });
});

Deno.test("tallyOf() counts a failure where none is claimed", () => {
  const output = "ok | 3 passed | 0 failed (1s)\nerror: a module could not be loaded\n";
  assert.deepEqual(tallyOf({ success: false, output }), { passed: 3, failed: 1 });
});
