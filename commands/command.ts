import type { Exit, ExitCode } from "../lib/core/exit.ts";
import type { OptionSpecs, ValuesOf } from "../lib/core/options.ts";
import type { World } from "../lib/core/world.ts";

/** What a command is handed besides its option values. */
export interface CommandContext {
  /** The arguments that are not options. */
  readonly operands: readonly string[];
  readonly world: World;
  /** Aborted by the first SIGTERM or SIGINT: finish what was begun, take nothing new. */
  readonly drain: AbortSignal;
  /** Aborted by the second: leave at once. */
  readonly abort: AbortSignal;
}

/** One subcommand of sluice: everything that help, README and the runner need to know. */
export interface Command<S extends OptionSpecs = OptionSpecs> {
  /** The words on the command line: `baldr cat`. `archive` may stand beside `archive verify`. */
  readonly name: string;
  readonly summary: string;
  /** A paragraph or two for `--help`. */
  readonly description: string;
  /** What may follow the options, `isOne`: has to, once; absent when nothing may. */
  readonly operands?: {
    readonly placeholder: string;
    readonly help: string;
    readonly isOne?: boolean;
  };
  /** Runs until it is told to stop: the first signal drains, the second aborts. Others stop at the first. */
  readonly daemon?: boolean;
  /** Ends in order at the first signal, though it is no daemon: something elsewhere has to be undone. */
  readonly drains?: boolean;
  readonly options: S;
  /** The exit codes that mean something here, with what they mean. */
  readonly exits: Partial<Record<keyof typeof Exit, string>>;
  readonly examples: readonly string[];
  run(values: ValuesOf<S>, context: CommandContext): Promise<ExitCode>;
}

/** Checks a command's declaration against its own option types, and forgets those types for the table. */
export function defineCommand<S extends OptionSpecs>(command: Command<S>): Command {
  return command as unknown as Command;
}
