const [LF, CR, BACKSLASH, LOWER_N, LOWER_R, UPPER_N, TAB] = [10, 13, 92, 110, 114, 78, 9];

/** Copying shorter runs byte by byte costs less than the call of a built-in. */
const COPY_CALL_BYTES_LEAST = 24;

const FIRST_BYTES = 64 * 1024;

/**
 * Lines of PostgreSQL's COPY text format ("File Formats" on its page about COPY): values between
 * delimiters, `\N` for NULL, a backslash before what would mean something else.
 */
export class CopyText {
  readonly #delimiter: number;
  /** 0: may stand as it is; otherwise the byte behind the backslash. */
  readonly #escapes = new Uint8Array(256);
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  /** @param delimiter a byte that {@linkcode isCopyDelimiter} allows. */
  constructor(delimiter: number = TAB) {
    this.#delimiter = delimiter;
    this.#escapes[delimiter] = delimiter;
    this.#escapes[BACKSLASH] = BACKSLASH;
    this.#escapes[LF] = LOWER_N;
    this.#escapes[CR] = LOWER_R;
  }

  /** What was written; lent until something else is written. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  /** Takes back what was written behind the first `length` bytes. */
  cutTo(length: number): void {
    this.#length = length;
  }

  /** Writes bytes that are COPY text already. */
  raw(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    if (end - start < COPY_CALL_BYTES_LEAST) {
      const out = this.#bytes;
      let at = this.#length;
      for (let i = start; i < end; i++) out[at++] = bytes[i] as number;
    } else {
      this.#bytes.set(bytes.subarray(start, end), this.#length);
    }
    this.#length += end - start;
  }

  /** Writes a value. */
  value(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(2 * (end - start));
    const out = this.#bytes;
    const escapes = this.#escapes;
    let at = this.#length;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      const escape = escapes[byte] as number;
      if (escape !== 0) {
        out[at++] = BACKSLASH;
        out[at++] = escape;
      } else {
        out[at++] = byte;
      }
    }
    this.#length = at;
  }

  null(): void {
    this.#reserve(2);
    this.#bytes[this.#length++] = BACKSLASH;
    this.#bytes[this.#length++] = UPPER_N;
  }

  delimiter(): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = this.#delimiter;
  }

  endLine(): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = LF;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#length + more, 2 * this.#bytes.length));
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}

/**
 * Whether COPY text can have this delimiter: one ASCII character that is no lower case letter, no
 * digit, no dot, no backslash, no end of line, and not in the `N` of NULL.
 */
export function isCopyDelimiter(text: string): boolean {
  return text.length === 1 && text > "\0" && text < "\x80" && !/[a-z0-9.\\\r\nN]/.test(text);
}
