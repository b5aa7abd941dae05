const [QUOTE, COMMA, COLON, BACKSLASH, OPEN, CLOSE] = [34, 44, 58, 92, 123, 125];
const [OPEN_LIST, CLOSE_LIST] = [91, 93];

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

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The bytes of a JSON string's content that holds escapes. Half a surrogate pair becomes U+FFFD. */
export function unescapedJson(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return encoder.encode(JSON.parse(`"${decoder.decode(bytes.subarray(start, end))}"`));
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
