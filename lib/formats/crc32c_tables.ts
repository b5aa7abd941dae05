/** Bytes of one of the three lanes that the kernel computes side by side. */
const laneBytes = 2048;

/**
 * Twelve tables of 256 entries for CRC-32C (Castagnoli, RFC 3720 B.4). Of the first eight, entry
 * `t * 256 + b` is the CRC of byte b followed by t zero bytes ("slicing by 8"). The last four put
 * lanes together: entry `(8 + k) * 256 + b` is what a CRC with b as its byte k becomes by 2,048 zero
 * bytes.
 */
export function crc32cTables(): Int32Array<ArrayBuffer> {
  const made = new Int32Array(12 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    made[byte] = crc;
  }
  const afterZero = (crc: number) => (crc >>> 8) ^ (made[crc & 255] as number);
  for (let at = 256; at < 8 * 256; at++) made[at] = afterZero(made[at - 256] as number);
  for (let at = 8 * 256; at < made.length; at++) {
    let crc = (at & 255) << 8 * ((at >> 8) - 8);
    for (let i = 0; i < laneBytes; i++) crc = afterZero(crc);
    made[at] = crc;
  }
  return made;
}
