// deno-lint-ignore-file no-console -- a script speaks to a person
/**
 * Checks that imports point one way (main, commands, flows, clients, formats, core), that packages
 * stand behind their one client, and that files and functions stay short. Exits 1 with the complaints.
 */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { complaintsAbout } from "./layers.ts";
import { sourcesUnder } from "./sources.ts";

const root = Deno.args[0] ?? fileURLToPath(new URL("..", import.meta.url));
const rooms = ["main.ts", "commands", "lib", "scripts", "bench", "tests"];

let files = 0;
const complaints: string[] = [];
for (const room of rooms) {
  for await (const path of sourcesUnder(`${root}/${room}`)) {
    files++;
    complaints.push(...complaintsAbout(relative(root, path), await Deno.readTextFile(path)));
  }
}
for (const complaint of complaints.sort()) console.error(complaint);
console.log(`${files} files, ${complaints.length} complaints`);
Deno.exit(complaints.length === 0 && files > 0 ? 0 : 1);
