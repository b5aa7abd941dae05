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

/** Copies all of `piece` to `out` at `at`; returns the end. For pieces too short for `set()`. */
export function put(out: Uint8Array, at: number, piece: Uint8Array): number {
  for (let i = 0; i < piece.length; i++) out[at + i] = piece[i] as number;
  return at + piece.length;
}

/**
 * Writes UTF-8 `bytes[start, end)` as the inside of a JSON string; `out` must have room for six
 * times as many bytes, as writes past its end would be lost without an error.
 *
 * @returns the end of what was written; -1 when the bytes are not UTF-8 (RFC 3629: overlong forms,
 * surrogates and code points over U+10FFFF are not).
 */
export function putUtf8(
  out: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    const kind = kinds[byte];
    if (kind === 0) {
      out[at++] = byte;
    } else if (kind === 1) {
      at = putEscape(out, at, byte);
    } else {
      const length = sequenceLength(bytes, i, end);
      if (length === 0) return -1;
      for (const last = i + length - 1; i < last; i++) out[at++] = bytes[i] as number;
      out[at++] = bytes[i] as number;
    }
  }
  return at;
}

/** Writes `bytes[start, end)`, each byte a code point (ISO 8859-1), as {@linkcode putUtf8} does. */
export function putLatin1(
  out: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
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
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
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
