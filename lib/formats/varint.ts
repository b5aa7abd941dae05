/**
 * The zig-zag varints of Kafka's record format (as in Protocol Buffers): small numbers of either sign
 * in few bytes. Numbers, not bigints: lengths and time deltas are far below 2^53.
 */

/** Bytes of `value` as a varint. */
export function varintSize(value: number): number {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  let size = 1;
  while (rest >= 128) {
    rest = Math.floor(rest / 128);
    size++;
  }
  return size;
}

/** Writes `value` to `out` at `at`; returns the position behind it. */
export function putVarint(out: Uint8Array, at: number, value: number): number {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  while (rest >= 128) {
    out[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  out[at++] = rest;
  return at;
}

/** A position in bytes from which varints are read. */
export class VarintCursor {
  constructor(readonly bytes: Uint8Array, public at: number) {}

  /** @throws {RangeError} past the end of the bytes. */
  read(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new RangeError("a varint is cut");
      value += (byte & 127) * scale;
      if (byte < 128) break;
      scale *= 128;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** The bytes of a length-prefixed field; null for length -1. @throws {RangeError} as above. */
  readBytes(): Uint8Array | null {
    const length = this.read();
    if (length < 0) return null;
    if (length > this.bytes.length - this.at) throw new RangeError("a field is cut");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}
