// deno-lint-ignore-file no-console -- the one place that speaks of failures to a person
import { runCommandLine } from "./commands/cli.ts";
import { complaintOf } from "./commands/complaint.ts";
import { commands } from "./commands/mod.ts";
import { dropRights } from "./commands/rights.ts";
import { exitCodeOf } from "./lib/core/exit.ts";

try {
  Deno.exit(await runCommandLine(Deno.args, commands, dropRights));
} catch (thrown) {
  console.error(complaintOf(thrown));
  Deno.exit(exitCodeOf(thrown));
}
