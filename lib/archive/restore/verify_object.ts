import { SluiceError } from "../../core/errors.ts";
import { BaldrFramer } from "../../formats/baldr.ts";
import type { ObjectBytes } from "./object_bytes.ts";
import { recordBytesMost } from "./record_blocks.ts";

/**
 * Reads an object to its end before any of its records is written, as a damage may show only there:
 * gzip's checksum is its last word, and what Kafka has taken cannot be taken back. Returns how many
 * records it has.
 *
 * @throws {SluiceError} `corrupt` when it is cut, altered, or not what its notes say.
 */
export async function verifyObject(bytes: ObjectBytes): Promise<number> {
  const { object: { key }, notes } = bytes;
  const framer = new BaldrFramer({ record: () => {} }, { recordBytesMost });
  const source = await bytes.inflated();
  try {
    for (let piece; (piece = await source.next()) !== undefined;) framer.push(piece);
    framer.finish();
  } catch (thrown) {
    if (!(thrown instanceof SluiceError) || thrown.fault !== "corrupt") throw thrown;
    const detail = `${thrown.message}; ${framer.records} whole records are before that`;
    throw new SluiceError(`restore ${key}`, "corrupt", detail, { cause: thrown });
  } finally {
    source.close();
  }
  if (notes !== null) {
    const { records, uncompressedBytes } = notes;
    if (framer.records !== records || framer.bytes !== uncompressedBytes) {
      const detail = `it holds ${framer.records} records in ${framer.bytes} bytes, and its notes ` +
        `say ${records} in ${uncompressedBytes}`;
      throw new SluiceError(`restore ${key}`, "corrupt", detail);
    }
  }
  return framer.records;
}
