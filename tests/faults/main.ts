// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * `deno task faults [--kills N] [--seconds N] [NAME]`: the kills and cuts at length. The same files
 * run in CI with fewer rounds; every test prints its counts.
 */
import { parseArgs } from "node:util";
import { runDeno, tallyOf, testFiles } from "../../scripts/stages.ts";

const usage = "Usage: deno task faults [--kills N] [--seconds N] [part of a test file's name]";

function readArguments(): { kills: string; seconds: string; name: string } {
  try {
    const { values, positionals } = parseArgs({
      args: Deno.args,
      options: {
        kills: { type: "string", default: "1000" },
        // How long stores harm and instances come and go, in each test of that kind.
        seconds: { type: "string", default: "300" },
      },
      allowPositionals: true,
    });
    const { kills, seconds } = values;
    if (![kills, seconds].every((one) => /^[1-9]\d{0,5}$/.test(one)) || positionals.length > 1) {
      throw new Error(usage);
    }
    return { kills, seconds, name: positionals[0] ?? "" };
  } catch {
    console.error(usage);
    Deno.exit(2);
  }
}

const { kills, seconds, name } = readArguments();
const files = (await testFiles("tests/faults")).filter((path) => path.includes(name));
if (files.length === 0) {
  console.error(`No test file in tests/faults has "${name}" in its name`);
  Deno.exit(2);
}
// A kill takes two to four seconds with its restart; the rest is for what happens besides.
const limitSeconds = 1_800 + Number(kills) * 10 + Number(seconds) * 6;
const result = await runDeno(["test", "-A", ...files], {
  limitSeconds,
  live: true,
  env: { SLUICE_TEST_KILLS: kills, SLUICE_TEST_SECONDS: seconds },
});
const { passed, failed } = tallyOf(result);
console.log(`\n${passed} passed, ${failed} failed`);
Deno.exit(failed > 0 || passed === 0 ? 1 : 0);
