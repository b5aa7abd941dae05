import { inKernel, kernel } from "./kernel.ts";

const QUOTE = 34;
const BACKSLASH = 92;

const encoder = new TextEncoder();
const hexDigits = encoder.encode("0123456789abcdef");

/** 0: may stand in a JSON string as it is; 1: has to be escaped; 2: not ASCII. */
const kinds = new Uint8Array(256).fill(1, 0, 0x20).fill(2, 0x80);
kinds[QUOTE] = kinds[BACKSLASH] = 1;

/** The letter of a two-byte escape such as `\n`; 0 where there is none. */
const shortEscapes = new Uint8Array(256);
for (const [character, letter] of ["\bb", "\ff", "\nn", "\rr", "\tt", '""', "\\\\"]) {
  shortEscapes[(character as string).charCodeAt(0)] = (letter as string).charCodeAt(0);
}

/** What one byte may become in JSON: `\u001f`. */
export const JSON_BYTES_PER_BYTE = 6;

/** Bytes behind those that count that writing may touch. */
export const JSON_SLACK_BYTES = 16;

/** ASCII that is written often: its length, and its bytes as little-endian words. */
export interface Piece {
  readonly length: number;
  readonly words: Int32Array;
}

/** Prepares constant ASCII `text` for {@linkcode JsonText.piece}. */
export function pieceOf(text: string): Piece {
  const bytes = new Uint8Array((text.length + 3) & ~3);
  encoder.encodeInto(text, bytes);
  const view = new DataView(bytes.buffer);
  const words = Int32Array.from(
    { length: bytes.length >> 2 },
    (_, i) => view.getInt32(4 * i, true),
  );
  return { length: text.length, words };
}

const noBytes = new Uint8Array(0);

/** From this length on a call of the kernel costs less than going on four bytes at a time. */
const KERNEL_BYTES_LEAST = 16;

/**
 * Writes text from one byte array as JSON into another: by the kernel when both arrays are in its
 * memory, else four bytes at a time where it can, which takes half the time of a table look-up for
 * each byte.
 *
 * Every method writes at `at`, may touch {@linkcode JSON_SLACK_BYTES} more than it returns, and
 * checks no bounds: what is written past the end of an array is lost without an error, so callers
 * must reserve {@linkcode JSON_BYTES_PER_BYTE} times the text and the slack.
 */
export class JsonText {
  #from: Uint8Array = noBytes;
  #fromView: DataView = new DataView(noBytes.buffer);
  #fromBuffer: ArrayBufferLike = noBytes.buffer;
  #fromOffset = 0;
  #out: Uint8Array = noBytes;
  #outView: DataView = new DataView(noBytes.buffer);
  #outBuffer: ArrayBufferLike = noBytes.buffer;
  #outOffset = 0;
  #isInKernel = false;

  /** Whether {@linkcode text} takes bytes for ISO 8859-1 instead of UTF-8. */
  latin1 = false;
  /** Set by {@linkcode text} when it met bytes that are not UTF-8. */
  invalid = false;

  /** The bytes that are read. */
  get bytes(): Uint8Array {
    return this.#from;
  }

  /** Sets the arrays that the other methods read and write. Cheap when they are those set last. */
  bind(from: Uint8Array, out: Uint8Array): void {
    if (from === this.#from && out === this.#out) return;
    this.#isInKernel = inKernel(from) && inKernel(out);
    if (from !== this.#from) {
      this.#from = from;
      this.#fromOffset = from.byteOffset;
      if (from.buffer !== this.#fromBuffer) {
        this.#fromBuffer = from.buffer;
        this.#fromView = new DataView(from.buffer);
      }
    }
    if (out === this.#out) return;
    this.#out = out;
    this.#outOffset = out.byteOffset;
    if (out.buffer === this.#outBuffer) return;
    this.#outBuffer = out.buffer;
    this.#outView = new DataView(out.buffer);
  }

  /** Writes a constant; returns its end. */
  piece(at: number, piece: Piece): number {
    const view = this.#outView;
    const words = piece.words;
    const to = this.#outOffset + at;
    for (let i = 0; i < words.length; i++) view.setInt32(to + 4 * i, words[i] as number, true);
    return at + piece.length;
  }

  /**
   * Writes `[start, end)` as the inside of a JSON string; returns its end. At bytes that are not
   * UTF-8 it sets {@linkcode invalid} and gives up: what was written is worth nothing then.
   */
  text(at: number, start: number, end: number): number {
    if (this.latin1) return this.#latin1(at, start, end);
    const written = this.#utf8(at, start, end);
    if (written >= 0) return written;
    this.invalid = true;
    return at;
  }

  /** Writes {@linkcode text} with its quotes. */
  string(at: number, start: number, end: number): number {
    this.#out[at] = QUOTE;
    at = this.text(at + 1, start, end);
    this.#out[at] = QUOTE;
    return at + 1;
  }

  /** Writes one byte; returns its end. */
  byte(at: number, byte: number): number {
    this.#out[at] = byte;
    return at + 1;
  }

  /** Writes bytes that are JSON already; returns their end. */
  raw(at: number, bytes: Uint8Array): number {
    const out = this.#out;
    for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i] as number;
    return at + bytes.length;
  }

  /**
   * Writes UTF-8; returns its end, or -1 when the bytes are not UTF-8 (RFC 3629: overlong forms,
   * surrogates and code points over U+10FFFF are not).
   */
  #utf8(at: number, start: number, end: number): number {
    const from = this.#from;
    const out = this.#out;
    const fromView = this.#fromView;
    const outView = this.#outView;
    const fromOffset = this.#fromOffset;
    const outOffset = this.#outOffset;
    const isInKernel = this.#isInKernel;
    let i = start;
    for (;;) {
      if (isInKernel && end - i >= KERNEL_BYTES_LEAST) {
        const count = kernel.copyPlain(fromOffset + i, fromOffset + end, outOffset + at);
        i += count;
        at += count;
      } else {
        for (; i + 4 <= end; i += 4, at += 4) {
          const word = fromView.getInt32(fromOffset + i, true);
          if (!isPlainWord(word)) break;
          outView.setInt32(outOffset + at, word, true);
        }
      }
      if (i >= end) return at;
      const byte = from[i] as number;
      const kind = kinds[byte];
      if (kind === 0) {
        out[at++] = byte;
        i++;
      } else if (kind === 1) {
        at = putEscape(out, at, byte);
        i++;
      } else {
        // Letters of other scripts come in rows: no look for plain ones between each two.
        do {
          const length = sequenceLength(from, i, end);
          if (length === 0) return -1;
          for (let k = 0; k < length; k++) out[at++] = from[i++] as number;
        } while (i < end && kinds[from[i] as number] === 2);
      }
    }
  }

  /** Writes each byte as one code point (ISO 8859-1). */
  #latin1(at: number, start: number, end: number): number {
    const from = this.#from;
    const out = this.#out;
    for (let i = start; i < end; i++) {
      const byte = from[i] as number;
      const kind = kinds[byte];
      if (kind === 0) {
        out[at++] = byte;
      } else if (kind === 1) {
        at = putEscape(out, at, byte);
      } else {
        out[at++] = 0xc0 | byte >> 6;
        out[at++] = 0x80 | byte & 0x3f;
      }
    }
    return at;
  }
}

/**
 * Whether four bytes may all stand in a JSON string as they are. A borrow between bytes can make
 * this false for a plain one above one that is not, never true for one that is not.
 */
export function isPlainWord(word: number): boolean {
  const quotes = word ^ 0x22222222;
  const backslashes = word ^ 0x5c5c5c5c;
  const special = word | (word - 0x20202020) | (quotes - 0x01010101) | (backslashes - 0x01010101);
  return (special & 0x80808080) === 0;
}

function putEscape(out: Uint8Array, at: number, byte: number): number {
  out[at] = BACKSLASH;
  const letter = shortEscapes[byte] as number;
  if (letter !== 0) {
    out[at + 1] = letter;
    return at + 2;
  }
  out[at + 1] = 0x75;
  out[at + 2] = 0x30;
  out[at + 3] = 0x30;
  out[at + 4] = hexDigits[byte >> 4] as number;
  out[at + 5] = hexDigits[byte & 15] as number;
  return at + 6;
}

/** The length of the sequence of two to four bytes at `at`; 0 when it is not UTF-8. */
export function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (lead < 0xc2 || lead > 0xf4 || at + length > end) return 0;
  const second = bytes[at + 1] as number;
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return 0;
  if (length > 2 && ((bytes[at + 2] as number) & 0xc0) !== 0x80) return 0;
  if (length > 3 && ((bytes[at + 3] as number) & 0xc0) !== 0x80) return 0;
  return length;
}
