import { crc32cTables } from "./crc32c_tables.ts";
import { inKernel, kernel } from "./kernel.ts";

const tables = crc32cTables();

/**
 * CRC-32C (Castagnoli, RFC 3720 B.4) of `bytes[start, end)`, unsigned. Twice as fast for bytes of
 * the kernel's memory as for others, which are taken eight a step ("slicing by 8").
 */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  if (inKernel(bytes)) {
    const { byteOffset } = bytes;
    return ~kernel.crc32c(-1, byteOffset + start, byteOffset + end) >>> 0;
  }
  const t = tables;
  let crc = -1;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    const low = crc ^ (
      (bytes[at] as number) | (bytes[at + 1] as number) << 8 |
      (bytes[at + 2] as number) << 16 | (bytes[at + 3] as number) << 24
    );
    crc = (t[1792 + (low & 255)] as number) ^ (t[1536 + (low >>> 8 & 255)] as number) ^
      (t[1280 + (low >>> 16 & 255)] as number) ^ (t[1024 + (low >>> 24)] as number) ^
      (t[768 + (bytes[at + 4] as number)] as number) ^
      (t[512 + (bytes[at + 5] as number)] as number) ^
      (t[256 + (bytes[at + 6] as number)] as number) ^ (t[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) {
    crc = (t[(crc ^ (bytes[at] as number)) & 255] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
