import { isPlainWord, sequenceLength } from "./json_text.ts";

const [TAB, LF, CR, SPACE, QUOTE, COMMA, COLON, BACKSLASH] = [9, 10, 13, 32, 34, 44, 58, 92];
const [PLUS, MINUS, POINT, ZERO, NINE, LOWER_E, LOWER_U] = [43, 45, 46, 48, 57, 101, 117];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [91, 93, 123, 125];

const encoder = new TextEncoder();
const words = ["true", "false", "null"].map((word) => encoder.encode(word));
const escapes = new Uint8Array(256);
for (const letter of encoder.encode('"\\/bfnrt')) escapes[letter] = 1;

/** Tells whether bytes are JSON. Makes no object, and reads strings four bytes at a time. */
export class JsonScanner {
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);
  #hasBreaks = false;

  /** Whether what was scanned last stands on more than one line: between its tokens, for JSON. */
  get hasBreaks(): boolean {
    return this.#hasBreaks;
  }

  /**
   * Whether bytes are one JSON value in UTF-8 (RFC 8259). White space around it is allowed; a byte
   * order mark is not JSON.
   */
  isJson(bytes: Uint8Array): boolean {
    if (bytes.buffer !== this.#view.buffer) this.#view = new DataView(bytes.buffer);
    this.#bytes = bytes;
    this.#hasBreaks = false;
    /** What will close each array and object that is open. */
    const open: number[] = [];
    let at = this.#space(0);
    for (;;) {
      const byte = bytes[at];
      if (byte === OPEN_BRACE) {
        at = this.#space(at + 1);
        open.push(CLOSE_BRACE);
        if (bytes[at] !== CLOSE_BRACE) {
          if ((at = this.#key(at)) < 0) return false;
          continue;
        }
      } else if (byte === OPEN_BRACKET) {
        at = this.#space(at + 1);
        open.push(CLOSE_BRACKET);
        if (bytes[at] !== CLOSE_BRACKET) continue;
      } else {
        at = byte === QUOTE ? this.#string(at) : endOfScalar(bytes, at);
        if (at < 0) return false;
        at = this.#space(at);
      }
      while (open.length > 0 && bytes[at] === open[open.length - 1]) {
        open.pop();
        at = this.#space(at + 1);
      }
      if (open.length === 0) return at === bytes.length;
      if (bytes[at] !== COMMA) return false;
      at = this.#space(at + 1);
      if (open[open.length - 1] === CLOSE_BRACE && (at = this.#key(at)) < 0) return false;
    }
  }

  // These, and the functions below, return where what begins at `at` ends; -1 when it is not there.

  #space(at: number): number {
    for (;; at++) {
      const byte = this.#bytes[at];
      if (byte === LF || byte === CR) this.#hasBreaks = true;
      else if (byte !== SPACE && byte !== TAB) return at;
    }
  }

  /** A key with its colon, and the white space behind each. */
  #key(at: number): number {
    const end = this.#bytes[at] === QUOTE ? this.#string(at) : -1;
    if (end < 0) return -1;
    const colon = this.#space(end);
    return this.#bytes[colon] === COLON ? this.#space(colon + 1) : -1;
  }

  #string(start: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    const offset = bytes.byteOffset;
    const wordsEnd = bytes.length - 4;
    let at = start + 1;
    while (at < bytes.length) {
      while (at <= wordsEnd && isPlainWord(view.getInt32(offset + at, true))) at += 4;
      const byte = bytes[at] as number;
      if (byte === QUOTE) return at + 1;
      if (byte === BACKSLASH) {
        at = endOfEscape(bytes, at);
        if (at < 0) return -1;
      } else if (byte >= 0x80) {
        const length = sequenceLength(bytes, at, bytes.length);
        if (length === 0) return -1;
        at += length;
      } else {
        if (byte < SPACE) return -1;
        at++;
      }
    }
    return -1;
  }
}

function endOfEscape(bytes: Uint8Array, at: number): number {
  const letter = bytes[at + 1] ?? 0;
  if (escapes[letter] === 1) return at + 2;
  if (letter !== LOWER_U) return -1;
  for (let i = at + 2; i < at + 6; i++) {
    const digit = bytes[i];
    const letter = (digit ?? 0) | 32;
    if (!isDigit(digit) && (letter < 97 || letter > 102)) return -1;
  }
  return at + 6;
}

/** A number or a word. */
function endOfScalar(bytes: Uint8Array, start: number): number {
  let at = start;
  if (bytes[at] === MINUS) at++;
  if (bytes[at] === ZERO) at++;
  else if (isDigit(bytes[at])) at = endOfDigits(bytes, at);
  else return at === start ? endOfWord(bytes, start) : -1;
  if (bytes[at] === POINT) {
    if (!isDigit(bytes[at + 1])) return -1;
    at = endOfDigits(bytes, at + 1);
  }
  if (((bytes[at] ?? 0) | 32) !== LOWER_E) return at;
  at++;
  if (bytes[at] === PLUS || bytes[at] === MINUS) at++;
  return isDigit(bytes[at]) ? endOfDigits(bytes, at) : -1;
}

function endOfWord(bytes: Uint8Array, at: number): number {
  const word = words.find((word) => word[0] === bytes[at]);
  return word?.every((byte, i) => bytes[at + i] === byte) ? at + word.length : -1;
}

function endOfDigits(bytes: Uint8Array, at: number): number {
  while (isDigit(bytes[at])) at++;
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/**
 * Writes JSON without the white space between its tokens to `out` at `at`; returns its end. The
 * tokens stay as they are, so that a long number loses no digit and a repeated key is still there.
 */
export function compactJson(json: Uint8Array, out: Uint8Array, at: number): number {
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i] as number;
    if (byte === QUOTE) inString = !inString;
    else if (!inString && byte <= SPACE) continue;
    out[at++] = byte;
    if (inString && byte === BACKSLASH) out[at++] = json[++i] as number;
  }
  return at;
}
