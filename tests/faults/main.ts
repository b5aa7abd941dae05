// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * `deno task faults [--kills N] [NAME]`: the kills and cuts at length. The same files run in CI with
 * fewer rounds; every test prints its counts.
 */
import { parseArgs } from "node:util";
import { runDeno, tallyOf, testFiles } from "../../scripts/stages.ts";

const usage = "Usage: deno task faults [--kills N] [part of a test file's name]";

function readArguments(): { kills: string; name: string } {
  try {
    const { values, positionals } = parseArgs({
      args: Deno.args,
      options: { kills: { type: "string", default: "1000" } },
      allowPositionals: true,
    });
    if (!/^[1-9]\d{0,5}$/.test(values.kills) || positionals.length > 1) throw new Error(usage);
    return { kills: values.kills, name: positionals[0] ?? "" };
  } catch {
    console.error(usage);
    Deno.exit(2);
  }
}

const { kills, name } = readArguments();
const files = (await testFiles("tests/faults")).filter((path) => path.includes(name));
if (files.length === 0) {
  console.error(`No test file in tests/faults has "${name}" in its name`);
  Deno.exit(2);
}
// A kill takes about two seconds with its restart; the rest is for what happens besides.
const limitSeconds = 1_800 + Number(kills) * 10;
const result = await runDeno(["test", "-A", ...files], {
  limitSeconds,
  live: true,
  env: { SLUICE_TEST_KILLS: kills },
});
const { passed, failed } = tallyOf(result);
console.log(`\n${passed} passed, ${failed} failed`);
Deno.exit(failed > 0 || passed === 0 ? 1 : 0);
