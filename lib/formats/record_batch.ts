import { crc32c } from "./crc32c.ts";
import { putVarint, VarintCursor, varintSize } from "./varint.ts";

/** A header of a record: text in bytes, twice. */
export interface RecordHeader {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A record on its own, or read back from a batch. */
export interface BatchRecord {
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  readonly headers: readonly RecordHeader[];
}

/** Bytes before the first record. */
export const batchHeaderBytes = 61;

/** Length, attributes, time delta, offset delta, key length, value length, number of headers at most. */
const recordOverheadMost = 5 + 1 + 10 + 5 + 5 + 5 + 5;

/** Length, attributes, time delta and offset delta at most: what stands before a record's tail. */
const tailOverheadMost = 5 + 1 + 10 + 5;

const noHeaders: readonly RecordHeader[] = [];

/**
 * A Kafka record batch, version 2 ("magic 2", kafka.apache.org/documentation/#recordbatch), written
 * straight into one buffer that is used again and again: no object per record. The caller writes the
 * value itself between {@linkcode RecordBatch.begin} and {@linkcode RecordBatch.commit}.
 */
export class RecordBatch {
  /** The owner's own. */
  tag: unknown = null;
  count = 0;
  firstTimestampMs = 0;
  maxTimestampMs = 0;
  /** The time of the batch's only record, where a number cannot hold it; null otherwise. */
  exactTimestampMs: bigint | null = null;
  #end = batchHeaderBytes;
  // Of the record that was begun: where it starts, where its value starts, how many bytes its two
  // length fields were given, and its headers.
  #start = 0;
  #valueAt = 0;
  #lengthBytes = 2;
  #valueLengthBytes = 2;
  #headers = noHeaders;

  /**
   * @param limitBytes the whole batch, header included, never exceeds it.
   * @param bytes so many; values are written right there.
   */
  constructor(
    readonly limitBytes: number,
    readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(limitBytes),
  ) {}

  get sizeBytes(): number {
    return this.#end;
  }

  clear(): void {
    this.count = 0;
    this.#end = batchHeaderBytes;
    this.tag = null;
    this.exactTimestampMs = null;
  }

  /**
   * Begins a record whose value has at most `valueBytesMost` bytes; returns the position for the
   * value, or -1 when the batch has no room for it.
   */
  begin(
    valueBytesMost: number,
    timestampMs: number,
    key: Uint8Array | null,
    headers: readonly RecordHeader[] = noHeaders,
  ): number {
    const keyBytes = key === null ? 0 : key.length;
    const most = recordOverheadMost + keyBytes + valueBytesMost + headerBytesMost(headers);
    if (this.#end + most > this.limitBytes) return -1;
    if (this.count === 0) this.firstTimestampMs = this.maxTimestampMs = timestampMs;
    else if (timestampMs > this.maxTimestampMs) this.maxTimestampMs = timestampMs;
    const { bytes } = this;
    this.#start = this.#end;
    // The lengths come first but are known last: they get as many bytes as those before had.
    let at = this.#start + this.#lengthBytes;
    bytes[at++] = 0;
    at = putVarint(bytes, at, timestampMs - this.firstTimestampMs);
    at = putVarint(bytes, at, this.count);
    if (key === null) bytes[at++] = 1; // -1
    else {
      at = putVarint(bytes, at, key.length);
      bytes.set(key, at);
      at += key.length;
    }
    this.#headers = headers;
    this.#valueAt = at + this.#valueLengthBytes;
    return this.#valueAt;
  }

  /** Ends the record that was begun; its value ends before `valueEnd`. */
  commit(valueEnd: number): void {
    const { bytes } = this;
    const valueLength = valueEnd - this.#valueAt;
    const valueLengthBytes = varintSize(valueLength);
    const before = this.#valueAt - this.#valueLengthBytes - this.#lengthBytes - this.#start;
    const headersLength = this.#headers.length === 0 ? 1 : headerBytes(this.#headers);
    const length = before + valueLengthBytes + valueLength + headersLength;
    const lengthBytes = varintSize(length);
    if (lengthBytes !== this.#lengthBytes || valueLengthBytes !== this.#valueLengthBytes) {
      this.#move(lengthBytes, valueLengthBytes, before, valueLength);
    }
    putVarint(bytes, this.#start, length);
    putVarint(bytes, this.#valueAt - valueLengthBytes, valueLength);
    let at = this.#valueAt + valueLength;
    if (this.#headers.length === 0) bytes[at++] = 0;
    else at = putHeaders(bytes, at, this.#headers);
    this.#end = at;
    this.count++;
  }

  /**
   * Appends a record whose tail, `bytes[start, end)`, is there already as a batch holds it: key,
   * value and headers with their lengths, whatever is null or double in them. False when the batch
   * has no room for it.
   */
  appendTail(bytes: Uint8Array, start: number, end: number, timestampMs: number): boolean {
    const delta = this.count === 0 ? 0 : timestampMs - this.firstTimestampMs;
    const length = 1 + varintSize(delta) + varintSize(this.count) + end - start;
    if (this.#end + varintSize(length) + length > this.limitBytes) return false;
    if (this.count === 0) this.firstTimestampMs = this.maxTimestampMs = timestampMs;
    else if (timestampMs > this.maxTimestampMs) this.maxTimestampMs = timestampMs;
    const out = this.bytes;
    let at = putVarint(out, this.#end, length);
    out[at++] = 0;
    at = putVarint(out, at, delta);
    at = putVarint(out, at, this.count);
    out.set(bytes.subarray(start, end), at);
    this.#end = at + end - start;
    this.count++;
    return true;
  }

  /** Makes the length fields of the record under way other sizes than they were given. */
  #move(lengthBytes: number, valueLengthBytes: number, before: number, valueLength: number): void {
    const { bytes } = this;
    const from = this.#start + this.#lengthBytes;
    const to = this.#start + lengthBytes;
    const valueAt = to + before + valueLengthBytes;
    const moveValue = () => bytes.copyWithin(valueAt, this.#valueAt, this.#valueAt + valueLength);
    if (valueAt > this.#valueAt) moveValue();
    bytes.copyWithin(to, from, from + before);
    if (valueAt < this.#valueAt) moveValue();
    this.#valueAt = valueAt;
    this.#lengthBytes = lengthBytes;
    this.#valueLengthBytes = valueLengthBytes;
  }
}

function headerBytesMost(headers: readonly RecordHeader[]): number {
  let most = 0;
  for (const { key, value } of headers) most += key.length + value.length + 10;
  return most;
}

function headerBytes(headers: readonly RecordHeader[]): number {
  let size = varintSize(headers.length);
  for (const { key, value } of headers) {
    size += varintSize(key.length) + key.length + varintSize(value.length) + value.length;
  }
  return size;
}

function putHeaders(out: Uint8Array, at: number, headers: readonly RecordHeader[]): number {
  at = putVarint(out, at, headers.length);
  for (const { key, value } of headers) {
    for (const part of [key, value]) {
      at = putVarint(out, at, part.length);
      out.set(part, at);
      at += part.length;
    }
  }
  return at;
}

/** Who writes a batch, so that the broker can tell a repetition from a new one. */
export interface ProducerStamp {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Sequence of the batch's first record in its partition, 0 to 2^31 - 1. */
  readonly baseSequence: number;
}

/** Fills in the header and the checksum; the bytes are a view of the batch, ready to be sent. */
export function sealBatch(batch: RecordBatch, stamp: ProducerStamp): Uint8Array<ArrayBuffer> {
  const sealed = batch.bytes.subarray(0, batch.sizeBytes);
  putHeader(sealed, batch, 0);
  restamp(sealed, stamp);
  return sealed;
}

/** Like {@linkcode sealBatch} with the records compressed: `codec` is 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
export function sealCompressed(
  batch: RecordBatch,
  codec: number,
  compressed: Uint8Array,
  stamp: ProducerStamp,
): Uint8Array<ArrayBuffer> {
  const sealed = new Uint8Array(batchHeaderBytes + compressed.length);
  sealed.set(compressed, batchHeaderBytes);
  putHeader(sealed, batch, codec);
  restamp(sealed, stamp);
  return sealed;
}

/** The records of the batch, as they are compressed. */
export function recordBytes(batch: RecordBatch): Uint8Array<ArrayBuffer> {
  return batch.bytes.subarray(batchHeaderBytes, batch.sizeBytes);
}

/** Gives a sealed batch another producer or sequence, and the checksum that goes with it. */
export function restamp(sealed: Uint8Array, stamp: ProducerStamp): void {
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.length);
  view.setBigInt64(43, stamp.producerId);
  view.setInt16(51, stamp.producerEpoch);
  view.setInt32(53, stamp.baseSequence);
  // The checksum covers all from the attributes on (offset 21).
  view.setUint32(17, crc32c(sealed, 21, sealed.length));
}

function putHeader(sealed: Uint8Array, batch: RecordBatch, codec: number): void {
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.length);
  view.setBigInt64(0, 0n); // The broker gives the offset.
  view.setInt32(8, sealed.length - 12);
  view.setInt32(12, -1); // Partition leader epoch: the broker's.
  view.setInt8(16, 2);
  view.setInt16(21, codec);
  view.setInt32(23, batch.count - 1);
  const { exactTimestampMs, firstTimestampMs, maxTimestampMs } = batch;
  view.setBigInt64(27, exactTimestampMs ?? BigInt(firstTimestampMs));
  view.setBigInt64(35, exactTimestampMs ?? BigInt(maxTimestampMs));
  view.setInt32(57, batch.count);
}

/** Writes a record that is there already into the batch; false when the batch has no room for it. */
export function appendRecord(batch: RecordBatch, record: BatchRecord): boolean {
  const { value, timestampMs, key, headers } = record;
  const at = batch.begin(value.length, timestampMs, key, headers);
  if (at < 0) return false;
  batch.bytes.set(value, at);
  batch.commit(at + value.length);
  return true;
}

/** Where the tail of a record stands in the bytes of its batch, see {@linkcode RecordBatch.appendTail}. */
export interface RecordTail {
  readonly timestampMs: number;
  readonly start: number;
  readonly end: number;
}

/** Finds the tails of a batch's records. */
export function tailsIn(batch: RecordBatch): RecordTail[] {
  const cursor = new VarintCursor(batch.bytes, batchHeaderBytes);
  return Array.from({ length: batch.count }, () => {
    const length = cursor.read();
    const end = cursor.at + length;
    cursor.at++;
    const timestampMs = batch.firstTimestampMs + cursor.read();
    cursor.read();
    const start = cursor.at;
    cursor.at = end;
    return { timestampMs, start, end };
  });
}

/** A batch of the records with these tails, as large as they need. */
export function batchOfTails(bytes: Uint8Array, tails: readonly RecordTail[]): RecordBatch {
  const needed = tails.reduce((sum, { start, end }) => sum + tailOverheadMost + end - start, 0);
  const batch = new RecordBatch(batchHeaderBytes + needed);
  for (const { timestampMs, start, end } of tails) batch.appendTail(bytes, start, end, timestampMs);
  return batch;
}

/**
 * Reads the records of a batch back. Their bytes are views of the batch; what is null reads as empty
 * but for keys, as nothing else that is written record by record is null.
 */
export function* recordsIn(batch: RecordBatch): Generator<BatchRecord> {
  const cursor = new VarintCursor(batch.bytes, batchHeaderBytes);
  for (let i = 0; i < batch.count; i++) {
    cursor.read();
    cursor.at++;
    const timestampMs = batch.firstTimestampMs + cursor.read();
    cursor.read();
    const key = cursor.readBytes();
    const value = cursor.readBytes() ?? new Uint8Array(0);
    const headers: RecordHeader[] = [];
    for (let left = cursor.read(); left > 0; left--) {
      const name = cursor.readBytes() ?? new Uint8Array(0);
      headers.push({ key: name, value: cursor.readBytes() ?? new Uint8Array(0) });
    }
    yield { timestampMs, key, value, headers };
  }
}
