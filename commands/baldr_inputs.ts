import { inputNames, isUrl, type OpenSource } from "../lib/baldr/inputs.ts";
import { stdinIsTerminal, tell } from "../lib/clients/stdio.ts";
import type { SluiceError } from "../lib/core/errors.ts";
import { Exit, type ExitCode, exitCodeOf } from "../lib/core/exit.ts";
import { type Option, size, type ValuesOf } from "../lib/core/options.ts";
import type { World } from "../lib/core/world.ts";
import { storeOf, type storeReadOptions } from "./store_options.ts";

/** What the operands of a baldr command are that reads files alone. */
export const operands = {
  placeholder: "FILE",
  help: "files, compressed or not; - or none is standard input",
} as const;

/** What the operands of a baldr command are that also reads from stores. */
export const storedOperands = {
  placeholder: "FILE|URL",
  help:
    "files, compressed or not; - or none is standard input; s3:// and file:// URLs of objects " +
    "and of folders",
} as const;

/** Inputs of a command, with what opens those that are no files. */
export interface OpenedInputs {
  readonly inputs: readonly string[];
  readonly open?: OpenSource;
  close(): Promise<void>;
}

/**
 * The inputs that operands name. What reads stores is only loaded when one of them is a URL.
 *
 * @throws {SluiceError} `usage` for what cannot be an input.
 */
export async function inputsOf(
  operands: readonly string[],
  values: ValuesOf<typeof storeReadOptions>,
  world: World,
): Promise<OpenedInputs> {
  const names = inputNames(operands, { stdinIsTerminal: stdinIsTerminal(), mayBeUrls: true });
  if (!names.some(isUrl)) return { inputs: names, close: () => Promise.resolve() };
  const { UrlInputs } = await import("../lib/baldr/url_inputs.ts");
  const found = await UrlInputs.of(names, (url) => storeOf(url, values, world));
  return { inputs: found.names, open: found.open, close: () => found.close() };
}

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
    if (!options.isTold) tell(`sluice: ${error.message}`);
    if (this.#exit !== Exit.corrupt) this.#exit = exitCodeOf(error);
  }
}
