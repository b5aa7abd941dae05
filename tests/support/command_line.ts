import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

/** The program. */
export const mainModule: string = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** The words of a command line that is the real command with these arguments. */
export function sluiceWords(...args: readonly string[]): [command: string, ...args: string[]] {
  return [Deno.execPath(), "run", "--allow-all", mainModule, ...args];
}

/** What a command line came to. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** What a command line is run with. */
export interface RunOptions {
  /** Added to {@linkcode bareEnv}: our environment may hold variables of sluice. */
  readonly env?: Readonly<Record<string, string>>;
  /** @default a temporary folder, so that nothing is left behind here */
  readonly cwd?: string;
  /** The process is killed after so long, and the code is that of the kill. @default 120_000 */
  readonly timeoutMs?: number;
}

/** Runs the real command as a process of its own, to its end. */
export function runSluice(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return runToEnd(sluiceWords(...args), options);
}

/** Runs any program, without input, to its end. */
export async function runToEnd(
  [command, ...args]: readonly [command: string, ...args: string[]],
  { env = {}, cwd = "/tmp", timeoutMs = 120_000 }: RunOptions = {},
): Promise<Outcome> {
  const begun = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    clearEnv: true,
    env: { ...bareEnv(), ...env },
    stdin: "null",
    signal: AbortSignal.timeout(timeoutMs),
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
    seconds: (performance.now() - begun) / 1_000,
  };
}

/** What a program needs of the environment to start at all. */
export function bareEnv(): Record<string, string> {
  const names = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME"];
  return Object.fromEntries(
    names.map((name) => [name, Deno.env.get(name)]).filter(([, value]) => value !== undefined),
  );
}

/** Asserts that a command line failed with this code and one line of this text, and said nothing else. */
export function assertComplaint(outcome: Outcome, code: number, complaint: string | RegExp): void {
  assert.equal(outcome.stdout, "", "standard output");
  assert.match(outcome.stderr, /^sluice: [^\n]+\n$/, "one line on standard error");
  const said = outcome.stderr.slice("sluice: ".length, -1);
  if (typeof complaint === "string") assert.equal(said, complaint);
  else assert.match(said, complaint);
  assert.equal(outcome.code, code, "exit code");
}

/** A port that takes connections and never says a word, for as long as it is not disposed of. */
export class SilentPort implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #taken: Deno.Conn[] = [];

  constructor() {
    this.#take().catch(() => {}); // ended by the close
  }

  /** HOST:PORT. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** How many connections have come. */
  get connections(): number {
    return this.#taken.length;
  }

  async #take(): Promise<void> {
    for await (const conn of this.#listener) this.#taken.push(conn);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const conn of this.#taken) conn.close();
  }
}
