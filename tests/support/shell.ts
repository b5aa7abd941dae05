import { bareEnv, type Outcome, runToEnd, sluiceWords } from "./command_line.ts";

/** What a script of the shell came to: the code of the last pipe, by its last command that failed. */
export type ShellOutcome = Omit<Outcome, "seconds">;

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
  const { code, stdout, stderr } = await runToEnd(
    ["bash", "-c", `set -o pipefail\n${sluiceFunction}\n${script}`],
    { cwd: options.cwd, env: { SLUICE: quotedWords, ...options.env }, timeoutMs: 120_000 },
  );
  return { code, stdout, stderr };
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
  const [command, ...words] = sluiceWords(...args);
  return new Deno.Command(command, {
    args: words,
    clearEnv: true,
    env: bareEnv(),
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

/** The words that start sluice, for a shell. */
const quotedWords = sluiceWords().map((word) => `'${word}'`).join(" ");

const sluiceFunction = `sluice() { ${quotedWords} "$@"; }; export -f sluice`;
