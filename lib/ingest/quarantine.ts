import type { PutBody, Store, StoredObject } from "../clients/store/store.ts";
import { SluiceError } from "../core/errors.ts";
import type { BadFile } from "./bad_file.ts";
import { directoryOf, keyIn, nameOf, rejectedFolder } from "./scan.ts";

/**
 * Copies a bad file below `_rejected/<load id>/` of its directory, with a report beside it: first the
 * report, then the copy. The caller deletes the original. After a crash in between the file is found
 * bad once more, and copied to another load's folder.
 *
 * @returns where the copy is.
 * @throws {SluiceError} as the store does.
 */
export async function quarantine(
  store: Store,
  loadId: string,
  { file, row }: BadFile,
  nowMs: number,
): Promise<string> {
  const name = nameOf(file.key);
  const key = keyIn(directoryOf(file.key), `${rejectedFolder}/${loadId}/${name}`);
  const report = {
    file: file.key,
    etag: file.etag,
    sizeBytes: file.sizeBytes,
    loadId,
    rejectedAt: new Date(nowMs).toISOString(),
    ...row,
  };
  const text = `${JSON.stringify(report, null, 2)}\n`;
  await store.put(`${key}.json`, new TextEncoder().encode(text), {
    contentType: "application/json",
  });
  await store.put(key, bodyOf(store, file));
  return key;
}

/** The bytes of an object, read again as the put asks for them. */
function bodyOf(store: Store, { key, sizeBytes }: StoredObject): PutBody {
  return {
    sizeBytes,
    read: async (at, length) => {
      const out = new Uint8Array(length);
      const source = await store.get(key, { from: at, length });
      try {
        let filled = 0;
        for (let piece; (piece = await source.next()) !== undefined; filled += piece.length) {
          if (filled + piece.length > length) break;
          out.set(piece, filled);
        }
        if (filled === length) return out;
      } finally {
        source.close();
      }
      throw new SluiceError(`copy ${key}`, "transient", "it has changed in the meantime");
    },
  };
}
