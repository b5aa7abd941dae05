import { resolve } from "node:path";
import type { CompilePlan } from "./compile_plan.ts";
import { makeStage, type Stage } from "./compile_stage.ts";
import { runDeno, type StageResult } from "./stages.ts";
import { workersOfProgram } from "./workers.ts";

/** How long one step of a build may take, a slow download of the base binary included. */
export const limitSeconds = 300;

/**
 * Builds a program, whose libraries have been fetched and whose types were looked at: the same bytes
 * for the same files and `commit`, wherever they are.
 *
 * @param root the folder of the checkout, ending in a slash; the program goes into its `dist`.
 */
export async function buildProgram(
  plan: CompilePlan,
  commit: string,
  root: string,
): Promise<StageResult> {
  const folder = `${root}dist/stage`;
  try {
    const stage = await makeStage(folder, root, await denoDir(), { commit });
    return await buildOnSomeBase(plan, stage, root);
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

/** Whether a build failed for want of Deno's base binary. */
export function isBaseMissing(output: string): boolean {
  return /Setting up base binary|denort/.test(output);
}

/**
 * Builds on the real base binary (denort) if it can be had, else on this Deno itself, which puts all
 * of the same things together; only starting the result does not work. For another system there is
 * nothing to stand in.
 */
async function buildOnSomeBase(
  plan: CompilePlan,
  stage: Stage,
  root: string,
): Promise<StageResult> {
  const given = Deno.env.get("DENORT_BIN");
  const named = given === undefined ? {} : { DENORT_BIN: resolve(root, given) };
  const result = await build(plan, stage, root, named);
  if (result.success || !isBaseMissing(result.output)) return result;
  if (given !== undefined || plan.target !== undefined) return result;
  return await build(plan, stage, root, { DENORT_BIN: Deno.execPath() });
}

async function build(
  { rights, output, target }: CompilePlan,
  { sources, denoDir }: Stage,
  root: string,
  env: Readonly<Record<string, string>>,
): Promise<StageResult> {
  const args = [
    "compile",
    "--frozen",
    "--no-check", // was done in the checkout, where Deno knows what it has seen before
    ...rights,
    ...target === undefined ? [] : ["--target", target],
    // What only tests use stays out.
    "--exclude-unused-npm",
    ...["dist/build.json", ...await workersOfProgram(root)].flatMap((path) => ["--include", path]),
    ...["--output", root + output],
    "main.ts",
  ];
  return await runDeno(args, { limitSeconds, cwd: sources, env: { DENO_DIR: denoDir, ...env } });
}

/** Where Deno keeps libraries and base binaries on this machine. */
async function denoDir(): Promise<string> {
  const { output } = await runDeno(["info", "--json"], { limitSeconds });
  return (JSON.parse(output) as { readonly denoDir: string }).denoDir;
}
