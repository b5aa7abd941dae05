import { SluiceError } from "../core/errors.ts";

/** The length in front of each record: 8 bytes, big-endian, signed. */
export const LENGTH_BYTES = 8;

/** Receives records, in one part or several. */
export interface RecordSink {
  /**
   * Takes `bytes[start, end)`, valid only during the call. `part`: index of this piece of the
   * record (0 for one that comes whole); `more`: further parts follow; `length`: bytes of the whole
   * record.
   */
  record(
    bytes: Uint8Array,
    start: number,
    end: number,
    part: number,
    more: boolean,
    length: number,
  ): void;
}

/** Takes a stream of records apart. */
export interface RecordFramer {
  /** Whole records so far. */
  readonly records: number;
  /** Where the last whole record ends, bytes from the beginning of the stream. */
  readonly wholeBytes: number;
  /** Bytes of the stream so far. */
  readonly bytes: number;
  /**
   * Takes the next bytes of the stream; they may be reused afterwards.
   *
   * @throws {SluiceError} at a record that cannot be; those before it have been handed on.
   */
  push(bytes: Uint8Array): void;
  /** The stream has ended. @throws {SluiceError} `corrupt` when that is inside a record. */
  finish(): void;
}

/** Writes the length of a record in front of it, `out[at, at + 8)`. */
export function putLength(out: Uint8Array, at: number, length: number): void {
  const high = Math.floor(length / 2 ** 32);
  for (let i = 0; i < 4; i++) {
    out[at + i] = high >>> (24 - 8 * i);
    out[at + 4 + i] = length >>> (24 - 8 * i);
  }
}

/**
 * Takes a Baldr stream apart: repeated { 8-byte big-endian signed length, that many bytes }.
 *
 * Nothing is put together and nothing is allocated, whatever a length claims: a record that the
 * stream brings in pieces is handed on in parts.
 */
export class BaldrFramer implements RecordFramer {
  readonly #sink: RecordSink;
  readonly #recordBytesMost: number;
  readonly #length = new Uint8Array(LENGTH_BYTES);
  /** Bytes of {@linkcode #length} that are there; less than eight between two pushes. */
  #lengthBytes = 0;
  /** Of the open record: its length, how much of it is still to come (0: none is open), next part. */
  #recordLength = 0;
  #missing = 0;
  #part = 0;
  #isStopped = false;
  #records = 0;
  #wholeBytes = 0;
  #bytes = 0;

  /** @param options.recordBytesMost a longer length is taken for damage. */
  constructor(sink: RecordSink, options: { readonly recordBytesMost: number }) {
    this.#sink = sink;
    this.#recordBytesMost = options.recordBytesMost;
  }

  get records(): number {
    return this.#records;
  }

  get wholeBytes(): number {
    return this.#wholeBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** To be called by the sink: it wants no more, and what follows is not looked at. */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Takes the next bytes of the stream; they may be reused afterwards.
   *
   * @throws {SluiceError} `corrupt` at a length that is negative or over `recordBytesMost`; the
   * records before it have been handed on, and the stream cannot be read any further.
   */
  push(bytes: Uint8Array): void {
    if (this.#isStopped) return;
    this.#bytes += bytes.length;
    let at = 0;
    if (this.#missing > 0) at = this.#resume(bytes);
    else if (this.#lengthBytes > 0) at = this.#completeLength(bytes);
    if (this.#missing === 0 && this.#lengthBytes === 0) this.#walk(bytes, at);
  }

  /**
   * The stream has ended.
   *
   * @throws {SluiceError} `corrupt` when it ended inside a record or its length.
   */
  finish(): void {
    if (this.#isStopped) return;
    if (this.#lengthBytes > 0) {
      this.#refuse(`only ${this.#lengthBytes} of the 8 bytes of its length are there`);
    }
    if (this.#missing > 0) {
      const there = this.#recordLength - this.#missing;
      this.#refuse(`only ${there} of its ${this.#recordLength} bytes are there`);
    }
  }

  /** Hands on the next part of the open record; returns its end in `bytes`. */
  #resume(bytes: Uint8Array): number {
    const end = Math.min(this.#missing, bytes.length);
    this.#missing -= end;
    const more = this.#missing > 0;
    this.#sink.record(bytes, 0, end, this.#part++, more, this.#recordLength);
    if (!more) this.#close(LENGTH_BYTES + this.#recordLength);
    return end;
  }

  #close(bytes: number): void {
    this.#part = 0;
    this.#records++;
    this.#wholeBytes += bytes;
  }

  /** Completes a length that lies across pieces, and begins its record; returns the end in `bytes`. */
  #completeLength(bytes: Uint8Array): number {
    const end = Math.min(LENGTH_BYTES - this.#lengthBytes, bytes.length);
    this.#length.set(bytes.subarray(0, end), this.#lengthBytes);
    this.#lengthBytes += end;
    if (this.#lengthBytes < LENGTH_BYTES) return end;
    this.#lengthBytes = 0;
    const length = this.#check(new DataView(this.#length.buffer), 0);
    const recordEnd = Math.min(end + length, bytes.length);
    this.#begin(bytes, end, recordEnd, length);
    if (this.#missing === 0) this.#close(LENGTH_BYTES + length);
    return recordEnd;
  }

  /** Hands on what `bytes[start, end)` has of a record of `length` bytes. */
  #begin(bytes: Uint8Array, start: number, end: number, length: number): void {
    this.#recordLength = length;
    this.#missing = length - (end - start);
    if (end === start && length > 0) return;
    this.#sink.record(bytes, start, end, 0, this.#missing > 0, length);
    if (this.#missing > 0) this.#part = 1;
  }

  /** The records from `start` on: the loop that every byte of an archive goes through. */
  #walk(bytes: Uint8Array, start: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const sink = this.#sink;
    let at = start;
    let records = 0;
    while (at + LENGTH_BYTES <= bytes.length && !this.#isStopped) {
      const length = lengthAt(view, at);
      const end = at + LENGTH_BYTES + length;
      if (length < 0 || end > bytes.length || length > this.#recordBytesMost) break;
      sink.record(bytes, at + LENGTH_BYTES, end, 0, false, length);
      records++;
      at = end;
    }
    this.#records += records;
    this.#wholeBytes += at - start;
    if (this.#isStopped) return;
    if (at + LENGTH_BYTES <= bytes.length) {
      this.#begin(bytes, at + LENGTH_BYTES, bytes.length, this.#check(view, at));
    } else {
      this.#length.set(bytes.subarray(at));
      this.#lengthBytes = bytes.length - at;
    }
  }

  /** The length at `at`, if a record may have it. */
  #check(view: DataView, at: number): number {
    const length = lengthAt(view, at);
    if (length >= 0 && length <= this.#recordBytesMost) return length;
    const claimed = view.getBigInt64(at);
    this.#refuse(
      claimed < 0n
        ? `its length is negative, ${claimed}`
        : `its length is ${claimed}, where at most ${this.#recordBytesMost} is allowed`,
    );
  }

  #refuse(what: string): never {
    throw new SluiceError(`read the record at byte ${this.#wholeBytes}`, "corrupt", what);
  }
}

/** The signed length at `at`: exact up to 2^53, and over it or under 0 far from any that is allowed. */
function lengthAt(view: DataView, at: number): number {
  return view.getInt32(at) * 2 ** 32 + view.getUint32(at + 4);
}
