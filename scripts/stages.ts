/** What one command of a stage came to. */
export interface StageResult {
  readonly success: boolean;
  readonly output: string;
  readonly seconds: number;
}

/** Counts over test runs. */
export interface Tally {
  passed: number;
  failed: number;
}

/**
 * Runs `deno` with these arguments, at most `limitSeconds` (whatever runs then is ended, and the
 * output says so).
 *
 * @param options.live print the output as it comes, too.
 * @param options.cwd the folder to run in. @default the checkout
 */
export async function runDeno(
  args: readonly string[],
  options: {
    readonly limitSeconds: number;
    readonly live?: boolean;
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<StageResult> {
  const begun = performance.now();
  const limit = AbortSignal.timeout(options.limitSeconds * 1_000);
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: options.cwd ?? checkout,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const end = () => child.kill("SIGKILL");
  limit.addEventListener("abort", end);
  const parts: string[] = [];
  const gather = async (stream: ReadableStream<Uint8Array>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream() as never)) {
      parts.push(text as unknown as string);
      if (options.live) await writeAll(text as unknown as string);
    }
  };
  const [{ success }] = await Promise.all([
    child.status,
    gather(child.stdout),
    gather(child.stderr),
  ]);
  limit.removeEventListener("abort", end);
  if (limit.aborted) {
    parts.push(`\nStopped: not finished after ${options.limitSeconds} s\n`);
    if (options.live) await writeAll(parts.at(-1) ?? "");
  }
  const seconds = (performance.now() - begun) / 1_000;
  return { success: success && !limit.aborted, output: parts.join(""), seconds };
}

/** The folder of the project. */
export const checkout = new URL("..", import.meta.url);

async function writeAll(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}

/**
 * Adds up the result lines of `deno test` (`ok | 6 passed (2 steps) | 0 failed | 1 ignored (14ms)`).
 * A run that failed without such a line, or whose line claims no failure, counts as one failure:
 * nothing that went wrong may look like nothing.
 */
export function tallyOf({ success, output }: Pick<StageResult, "success" | "output">): Tally {
  const tally = { passed: 0, failed: 0 };
  // deno-lint-ignore no-control-regex
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const results = /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed/gm;
  for (const [, passed, failed] of plain.matchAll(results)) {
    tally.passed += Number(passed);
    tally.failed += Number(failed);
  }
  if (!success && tally.failed === 0) tally.failed = 1;
  return tally;
}

/** The test files under a folder (relative to the checkout), without those in `except`, in order. */
export async function testFiles(
  folder: string,
  except: readonly string[] = [],
): Promise<string[]> {
  const found: string[] = [];
  const entries = await Array.fromAsync(Deno.readDir(new URL(folder, checkout))).catch(() => []);
  for (const { name, isDirectory } of entries) {
    const path = `${folder}/${name}`;
    if (except.includes(path)) continue;
    if (isDirectory) found.push(...await testFiles(path, except));
    else if (name.endsWith("_test.ts")) found.push(path);
  }
  return found.sort();
}
