import { crc32cTables } from "./crc32c_tables.ts";
import { copyPlain, crc32c, findTerminator, memory } from "./kernel.wasm";

/**
 * The inner loops of the hot paths in WebAssembly (kernel.wat), sixteen bytes at a time: framing,
 * text and checksums take a third to a tenth of their time in TypeScript.
 *
 * They work in one memory of their own, so arrays that are read and written a lot are best made by
 * {@linkcode reserveBytes}; callers have the same in TypeScript for all others. Positions are places
 * in that memory: `bytes.byteOffset` + index. No bounds are checked.
 */
export const kernel = {
  /** The position of the first LF or NUL in [at, end), or `end`. */
  findTerminator,
  /**
   * Copies [from, end) to `to` up to the first byte that may not stand in a JSON string as it is, or
   * is not ASCII; returns how many that are. May touch sixteen bytes more behind those.
   */
  copyPlain,
  /** The CRC-32C of [at, end) on top of `crc`, without the inversions before and after. */
  crc32c,
} as const;

// It never grows, so no array on it is ever detached.
const buffer = memory.buffer as ArrayBuffer;

/** Behind each array the kernel may read and write a few bytes. */
const slackBytes = 16;
const alignBytes = 64;

const tables = crc32cTables();
new Int32Array(buffer, 0, tables.length).set(tables);
let end = tables.byteLength;

/** Positions that were given back, by the length of their arrays. */
const free = new Map<number, number[]>();

/** Whether the kernel can work on these bytes. */
export function inKernel(bytes: Uint8Array): boolean {
  return bytes.buffer === buffer;
}

/**
 * Bytes that the kernel can reach as long as its memory has room, ordinary ones otherwise. Not
 * zeroed. {@linkcode releaseBytes} makes them free for the next array of the same length, so few
 * different lengths should be asked for.
 */
export function reserveBytes(length: number): Uint8Array<ArrayBuffer> {
  const at = free.get(length)?.pop() ?? extend(length);
  return at === null ? new Uint8Array(length) : new Uint8Array(buffer, at, length);
}

/** The position of so many bytes that were never used, or null when there are none left. */
function extend(length: number): number | null {
  const at = end;
  const next = at + Math.ceil((length + slackBytes) / alignBytes) * alignBytes;
  if (next > buffer.byteLength) return null;
  end = next;
  return at;
}

/** Gives back what {@linkcode reserveBytes} gave. Nobody may use the array any more. */
export function releaseBytes(bytes: Uint8Array): void {
  if (!inKernel(bytes)) return;
  const positions = free.get(bytes.length);
  if (positions === undefined) free.set(bytes.length, [bytes.byteOffset]);
  else positions.push(bytes.byteOffset);
}
