// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * `deno task compile`: builds dist/sluice, one file with the runtime, the program and its libraries,
 * allowed to do what scripts/rights.ts says and no more; then starts it, to see that it lives. Built
 * for a command, for hosts and for folders it may do even less: see scripts/compile_plan.ts.
 */
import { fileURLToPath } from "node:url";
import { sourceCommit, version } from "../lib/core/version.ts";
import { type CompilePlan, compilePlanOf, usage } from "./compile_plan.ts";
import { tryBinary } from "./smoke.ts";
import { checkout, runDeno, type StageResult } from "./stages.ts";
import { workersOfProgram } from "./workers.ts";

const root = fileURLToPath(checkout);
const dist = `${root}dist`;

/** How long one build may take, a slow download of the base binary included. */
const limitSeconds = 300;

/**
 * Parts of packages that must stay out. This one is a list of numbers without an ending in its name:
 * `deno compile` 2.9 takes it for a script of one enormous sum, and overflows its stack over it
 * (denoland/deno#36746 has the same symptom).
 */
const leftOut = ["bintrees/1.0.2/test"];

/**
 * What PGlite brings besides its engine: extensions, the same code for other runtimes, and maps. It
 * is twelve of its 25 MB.
 */
const engineFolder = "@electric-sql/pglite";
const notTheEngine = /\.(tar\.gz|map|cjs|cts|d\.ts)$/;

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

/** The folders of Deno's cache that hold what must stay out, whatever registry it came from. */
async function pathsLeftOut(): Promise<string[]> {
  const { npmCache } = JSON.parse((await run(["info", "--json"])).output) as { npmCache: string };
  const paths: string[] = [];
  for (const { name } of await Array.fromAsync(Deno.readDir(npmCache))) {
    for (const part of leftOut) {
      const path = `${npmCache}/${name}/${part}`;
      if (await Deno.stat(path).catch(() => undefined)) paths.push(path);
    }
    paths.push(...(await filesBelow(`${npmCache}/${name}/${engineFolder}`))
      .filter((path) => notTheEngine.test(path)));
  }
  return paths;
}

/** All files below a folder; none when it is not there. */
async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const { name, isDirectory } of await Array.fromAsync(Deno.readDir(folder)).catch(() => [])) {
    const path = `${folder}/${name}`;
    files.push(...(isDirectory ? await filesBelow(path) : [path]));
  }
  return files;
}

async function run(args: readonly string[], env: Record<string, string> = {}) {
  return await runDeno(args, { limitSeconds, env });
}

async function build(
  { rights, output, target }: CompilePlan,
  except: readonly string[],
  env: Record<string, string> = {},
) {
  return await run([
    "compile",
    "--frozen",
    ...rights,
    ...target === undefined ? [] : ["--target", target],
    // What only tests use stays out.
    "--exclude-unused-npm",
    ...except.flatMap((path) => ["--exclude", path]),
    ...["dist/build.json", ...await workersOfProgram(root)].flatMap((path) => ["--include", path]),
    ...["--output", output],
    "main.ts",
  ], env);
}

/**
 * Builds on the real base binary (denort) if it can be had, else on this Deno itself, which puts all
 * of the same things together; only starting the result does not work. For another system there is
 * nothing to stand in.
 */
async function buildOnSomeBase(
  plan: CompilePlan,
  except: readonly string[],
): Promise<StageResult> {
  const result = await build(plan, except);
  if (result.success || !isBaseMissing(result.output)) return result;
  if (Deno.env.has("DENORT_BIN") || plan.target !== undefined) return result;
  return await build(plan, except, { DENORT_BIN: Deno.execPath() });
}

function isBaseMissing(output: string): boolean {
  return /Setting up base binary|denort/.test(output);
}

/** Builds, tries and reports; returns the exit code. */
async function compile(plan: CompilePlan): Promise<number> {
  const { output, rights, target } = plan;
  const commit = await commitToBuild();
  await Deno.mkdir(dist, { recursive: true });
  await Deno.remove(root + output).catch(() => {});
  await Deno.writeTextFile(`${dist}/build.json`, JSON.stringify({ commit }));
  // Its time is laid in as well, and would be all that differs in a second build of the same files.
  await Deno.utime(`${dist}/build.json`, 0, 0);
  // Into the cache first: what is not there cannot be left out.
  const fetched = await run(["install", "--frozen", "--entrypoint", "main.ts"]);
  const result = fetched.success ? await buildOnSomeBase(plan, await pathsLeftOut()) : fetched;
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
