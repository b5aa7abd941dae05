import { crashVariable } from "../lib/clients/crash_point.ts";

/** What a command may go on to need, by Deno's names. Reading files is left to all of them. */
export type Right = "net" | "write" | "env" | "sys";

/** What is known of a command line when rights are dropped. */
export interface Asked {
  readonly values: Readonly<Record<string, unknown>>;
  readonly operands: readonly string[];
  /** A variable of the environment. */
  readonly env: (name: string) => string | undefined;
  readonly stdinIsTerminal: boolean;
}

/** Servers: what speaks to them looks at the environment, and tells or asks for the host. */
const servers: readonly Right[] = ["net", "env", "sys"];
const isFolder = (url: unknown) => typeof url === "string" && /^file:/i.test(url);
const isUrl = (name: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(name);

/** A store that is a folder of this machine needs no server; anything else may. */
const storeNeeds = (url: unknown) => isFolder(url) ? [] : servers;

/** The socket of systemd is a file, unless it has only a name. */
const notifyNeeds = ({ env }: Asked): readonly Right[] =>
  env("NOTIFY_SOCKET")?.startsWith("/") ? ["write"] : [];

function hasKafka({ values }: Asked): boolean {
  const { kafka, zookeeper } = values;
  return zookeeper !== undefined || (Array.isArray(kafka) && kafka.length > 0);
}

function queryNeeds({ values, operands, stdinIsTerminal }: Asked): readonly Right[] {
  // Told apart as the command does it: without a URL among the operands it is the option's.
  const [first = ""] = operands;
  const revealed = (values["url"] as { reveal(): string } | undefined)?.reveal();
  const isPglite = [first, revealed ?? ""].some((url) => /^\s*(?:jdbc:)?pglite:/i.test(url));
  if (isPglite) return ["write", "env", "sys"];
  // A prompt keeps what was typed.
  const asksPerson = stdinIsTerminal && values["file"] === undefined;
  return asksPerson ? [...servers, "write"] : servers;
}

const baldrReaderNeeds = ({ operands }: Asked) =>
  operands.some((name) => isUrl(name) && !isFolder(name)) ? servers : [];

/** Of every command what it needs once its options have been read. */
export const needs: Readonly<Record<string, (asked: Asked) => readonly Right[]>> = {
  "forward-syslog": (asked) => {
    const { listen } = asked.values;
    const makesSocket = Array.isArray(listen) &&
      listen.some((url) => typeof url === "string" && /^unix:/i.test(url));
    return [...servers, ...makesSocket ? ["write" as const] : notifyNeeds(asked)];
  },
  // Unfinished objects are spooled.
  "archive": () => [...servers, "write"],
  "archive verify": (asked) => hasKafka(asked) ? servers : storeNeeds(asked.operands[0]),
  "archive ls": ({ operands }) => storeNeeds(operands[0]),
  "archive restore": ({ values }) => [
    ...servers,
    ...values["state"] === undefined ? [] : ["write" as const],
  ],
  // A manifest may name a folder as its target at any time.
  "ingest": () => [...servers, "write"],
  "replicate": (asked) => [...servers, ...notifyNeeds(asked)],
  "materialize": () => servers,
  "query": queryNeeds,
  "baldr cat": baldrReaderNeeds,
  "baldr check": baldrReaderNeeds,
  "baldr pack": ({ values }) => values["output"] === "-" ? [] : ["write"],
  // It loads all commands, and some of their libraries look around as they are loaded.
  "completion": () => ["env", "sys"],
};

const all: readonly Right[] = ["net", "write", "env", "sys"];

/**
 * Gives back what a command does not need, for the rest of the process: nothing gets it again. Other
 * programs, native libraries and code from elsewhere no command needs. Only whole kinds can be given
 * back; `deno task compile --for` narrows to hosts and folders.
 */
export function dropRights(command: string, asked: Asked): void {
  const needed = needs[command]?.(asked) ?? all;
  // A test that lets the process die at a point needs the right to kill: see crash_point.ts.
  const dies = asked.env(crashVariable) !== undefined;
  for (const name of ["run", "ffi", "import"] as const) {
    if (name !== "run" || !dies) Deno.permissions.revokeSync({ name });
  }
  for (const name of all) if (!needed.includes(name)) Deno.permissions.revokeSync({ name });
}
