/**
 * Receives the pieces of one message. `bytes[start, end)` is valid only during the call.
 * `part` counts the pieces of one over-long message from 0; `more` says that others follow.
 */
export interface PartSink {
  part(bytes: Uint8Array, start: number, end: number, part: number, more: boolean): void;
}

/** How a chunk handed to {@linkcode PartBuffer.take} ends. */
export const Ending = {
  /** The message goes on in the next chunk; a CR at the end may turn out to be half a CRLF. */
  openLine: 0,
  /** The message goes on in the next chunk; every byte is content. */
  open: 1,
  /** An LF follows: a CR before it is not content. */
  newline: 2,
  /** The message is complete; every byte is content. */
  complete: 3,
} as const;

export type Ending = typeof Ending[keyof typeof Ending];

const CR = 13;

/** The smallest limit: room for an octet count and for any UTF-8 sequence. */
const LEAST_LIMIT = 16;

/**
 * Puts messages together that arrive in chunks, and takes messages over the limit apart.
 *
 * A message that lies in one chunk is handed on where it is; only a rest is copied. Never more than
 * the limit and one byte (a CR whose LF may follow) is held.
 */
export class PartBuffer {
  readonly #sink: PartSink;
  readonly #limit: number;
  #held = new Uint8Array(0);
  #length = 0;
  #part = 0;

  /** @throws {RangeError} when `limit` (bytes of one part) is under 16 or not a whole number. */
  constructor(sink: PartSink, limit: number) {
    if (!Number.isInteger(limit) || limit < LEAST_LIMIT) {
      throw new RangeError(`Cannot split messages at ${limit} bytes: give ${LEAST_LIMIT} or more`);
    }
    this.#sink = sink;
    this.#limit = limit;
  }

  /** Bytes held until the rest of their message arrives. */
  get length(): number {
    return this.#length;
  }

  /** Forgets what is held. */
  discard(): void {
    this.#length = 0;
  }

  /**
   * Takes `bytes[start, end)`, the next chunk of the current message.
   *
   * @returns false when the message is complete and empty; nothing was handed on then.
   */
  take(bytes: Uint8Array, start: number, end: number, ending: Ending): boolean {
    if (this.#length > 0) return this.#takeHeld(bytes, start, end, ending);
    let stop = end;
    if (ending === Ending.newline && stop > start && bytes[stop - 1] === CR) stop--;
    const held = ending === Ending.openLine && stop > start && bytes[stop - 1] === CR ? 1 : 0;
    while (stop - held - start > this.#limit) {
      const cut = cutBefore(bytes, start, start + this.#limit);
      this.#sink.part(bytes, start, cut, this.#part++, true);
      start = cut;
    }
    if (ending === Ending.openLine || ending === Ending.open) {
      this.#append(bytes, start, stop);
      return true;
    }
    return this.#last(bytes, start, stop);
  }

  #takeHeld(bytes: Uint8Array, start: number, end: number, ending: Ending): boolean {
    const mayDropCr = ending === Ending.openLine || ending === Ending.newline;
    for (;;) {
      const count = Math.min(this.#limit + 1 - this.#length, end - start);
      this.#append(bytes, start, start + count);
      start += count;
      const last = this.#held[this.#length - 1];
      const dropped = mayDropCr && start === end && last === CR ? 1 : 0;
      if (start === end && this.#length - dropped <= this.#limit) {
        if (ending === Ending.openLine || ending === Ending.open) return true;
        const length = this.#length - (ending === Ending.newline ? dropped : 0);
        this.#length = 0;
        return this.#last(this.#held, 0, length);
      }
      this.#cutHeld();
    }
  }

  /** Hands on as much of what is held as the limit allows and keeps the rest. */
  #cutHeld(): void {
    const cut = cutBefore(this.#held, 0, this.#limit);
    this.#sink.part(this.#held, 0, cut, this.#part++, true);
    this.#held.copyWithin(0, cut, this.#length);
    this.#length -= cut;
  }

  #last(bytes: Uint8Array, start: number, end: number): boolean {
    const part = this.#part;
    this.#part = 0;
    if (start === end && part === 0) return false;
    this.#sink.part(bytes, start, end, part, false);
    return true;
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.#length + end - start;
    if (needed > this.#held.length) {
      const size = Math.min(this.#limit + 1, Math.max(256, 2 * needed));
      const grown = new Uint8Array(size);
      grown.set(this.#held.subarray(0, this.#length));
      this.#held = grown;
    }
    this.#held.set(bytes.subarray(start, end), this.#length);
    this.#length = needed;
  }
}

/**
 * Where to cut at `limit` or up to three bytes before it, so that no UTF-8 sequence is torn.
 * Bytes that are not UTF-8 are cut at the limit itself.
 */
export function cutBefore(bytes: Uint8Array, start: number, limit: number): number {
  const following = bytes[limit] as number;
  if ((following & 0xc0) !== 0x80) return limit;
  for (let back = 1; back <= 3 && limit - back > start; back++) {
    const byte = bytes[limit - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const sequence = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return sequence > back ? limit - back : limit;
  }
  return limit;
}
