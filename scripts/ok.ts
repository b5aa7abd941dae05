// deno-lint-ignore-file no-console -- a script speaks to a person
/** The gate, `deno task ok`: format, lint, types, layers, README, unit tests. Stops at the first failure. */
import { runDeno, type Tally, tallyOf, testFiles } from "./stages.ts";

interface Stage {
  readonly name: string;
  readonly args: readonly string[];
}

/** Everything in tests/ that needs no server and does not build the program. */
export async function unitTests(): Promise<string[]> {
  return await testFiles("tests", ["tests/live", "tests/faults", "tests/scripts/compile_test.ts"]);
}

async function stages(): Promise<Stage[]> {
  return [
    { name: "format", args: ["fmt", "--check"] },
    { name: "lint", args: ["lint"] },
    { name: "types", args: ["check", "main.ts", "commands", "lib", "scripts", "bench", "tests"] },
    { name: "layers", args: ["run", "-A", "scripts/check_layers.ts"] },
    { name: "README", args: ["run", "-A", "scripts/readme_options.ts"] },
    { name: "unit tests", args: ["test", "-A", "--parallel", ...await unitTests()] },
  ];
}

/** Runs the gate; gives the tally of its tests, where any other failed stage counts as one failure. */
export async function runGate(): Promise<Tally> {
  let passed = 0;
  for (const { name, args } of await stages()) {
    const result = await runDeno(args, { limitSeconds: name === "unit tests" ? 480 : 180 });
    const tally = tallyOf(result);
    const counts = name === "unit tests" ? `${tally.passed} passed, ${tally.failed} failed` : "";
    const verdict = result.success ? "ok" : "FAILED";
    console.log(
      `${name.padEnd(12)} ${verdict.padEnd(6)} ${result.seconds.toFixed(1)} s  ${counts}`,
    );
    passed += tally.passed;
    if (result.success) continue;
    console.log(result.output);
    return { passed, failed: tally.failed };
  }
  return { passed, failed: 0 };
}

if (import.meta.main) {
  const { failed } = await runGate();
  Deno.exit(failed === 0 ? 0 : 1);
}
