import { inKernel, kernel } from "./kernel.ts";
import { Ending, PartBuffer, type PartSink } from "./parts.ts";

/**
 * Receives frames. `bytes[start, end)` is valid only during the call. `part`: index of the piece of
 * one over-long message (0 for a normal one); `more`: further parts of the same message follow.
 */
export interface FrameSink {
  frame(bytes: Uint8Array, start: number, end: number, part: number, more: boolean): void;
}

const LF = 10;
const NUL = 0;
const CR = 13;
const SPACE = 32;
const LESS_THAN = 60;

/** Digits of the longest octet count taken for one: 9,999,999 bytes. */
const COUNT_DIGITS_MOST = 7;

/**
 * Takes a byte stream of syslog messages apart, frame by frame, whatever mix of framings it holds:
 *
 * - a line ended by LF, CRLF (neither byte belongs to the frame) or NUL;
 * - octet counting (RFC 6587, 3.4.1): one to seven digits without leading zero, a space, and the
 *   `<` of the message's priority. A line that only starts with a digit stays a line. An LF, CRLF
 *   or NUL right behind a counted frame belongs to nothing and is skipped.
 *
 * Empty frames are counted, not handed on. A frame over `maxLineBytes` is handed on in parts of at
 * most that size; memory stays bounded by it, whatever count was announced.
 */
export class SyslogFramer {
  readonly #parts: PartBuffer;
  /** Bytes of the current octet-counted frame that have not arrived; 0 outside of one. */
  #countedLeft = 0;
  /** What is held is the beginning of an octet count, or of a line that looks like one. */
  #undecided = false;
  /** A counted frame has just ended: one terminator may follow that belongs to nothing. */
  #afterCounted = false;
  #afterCountedCr = false;
  #count = 0;
  #countDigits = 0;
  #countSpace = false;
  #emptyFrames = 0;

  /** @throws {RangeError} when `maxLineBytes` is under 16 or not a whole number. */
  constructor(sink: FrameSink, options: { maxLineBytes: number }) {
    const adapter: PartSink = {
      part: (bytes, start, end, part, more) => sink.frame(bytes, start, end, part, more),
    };
    this.#parts = new PartBuffer(adapter, options.maxLineBytes);
  }

  /** Bytes held back because their frame is not complete: at most `maxLineBytes` + 1. */
  get pendingBytes(): number {
    return this.#parts.length;
  }

  /** Frames without a byte in them, seen so far. */
  get emptyFrames(): number {
    return this.#emptyFrames;
  }

  /** Takes `bytes[0, length)`, the next bytes of the stream; they may be reused afterwards. */
  push(bytes: Uint8Array, length: number): void {
    const view = inKernel(bytes) ? null : new DataView(bytes.buffer, bytes.byteOffset, length);
    let position = 0;
    while (position < length) {
      if (this.#countedLeft > 0) {
        position = this.#takeCounted(bytes, position, length);
        continue;
      }
      if (this.#afterCounted) {
        position = this.#skipTerminator(bytes, position);
        continue;
      }
      if (this.#undecided || (this.#parts.length === 0 && isCountDigit(bytes[position]))) {
        position = this.#decide(bytes, position, length);
        if (this.#undecided || this.#countedLeft > 0) continue;
      }
      position = this.#takeLine(bytes, view, position, length);
    }
  }

  /** The stream has ended: a rest without a terminator is a frame too. */
  finish(): void {
    this.#decideLine();
    this.#countedLeft = 0;
    this.#afterCounted = false;
    this.#afterCountedCr = false;
    if (this.#parts.length > 0) this.#parts.take(nothing, 0, 0, Ending.complete);
  }

  /** @param view null when the kernel can look at the bytes. */
  #takeLine(bytes: Uint8Array, view: DataView | null, position: number, length: number): number {
    const { byteOffset } = bytes;
    const end = view === null
      ? kernel.findTerminator(byteOffset + position, byteOffset + length) - byteOffset
      : findTerminator(bytes, view, position, length);
    if (end === length) {
      this.#parts.take(bytes, position, length, Ending.openLine);
      return length;
    }
    const ending = bytes[end] === LF ? Ending.newline : Ending.complete;
    if (!this.#parts.take(bytes, position, end, ending)) this.#emptyFrames++;
    return end + 1;
  }

  #takeCounted(bytes: Uint8Array, position: number, length: number): number {
    const end = Math.min(length, position + this.#countedLeft);
    this.#countedLeft -= end - position;
    const complete = this.#countedLeft === 0;
    this.#parts.take(bytes, position, end, complete ? Ending.complete : Ending.open);
    this.#afterCounted = complete;
    return end;
  }

  /** Skips an LF, CRLF or NUL behind a counted frame; a CR without LF is given back to its line. */
  #skipTerminator(bytes: Uint8Array, position: number): number {
    const byte = bytes[position];
    if (byte === CR && !this.#afterCountedCr) {
      this.#afterCountedCr = true;
      return position + 1;
    }
    const skipped = byte === LF || (byte === NUL && !this.#afterCountedCr);
    if (this.#afterCountedCr && !skipped) this.#parts.take(loneCr, 0, 1, Ending.openLine);
    this.#afterCounted = false;
    this.#afterCountedCr = false;
    return skipped ? position + 1 : position;
  }

  /**
   * Reads on in what looks like an octet count. Holds its bytes until it is decided, so that a line
   * starting with a number loses nothing; returns the first position not read.
   */
  #decide(bytes: Uint8Array, start: number, length: number): number {
    this.#undecided = true;
    let position = start;
    while (position < length) {
      const byte = bytes[position] as number;
      if (this.#countSpace) {
        if (byte === LESS_THAN) return this.#beginCounted(position);
        break;
      }
      if (byte === SPACE) this.#countSpace = true;
      else if (byte < 48 || byte > 57 || ++this.#countDigits > COUNT_DIGITS_MOST) break;
      else this.#count = this.#count * 10 + byte - 48;
      position++;
    }
    if (position < length) {
      this.#decideLine();
      // Nothing of an undivided line was held: let it be taken as a whole.
      if (this.#parts.length === 0) return start;
    }
    this.#parts.take(bytes, start, position, Ending.openLine);
    return position;
  }

  #beginCounted(position: number): number {
    this.#countedLeft = this.#count;
    this.#parts.discard();
    this.#decideLine();
    return position;
  }

  /** Ends the reading of an octet count; what is held, if anything, begins a line. */
  #decideLine(): void {
    this.#undecided = false;
    this.#count = 0;
    this.#countDigits = 0;
    this.#countSpace = false;
  }
}

const nothing = new Uint8Array(0);
const loneCr = Uint8Array.of(CR);

/** An octet count begins with 1 to 9: no leading zero. */
function isCountDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 49 && byte <= 57;
}

/**
 * The first LF or NUL in `[from, length)`, or `length`, outside of the kernel's memory. Looks at four bytes at a time: half the
 * time of two `indexOf()`.
 */
function findTerminator(bytes: Uint8Array, view: DataView, from: number, length: number): number {
  let at = from;
  for (; at + 4 <= length; at += 4) {
    const word = view.getInt32(at, true);
    const newlines = word ^ 0x0a0a0a0a;
    // A byte that is 0 borrows into its high bit, which it did not have (as no byte over 127 would).
    const zeros = (word - 0x01010101) & ~word | (newlines - 0x01010101) & ~newlines;
    if ((zeros & 0x80808080) !== 0) break;
  }
  while (at < length && bytes[at] !== LF && bytes[at] !== NUL) at++;
  return at;
}
