import { Exit } from "../lib/core/exit.ts";
import { envOf } from "../lib/core/options.ts";
import type { Command } from "./command.ts";
import type { CommandEntry } from "./mod.ts";

/** What the help of sluice as a whole ends in. */
export const generalHelp: Pick<Command, "name" | "exits" | "examples"> = {
  name: "COMMAND",
  exits: {
    ok: "done, or stopped as asked",
    failed: "failed, for a reason that the line on standard error tells",
    usage: "an option, a variable or the configuration file is wrong",
    partial: "a part was done and another was not",
    unreachable: "a server cannot be reached",
    denied: "a server or this machine refuses user, password or rights",
    corrupt: "data is damaged or cut",
    interrupted: "stopped by a signal before everything was done",
  },
  examples: [
    "sluice forward-syslog --help",
    "sluice forward-syslog --kafka kafka-1:9092 --topic syslog",
    "sluice baldr cat archive.baldr.gz | head",
  ],
};

/** What the help of a command ends in, for people and for scripts. */
export function helpTail(
  { name, exits, examples }: Pick<Command, "name" | "exits" | "examples">,
): string {
  return [
    "",
    `Every option can also be given in the environment: ${envOf(name, "OPTION")}.`,
    "",
    "EXIT STATUS",
    ...Object.entries(exits).map(([kind, meaning]) =>
      `  ${String(Exit[kind as keyof typeof Exit]).padEnd(4)} ${meaning}`
    ),
    "",
    "EXAMPLES",
    ...examples.map((example) => `  ${example}`),
  ].join("\n");
}

/** Commander's own complaint as one line: `unknown option '--topc'; did you mean --topic?` */
export function complaintLine(
  complaint: string,
  args: readonly string[],
  command: Command | undefined,
  table: readonly CommandEntry[],
): string {
  const branch = table.filter(({ name }) => name.startsWith(`${args[0]} `));
  const known = command?.name ?? (branch.length > 0 ? args[0] : undefined);
  const help = `see sluice ${known ? `${known} ` : ""}--help`;
  // Without a command commander prints the help.
  if (!complaint.startsWith("error: ")) {
    const words = branch.map(({ name }) => name.split(" ")[1]);
    const choice = words.length > 0 ? `; give one of ${words.join(", ")}` : "";
    return `no command is given${choice}; ${help}`;
  }
  const said = (complaint.split("\n")[0] ?? "").replace(/^error: /, "").replace(/\.$/, "")
    // What follows an equals sign may be a secret.
    .replace(/^(unknown option '[^'=]*)=.*'$/s, "$1'");
  const hint = /Did you mean (.*)\?\)/.exec(complaint)?.[1];
  return `${said}; ${hint ? `did you mean ${hint}?` : help}`;
}
