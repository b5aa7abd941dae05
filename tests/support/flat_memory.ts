import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How often memory is looked at: each look stops the thread while the garbage is taken out. */
const everyMs = 500;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
setFlagsFromString("--no-expose-gc"); // of no use to the test files beside this one

/**
 * What is alive in this thread's heap and buffers, bytes. When V8 looks for garbage hangs on how busy
 * the machine is. Test files that run beside this one are threads of the same process, so what is
 * resident would be theirs, too.
 */
function liveBytes(): number {
  collectGarbage();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/**
 * Looks at the memory of this thread while something runs.
 *
 * @returns by how many bytes more were alive at most than at the beginning.
 */
export async function growthDuring(run: () => Promise<void>): Promise<number> {
  const before = liveBytes();
  let most = before;
  const timer = setInterval(() => most = Math.max(most, liveBytes()), everyMs);
  try {
    await run();
  } finally {
    clearInterval(timer);
  }
  return Math.max(most, liveBytes()) - before;
}
