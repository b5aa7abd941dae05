import { type BatchHead, corruptBatch } from "./fetched_batches.ts";

/** Offset deltas are below this. */
const deltasMost = 2 ** 31;

/** Sums of numbers below this are exact, and twice as much, too. */
const exactMost = 2 ** 51;

/**
 * Goes over the records of a batch. The walk is made once and used for all batches; nothing is
 * allocated for a record: where its parts lie is in plain fields, positions in {@linkcode bytes}.
 *
 * Headers are not looked into. In a batch whose checksum is right they are what the producer sent.
 */
export class RecordWalk {
  head: BatchHead = noHead;
  bytes: Uint8Array = new Uint8Array(0);
  /** Of the record: its offset is the batch's base offset and this. */
  offsetDelta = 0;
  /** As stored; rounded from 2^53 on, unlike {@linkcode timestampMs}. */
  timestampDelta = 0;
  /** Where the key's length stands: from here to the end a record is the same wherever it stands. */
  tailStart = 0;
  hasKey = false;
  keyStart = 0;
  keyEnd = 0;
  hasValue = false;
  valueStart = 0;
  valueEnd = 0;
  recordEnd = 0;
  /** Bytes of the record's frame that were written, when only a part had room; -1 when none is open. */
  framedBytes = -1;
  /** Records so far, without those that were skipped; of these: how many have no value. */
  records = 0;
  nullValues = 0;
  #end = 0;
  #left = 0;
  #deltaLeast = 0;
  // As numbers, if those are exact: base offset, and what timestamps count from.
  #baseOffset = 0;
  #baseTime = 0;
  #isBaseExact = true;
  /** Position behind the last varint that was read the long way. */
  #at = 0;
  #timestampAt = 0;
  // Of the records so far.
  #timeDeltaLeast = 0;
  #timeDeltaMost = 0;

  /**
   * Begins with a batch.
   *
   * @param bytes where its records are, decompressed: [start, end).
   * @param wanted records of lower offsets are skipped, as a fetch may begin inside a batch.
   */
  begin(head: BatchHead, bytes: Uint8Array, start: number, end: number, wanted: bigint): void {
    this.head = head;
    this.bytes = bytes;
    this.recordEnd = start;
    this.#end = end;
    this.#left = head.count;
    const least = wanted - head.baseOffset;
    this.#deltaLeast = least <= 0n ? 0 : least > deltasMost ? deltasMost : Number(least);
    this.#baseOffset = Number(head.baseOffset);
    this.#baseTime = Number(head.isLogAppendTime ? head.maxTimestampMs : head.baseTimestampMs);
    this.#isBaseExact = this.#baseOffset < exactMost && Math.abs(this.#baseTime) < exactMost;
    this.framedBytes = -1;
    this.records = this.nullValues = 0;
    this.#timeDeltaLeast = Infinity;
    this.#timeDeltaMost = -Infinity;
  }

  /** Whether all records of the batch are done. */
  get isDone(): boolean {
    return this.#left === 0 && this.framedBytes < 0;
  }

  get offset(): bigint {
    return this.head.baseOffset + BigInt(this.offsetDelta);
  }

  /** Whether {@linkcode offsetNumber} and {@linkcode timestampNumber} are exact. */
  get isExact(): boolean {
    return this.#isBaseExact && Math.abs(this.timestampDelta) < exactMost;
  }

  get offsetNumber(): number {
    return this.#baseOffset + this.offsetDelta;
  }

  get timestampNumber(): number {
    return this.head.isLogAppendTime ? this.#baseTime : this.#baseTime + this.timestampDelta;
  }

  /** Always exact: milliseconds since 1970, if the producer took them so. */
  get timestampMs(): bigint {
    const { head } = this;
    if (head.isLogAppendTime) return head.maxTimestampMs;
    return BigInt.asIntN(64, head.baseTimestampMs + varintExact(this.bytes, this.#timestampAt));
  }

  /** The least timestamp of the records so far; null when there were none. */
  get firstTimestampMs(): number | null {
    return this.#timestampOf(this.#timeDeltaLeast);
  }

  /** The greatest timestamp of the records so far; null when there were none. */
  get lastTimestampMs(): number | null {
    return this.#timestampOf(this.#timeDeltaMost);
  }

  #timestampOf(delta: number): number | null {
    if (this.records === 0) return null;
    return this.head.isLogAppendTime ? this.#baseTime : this.#baseTime + delta;
  }

  /**
   * Goes to the next record; false when there is none.
   *
   * @throws {SluiceError} `corrupt` when the bytes are not records, or not as many as announced.
   */
  next(): boolean {
    while (this.#left > 0) {
      this.#left--;
      this.#read();
      if (this.offsetDelta < this.#deltaLeast) continue;
      this.records++;
      if (!this.hasValue) this.nullValues++;
      const delta = this.timestampDelta;
      if (delta < this.#timeDeltaLeast) this.#timeDeltaLeast = delta;
      if (delta > this.#timeDeltaMost) this.#timeDeltaMost = delta;
      return true;
    }
    if (this.recordEnd !== this.#end) this.#refuse("there are bytes behind its last record");
    return false;
  }

  #read(): void {
    const { bytes } = this;
    let at = this.recordEnd;
    // The short forms of the varints stand here as they are: this is half of the time of a walk.
    let first = bytes[at] as number;
    let length;
    if (first < 128) {
      length = first >>> 1 ^ -(first & 1);
      at++;
    } else {
      const second = bytes[at + 1] as number;
      if (second < 128) {
        length = (first & 127 | second << 7) >>> 1 ^ -(first & 1);
        at += 2;
      } else {
        length = this.#long(at);
        at = this.#at;
      }
    }
    const end = at + length;
    if (!(length > 0 && end <= this.#end)) this.#refuse(`a record has a length of ${length}`);
    this.recordEnd = end;
    at++; // Attributes: none are defined.
    this.#timestampAt = at;
    first = bytes[at] as number;
    if (first < 128) {
      this.timestampDelta = first >>> 1 ^ -(first & 1);
      at++;
    } else {
      this.timestampDelta = this.#long(at);
      at = this.#at;
    }
    first = bytes[at] as number;
    if (first < 128) {
      this.offsetDelta = first >>> 1 ^ -(first & 1);
      at++;
    } else {
      this.offsetDelta = this.#long(at);
      at = this.#at;
    }
    this.tailStart = at;
    this.#readTail(at, end);
  }

  /** Finds key and value of the record that ends at `end`. */
  #readTail(at: number, end: number): void {
    const { bytes } = this;
    let length;
    let first = bytes[at] as number;
    if (first === 1) {
      this.hasKey = false;
      length = 0;
      at++;
    } else {
      length = this.#long(at);
      at = this.#at;
      this.hasKey = length >= 0;
      if (length < 0) length = 0;
    }
    this.keyStart = at;
    at += length;
    this.keyEnd = at;
    if (at >= end) this.#refuse("a key does not fit into its record");
    first = bytes[at] as number;
    const second = bytes[at + 1] as number;
    if (first > 127 && second < 128) {
      length = (first & 127 | second << 7) >>> 1 ^ -(first & 1);
      at += 2;
    } else {
      length = this.#long(at);
      at = this.#at;
    }
    this.hasValue = length >= 0;
    this.valueStart = at;
    this.valueEnd = at + (length < 0 ? 0 : length);
    // At least the number of headers comes behind.
    if (this.valueEnd >= end) this.#refuse("a value does not fit into its record");
  }

  /** Reads a varint of any length. */
  #long(at: number): number {
    const { bytes } = this;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = bytes[at + i];
      if (byte === undefined) break;
      value += (byte & 127) * scale;
      if (byte < 128) {
        this.#at = at + i + 1;
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
      scale *= 128;
    }
    this.#refuse("a number in a record has no end");
  }

  #refuse(what: string): never {
    corruptBatch(this.head.baseOffset, what);
  }
}

/** The varint at `at`, exact up to 64 bits. */
function varintExact(bytes: Uint8Array, at: number): bigint {
  let value = 0n;
  for (let shift = 0n;; shift += 7n) {
    const byte = bytes[at++] ?? 0;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return value & 1n ? -(value >> 1n) - 1n : value >> 1n;
  }
}

const noHead: BatchHead = {
  baseOffset: 0n,
  nextOffset: 0n,
  sizeBytes: 0,
  codec: 0,
  isControl: false,
  isTransactional: false,
  isLogAppendTime: false,
  producerId: -1n,
  baseTimestampMs: 0n,
  maxTimestampMs: 0n,
  count: 0,
};
