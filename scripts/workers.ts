import { join, relative } from "node:path";
import { workersIn } from "./imports.ts";
import { sourcesUnder } from "./sources.ts";

/**
 * The modules that the program starts in threads of their own, relative to its checkout `root`, in
 * order. Nothing imports them, so `deno compile` has to be told of each.
 */
export async function workersOfProgram(root: string): Promise<string[]> {
  const found = new Set<string>();
  for (const room of ["main.ts", "commands", "lib"]) {
    for await (const path of sourcesUnder(join(root, room))) {
      for (const { specifier } of workersIn(await Deno.readTextFile(path))) {
        found.add(relative(root, join(path, "..", specifier)));
      }
    }
  }
  return [...found].sort();
}
