import { tell } from "../lib/clients/stdio.ts";
import type { SluiceError } from "../lib/core/errors.ts";
import { Exit, type ExitCode, exitCodeOf } from "../lib/core/exit.ts";
import { type Option, size } from "../lib/core/options.ts";
import { visible } from "../lib/core/visible.ts";

/** What the operands of every baldr command are. */
export const operands = {
  placeholder: "FILE",
  help: "files, compressed or not; - or none is standard input",
} as const;

/** `--max-record` of every baldr command. */
export const maxRecord = size({
  fallback: 2 ** 30,
  least: 1,
  most: 2 ** 40,
  help: "longest record; a longer one is taken for damage",
});

/** An option that may be left out although its kind has a default; `fallbackText` is for the help. */
export function optional<T>(option: Option<T>, fallbackText = ""): Option<T | undefined> {
  return { ...option, fallback: undefined, fallbackText };
}

/** Tells what is wrong with inputs as it comes, while others are still to be read. */
export class Complaints {
  #exit: ExitCode = Exit.ok;

  /** Damage outweighs what could not be read: the latter shows by itself. */
  get exit(): ExitCode {
    return this.#exit;
  }

  /** @param options.isTold it stands in the result already: only the exit code is missing. */
  add(error: SluiceError, options: { readonly isTold?: boolean } = {}): void {
    if (!options.isTold) tell(`sluice: ${visible(error.message)}`);
    if (this.#exit !== Exit.corrupt) this.#exit = exitCodeOf(error);
  }
}
