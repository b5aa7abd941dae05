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

/** No line of a help is longer, however wide the terminal. */
export const helpColumns = 80;

/** The longest option or command whose explanation still begins beside it. */
const termColumns = 22;

/** The texts of a list in the help, one below the other, beside what they explain or below it. */
export function helpItem(term: string, columns: number, explanation: readonly string[]): string {
  const margin = " ".repeat(columns + 4);
  if (term.length > columns) {
    return [`  ${term}`, ...explanation.map((line) => margin + line)].join("\n");
  }
  const [first = "", ...rest] = explanation;
  const beside = `  ${term.padEnd(columns)}  ${first}`.trimEnd();
  return [beside, ...rest.map((line) => margin + line)].join("\n");
}

/** How wide the column of options or commands is, the longest of which is `longest`. */
export function helpTermColumns(longest: number): number {
  return Math.min(longest, termColumns);
}

/** What the help of a command ends in, for people and for scripts. */
export function helpTail(
  { name, exits, examples }: Pick<Command, "name" | "exits" | "examples">,
): string {
  return [
    "",
    ...wrap(`Every option can also be given in the environment: ${envOf(name, "OPTION")}.`, 80),
    "",
    "EXIT STATUS",
    ...Object.entries(exits).map(([kind, meaning]) =>
      helpItem(String(Exit[kind as keyof typeof Exit]), 3, wrap(meaning, helpColumns - 7))
    ),
    "",
    "EXAMPLES",
    ...examples.flatMap((example) => copyable(example, helpColumns - 2).map((line) => `  ${line}`)),
  ].join("\n");
}

/** The text in lines of at most so many columns, broken at spaces. */
function wrap(text: string, columns: number): string[] {
  return fill(text.split(" "), columns, "", "");
}

/**
 * A command line that a shell takes over several lines: broken neither inside quotes nor between an
 * option and its value.
 */
function copyable(example: string, columns: number): string[] {
  const words = example.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  const units: string[] = [];
  for (const word of words) {
    const before = units.at(-1);
    const isValue = before !== undefined && /^-\S*$/.test(before) && !word.startsWith("-");
    if (isValue) units[units.length - 1] = `${before} ${word}`;
    else units.push(word);
  }
  return fill(units, columns, " \\", "    ");
}

function fill(words: readonly string[], columns: number, goesOn: string, margin: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line.trim() === "" || longer.length + goesOn.length <= columns) {
      line = longer;
      continue;
    }
    lines.push(line + goesOn);
    line = margin + word;
  }
  return [...lines, line];
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
