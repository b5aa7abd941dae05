// deno-lint-ignore-file no-console -- a script speaks to a person
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "../tests/support/processes.ts";
import { programRights } from "./rights.ts";
import { checkout } from "./stages.ts";

let steps = 0;

/** Begins a step: tells what happens, then what came of it and how long it took. */
export function begin(title: string) {
  const begun = performance.now();
  console.log(`${++steps}. ${title}`);
  return {
    command: (line: string) => console.log(`   $ ${line}`),
    say: (line: string) => console.log(`   | ${line}`),
    done: (line: string) => {
      const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
      console.log(`   = ${line} (${seconds} s)\n`);
    },
  };
}

/** A path as it is shortest to write in the checkout. */
export function brief(path: string): string {
  const short = relative(fileURLToPath(checkout), path);
  return short.startsWith("..") ? path : `./${short}`;
}

/**
 * Runs a command of sluice with the rights of the built program.
 *
 * @returns the lines it printed.
 * @throws {Error} with them when it fails.
 */
export async function sluice(
  step: ReturnType<typeof begin>,
  ...args: string[]
): Promise<string[]> {
  const command = [Deno.execPath(), "run", ...programRights];
  const words = args.map((word) => /[\s*()]/.test(word) ? `"${word}"` : word);
  step.command([brief(Deno.execPath()), "run …", "main.ts", ...words].join(" "));
  const main = fileURLToPath(new URL("main.ts", checkout));
  const { success, text } = await runCommand([...command, main, ...args]);
  if (!success) throw new Error(`sluice ${args.join(" ")} failed:\n${text}`);
  return text.trimEnd().split("\n");
}
