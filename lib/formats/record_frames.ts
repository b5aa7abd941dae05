import { LENGTH_BYTES, putLength } from "./baldr.ts";
import type { RecordWalk } from "./record_walk.ts";

/** Shorter ones are copied in a loop: up to here that costs less than a view and a call. */
const loopedBytesMost = 64;

/** The frame of the record encoding, up to where it goes on as in the batch (archived_record.ts). */
const prefix = new Uint8Array(LENGTH_BYTES + 2 + 2 * 10);
const encodingVersion = 1;
const logAppendTime = 1;

/**
 * Writes the values of the rest of the walk's records as baldr records into `out[at, end)`; a record
 * without a value is an empty one. Returns the position behind.
 *
 * When there is no room for all, `out` is filled to the last byte, in the middle of a record perhaps,
 * and the next call goes on right there: a record may be larger than many blocks.
 * {@linkcode RecordWalk.isDone} tells whether all is written.
 *
 * Measured with batches of 1 MB and values of 280 bytes, on a busy machine: 1,800 to 3,000 MB/s, 6 to
 * 10 million records/s; of some 100 ns each the walk takes 20 and the copy 50. Compression takes ten
 * times as long and more, so this was not written in WebAssembly, where what is framed would have to
 * be copied in and out besides.
 *
 * @throws {SluiceError} `corrupt` when the batch holds something else than records.
 */
export function frameValues(
  walk: RecordWalk,
  out: Uint8Array,
  at: number,
  end = out.length,
): number {
  if (walk.framedBytes >= 0) at = putValuePart(walk, out, at, end);
  const { bytes } = walk;
  while (at < end && walk.next()) {
    const { valueStart, valueEnd } = walk;
    const length = valueEnd - valueStart;
    if (at + LENGTH_BYTES + length > end) {
      walk.framedBytes = 0;
      return putValuePart(walk, out, at, end);
    }
    out[at] =
      out[at + 1] =
      out[at + 2] =
      out[at + 3] =
        0;
    out[at + 4] = length >>> 24;
    out[at + 5] = length >>> 16;
    out[at + 6] = length >>> 8;
    out[at + 7] = length;
    at += LENGTH_BYTES;
    copy(bytes, valueStart, valueEnd, out, at);
    at += length;
  }
  return at;
}

/**
 * As {@linkcode frameValues}, with whole records: each is a version, attributes, its timestamp, its
 * offset, and then key, value and headers as they stand in the batch.
 */
export function frameRecords(
  walk: RecordWalk,
  out: Uint8Array,
  at: number,
  end = out.length,
): number {
  if (walk.framedBytes >= 0) at = putRecordPart(walk, out, at, end);
  const { bytes } = walk;
  while (at < end && walk.next()) {
    const { tailStart, recordEnd } = walk;
    if (at + prefix.length + recordEnd - tailStart > end) {
      walk.framedBytes = 0;
      at = putRecordPart(walk, out, at, end);
      continue;
    }
    const tailAt = putPrefix(walk, out, at);
    copy(bytes, tailStart, recordEnd, out, tailAt);
    at = tailAt + recordEnd - tailStart;
  }
  return at;
}

/** Writes what comes before the tail of the record's frame; returns the position behind. */
function putPrefix(walk: RecordWalk, out: Uint8Array, at: number): number {
  let to = at + LENGTH_BYTES;
  out[to++] = encodingVersion;
  out[to++] = walk.head.isLogAppendTime ? logAppendTime : 0;
  if (walk.isExact) {
    to = putNumber(out, to, walk.timestampNumber);
    to = putNumber(out, to, walk.offsetNumber);
  } else {
    to = putBigint(out, to, walk.timestampMs);
    to = putBigint(out, to, walk.offset);
  }
  putLength(out, at, to - at - LENGTH_BYTES + walk.recordEnd - walk.tailStart);
  return to;
}

/** A zigzag varint of a number below 2^52, in two halves for which integers are enough. */
function putNumber(out: Uint8Array, at: number, value: number): number {
  const zigzag = value >= 0 ? value * 2 : -value * 2 - 1;
  let rest = zigzag;
  if (zigzag >= 2 ** 28) {
    rest = Math.floor(zigzag / 2 ** 28);
    const low = zigzag - rest * 2 ** 28;
    out[at] = low | 128;
    out[at + 1] = low >>> 7 | 128;
    out[at + 2] = low >>> 14 | 128;
    out[at + 3] = low >>> 21 | 128;
    at += 4;
  }
  for (; rest > 127; rest >>>= 7) out[at++] = rest | 128;
  out[at++] = rest;
  return at;
}

/** A zigzag varint of any number of 64 bits. */
function putBigint(out: Uint8Array, at: number, value: bigint): number {
  let rest = value < 0n ? -value * 2n - 1n : value * 2n;
  for (; rest > 127n; rest >>= 7n) out[at++] = Number(rest & 127n) | 128;
  out[at++] = Number(rest);
  return at;
}

function putValuePart(walk: RecordWalk, out: Uint8Array, at: number, end: number): number {
  putLength(prefix, 0, walk.valueEnd - walk.valueStart);
  return putPart(walk, LENGTH_BYTES, walk.valueStart, walk.valueEnd, out, at, end);
}

function putRecordPart(walk: RecordWalk, out: Uint8Array, at: number, end: number): number {
  const prefixBytes = putPrefix(walk, prefix, 0);
  return putPart(walk, prefixBytes, walk.tailStart, walk.recordEnd, out, at, end);
}

/**
 * Writes what is still to be written of a frame, as far as there is room: the prefix, then the walk's
 * bytes [start, stop).
 */
function putPart(
  walk: RecordWalk,
  prefixBytes: number,
  start: number,
  stop: number,
  out: Uint8Array,
  at: number,
  end: number,
): number {
  let framed = walk.framedBytes;
  const frameBytes = prefixBytes + stop - start;
  while (framed < prefixBytes && at < end) out[at++] = prefix[framed++] as number;
  const length = Math.min(frameBytes - framed, end - at);
  if (length > 0) {
    const from = start + framed - prefixBytes;
    copy(walk.bytes, from, from + length, out, at);
    framed += length;
    at += length;
  }
  walk.framedBytes = framed === frameBytes ? -1 : framed;
  return at;
}

function copy(bytes: Uint8Array, from: number, end: number, out: Uint8Array, to: number): void {
  if (end - from > loopedBytesMost) out.set(bytes.subarray(from, end), to);
  else while (from < end) out[to++] = bytes[from++] as number;
}
