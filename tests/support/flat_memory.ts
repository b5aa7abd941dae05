/**
 * What this thread's heap and buffers hold now, bytes. Test files that run beside this one are threads
 * of the same process, so what is resident would be theirs, too.
 */
function heldBytes(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/**
 * Looks at the memory of this thread while something runs.
 *
 * @returns by how many bytes it was higher at most than at the beginning, garbage included.
 */
export async function growthDuring(run: () => Promise<void>): Promise<number> {
  const before = heldBytes();
  let most = before;
  const timer = setInterval(() => most = Math.max(most, heldBytes()), 20);
  try {
    await run();
  } finally {
    clearInterval(timer);
  }
  return Math.max(most, heldBytes()) - before;
}
