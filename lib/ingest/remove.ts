import { crashPoint } from "../clients/crash_point.ts";
import type { Store, StoredObject } from "../clients/store/store.ts";
import { reasonOf } from "../core/errors.ts";
import type { Counts } from "./counts.ts";

/** How many objects are deleted at once. */
const atOnce = 8;

/**
 * Deletes files that are in the target, each only if it is the one that was loaded. What cannot be
 * deleted stays; the ledger knows it, and the next pass tries again without loading it.
 *
 * @returns the first reason why something is still there; null when nothing is.
 */
export async function remove(
  store: Store,
  files: readonly StoredObject[],
  counts: Counts,
): Promise<string | null> {
  let trouble: string | null = null;
  let next = 0;
  const half = Math.ceil(files.length / 2);
  const work = async () => {
    for (let file; (file = files[next]) !== undefined;) {
      next++;
      try {
        await store.delete(file.key, { ifEtag: file.etag });
      } catch (thrown) {
        counts.deleteErrors++;
        trouble ??= reasonOf(thrown);
      }
      if (next >= half) crashPoint("half-deleted");
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, files.length) }, work));
  return trouble;
}
