import { Stdout } from "../lib/clients/stdio.ts";
import { usageError } from "../lib/core/errors.ts";
import { Exit, type ExitCode } from "../lib/core/exit.ts";
import { flagOf, type Option, type OptionSpecs, type ValuesOf } from "../lib/core/options.ts";
import { type CommandContext, defineCommand } from "./command.ts";
import {
  bashScript,
  type Completed,
  type CompletedOption,
  fishScript,
  zshScript,
} from "./completion_scripts.ts";
import { commands } from "./mod.ts";

const options = {} as const satisfies OptionSpecs;

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** `sluice completion` */
export const completion = defineCommand({
  name: "completion",
  summary: "Print what makes bash, zsh or fish complete sluice's commands and options",
  description:
    "Prints a script for the shell: with it the Tab key completes commands, options, and the words " +
    "that an option takes; files elsewhere. It is made from the same tables as this help.",
  operands: { placeholder: "SHELL", help: "bash, zsh or fish", isOne: true },
  options,
  exits: { ok: "the script is printed", usage: "it is for another shell than these" },
  examples: [
    "source <(sluice completion bash)",
    "sluice completion bash > /etc/bash_completion.d/sluice",
    "sluice completion zsh > /usr/local/share/zsh/site-functions/_sluice",
    "sluice completion fish > ~/.config/fish/completions/sluice.fish",
  ],
  run,
});

async function run(
  _values: ValuesOf<typeof options>,
  { operands: [shell = ""] }: CommandContext,
): Promise<ExitCode> {
  if (!isShell(shell)) {
    throw usageError(`complete for "${shell}"`, `give one of ${Object.keys(scripts).join(", ")}`);
  }
  const script = scripts[shell](await completedCommands());
  await new Stdout().print(script);
  return Exit.ok;
}

function isShell(name: string): name is keyof typeof scripts {
  return Object.hasOwn(scripts, name);
}

/** All commands with their options, as the scripts need them. */
export async function completedCommands(): Promise<Completed[]> {
  return await Promise.all(commands.map(async ({ name, summary, load }) => {
    const command = await load();
    const declared = Object.entries(command.options).map(([key, option]) =>
      completedOption(flagOf(key, option), option)
    );
    const help: CompletedOption = {
      flag: "--help",
      help: "print this help and stop",
      words: [],
      takes: "nothing",
    };
    const operands = name === "completion" ? Object.keys(scripts) : [];
    return { name, summary, operands, options: [...declared, help] };
  }));
}

function completedOption(flag: string, option: Option<unknown>): CompletedOption {
  const { placeholder, letter, help } = option;
  const isChoice = /^[\w:.-]+(\|[\w:.-]+)+$/.test(placeholder);
  const isFolder = /^(DIR|FOLDER)$/.test(placeholder);
  return {
    flag,
    help,
    takes: placeholder === "" ? "nothing" : isFolder ? "folder" : "value",
    words: isChoice ? placeholder.split("|") : [],
    ...letter === undefined ? {} : { letter },
  };
}
