import { crashPoint } from "../clients/crash_point.ts";
import type { Store, StoredObject } from "../clients/store/store.ts";
import { faultOf } from "../core/errors.ts";
import { backoffMs, type RetryPolicy } from "../core/retry.ts";
import type { World } from "../core/world.ts";
import type { Counts } from "./counts.ts";

/** How many objects are deleted at once. */
const atOnce = 8;

/** How often one delete is tried before it is left to a later pass, and how soon. */
const triesMost = 4;
const policy: RetryPolicy = { firstMs: 100, mostMs: 1_000 };

/** What a removal needs. */
export interface RemoveTools {
  readonly world: World;
  readonly store: Store;
  readonly counts: Counts;
  /** No more tries are made once it is aborted. */
  readonly drain: AbortSignal;
}

/** What is still there, and the first reason why. */
export interface Leftover {
  readonly files: readonly StoredObject[];
  readonly failure: unknown;
}

/**
 * Deletes files that are in the target or moved aside, each only if it is the one that was loaded: one
 * that was put anew in the meantime stays, and is loaded. What cannot be deleted is left to the next
 * pass; the ledger knows it even after a crash, so that it is not loaded again.
 */
export async function remove(
  { world, store, counts, drain }: RemoveTools,
  files: readonly StoredObject[],
): Promise<Leftover> {
  const left: StoredObject[] = [];
  let failure: unknown;
  let next = 0;
  const half = Math.ceil(files.length / 2);
  const work = async () => {
    for (let file; (file = files[next]) !== undefined;) {
      next++;
      for (let tries = 1;; tries++) {
        try {
          await store.delete(file.key, { ifEtag: file.etag });
          break;
        } catch (thrown) {
          counts.deleteErrors++;
          // While everything fails, one file's tries tell enough.
          const isWorthIt = faultOf(thrown) === "transient" && failure === undefined;
          if (isWorthIt && tries < triesMost && !drain.aborted) {
            await world.sleep(backoffMs(policy, tries, world.random()), drain);
            continue;
          }
          failure ??= thrown;
          left.push(file);
          break;
        }
      }
      if (next >= half) crashPoint("half-deleted");
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, files.length) }, work));
  return { files: left, failure };
}
