// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * Everything that has to hold, in order: the gate, the program as one file, the tests against real
 * servers, the kills and cuts. Ends with the line `N passed, N failed`.
 */
import { runGate } from "./ok.ts";
import { runDeno, type Tally, tallyOf, testFiles } from "./stages.ts";

interface Stage {
  readonly name: string;
  readonly files: readonly string[];
  readonly limitSeconds: number;
  /** Files that run at once, where they wait more than they work. @default 1 */
  readonly jobs?: number;
}

const stages: readonly Stage[] = [
  { name: "one file", files: ["tests/scripts/compile_test.ts"], limitSeconds: 8 * 60 },
  {
    name: "real servers",
    files: await testFiles("tests/live"),
    limitSeconds: 24 * 60,
    jobs: 2,
  },
  {
    name: "kills and cuts",
    files: await testFiles("tests/faults"),
    limitSeconds: 15 * 60,
    jobs: 2,
  },
];

/** All stages together stay below 40 minutes, whatever hangs: each gets what the ones before left. */
const budgetSeconds = 39 * 60;

async function runStage({ name, files, limitSeconds, jobs = 1 }: Stage): Promise<Tally> {
  console.log(`\n== ${name}: ${files.length} ${files.length === 1 ? "file" : "files"}`);
  const leftSeconds = budgetSeconds - performance.now() / 1_000;
  const how = jobs > 1 ? ["--parallel"] : [];
  const result = await runDeno(["test", "-A", ...how, ...files], {
    limitSeconds: Math.max(1, Math.min(limitSeconds, leftSeconds)),
    live: true,
    env: { DENO_JOBS: String(jobs) },
  });
  console.log(`== ${name}: ${result.success ? "ok" : "FAILED"} ${result.seconds.toFixed(0)} s`);
  return tallyOf(result);
}

// Meanwhile; a test that needs one of them earlier waits for it, and tells what went wrong with it.
const fetching = runDeno(["run", "-A", "scripts/fetch_servers.ts"], { limitSeconds: 15 * 60 });
console.log("== gate");
const total = await runGate();
for (const stage of stages) {
  const { passed, failed } = await runStage(stage);
  total.passed += passed;
  total.failed += failed;
}
const fetched = await fetching;
if (!fetched.success) console.error(fetched.output.trimEnd());
console.log(`\n${total.passed} passed, ${total.failed} failed`);
Deno.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
