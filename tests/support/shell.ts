import { fileURLToPath } from "node:url";

const mainModule = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** What a script of the shell came to. */
export interface ShellOutcome {
  /** Of the last command of the last pipe that failed; 0 when none did. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs lines of bash in which `sluice` is the real command, as a person would type them: pipes,
 * redirections and terminals are the shell's.
 *
 * @param options.env added to a bare environment.
 */
export async function runShell(
  script: string,
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<ShellOutcome> {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", `set -o pipefail\n${sluiceFunction}\n${script}`],
    cwd: options.cwd,
    clearEnv: true,
    env: { ...environment(), ...options.env },
    stdin: "null",
    signal: AbortSignal.timeout(120_000),
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/**
 * Runs a command of the shell, in which `$SLUICE` is the real one, on a terminal of its own; gives
 * what that gets, of standard output and standard error.
 */
export async function onTerminal(
  command: string,
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly text: string; readonly code: number }> {
  const { stdout, code } = await runShell(
    `script -qec ${JSON.stringify(command)} /dev/null </dev/null`,
    { cwd, env },
  );
  return { text: stdout.replaceAll("\r\n", "\n"), code };
}

/** Starts sluice with pipes for its input and output. */
export function spawnSluice(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", mainModule, ...args],
    clearEnv: true,
    env: environment(),
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

const sluiceFunction = `sluice() { ${sluiceWords()} "$@"; }; export -f sluice`;

/** The words that start sluice. */
function sluiceWords(): string {
  return `'${Deno.execPath()}' run --allow-all '${mainModule}'`;
}

function environment(): Record<string, string> {
  const names = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME"];
  const pairs = names.map((name) => [name, Deno.env.get(name)] as const);
  return { SLUICE: sluiceWords(), ...Object.fromEntries(pairs.filter(([, value]) => value)) };
}
