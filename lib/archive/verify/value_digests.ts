import { Gunzip } from "../../clients/gzip.ts";
import type { ByteSource } from "../../core/bytes.ts";
import { BaldrFramer } from "../../formats/baldr.ts";
import { crc32c } from "../../formats/crc32c.ts";
import { combineCrc32c } from "../../formats/gzip_parts.ts";
import { recordBytesMost } from "./read_content.ts";

/** A value's checksum and length in one number: two that differ have the same one by chance only. */
export function digestOf(bytes: Uint8Array, start: number, end: number): number {
  return digest(crc32c(bytes, start, end), end - start);
}

/** Checksum: 32 bits; length: the lower 21 bits, together what a number holds exactly. */
function digest(checksum: number, length: number): number {
  return checksum * 2 ** 21 + length % 2 ** 21;
}

/**
 * The digests of a values-only object in their order, 8 bytes each in memory; a record without a
 * value counts as an empty one.
 *
 * @throws {SluiceError} of the source, and `corrupt` for a damaged object.
 */
export async function digestsOf(source: ByteSource): Promise<readonly number[]> {
  const digests: number[] = [];
  const gunzip = new Gunzip(source);
  let open = 0;
  const framer = new BaldrFramer({
    record: (bytes, start, end, part, more, length) => {
      const checksum = crc32c(bytes, start, end);
      open = part === 0 ? checksum : combineCrc32c(open, checksum, end - start);
      if (!more) digests.push(digest(open, length));
    },
  }, { recordBytesMost });
  try {
    for (;;) {
      const bytes = await gunzip.next();
      if (bytes === undefined) break;
      framer.push(bytes);
    }
    framer.finish();
  } finally {
    gunzip.close();
  }
  return digests;
}
