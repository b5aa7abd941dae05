import assert from "node:assert/strict";
import { programRights } from "../../scripts/rights.ts";

const all = ["--allow-env", "--allow-run"];

/** What a process says that passes the points a, b, a, b, a. */
async function passing(crashAt: string | null, rights: readonly string[] = all) {
  const module = new URL("../../lib/clients/crash_point.ts", import.meta.url);
  const program = `
    import { crashPoint } from ${JSON.stringify(module.href)};
    import { writeSync } from "node:fs";
    const say = (word) => writeSync(1, new TextEncoder().encode(word + " "));
    for (const name of ["a", "b", "a", "b", "a"]) {
      crashPoint(name);
      say(name);
    }
    say("end");`;
  const { code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...rights, `data:text/javascript,${encodeURIComponent(program)}`],
    env: crashAt === null ? {} : { SLUICE_TEST_CRASH_AT: crashAt },
    signal: AbortSignal.timeout(60_000),
  }).output();
  const decoder = new TextDecoder();
  return { code, signal, said: decoder.decode(stdout).trim(), complaint: decoder.decode(stderr) };
}

const cases: [crashAt: string | null, said: string][] = [
  [null, "a b a b a end"],
  ["", "a b a b a end"],
  ["c", "a b a b a end"],
  ["a", ""],
  ["b", "a"],
  ["a:1", ""],
  ["a:3", "a b a b"],
  ["b:2", "a b a"],
  ["b:3", "a b a b a end"],
  ["a:0", "a b a b a end"], // a point with this name is passed by nobody
  [":", "a b a b a end"],
];

for (const [crashAt, said] of cases) {
  const dies = !said.endsWith("end");
  Deno.test(`A process with the crash point ${JSON.stringify(crashAt)} says "${said}"`, async () => {
    const result = await passing(crashAt);
    assert.equal(result.said, said, result.complaint);
    assert.equal(result.signal, dies ? "SIGKILL" : null);
    assert.equal(result.code, dies ? 137 : 0);
  });
}

for (
  const [what, rights] of [
    ["the compiled program's rights", programRights],
    ["no rights", []],
    ["the right to environment variables alone", ["--allow-env"]],
    ["the right to run programs alone", ["--allow-run"]],
    ["the right to other variables", ["--allow-run", "--allow-env=HOME"]],
  ] as const
) {
  Deno.test(`A process with ${what} passes every crash point`, async () => {
    const result = await passing("a", rights);
    assert.equal(result.said, "a b a b a end", result.complaint);
    assert.equal(result.code, 0);
    assert.equal(result.complaint, "");
  });
}

Deno.test("The compiled program may not run programs, so no variable can make it crash", () => {
  assert.ok(programRights.includes("--deny-run"));
  assert.ok(!programRights.some((right) => /^(-A|--allow-(all|run))\b/.test(right)));
});
