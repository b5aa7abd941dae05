import { SluiceError, usageError } from "../core/errors.ts";

/**
 * A whole Kafka record as one baldr record, for archives of the format "record":
 *
 * | bytes | what |
 * |---|---|
 * | 1 | version: 1 |
 * | 1 | attributes: bit 0 says that the broker made the timestamp ("log append time"); others are 0 |
 * | zig-zag varint | timestamp, milliseconds since 1970 |
 * | zig-zag varint | offset |
 * | zig-zag varint, bytes | key; length -1: null |
 * | zig-zag varint, bytes | value; length -1: null |
 * | zig-zag varint | number of headers, and of each: |
 * | zig-zag varint, bytes | its key |
 * | zig-zag varint, bytes | its value; length -1: null |
 *
 * From the key on these are the bytes of Kafka's own record (version 2 of its batches), so that an
 * archiver copies them as they are. A zig-zag varint is at most ten bytes long, seven bits in each,
 * the lowest first; 0, -1, 1, -2 are written as 0, 1, 2, 3.
 */
export interface ArchivedRecord {
  readonly offset: bigint;
  /** Milliseconds since 1970, as the record has it; -1 when it has none. */
  readonly timestampMs: bigint;
  /** The broker set the timestamp when it appended the record; otherwise the producer did. */
  readonly isLogAppendTime: boolean;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly ArchivedHeader[];
}

export interface ArchivedHeader {
  /** UTF-8 by Kafka's rule, but nobody checks that: bytes. */
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export const archivedRecordVersion = 1;

/** Version, attributes, timestamp and offset are no longer than this. */
export const archivedHeadBytesMost = 2 + 10 + 10;

const logAppendTime = 1;
const int64Most = 2n ** 63n - 1n;
const lengthMost = 2 ** 31 - 1;

/**
 * Writes everything before the key to `out` at `at`; returns the position behind it, where the tail
 * of Kafka's record belongs. There must be room for {@linkcode archivedHeadBytesMost}.
 */
export function putArchivedHead(
  out: Uint8Array,
  at: number,
  isLogAppendTime: boolean,
  timestampMs: bigint,
  offset: bigint,
): number {
  out[at++] = archivedRecordVersion;
  out[at++] = isLogAppendTime ? logAppendTime : 0;
  return putInt64(out, putInt64(out, at, timestampMs), offset);
}

/**
 * The record in bytes.
 *
 * @throws {SluiceError} `usage` when its timestamp or offset does not fit 64 bits.
 */
export function encodeArchivedRecord(record: ArchivedRecord): Uint8Array<ArrayBuffer> {
  for (const value of [record.timestampMs, record.offset]) {
    if (value > int64Most || value < -int64Most - 1n) {
      throw usageError("archive a record", `${value} does not fit 64 bits`);
    }
  }
  const { key, value, headers } = record;
  const fields = [key, value, ...headers.flatMap((header) => [header.key, header.value])];
  const most = fields.reduce((sum, field) => sum + 5 + (field?.length ?? 0), 5);
  const out = new Uint8Array(archivedHeadBytesMost + most);
  let at = putArchivedHead(out, 0, record.isLogAppendTime, record.timestampMs, record.offset);
  fields.forEach((field, i) => {
    if (i === 2) at = putInt64(out, at, BigInt(headers.length));
    at = putField(out, at, field);
  });
  if (headers.length === 0) out[at++] = 0;
  return out.slice(0, at);
}

function putField(out: Uint8Array, at: number, field: Uint8Array | null): number {
  at = putInt64(out, at, BigInt(field?.length ?? -1));
  if (field === null) return at;
  out.set(field, at);
  return at + field.length;
}

function putInt64(out: Uint8Array, at: number, value: bigint): number {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest >= 128n; rest >>= 7n) out[at++] = Number(rest & 127n) | 128;
  out[at++] = Number(rest);
  return at;
}

/**
 * Reads a record; key, value and headers are views of its bytes.
 *
 * @throws {SluiceError} `corrupt` when they are not exactly one record of a version that is known.
 */
export function decodeArchivedRecord(bytes: Uint8Array): ArchivedRecord {
  const reader = new Reader(bytes);
  const version = reader.byte();
  if (version !== archivedRecordVersion) {
    refuse(`it begins with ${version}: no whole record, or one of a newer sluice`);
  }
  const attributes = reader.byte();
  if (attributes > logAppendTime) refuse(`its attributes ${attributes} are not known`);
  const timestampMs = reader.int64();
  const offset = reader.int64();
  if (offset < 0n) refuse(`its offset is ${offset}`);
  const key = reader.field("the key");
  const value = reader.field("the value");
  const count = reader.int64();
  // A header has two bytes at least: no list is made longer than the record can fill.
  if (count < 0n || count > BigInt(bytes.length - reader.at) / 2n) {
    refuse(`it cannot have ${count} headers`);
  }
  const headers: ArchivedHeader[] = [];
  for (let left = Number(count); left > 0; left--) {
    const name = reader.field("a header's key");
    if (name === null) refuse("a header has no key");
    headers.push({ key: name, value: reader.field("a header's value") });
  }
  if (reader.at < bytes.length) refuse(`${bytes.length - reader.at} bytes follow its end`);
  const isLogAppendTime = attributes === logAppendTime;
  return { offset, timestampMs, isLogAppendTime, key, value, headers };
}

class Reader {
  at = 0;

  constructor(readonly bytes: Uint8Array) {}

  byte(): number {
    return this.bytes[this.at++] ?? refuse("it is cut");
  }

  int64(): bigint {
    // Seven bytes fit a number; few fields have more.
    let low = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++, scale *= 128) {
      const byte = this.byte();
      low += (byte & 127) * scale;
      if (byte < 128) return BigInt(low % 2 === 0 ? low / 2 : -(low + 1) / 2);
    }
    let whole = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      whole |= BigInt(byte & 127) << shift;
      if (byte < 128) {
        if (whole >= 1n << 64n) break;
        return (whole >> 1n) ^ -(whole & 1n);
      }
    }
    return refuse("one of its numbers does not fit 64 bits");
  }

  field(what: string): Uint8Array | null {
    const length = this.int64();
    if (length === -1n) return null;
    if (length < 0n || length > BigInt(lengthMost)) refuse(`${what} cannot have ${length} bytes`);
    const end = this.at + Number(length);
    if (end > this.bytes.length) refuse(`${what} is cut`);
    const field = this.bytes.subarray(this.at, end);
    this.at = end;
    return field;
  }
}

function refuse(detail: string): never {
  throw new SluiceError("read an archived record", "corrupt", detail);
}
