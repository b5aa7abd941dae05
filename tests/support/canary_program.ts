/**
 * Runs many command lines one after the other within one process, each with its own environment, as
 * main.ts would; a hundred times as fast as a process each. The argument is a file of
 * {@linkcode CanaryCase}s as JSON. What they write stands behind a line `=== LABEL` on both outputs.
 */
import { runCommandLine } from "../../commands/cli.ts";
import { complaintOf } from "../../commands/complaint.ts";
import { Stdout, tell } from "../../lib/clients/stdio.ts";

/** One command line. */
export interface CanaryCase {
  readonly label: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A command that waits for a server that is not there is left alone after so long. */
const patienceMs = 1_500;

async function run({ label, args, env }: CanaryCase): Promise<void> {
  await new Stdout().write(new TextEncoder().encode(`=== ${label}\n`));
  tell(`=== ${label}`);
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve("still at it"), patienceMs);
    });
    tell(`--- ${await Promise.race([runCommandLine(args), late])}`);
  } catch (thrown) {
    tell(complaintOf(thrown));
    // As the log has it at debug level.
    tell(thrown instanceof Error ? thrown.stack ?? "" : "");
  } finally {
    clearTimeout(timer);
    for (const name of Object.keys(env)) Deno.env.delete(name);
  }
}

// What a command that was left alone fails with later is told, too.
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  tell(`late: ${Deno.inspect(event.reason)}`);
});
const cases = JSON.parse(await Deno.readTextFile(Deno.args[0] ?? "")) as CanaryCase[];
for (const one of cases) await run(one);
Deno.exit(0);
