import { compressionsAlgorithms } from "@platformatic/kafka";
import { Buffer } from "node:buffer";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { reasonOf, SluiceError } from "../../core/errors.ts";

/** Zlib's pieces: with its own 16 KiB, putting them together takes as long as making them. */
const chunkSize = 262_144;
/**
 * gzip can make a gigabyte of a megabyte, and zstd more. No producer's batch comes near this, and an
 * instance with hundreds of partitions must not fall over one of them.
 */
const maxOutputLength = 256 * 1024 * 1024;

type Codec = readonly [name: string, expand: (bytes: Buffer) => Uint8Array];

/** By their numbers in a batch's attributes. snappy and lz4 are the library's, in WebAssembly. */
const codecs: Readonly<Record<number, Codec>> = {
  1: ["gzip", (bytes) => gunzipSync(bytes, { chunkSize, maxOutputLength })],
  2: ["snappy", (bytes) => compressionsAlgorithms.snappy.decompressSync(bytes)],
  3: ["lz4", (bytes) => compressionsAlgorithms.lz4.decompressSync(bytes)],
  4: ["zstd", (bytes) => zstdDecompressSync(bytes, { chunkSize, maxOutputLength })],
};

/**
 * The records of a compressed batch. `codec` is 1 gzip, 2 snappy (bare, or framed as snappy-java
 * does), 3 lz4 (its frame format), 4 zstd. It is done on this thread.
 *
 * Not every damage is seen here: snappy has no checksum, and lz4 and zstd need have none. So the batch
 * must have been checked before.
 *
 * @throws {SluiceError} `corrupt` when the bytes are damaged, `permanent` for another codec.
 */
export function decompress(codec: number, bytes: Uint8Array): Uint8Array {
  const [name, expand] = codecs[codec] ?? [];
  if (expand === undefined) {
    throw new SluiceError("decompress a batch", "permanent", `there is no codec ${codec}`);
  }
  const action = `decompress a batch by ${name}`;
  try {
    const expanded = expand(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    // snappy and lz4 make at most 255 bytes of one.
    if (expanded.length > maxOutputLength) throw tooLong(action);
    return new Uint8Array(expanded.buffer, expanded.byteOffset, expanded.length);
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    if ((thrown as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") throw tooLong(action);
    const detail = `the bytes are damaged: ${reasonOf(thrown)}`;
    throw new SluiceError(action, "corrupt", detail, { cause: thrown });
  }
}

function tooLong(action: string): SluiceError {
  const most = `${maxOutputLength >> 20} MiB`;
  return new SluiceError(action, "corrupt", `the batch is longer than ${most} without compression`);
}
