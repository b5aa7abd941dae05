// deno-lint-ignore-file no-console -- the one place that speaks of failures to a person
import { runCommandLine } from "./commands/cli.ts";
import { reasonOf } from "./lib/core/errors.ts";
import { exitCodeOf } from "./lib/core/exit.ts";

/** The text of a failure on stderr: one line, and the stack trace only for those who debug. */
function complain(thrown: unknown): void {
  console.error(`sluice: ${reasonOf(thrown)}`);
  const levels = [...Deno.args, ...Object.values(Deno.env.toObject())];
  if (levels.includes("debug") || levels.includes("--log-level=debug")) console.error(thrown);
}

try {
  Deno.exit(await runCommandLine(Deno.args));
} catch (thrown) {
  complain(thrown);
  Deno.exit(exitCodeOf(thrown));
}
