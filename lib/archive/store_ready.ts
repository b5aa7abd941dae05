import type { Store } from "../clients/store/store.ts";
import { faultOf, reasonOf } from "../core/errors.ts";
import { backoffMs, networkRetry, type RetryPolicy } from "../core/retry.ts";
import type { World } from "../core/world.ts";
import type { ArchiveSettings } from "./settings.ts";

/** A store that refuses us is not asked as often as one that is away. */
const refusedRetry: RetryPolicy = { firstMs: 2_000, mostMs: 30_000 };

/** What dead processes left is removed when it is so old: younger uploads may be somebody's. */
const orphanMs = 24 * 3_600_000;

/**
 * Waits until the store can be read and written. What is wrong is told as long as it lasts.
 *
 * @param tell takes the reason, and null when all is well.
 * @throws {SluiceError} with `--once`, when the store refuses: nobody waits for an operator then.
 */
export async function storeReady(
  { store, world }: { readonly store: Store; readonly world: World },
  settings: Pick<ArchiveSettings, "once">,
  stop: AbortSignal,
  tell: (reason: string | null) => void,
): Promise<void> {
  let told = "";
  for (let attempt = 1; !stop.aborted; attempt++) {
    try {
      await store.check();
      if (told !== "") world.log("info", "The store can be used now", { store: store.url });
      tell(null);
      // Not waited for: it is housekeeping.
      removeOrphans(store, world);
      return;
    } catch (thrown) {
      const isTransient = faultOf(thrown) === "transient";
      if (settings.once && !isTransient) throw thrown;
      const reason = reasonOf(thrown);
      if (reason !== told) {
        world.log(isTransient ? "warn" : "error", "Cannot use the store, trying on", { reason });
      }
      told = reason;
      tell(reason);
      const policy = isTransient ? networkRetry : refusedRetry;
      await world.sleep(backoffMs(policy, attempt, world.random()), stop);
    }
  }
}

async function removeOrphans(store: Store, world: World): Promise<void> {
  try {
    const removed = await store.removeOrphans("", orphanMs);
    if (removed > 0) world.log("info", "Removed what killed processes had left", { removed });
  } catch (thrown) {
    // Often a right that is not given; a life-cycle rule of the bucket does it, too.
    world.log("debug", "Cannot look for unfinished uploads", { reason: reasonOf(thrown) });
  }
}
