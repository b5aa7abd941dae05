import { SluiceError } from "../../core/errors.ts";

/** Stands first in every archived record (archived_record.ts). */
const recordVersion = 1;

/**
 * Reads what stands before the tail of an archived record, and makes sure that the tail is one: a
 * broker would refuse the whole batch for it. Nothing is allocated per record.
 */
export class RecordReader {
  offset = 0;
  /** Rounded when a number cannot hold it. */
  timestampMs = 0;
  /** The time where a number cannot hold it, such as one in nanoseconds; null otherwise. */
  exactTimestampMs: bigint | null = null;
  /** Key, value and headers, as a batch holds them, go from here to the record's end. */
  tailStart = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  /** @throws {SluiceError} `corrupt` for bytes that are no archived record. */
  read(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#end = end;
    if (end - start < 2 || bytes[start] !== recordVersion) {
      this.#refuse(`it begins with ${bytes[start] ?? "nothing"}, not with version 1`);
    }
    this.#at = start + 2; // behind version and attributes
    this.#timestamp();
    this.offset = this.#long();
    this.tailStart = this.#at;
    this.#skipField(-1);
    this.#skipField(-1);
    for (let left = this.#length(0); left > 0; left--) {
      this.#skipField(0);
      this.#skipField(-1);
    }
    if (this.#at !== end) this.#refuse(`${end - this.#at} bytes follow its last header`);
  }

  #skipField(least: number): void {
    const length = this.#length(least);
    if (length > 0) this.#at += length;
    if (this.#at > this.#end) this.#refuse("a field is longer than the record");
  }

  #length(least: number): number {
    const length = this.#long();
    if (length >= least) return length;
    this.#refuse(`a length is ${length}`);
  }

  #timestamp(): void {
    const begin = this.#at;
    this.timestampMs = this.#varint();
    this.exactTimestampMs = null;
    if (Number.isSafeInteger(this.timestampMs)) return;
    let whole = 0n;
    for (let at = begin; at < this.#at; at++) {
      whole |= BigInt((this.#bytes[at] as number) & 127) << BigInt(7 * (at - begin));
    }
    if (whole >= 2n ** 64n) this.#refuse("its time has more than 64 bits");
    this.exactTimestampMs = (whole >> 1n) ^ -(whole & 1n);
    this.timestampMs = Number(this.exactTimestampMs);
  }

  #long(): number {
    const number = this.#varint();
    if (Number.isSafeInteger(number)) return number;
    this.#refuse(`a number in it is too large: about ${number}`);
  }

  /** A zigzag varint: mostly of a byte, at most of ten; exact up to 2^53. */
  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let byte = 128; byte >= 128; scale *= 128) {
      if (this.#at >= this.#end) this.#refuse("it is cut");
      byte = this.#bytes[this.#at++] as number;
      value += (byte & 127) * scale;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #refuse(what: string): never {
    throw new SluiceError("read an archived record", "corrupt", what);
  }
}
