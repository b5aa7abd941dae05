// deno-lint-ignore-file no-console -- the one place that speaks of failures to a person
import { runCommandLine } from "./commands/cli.ts";
import { reasonOf } from "./lib/core/errors.ts";
import { exitCodeOf } from "./lib/core/exit.ts";
import { visible } from "./lib/core/visible.ts";

/** The text of a failure on stderr: one line. The stack trace is in the log, for those who debug. */
function complain(thrown: unknown): void {
  console.error(`sluice: ${visible(reasonOf(thrown).replace(/\s*\n\s*/g, " "))}`);
}

try {
  Deno.exit(await runCommandLine(Deno.args));
} catch (thrown) {
  complain(thrown);
  Deno.exit(exitCodeOf(thrown));
}
