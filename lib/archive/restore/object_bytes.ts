import type { ByteSource } from "../../core/bytes.ts";
import { SluiceError } from "../../core/errors.ts";
import type { Store } from "../../clients/store/store.ts";
import { Gunzip } from "../../clients/gzip.ts";
import { gzipHeadBytes } from "../../formats/gzip_parts.ts";
import { notesFromGzip, type ObjectNotes } from "../../formats/object_notes.ts";
import type { ListedObject } from "../listing.ts";

/** An object up to this size is read once and kept while it is restored; a larger one is read twice. */
export const keptBytesMost = 8 * 1024 * 1024;

/** Notes are shorter than this in all that sluice writes, the gzip header around them included. */
const usualHeadBytes = 4096;
const pieceBytes = 256 * 1024;

/** An object that can be read from its beginning again and again. */
export class ObjectBytes {
  private constructor(
    private readonly store: Store,
    readonly object: ListedObject,
    private readonly kept: Uint8Array | null,
    /** What it says about itself; null when it says nothing. */
    readonly notes: ObjectNotes | null,
  ) {}

  /**
   * Reads the notes, and a small object wholly.
   *
   * @throws {SluiceError} of the store; `corrupt` when the notes are damaged or another object's.
   */
  static async open(store: Store, object: ListedObject): Promise<ObjectBytes> {
    if (object.sizeBytes > keptBytesMost) {
      return new ObjectBytes(store, object, null, await readNotes(store, object));
    }
    const bytes = await readBytes(store, object.key, object.sizeBytes);
    if (bytes.length < object.sizeBytes) {
      const detail = `it has ${bytes.length} bytes, and ${object.sizeBytes} were listed`;
      throw new SluiceError(`read ${object.key}`, "transient", detail);
    }
    return new ObjectBytes(store, object, bytes, checked(object, notesFromGzip(bytes)));
  }

  /** The inflated bytes from the beginning on; to be closed. */
  async inflated(): Promise<ByteSource> {
    const { kept } = this;
    if (kept === null) return new Gunzip(await this.store.get(this.object.key));
    let at = 0;
    return new Gunzip({
      next: () => {
        const piece = kept.subarray(at, at += pieceBytes);
        return Promise.resolve(piece.length === 0 ? undefined : piece);
      },
      close: () => {},
    });
  }
}

/**
 * Reads an object's notes alone; null when it has none.
 *
 * @throws {SluiceError} as {@linkcode ObjectBytes.open}.
 */
export async function readNotes(store: Store, object: ListedObject): Promise<ObjectNotes | null> {
  const head = await readBytes(store, object.key, usualHeadBytes);
  try {
    return checked(object, notesFromGzip(head));
  } catch (thrown) {
    // Another program's header may be longer.
    if (head.length < usualHeadBytes) throw thrown;
    return checked(object, notesFromGzip(await readBytes(store, object.key, gzipHeadBytes)));
  }
}

function checked({ key, first, kind }: ListedObject, notes: ObjectNotes | null) {
  if (notes === null) return null;
  const format = kind === "values" ? "value" : "record";
  if (notes.firstOffset === first && notes.format === format) return notes;
  throw new SluiceError(
    `read ${key}`,
    "corrupt",
    `its notes are of another object: format ${notes.format} from offset ${notes.firstOffset} on`,
  );
}

/** The first bytes of an object, fewer when it is shorter. */
async function readBytes(store: Store, key: string, length: number): Promise<Uint8Array> {
  if (length === 0) return new Uint8Array(0);
  const bytes = new Uint8Array(length);
  const source = await store.get(key, { from: 0, length });
  let at = 0;
  try {
    for (let piece; (piece = await source.next()) !== undefined; at += piece.length) {
      bytes.set(piece.subarray(0, length - at), at);
    }
  } finally {
    source.close();
  }
  return bytes.subarray(0, Math.min(at, length));
}
