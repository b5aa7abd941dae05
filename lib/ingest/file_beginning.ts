import type { Store, StoredObject } from "../clients/store/store.ts";
import type { CopyOptions } from "../formats/copy_options.ts";
import { Gathered } from "../formats/gathered.ts";
import { openedFile } from "./file_text.ts";

/** So much of a file is looked at, decompressed. */
const enoughBytes = 1024 * 1024;

/** The beginning of a file, decompressed. */
export interface FileBeginning {
  readonly bytes: Uint8Array;
  /** Whether that is all of it. */
  readonly isWhole: boolean;
  /** Bytes decompressed for each byte of the file, as far as it was read; 1 without compression. */
  readonly ratio: number;
}

/**
 * Reads the beginning of a file.
 *
 * @throws {SluiceError} as the store does; `corrupt` when it is not compressed as the options say.
 */
export async function readBeginning(
  store: Store,
  { key }: StoredObject,
  { compression }: CopyOptions,
): Promise<FileBeginning> {
  let rawBytes = 0;
  const source = await openedFile(store, key, compression, (bytes) => rawBytes += bytes);
  const gathered = new Gathered();
  let isWhole = false;
  try {
    while (gathered.length < enoughBytes && !isWhole) {
      const piece = await source.next();
      if (piece === undefined) isWhole = true;
      else gathered.append(piece, 0, piece.length);
    }
  } finally {
    source.close();
  }
  const ratio = compression === "none" || rawBytes === 0 ? 1 : gathered.length / rawBytes;
  return { bytes: gathered.bytes, isWhole, ratio };
}
