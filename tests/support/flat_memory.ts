/** This process's resident memory now, bytes. */
function residentBytes(): number {
  return Deno.memoryUsage().rss;
}

/**
 * Looks at the memory of this process while something runs.
 *
 * @returns by how many bytes it was higher at most than at the beginning.
 */
export async function growthDuring(run: () => Promise<void>): Promise<number> {
  const before = residentBytes();
  let most = before;
  const timer = setInterval(() => most = Math.max(most, residentBytes()), 20);
  try {
    await run();
  } finally {
    clearInterval(timer);
  }
  return Math.max(most, residentBytes()) - before;
}
