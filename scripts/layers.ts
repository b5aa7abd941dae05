import { importsOf } from "./imports.ts";
import { functionsOf } from "./functions.ts";

const mostLines = 400;
const mostFunctionLines = 70;

/** Where a file stands: imports go from a higher rank to a lower one, or stay within a room. */
interface Place {
  readonly rank: number;
  /** Files of one room may import each other freely. */
  readonly room: string;
  readonly kind: "main" | "commands" | "flow" | "client" | "formats" | "core";
  /** Files of other rooms may only import this one; undefined when every file is open to them. */
  readonly door?: string;
}

/** Places a file (path relative to the checkout); undefined when the rules do not cover it. */
export function placeOf(path: string): Place | undefined {
  if (path === "main.ts") return { rank: 5, room: "main", kind: "main" };
  if (path.startsWith("commands/")) return { rank: 4, room: "commands", kind: "commands" };
  const [lib, room = "", next = ""] = path.split("/");
  if (lib !== "lib") return undefined;
  if (room === "core") return { rank: 0, room, kind: "core" };
  if (room === "formats") return { rank: 1, room, kind: "formats" };
  if (room !== "clients") return { rank: 3, room, kind: "flow" };
  const client = next.replace(/\.ts$/, "");
  const door = next.endsWith(".ts") ? path : `lib/clients/${next}/${next}.ts`;
  return { rank: 2, room: `clients/${client}`, kind: "client", door };
}

/**
 * Complaints about one file, each `PATH:LINE: what is wrong`.
 *
 * @param path relative to the checkout.
 */
export function complaintsAbout(path: string, text: string): string[] {
  const place = placeOf(path);
  const complaints: string[] = [];
  const complain = (line: number, what: string) => complaints.push(`${path}:${line}: ${what}`);
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  if (lines > mostLines) complain(lines, `the file has ${lines} lines, at most ${mostLines}`);
  for (const { name, line, lines } of functionsOf(text)) {
    if (lines > mostFunctionLines) {
      complain(line, `${name} has ${lines} lines, at most ${mostFunctionLines}`);
    }
  }
  if (!place) return complaints;
  for (const { specifier, line } of importsOf(text)) {
    const wrong = wrongWith(path, place, specifier);
    if (wrong) complain(line, wrong);
  }
  if (place.kind !== "main") {
    text.split("\n").forEach((line, i) => {
      if (/^(?!\s*(\/\/|\*|\/\*)).*\bDeno\.exit\b/.test(line)) {
        complain(i + 1, "only main.ts calls Deno.exit");
      }
    });
  }
  return complaints;
}

function wrongWith(path: string, from: Place, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return wrongPackage(path, from, specifier);
  const target = new URL(specifier, `file:///${path}`).pathname.slice(1);
  const to = placeOf(target);
  if (!to) return `${specifier} is outside of the program`;
  if (to.room === from.room) return undefined;
  if (to.rank > from.rank) return `${specifier} is above: ${from.kind} may not import ${to.kind}`;
  if (to.rank === from.rank) {
    return `${specifier} is another ${to.kind}: they do not know each other`;
  }
  if (to.door !== undefined && to.door !== target) {
    return `${specifier} is inside ${to.room}: import its door ${to.door}`;
  }
  return undefined;
}

function wrongPackage(path: string, from: Place, specifier: string): string | undefined {
  if (specifier.startsWith("node:")) return undefined;
  if (/^(jsr|https?):/.test(specifier)) return `${specifier}: npm packages and node: only`;
  if (/^(npm:)?(kafkajs|fast-check|playwright-core|statsd)(@|\/|$)/.test(specifier)) {
    return `${specifier} is for tests only`;
  }
  if (specifier.startsWith("npm:")) return `${specifier}: name the version in deno.json`;
  if (from.kind === "client" || path === "commands/cli.ts") return undefined;
  return `package ${specifier}: only a client or commands/cli.ts may import one`;
}
