import { peakMbOf } from "./usage.ts";

/** What a command, and whatever it started, took. */
export interface Timed {
  readonly wallSeconds: number;
  /** User and system, of all processes. */
  readonly cpuSeconds: number;
  /** The most that one of its processes had resident, MB (millions of bytes). */
  readonly peakMb: number;
}

const pollMs = 20;

/**
 * Runs a command from its start to its end.
 *
 * @throws {Error} when it fails, with what it printed.
 */
export async function timeCommand(
  command: readonly string[],
  env: Record<string, string> = {},
): Promise<Timed> {
  // The shell tells the CPU time of all that ran in it; so it does of a pipeline.
  const script = '"$@"; status=$?; times >&3; exit $status';
  const times = await Deno.makeTempFile();
  try {
    const begun = performance.now();
    const child = new Deno.Command("bash", {
      args: ["-c", `exec 3>"$0"; ${script}`, times, ...command],
      env,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const stderr = new Response(child.stderr).text();
    const watch = watchPeak(child.pid);
    const { code } = await child.status;
    const wallSeconds = (performance.now() - begun) / 1_000;
    const peakMb = await watch.stop();
    if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${await stderr}`);
    await stderr;
    return { wallSeconds, cpuSeconds: cpuOf(await Deno.readTextFile(times)), peakMb };
  } finally {
    await Deno.remove(times);
  }
}

/** Of the second line of `times`, which is about the shell's children: `0m1.234s 0m0.567s`. */
function cpuOf(text: string): number {
  const [, children = ""] = text.split("\n");
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)]
    .reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

function watchPeak(shell: number): { stop(): Promise<number> } {
  let isOver = false;
  let peakMb = 0;
  const watching = (async () => {
    while (!isOver) {
      for (const pid of await descendantsOf(shell)) {
        peakMb = Math.max(peakMb, await peakMbOf(pid).catch(() => 0));
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await watching;
      return peakMb;
    },
  };
}

async function descendantsOf(pid: number): Promise<number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`).catch(() => "");
  const children = text.trim().split(/\s+/).filter((one) => one !== "").map(Number);
  const below = await Promise.all(children.map(descendantsOf));
  return [...children, ...below.flat()];
}
