const SPACE = 32;
const QUOTE = 34;
const EQUALS = 61;
const OPEN = 91;
const BACKSLASH = 92;
const CLOSE = 93;

/** The most elements, and the most parameters, of one message: finding repeated names is n². */
const COUNT_MOST = 512;

/**
 * The structured data of one RFC 5424 message (6.3): `[id name="value" …][…]…`. Holds offsets into
 * the bytes scanned; made to be used again.
 */
export class StructuredData {
  elementCount = 0;
  parameterCount = 0;
  readonly idStart = new Int32Array(COUNT_MOST);
  readonly idEnd = new Int32Array(COUNT_MOST);
  /** The number of an element's first parameter; its last is the one before the next element's. */
  readonly firstParameter = new Int32Array(COUNT_MOST + 1);
  readonly nameStart = new Int32Array(COUNT_MOST);
  readonly nameEnd = new Int32Array(COUNT_MOST);
  /** Of the value between its quotes, escapes untouched. */
  readonly valueStart = new Int32Array(COUNT_MOST);
  readonly valueEnd = new Int32Array(COUNT_MOST);

  /**
   * Reads from `start` on and returns the end of the structured data, or -1 when it has another
   * shape, an id comes twice (which the RFC forbids) or there are more than 512 of anything.
   *
   * A `]` in a value may stand unescaped, as real senders forget it.
   */
  scan(bytes: Uint8Array, start: number, end: number): number {
    this.elementCount = 0;
    this.parameterCount = 0;
    let at = start;
    while (at < end && bytes[at] === OPEN) {
      at = this.#scanElement(bytes, at + 1, end);
      if (at < 0) return -1;
    }
    return at;
  }

  #scanElement(bytes: Uint8Array, start: number, end: number): number {
    const element = this.elementCount;
    let at = nameEnd(bytes, start, end);
    if (at < 0 || element === COUNT_MOST) return -1;
    for (let other = 0; other < element; other++) {
      if (sameBytes(bytes, this.#id(other), this.#idStop(other), start, at)) return -1;
    }
    this.idStart[element] = start;
    this.idEnd[element] = at;
    this.firstParameter[element] = this.parameterCount;
    while (at < end && bytes[at] === SPACE) {
      at = this.#scanParameter(bytes, at + 1, end);
      if (at < 0) return -1;
    }
    if (at >= end || bytes[at] !== CLOSE) return -1;
    this.elementCount = element + 1;
    this.firstParameter[element + 1] = this.parameterCount;
    return at + 1;
  }

  #scanParameter(bytes: Uint8Array, start: number, end: number): number {
    const parameter = this.parameterCount;
    const equals = nameEnd(bytes, start, end);
    if (equals < 0 || equals + 1 >= end || parameter === COUNT_MOST) return -1;
    if (bytes[equals] !== EQUALS || bytes[equals + 1] !== QUOTE) return -1;
    const close = valueEnd(bytes, equals + 2, end);
    if (close < 0) return -1;
    this.nameStart[parameter] = start;
    this.nameEnd[parameter] = equals;
    this.valueStart[parameter] = equals + 2;
    this.valueEnd[parameter] = close;
    this.parameterCount = parameter + 1;
    return close + 1;
  }

  /** Whether two parameters of the bytes scanned have the same name. */
  sameName(bytes: Uint8Array, one: number, other: number): boolean {
    return sameBytes(
      bytes,
      this.nameStart[one] as number,
      this.nameEnd[one] as number,
      this.nameStart[other] as number,
      this.nameEnd[other] as number,
    );
  }

  #id(element: number): number {
    return this.idStart[element] as number;
  }

  #idStop(element: number): number {
    return this.idEnd[element] as number;
  }
}

/** The end of an SD-NAME of at least one byte, or -1. */
function nameEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at] as number;
    if (byte <= SPACE || byte === EQUALS || byte === CLOSE || byte === QUOTE) break;
    at++;
  }
  return at > start ? at : -1;
}

/** The position of the quote that ends a value, or -1. */
function valueEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (bytes[at] === QUOTE) return at;
    if (bytes[at] === BACKSLASH) at++;
  }
  return -1;
}

function sameBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  otherStart: number,
  otherEnd: number,
): boolean {
  if (end - start !== otherEnd - otherStart) return false;
  for (let i = end - start - 1; i >= 0; i--) {
    if (bytes[start + i] !== bytes[otherStart + i]) return false;
  }
  return true;
}
