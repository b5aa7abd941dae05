import { sluiceWords } from "./command_line.ts";
import { residentPeakOf } from "./proc.ts";

/** Runs sluice with its output thrown away; gives the most memory it had resident, bytes. */
export async function peakBytesOf(
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: number; readonly peakBytes: number }> {
  const [command, ...words] = sluiceWords(...args);
  const child = new Deno.Command(command, {
    args: words,
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let peakBytes = 0;
  let hasEnded = false;
  const ended = child.status.finally(() => hasEnded = true);
  while (!hasEnded) {
    peakBytes = Math.max(peakBytes, await residentPeakOf(child.pid).catch(() => 0));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { code: (await ended).code, peakBytes };
}
