const [QUOTE, COMMA, COLON, BACKSLASH, OPEN, CLOSE] = [34, 44, 58, 92, 123, 125];
const [OPEN_LIST, CLOSE_LIST, LOWER_U] = [91, 93, 117];

/** Walks over the keys and values of an object of JSON that is known to be sound. */
export class JsonFields {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  keyStart = 0;
  /** Behind the key's last byte, without its quotation mark. */
  keyEnd = 0;
  isKeyEscaped = false;
  valueStart = 0;
  valueEnd = 0;
  /** Whether the value is a string that holds escapes. */
  isValueEscaped = false;

  /** @param at where the object's brace is. */
  begin(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes;
    this.#at = at + 1;
  }

  /** Goes on to the next key; false when there is none. */
  next(): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    while (bytes[at] !== QUOTE) if (bytes[at++] === CLOSE) return false;
    this.keyStart = at + 1;
    this.keyEnd = this.#stringEnd(at + 1);
    this.isKeyEscaped = this.#hasEscape;
    at = this.keyEnd + 1;
    while (bytes[at] !== COLON) at++;
    at++;
    while (isSpace(bytes[at] as number)) at++;
    this.valueStart = at;
    this.isValueEscaped = false;
    const first = bytes[at] as number;
    if (first === QUOTE) {
      this.valueEnd = this.#stringEnd(at + 1) + 1;
      this.isValueEscaped = this.#hasEscape;
    } else if (first === OPEN || first === OPEN_LIST) {
      this.valueEnd = this.#nestedEnd(at);
    } else {
      while (!isScalarEnd(bytes[at] as number)) at++;
      this.valueEnd = at;
    }
    this.#at = this.valueEnd;
    return true;
  }

  #hasEscape = false;

  #stringEnd(at: number): number {
    const bytes = this.#bytes;
    this.#hasEscape = false;
    while (bytes[at] !== QUOTE) {
      if (bytes[at] === BACKSLASH) {
        this.#hasEscape = true;
        at++;
      }
      at++;
    }
    return at;
  }

  #nestedEnd(at: number): number {
    const bytes = this.#bytes;
    let depth = 0;
    for (;;) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) at = this.#stringEnd(at + 1);
      else if (byte === OPEN || byte === OPEN_LIST) depth++;
      else if ((byte === CLOSE || byte === CLOSE_LIST) && --depth === 0) return at + 1;
      at++;
    }
  }
}

/** White space of JSON. */
export function isSpace(byte: number): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9;
}

function isScalarEnd(byte: number): boolean {
  return byte === COMMA || byte === CLOSE || isSpace(byte);
}

/** The byte that an escape's letter stands for; 0 for `u` and what is no escape. */
const escapeBytes = new Uint8Array(256);
for (const [letter, byte] of ["b\b", "f\f", "n\n", "r\r", "t\t", '""', "\\\\", "//"]) {
  escapeBytes[(letter as string).charCodeAt(0)] = (byte as string).charCodeAt(0);
}

let unescaped = new Uint8Array(1024);

/**
 * The bytes of a JSON string's content that holds escapes, the string being sound; lent until the next
 * call. Half a surrogate
 * pair becomes U+FFFD, as it has no bytes in UTF-8.
 */
export function unescapedJson(bytes: Uint8Array, start: number, end: number): Uint8Array {
  // No escape is shorter than what it stands for: `\uXXXX` is three bytes at most, a pair is four.
  if (unescaped.length < end - start) unescaped = new Uint8Array(2 * (end - start));
  const out = unescaped;
  let at = 0;
  for (let i = start; i < end;) {
    const byte = bytes[i] as number;
    if (byte !== BACKSLASH) {
      out[at++] = byte;
      i++;
      continue;
    }
    const simple = escapeBytes[bytes[i + 1] as number] as number;
    if (simple !== 0) {
      out[at++] = simple;
      i += 2;
      continue;
    }
    let point = unitAt(bytes, i);
    i += 6;
    if (point >= 0xd800 && point < 0xe000) {
      const low = point < 0xdc00 && i < end ? unitAt(bytes, i) : 0;
      const isPair = low >= 0xdc00 && low < 0xe000;
      point = isPair ? 0x10000 + ((point - 0xd800) << 10) + low - 0xdc00 : 0xfffd;
      if (isPair) i += 6;
    }
    at = putPoint(out, at, point);
  }
  return out.subarray(0, at);
}

/** The number of the escape `\uXXXX` at `at`; 0 when there is none. */
function unitAt(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== BACKSLASH || bytes[at + 1] !== LOWER_U) return 0;
  let unit = 0;
  for (let i = at + 2; i < at + 6; i++) {
    const digit = bytes[i] as number;
    unit = unit * 16 + (digit <= 57 ? digit - 48 : (digit | 32) - 87);
  }
  return unit;
}

/** Writes a character in UTF-8. */
function putPoint(out: Uint8Array, at: number, point: number): number {
  if (point < 0x80) {
    out[at++] = point;
  } else if (point < 0x800) {
    out[at++] = 0xc0 | (point >> 6);
    out[at++] = 0x80 | (point & 63);
  } else if (point < 0x10000) {
    out[at++] = 0xe0 | (point >> 12);
    out[at++] = 0x80 | ((point >> 6) & 63);
    out[at++] = 0x80 | (point & 63);
  } else {
    out[at++] = 0xf0 | (point >> 18);
    out[at++] = 0x80 | ((point >> 12) & 63);
    out[at++] = 0x80 | ((point >> 6) & 63);
    out[at++] = 0x80 | (point & 63);
  }
  return at;
}

/**
 * Finds where the object that opens at `at` ends, one byte behind its last brace; -1 when that does not
 * come before `end`.
 */
export function objectEnd(bytes: Uint8Array, at: number, end: number): number {
  let depth = 0;
  let isInString = false;
  for (let i = at; i < end; i++) {
    const byte = bytes[i] as number;
    if (isInString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) {
      isInString = true;
    } else if (byte === OPEN) {
      depth++;
    } else if (byte === CLOSE && --depth === 0) {
      return i + 1;
    }
  }
  return -1;
}
