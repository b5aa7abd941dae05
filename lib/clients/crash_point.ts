/** Tells a process where to crash; see {@linkcode crashPoint}. */
export const crashVariable = "SLUICE_TEST_CRASH_AT";

/** Where to crash: at the so-many-th passing of the point of that name. */
interface Plan {
  readonly name: string;
  left: number;
}

let plan: Plan | null | undefined;

/**
 * A place at which a test lets the process die as if by `kill -9`: nothing is flushed, closed or
 * said. It happens when `SLUICE_TEST_CRASH_AT` is `NAME`, or `NAME:N` at the N-th passing.
 *
 * The compiled program passes by: a process needs the right to run programs in order to kill one,
 * itself included, and the program has it not (scripts/rights.ts). Never asks for a right, never throws.
 */
export function crashPoint(name: string): void {
  if (plan === undefined) plan = readPlan();
  if (plan?.name !== name || --plan.left > 0) return;
  Deno.kill(Deno.pid, "SIGKILL");
}

function readPlan(): Plan | null {
  const isGranted = Deno.permissions.querySync({ name: "run" }).state === "granted" &&
    Deno.permissions.querySync({ name: "env", variable: crashVariable }).state === "granted";
  const [, name, times] = /^(.+?)(?::([1-9]\d{0,8}))?$/.exec(
    isGranted ? Deno.env.get(crashVariable) ?? "" : "",
  ) ?? [];
  return name === undefined ? null : { name, left: Number(times ?? 1) };
}
