import { Gunzip } from "../clients/gzip.ts";
import type { ByteSource } from "../core/bytes.ts";
import { BaldrFramer } from "../formats/baldr.ts";
import { combineCrc32c } from "../formats/gzip_parts.ts";
import { crc32c } from "../formats/crc32c.ts";
import type { ObjectNotes } from "../formats/object_notes.ts";

/** As `archive verify` has it: a longer record is taken for damage. */
const recordBytesMost = 2 ** 30;

/**
 * The notes that an object of the predecessor (Bifrost) would have. It tells of its end by its content
 * only: behind as many offsets as it has records. That is so for topics without compaction and
 * transactions; of others the group's committed offset has to be given.
 *
 * @returns null when it is empty, which tells nothing.
 * @throws {SluiceError} `corrupt` when it is damaged or cut; what the source throws.
 */
export async function notesByContent(
  compressed: ByteSource,
  firstOffset: bigint,
): Promise<ObjectNotes | null> {
  const framer = new BaldrFramer({ record: () => {} }, { recordBytesMost });
  let crc = 0;
  const source = new Gunzip(compressed);
  try {
    for (let piece; (piece = await source.next()) !== undefined;) {
      framer.push(piece);
      crc = combineCrc32c(crc, crc32c(piece), piece.length);
    }
    framer.finish();
  } finally {
    source.close();
  }
  if (framer.records === 0) return null;
  const nextOffset = firstOffset + BigInt(framer.records);
  return {
    ...{ firstOffset, nextOffset, highWatermark: nextOffset },
    records: framer.records,
    nullValues: 0,
    firstTimestampMs: null,
    lastTimestampMs: null,
    uncompressedBytes: framer.bytes,
    crc32c: crc,
    ...{ version: "", topicId: "", writer: "" },
    format: "value",
    gap: null,
  };
}
