import { sluiceWords } from "./command_line.ts";

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
    const status = await Deno.readTextFile(`/proc/${child.pid}/status`).catch(() => "");
    peakBytes = Math.max(peakBytes, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { code: (await ended).code, peakBytes };
}
