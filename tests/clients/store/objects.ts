import type { ByteSource } from "../../../lib/core/bytes.ts";
import type { PutBody, StoredObject } from "../../../lib/clients/store/store.ts";

/** The bytes of a text. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Bytes that are the same at no two places near each other, for finding what was swapped. */
export function pattern(size: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + size, 2_654_435_761);
  return new Uint8Array(words.buffer, 0, size);
}

/** A body that hands out copies, as one that reads from a file does. */
export function sliced(bytes: Uint8Array): PutBody {
  return {
    sizeBytes: bytes.length,
    read: (at, length) => Promise.resolve(bytes.slice(at, at + length)),
  };
}

/** Everything that a source gives. */
export async function bytesOf(source: ByteSource | Promise<ByteSource>): Promise<Uint8Array> {
  const from = await source;
  const pieces: Uint8Array[] = [];
  try {
    for (let piece = await from.next(); piece; piece = await from.next()) {
      pieces.push(piece.slice());
    }
  } finally {
    from.close();
  }
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** The keys of a listing. */
export async function keysOf(listing: AsyncIterable<StoredObject>): Promise<string[]> {
  return (await Array.fromAsync(listing)).map(({ key }) => key);
}
