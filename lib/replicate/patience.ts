import { retry } from "../core/retry.ts";
import type { World } from "../core/world.ts";

/**
 * Runs something that is not one table's: what is `transient` is tried again for as long as patience
 * lasts, then it is thrown.
 */
export async function patiently<T>(
  world: World,
  { patienceMs }: { readonly patienceMs: number },
  what: string,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const end = new AbortController();
  if (patienceMs === 0) limit.abort();
  const timer = world.sleep(patienceMs, end.signal).then(() => limit.abort());
  try {
    return await retry(world, act, { what, signal: AbortSignal.any([signal, limit.signal]) });
  } finally {
    end.abort();
    await timer;
  }
}
