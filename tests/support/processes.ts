import { fileURLToPath } from "node:url";
import { freeze } from "./freezing.ts";
import { within } from "./waiting.ts";

/** The folder of downloaded servers and of notes about running ones; git-ignored. */
export const serversFolder = fileURLToPath(new URL("../../.servers", import.meta.url));
const runFolder = `${serversFolder}/run`;

/** How to start a server. */
export interface ProcessPlan {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Where its log `NAME.log` goes; under a folder of {@linkcode makeServerFolder}. */
  readonly folder: string;
  readonly env?: Record<string, string>;
}

/** One process of a server. */
export interface ServerProcess {
  readonly pid: number;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<Deno.CommandStatus>;
  /** The last lines that it wrote. */
  tail(lines?: number): Promise<string>;
  /** Sends a signal; nothing happens when the process has ended already. */
  signal(signal: Deno.Signal): void;
  /** SIGSTOP, and waits until all of it stands still; SIGCONT lets it go on. */
  freeze(): Promise<void>;
  /** SIGTERM, and SIGKILL when that has not helped after `graceMs`; waits for the end. */
  stop(graceMs?: number): Promise<void>;
}

interface RunNote {
  readonly pid: number;
  readonly parent: number;
  readonly folder: string;
}

/** A temporary folder for one server; the next start removes it if nobody else does. */
export async function makeServerFolder(name: string): Promise<string> {
  await sweepStale();
  return await Deno.makeTempDir({ prefix: `sluice-${name}-` });
}

/**
 * Starts a process whose output goes to a file. It dies with its parent, however the parent dies:
 * the kernel sees to it (setpriv, where the machine has it), and the note under `.servers/run` lets
 * the next start find what was left over all the same. A Ctrl-C on the terminal does not reach it:
 * whoever started it decides.
 */
export async function startProcess(plan: ProcessPlan): Promise<ServerProcess> {
  const log = `${plan.folder}/${plan.name}.log`;
  const [command, args] = guarded([
    ...["sh", "-c", 'exec "$@" >>"$0" 2>&1', log],
    ...[plan.command, ...plan.args],
  ]);
  const child = new Deno.Command(command, {
    args,
    cwd: plan.folder,
    env: plan.env ?? {},
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  living.set(child, child.status);
  const note = `${runFolder}/${child.pid}.json`;
  await Deno.mkdir(runFolder, { recursive: true });
  const said: RunNote = { pid: child.pid, parent: Deno.pid, folder: plan.folder };
  await Deno.writeTextFile(note, JSON.stringify(said));
  const ended = child.status.then(async (status) => {
    await Deno.remove(note).catch(() => {}); // swept by another start in the meantime
    living.delete(child);
    return status;
  });
  living.set(child, ended);
  return handle(plan.name, child, ended, log);
}

/** What a command that ran to its end came to. */
export interface Outcome {
  readonly success: boolean;
  /** What it wrote to either of its outputs. */
  readonly text: string;
}

/** Runs a command to its end; it dies with its parent as servers do. */
export async function runCommand(
  words: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<Outcome> {
  const [command, args] = guarded(words);
  const child = new Deno.Command(command, {
    args,
    ...options,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  living.set(child, child.status);
  try {
    const { success, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
  } finally {
    living.delete(child);
  }
}

// Every process that this one has started and that has not ended, with its end.
const living = new Map<Deno.ChildProcess, Promise<unknown>>();

/** Ends everything that this process has started, at once, and waits for the ends. */
export async function endAllProcesses(): Promise<void> {
  for (const child of living.keys()) {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended in this very moment.
    }
  }
  await Promise.all(living.values());
}

/** The command in a session of its own, to be killed by the kernel when its parent dies. */
function guarded(words: readonly string[]): readonly [string, string[]] {
  const [command = "", ...args] = canGuard
    ? ["setsid", "setpriv", "--pdeathsig", "KILL", ...words]
    : words;
  return [command, args];
}

const canGuard = Deno.build.os === "linux" && await isInstalled("setpriv") &&
  await isInstalled("setsid");

async function isInstalled(command: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", { args: ["-c", `command -v ${command}`] })
    .output();
  return success;
}

function handle(
  name: string,
  child: Deno.ChildProcess,
  ended: Promise<Deno.CommandStatus>,
  log: string,
): ServerProcess {
  const signal = (which: Deno.Signal) => {
    try {
      child.kill(which);
    } catch (thrown) {
      // Ended already: the wish is granted.
      if (!(thrown instanceof TypeError || thrown instanceof Deno.errors.NotFound)) throw thrown;
    }
  };
  return {
    pid: child.pid,
    ended,
    signal,
    freeze: () => freeze(child.pid),
    tail: async (lines = 30) => {
      const text = await Deno.readTextFile(log).catch(() => "");
      return `--- ${name} (${log}) ---\n${text.trimEnd().split("\n").slice(-lines).join("\n")}`;
    },
    stop: async (graceMs = 10_000) => {
      signal("SIGTERM");
      signal("SIGCONT"); // a stopped process takes SIGTERM only once it goes on
      if (!await within(ended, graceMs)) signal("SIGKILL");
      await ended;
    },
  };
}

/**
 * Ends servers whose starter is gone and removes their folders. A process is only ended when it runs
 * in the folder of its note: a number that the kernel has given to somebody else is left alone.
 */
export async function sweepStale(): Promise<void> {
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(runFolder));
  } catch {
    return; // no server was ever started here
  }
  for (const { name } of entries) {
    const path = `${runFolder}/${name}`;
    const note = await readNote(path);
    if (note === undefined || await isAlive(note.parent)) continue;
    if (await workingFolder(note.pid) === note.folder) Deno.kill(note.pid, "SIGKILL");
    await Deno.remove(note.folder, { recursive: true }).catch(() => {});
    await Deno.remove(path).catch(() => {});
  }
}

async function readNote(path: string): Promise<RunNote | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path)) as RunNote;
  } catch {
    return undefined; // being written or removed at this moment by another start
  }
}

async function isAlive(pid: number): Promise<boolean> {
  return await Deno.stat(`/proc/${pid}`).then(() => true, () => false);
}

async function workingFolder(pid: number): Promise<string | undefined> {
  return await Deno.readLink(`/proc/${pid}/cwd`).catch(() => undefined);
}
