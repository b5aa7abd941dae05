import { SluiceError, usageError } from "../core/errors.ts";

/**
 * The parts of a gzip member (RFC 1952) that is put together from blocks deflated apart, each ended
 * by a sync flush: {@linkcode gzipHeader}, the blocks, {@linkcode gzipEnd}. Any program that reads
 * gzip reads the whole. In the header's extra field stands a subfield of our own.
 */

/** The identification of our subfield: "SL". */
const subfieldId = [0x53, 0x4c] as const;

const fixedBytes = 10;
const hasExtra = 4;
const unknownSystem = 255;
/** Of the subfield's content: the extra field has 65,535 bytes at most, four of them our frame. */
const contentBytesMost = 65_535 - 4;

/** A file's first bytes up to here are enough for {@linkcode gzipExtra}, whoever wrote it. */
export const gzipHeadBytes = fixedBytes + 2 + 65_535;

/**
 * The header: no name, no time, so that the same content makes the same file.
 *
 * @param extra the content of our subfield, or null for none.
 * @throws {SluiceError} `usage` when it is longer than 65,531 bytes.
 */
export function gzipHeader(extra: Uint8Array | null): Uint8Array<ArrayBuffer> {
  const flags = extra === null ? 0 : hasExtra;
  const fixed = [0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, unknownSystem];
  if (extra === null) return Uint8Array.from(fixed);
  const { length } = extra;
  if (length > contentBytesMost) {
    throw usageError(
      "write a gzip header",
      `its extra field has room for ${contentBytesMost} bytes, not for ${length}`,
    );
  }
  const header = new Uint8Array(fixedBytes + 6 + length);
  header.set(fixed);
  const view = new DataView(header.buffer);
  view.setUint16(fixedBytes, length + 4, true);
  header.set(subfieldId, fixedBytes + 2);
  view.setUint16(fixedBytes + 4, length, true);
  header.set(extra, fixedBytes + 6);
  return header;
}

/**
 * The content of our subfield, a view of the bytes; null when they are not gzip or the file has none.
 *
 * @param firstBytes of the file: {@linkcode gzipHeadBytes}, or all of it when it is shorter.
 * @throws {SluiceError} `corrupt` when the header is cut or its extra field does not add up.
 */
export function gzipExtra(firstBytes: Uint8Array): Uint8Array | null {
  const [magic, more, method, flags = 0] = firstBytes;
  if (magic !== 0x1f || more !== 0x8b || method !== 8) return null;
  if (firstBytes.length < fixedBytes) refuse("it is cut");
  if ((flags & hasExtra) === 0) return null;
  const view = new DataView(firstBytes.buffer, firstBytes.byteOffset, firstBytes.length);
  if (firstBytes.length < fixedBytes + 2) refuse("it is cut");
  let at = fixedBytes + 2;
  const end = at + view.getUint16(fixedBytes, true);
  if (firstBytes.length < end) refuse("it is cut");
  while (at < end) {
    const contentAt = at + 4;
    const next = contentAt <= end ? contentAt + view.getUint16(at + 2, true) : Infinity;
    if (next > end) refuse("a subfield is longer than the extra field that it is in");
    if (firstBytes[at] === subfieldId[0] && firstBytes[at + 1] === subfieldId[1]) {
      return firstBytes.subarray(contentAt, next);
    }
    at = next;
  }
  return null;
}

function refuse(detail: string): never {
  throw new SluiceError("read a gzip header", "corrupt", detail);
}

/**
 * What ends the member: an empty final block, the checksum, the length.
 *
 * @param crc32 of all that the blocks inflate to ({@linkcode combineCrc32}).
 * @param sizeBytes of the same; gzip keeps it modulo 2^32.
 */
export function gzipEnd(crc32: number, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const end = new Uint8Array(10);
  end[0] = 3; // a final block with fixed codes that ends at once
  const view = new DataView(end.buffer);
  view.setUint32(2, crc32, true);
  view.setUint32(6, sizeBytes % 2 ** 32, true);
  return end;
}

/** CRC-32 (gzip, zip) of A followed by B, unsigned, of the checksums of both and the bytes of B. */
export function combineCrc32(a: number, b: number, lengthOfB: number): number {
  return combineCrc(a, b, lengthOfB, powersOfCrc32);
}

/** CRC-32C (Castagnoli) of A followed by B, as {@linkcode combineCrc32}. */
export function combineCrc32c(a: number, b: number, lengthOfB: number): number {
  return combineCrc(a, b, lengthOfB, powersOfCrc32c);
}

/**
 * A checksum is a polynomial over two elements modulo that of the CRC, the highest bit its lowest
 * power. B's bytes behind A multiply A's checksum by x^(8 · bytes); the inversions before and after
 * cancel each other out.
 */
function combineCrc(a: number, b: number, lengthOfB: number, powers: Powers): number {
  let moved = a;
  // x^8 to the power 2^k for every bit k of the length.
  for (let rest = lengthOfB, k = 3; rest > 0; rest = Math.floor(rest / 2), k++) {
    if (rest % 2 === 1) moved = product(moved, powers.squares[k] as number, powers.polynomial);
  }
  return (moved ^ b) >>> 0;
}

interface Powers {
  readonly polynomial: number;
  /** At k: x to the power 2^k. */
  readonly squares: Int32Array;
}

const powersOfCrc32 = powersOf(0xedb88320);
const powersOfCrc32c = powersOf(0x82f63b78);

function powersOf(polynomial: number): Powers {
  const squares = new Int32Array(3 + 53);
  let square = 1 << 30; // x
  for (let k = 0; k < squares.length; k++) {
    squares[k] = square;
    square = product(square, square, polynomial);
  }
  return { polynomial, squares };
}

function product(a: number, b: number, polynomial: number): number {
  let sum = 0;
  for (let bit = 31; bit >= 0; bit--) {
    if (a >>> bit & 1) sum ^= b;
    b = b & 1 ? (b >>> 1) ^ polynomial : b >>> 1; // by x
  }
  return sum;
}
