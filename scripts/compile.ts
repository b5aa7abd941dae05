// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * `deno task compile`: builds dist/sluice, one file with the runtime, the program and its libraries,
 * allowed to do what scripts/rights.ts says and no more; then starts it, to see that it lives. Built
 * for a command, for hosts and for folders it may do even less: see scripts/compile_plan.ts.
 */
import { fileURLToPath } from "node:url";
import { sourceCommit, version } from "../lib/core/version.ts";
import { buildProgram, isBaseMissing, limitSeconds } from "./compile_build.ts";
import { type CompilePlan, compilePlanOf, systemOf, usage } from "./compile_plan.ts";
import { tryBinary } from "./smoke.ts";
import { checkout, runDeno, type StageResult } from "./stages.ts";
import { workersOfProgram } from "./workers.ts";

const root = fileURLToPath(checkout);
const dist = `${root}dist`;

/** The commit to write into the program; `-dirty` when the checkout has changes besides it. */
async function commitToBuild(): Promise<string> {
  const commit = sourceCommit(checkout) ?? "unknown";
  const { success, stdout } = await new Deno.Command("git", {
    args: ["status", "--porcelain", "--untracked-files=no"],
    cwd: root,
    stdout: "piped",
    stderr: "null",
  }).output().catch(() => ({ success: false, stdout: new Uint8Array() }));
  return success && stdout.length > 0 ? `${commit}-dirty` : commit;
}

/** Has all libraries fetched that a program for this system needs, and looks for wrong types. */
async function prepare(target: string | undefined): Promise<StageResult> {
  const system = target === undefined ? [] : systemOf(target);
  const fetched = await runDeno(["install", "--frozen", ...system, "--entrypoint", "main.ts"], {
    limitSeconds,
  });
  if (!fetched.success) return fetched;
  return await runDeno(["check", "--frozen", "main.ts", ...await workersOfProgram(root)], {
    limitSeconds,
  });
}

/** Builds, tries and reports; returns the exit code. */
async function compile(plan: CompilePlan): Promise<number> {
  const { output, rights, target } = plan;
  const commit = await commitToBuild();
  await Deno.mkdir(dist, { recursive: true });
  await Deno.remove(root + output).catch(() => {});
  const prepared = await prepare(target);
  const result = prepared.success ? await buildProgram(plan, commit, root) : prepared;
  await removeDrafts();
  if (!result.success) {
    console.error(result.output.trimEnd());
    if (isBaseMissing(result.output)) console.error(`\n${baseAdvice}`);
    console.error("\ncompile: there is no program; see above");
    return 1;
  }
  const { size } = await Deno.stat(root + output);
  const what = `${output}  ${(size / 1e6).toFixed(1)} MB, commit ${commit}`;
  console.log(target === undefined ? what : `${what}, for ${target}`);
  console.log(`it may       ${rights.join(" ")}`);
  if (target !== undefined && target !== Deno.build.target) {
    console.log("tried        not: it is for another system than this");
    return 0;
  }
  return await tryOut(root + output, commit, plan);
}

const baseAdvice =
  "Deno's base binary (denort) could not be fetched. Compile where Deno's downloads can be reached, or " +
  "name one that you have: DENORT_BIN=/path/to/denort deno task compile";

/** Starts what was built; returns the exit code. */
async function tryOut(path: string, commit: string, plan: CompilePlan): Promise<number> {
  // Of what may only do one thing, or only with some hosts, the start alone can be tried.
  const isWhole = [plan.command, ...plan.hosts, ...plan.folders].every((one) => one === undefined);
  const versionLine = `sluice ${version().version} (commit ${commit})`;
  const trial = await tryBinary(path, versionLine, { isWhole });
  if (trial.verdict === "stand-in") {
    console.log(
      "tried        not: Deno's base binary (denort) could not be fetched, so the deno command\n" +
        "             stands in for it. All that belongs in the file is there and type-checked,\n" +
        "             but started it is deno. Compile where Deno's downloads can be reached, or\n" +
        "             name a base that you have: DENORT_BIN=/path/to/denort deno task compile",
    );
    return 0;
  }
  console.log(`tried        ${trial.text}`);
  return trial.verdict === "alive" ? 0 : 1;
}

/** What `deno compile` leaves when it fails. */
async function removeDrafts(): Promise<void> {
  for await (const { name } of Deno.readDir(dist)) {
    if (/^sluice.*\.tmp-/.test(name)) await Deno.remove(`${dist}/${name}`);
  }
}

if (Deno.args.includes("--help")) {
  console.log(usage);
  Deno.exit(0);
}
let plan: CompilePlan;
try {
  plan = compilePlanOf(Deno.args);
} catch (thrown) {
  console.error(`compile: ${(thrown as Error).message}\n\n${usage}`);
  Deno.exit(2);
}
Deno.exit(await compile(plan));
