import {
  Command as Commander,
  CommanderError,
  Help as CommanderHelp,
  Option as CommanderOption,
} from "commander";
import { readAllText } from "../lib/clients/file.ts";
import type { OpenLog } from "../lib/clients/log.ts";
import { onStop } from "../lib/clients/signals.ts";
import { stdinIsTerminal } from "../lib/clients/stdio.ts";
import { SluiceError, usageError } from "../lib/core/errors.ts";
import { Exit, type ExitCode } from "../lib/core/exit.ts";
import { envOf, flagOf, type OptionSpecs, type ValuesOf } from "../lib/core/options.ts";
import { resolveOptions } from "../lib/core/resolve.ts";
import { version } from "../lib/core/version.ts";
import { type Log, realWorld } from "../lib/core/world.ts";
import type { Command } from "./command.ts";
import {
  complaintLine,
  generalHelp,
  helpColumns,
  helpItem,
  helpTail,
  helpTermColumns,
} from "./help.ts";
import { type CommandEntry, commands } from "./mod.ts";
import type { Asked } from "./rights.ts";

/** What commander understood of the arguments: which command, with what. */
interface Parsed {
  readonly command: Command;
  readonly flags: Record<string, string | readonly string[] | boolean>;
  readonly operands: readonly string[];
}

/**
 * Runs one command line. Help and `--version` are printed and give 0; everything else that goes wrong
 * is thrown as a SluiceError, or returned as the exit code of the command.
 *
 * @param table the commands there are; tests have their own.
 * @param drop gives back the rights that the command does not need, for the rest of the process.
 */
export async function runCommandLine(
  args: readonly string[],
  table: readonly CommandEntry[] = commands,
  drop: (command: string, asked: Asked) => void = () => {},
): Promise<ExitCode> {
  const parsed = await parseArguments(args, table);
  if (parsed === undefined) return Exit.ok;
  const { command, operands } = parsed;
  const values = await settle(parsed, table);
  drop(command.name, {
    ...{ values, operands, stdinIsTerminal: stdinIsTerminal() },
    env: (name) => Deno.env.get(name),
  });
  const log = await logOf(command, values);
  const stop = onStop({ stages: command.daemon || command.drains ? 2 : 1 });
  try {
    const { drain, abort } = stop;
    const aborted = new Promise<ExitCode>((resolve) => {
      abort.addEventListener("abort", () => resolve(Exit.interrupted));
    });
    const world = realWorld(log.log);
    return await Promise.race([
      command.run(values, { operands, world, drain, abort }),
      aborted,
    ]);
  } catch (thrown) {
    // The line for people is main.ts's; the stack trace is for those who asked for this level.
    if (command.daemon) log.log("debug", "The command failed", { error: thrown });
    throw thrown;
  } finally {
    stop.close();
    await log.close();
  }
}

/**
 * The log of a command. A daemon's is open before anything happens; that of others is opened by its
 * first line, as most of them never say one and the library would be a tenth of their start.
 */
async function logOf(
  { daemon }: Command,
  values: ValuesOf<OptionSpecs>,
): Promise<{ readonly log: Log; close(): Promise<void> }> {
  let opening: Promise<OpenLog> | undefined;
  const open = async () => {
    const { openLog } = await import("../lib/clients/log.ts");
    return openLog({
      level: values["log-level"] ?? "info",
      format: values["log-format"] ?? "auto",
    });
  };
  if (daemon) {
    const { log, close } = await open();
    return { log, close: () => Promise.resolve(close()) };
  }
  return {
    log: (...line) => {
      opening ??= open();
      opening.then(({ log }) => log(...line));
    },
    close: async () => (await opening)?.close(),
  };
}

/** Reads the arguments; undefined when help or the version was asked for and has been printed. */
async function parseArguments(
  given: readonly string[],
  table: readonly CommandEntry[],
): Promise<Parsed | undefined> {
  const args = given[0] === "help" ? [...given.slice(1), "--help"] : given;
  // Help is asked of what exists: of a misspelt command it would be the help of what is above it.
  const slip = slipOf(args, table);
  const command = slip ? undefined : await entryOf(args, table)?.load();
  let parsed: Parsed | undefined;
  let complaint = "";
  const program = new Commander("sluice")
    .description("A company's data plumbing: syslog into Kafka, Kafka into files, and back.")
    .version(versionLine(), "--version", "print the version and stop")
    .helpOption("-h, --help", "print this help and stop")
    .configureHelp(helpLayout)
    .addHelpText("after", helpTail(generalHelp));
  for (const { name, summary } of table) {
    const sub = branch(program, name).summary(summary).description(summary);
    if (command !== undefined && name === command.name) {
      declare(sub, command);
      sub.action((...given: unknown[]) => {
        const operands = command.operands ? [given[0]].flat() as string[] : [];
        parsed = { command, flags: sub.opts(), operands };
      });
    } else if (command !== undefined && name.startsWith(`${command.name} `)) {
      // `archive --to URL verify`: it would be another command than its options belong to.
      sub.allowUnknownOption().allowExcessArguments().action(() => refuseLateWord(name));
    }
  }
  for (const one of familyOf(program)) {
    one.exitOverride().helpCommand(false)
      .configureOutput({ writeErr: (text) => complaint += text });
  }
  try {
    await program.parseAsync([...(slip ?? args)], { from: "user" });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return undefined;
    throw usageError(
      "understand the command line",
      complaintLine(complaint, args, command, table),
      thrown,
    );
  }
  return parsed;
}

/** Lists whose explanations fit beside or below what they explain, at any length of either. */
const helpLayout: Partial<CommanderHelp> = {
  helpWidth: helpColumns,
  padWidth: (command, helper) =>
    helpTermColumns(CommanderHelp.prototype.padWidth.call(helper, command, helper)),
  formatItem: (term, columns, explanation, helper) =>
    helpItem(term, columns, helper.boxWrap(explanation, helpColumns - columns - 4).split("\n")),
};

/** The command of these arguments; of `archive` and `archive verify` the one with more words. */
function entryOf(
  args: readonly string[],
  table: readonly CommandEntry[],
): CommandEntry | undefined {
  return table.filter(({ name }) => name.split(" ").every((word, i) => args[i] === word))
    .sort((a, b) => b.name.length - a.name.length)[0];
}

/** The arguments up to a word that stands where a command has to, and is none; undefined without one. */
function slipOf(
  args: readonly string[],
  table: readonly CommandEntry[],
): readonly string[] | undefined {
  for (let count = 1;; count++) {
    const word = args[count - 1];
    if (word === undefined || word.startsWith("-")) return undefined;
    const begun = args.slice(0, count).join(" ");
    const goesOn = table.some(({ name }) => name.startsWith(`${begun} `));
    if (!goesOn) return table.some(({ name }) => name === begun) ? undefined : args.slice(0, count);
  }
}

function refuseLateWord(name: string): never {
  throw usageError(
    "understand the command line",
    `the words of a command come before its options: sluice ${name} ...`,
  );
}

/** The commander command for `baldr cat`: `cat` below `baldr`, which may be a command itself. */
function branch(program: Commander, name: string): Commander {
  let found = program;
  for (const word of name.split(" ")) {
    found = found.commands.find((sub) => sub.name() === word) ??
      found.command(word).description(`The ${word} commands`);
  }
  return found;
}

function familyOf(program: Commander): Commander[] {
  return [program, ...program.commands.flatMap((sub) => familyOf(sub as Commander))];
}

function declare(sub: Commander, command: Command): void {
  sub.description(command.description);
  if (command.operands) {
    const { placeholder, isOne, help } = command.operands;
    sub.argument(isOne ? `<${placeholder}>` : `[${placeholder}...]`, help);
  }
  for (const [name, option] of Object.entries(command.options)) {
    const letter = option.letter === undefined ? "" : `-${option.letter}, `;
    const value = option.placeholder && `<${option.placeholder}>`;
    const flags = `${letter}${flagOf(name, option)} ${value}`;
    const fallback = option.fallbackText && ` (default: ${option.fallbackText})`;
    const declared = new CommanderOption(flags.trim(), option.help + fallback);
    // Commander would turn the name into camel case; ours are the flags as written.
    declared.attributeName = () => flagOf(name, option).slice(2);
    if (option.kind === "list") declared.argParser(gather);
    sub.addOption(declared);
    if (option.kind === "secret") sub.addOption(refusedSecret(name, command));
  }
  sub.addHelpText("after", helpTail(command));
}

/** A secret as a flag is understood only to be refused, with what to do instead. */
function refusedSecret(name: string, command: Command): CommanderOption {
  return new CommanderOption(`--${name} [SECRET]`).hideHelp().preset("").argParser(() => {
    throw usageError(
      `take --${name} as an argument`,
      "any user of this machine could read it there; give " +
        `--${name}-file with the path of a file that holds it, or set ${envOf(command.name, name)}`,
    );
  });
}

function gather(one: string, before: unknown): string[] {
  return [...(Array.isArray(before) ? before as string[] : []), one];
}

async function settle(
  { command, flags }: Parsed,
  table: readonly CommandEntry[],
): Promise<ValuesOf<OptionSpecs>> {
  const env = Deno.env.toObject();
  const configPath = flags["config"] ?? env[envOf(command.name, "config")];
  const withConfig = "config" in command.options && configPath !== undefined;
  return await resolveOptions(command.name, command.options, {
    flags,
    env,
    commands: table.map(({ name }) => name),
    config: withConfig ? await readConfig(String(configPath)) : {},
    ...(withConfig ? { configPath: String(configPath) } : {}),
    readFile: (path) => readAllText(path, "secret"),
    credential: (name) => readCredential(env["CREDENTIALS_DIRECTORY"], name),
  });
}

async function readConfig(path: string): Promise<Record<string, unknown>> {
  const written = await readAllText(path, "configuration");
  // Loaded when it is needed: it would be a third of the start of a small command.
  const { parseYaml } = await import("../lib/clients/yaml.ts");
  let parsed: unknown;
  try {
    parsed = parseYaml(written);
  } catch (thrown) {
    const where = thrown instanceof SluiceError ? thrown.detail : String(thrown);
    throw usageError(`read configuration ${path}`, `it is not YAML: ${where}`, thrown);
  }
  if (parsed === null) return {};
  if (typeof parsed !== "object" || Array.isArray(parsed)) {
    throw usageError(`read configuration ${path}`, "give one `name: value` a line");
  }
  return parsed as Record<string, unknown>;
}

/** A credential that systemd's LoadCredential= laid out for the unit; undefined when there is none. */
async function readCredential(
  folder: string | undefined,
  name: string,
): Promise<string | undefined> {
  if (folder === undefined) return undefined;
  try {
    return await Deno.readTextFile(`${folder}/${name}`);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw usageError(`read credential ${name}`, String(thrown), thrown);
  }
}

function versionLine(): string {
  const { version: number, commit } = version();
  return `sluice ${number} (commit ${commit})`;
}
