// deno-lint-ignore-file no-console -- a script speaks to a person
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
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
