import type { CopyOptions } from "./copy_options.ts";

const [LF, CR, TAB, SPACE, QUOTE, APOSTROPHE, BACKSLASH] = [10, 13, 9, 32, 34, 39, 92];

/** What a byte means to the scan. */
const Kind = { plain: 0, delimiter: 1, lf: 2, cr: 3, quote: 4, backslash: 5 } as const;

/** What is to be known of a field or, all fields together, of a row. */
export const FieldFlag = {
  /** It stood between quotation marks, which are not in the field. */
  quoted: 1,
  /** It holds quotation marks that stand twice, each pair meaning one. */
  doubled: 2,
  /** It holds backslashes that make the next byte an ordinary one. */
  escaped: 4,
  /** It holds a backslash or carriage return. */
  odd: 8,
  /** The row ends with CR LF. */
  crlf: 16,
} as const;

const unclosed = "a quotation mark is not closed";
const strayMark = "a quotation mark inside of a field that has none around it";

/** More fields than any table has columns; what goes on past them is no delimited text. */
const FIELDS_MOST = 4096;

/**
 * Finds the fields of one row of delimited text or CSV after the other. Lines end with LF or CR LF.
 *
 * CSV is read as RFC 4180 has it, and as Redshift does white space between delimiters and quotation
 * marks is left out; a quotation mark inside a field that has none around it is a fault, as is text
 * behind the closing one. Without CSV, ESCAPE and REMOVEQUOTES work as Redshift describes them.
 */
export class RowScanner {
  /** The fields of the row that was scanned last: where they begin and end, and what they are. */
  readonly starts = new Int32Array(FIELDS_MOST);
  readonly ends = new Int32Array(FIELDS_MOST);
  readonly flags = new Uint8Array(FIELDS_MOST);
  count = 0;
  /** The flags of all fields, and of the row. */
  rowFlags = 0;
  /** Line feeds inside of fields. */
  innerLines = 0;
  /** Why the row cannot be read, null when it can; the fields are those before the fault then. */
  fault: string | null = null;

  #isRowEnd = false;
  readonly #kinds = new Uint8Array(256);
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #escape: boolean;
  readonly #isCsv: boolean;

  constructor({ format, delimiter, quote, escape, removeQuotes }: CopyOptions) {
    this.#isCsv = format === "csv";
    this.#delimiter = delimiter.charCodeAt(0);
    this.#quote = quote?.charCodeAt(0) ?? 0;
    this.#escape = escape;
    const kinds = this.#kinds;
    kinds[LF] = Kind.lf;
    kinds[CR] = Kind.cr;
    kinds[BACKSLASH] = Kind.backslash;
    if (this.#isCsv) kinds[this.#quote] = Kind.quote;
    else if (removeQuotes) kinds[QUOTE] = kinds[APOSTROPHE] = Kind.quote;
    kinds[this.#delimiter] = Kind.delimiter;
  }

  /**
   * Scans the row that begins at `at`.
   *
   * @param isLast whether nothing follows behind `end`.
   * @returns where the next row begins; -1 when the row does not end before `end`.
   */
  scan(bytes: Uint8Array, at: number, end: number, isLast: boolean): number {
    const kinds = this.#kinds;
    this.count = this.rowFlags = this.innerLines = 0;
    this.fault = null;
    let start = at;
    let flags = 0;
    let i = at;
    for (;;) {
      while (i < end && kinds[bytes[i] as number] === Kind.plain) i++;
      if (i >= end) {
        if (!isLast) return -1;
        return this.#store(start, end, flags, end);
      }
      switch (kinds[bytes[i] as number]) {
        case Kind.delimiter:
          if (this.count === FIELDS_MOST - 1) {
            return this.#fail(`more than ${FIELDS_MOST} fields`, bytes, i, end, isLast);
          }
          this.#store(start, i, flags, 0);
          start = ++i;
          flags = 0;
          break;
        case Kind.lf:
          return this.#store(start, i, flags, i + 1);
        case Kind.cr:
          if (i + 1 === end && !isLast) return -1;
          if (i + 1 === end || bytes[i + 1] === LF) {
            this.rowFlags |= FieldFlag.crlf;
            return this.#store(start, i, flags, Math.min(end, i + 2));
          }
          flags |= FieldFlag.odd;
          i++;
          break;
        case Kind.backslash:
          flags |= FieldFlag.odd;
          if (!this.#escape) {
            i++;
            break;
          }
          if (i + 1 === end && !isLast) return -1;
          flags |= FieldFlag.escaped;
          if (bytes[i + 1] === LF) this.innerLines++;
          i = Math.min(end, i + 2);
          break;
        default: {
          if (!this.#isCsv && i > start) {
            i++;
            break;
          }
          const next = this.#quoteAt(bytes, start, i, end, isLast);
          if (next === -1 || this.#isRowEnd) return next;
          start = i = next;
          flags = 0;
        }
      }
    }
  }

  /**
   * Takes the field that the quotation mark at `at` opens, and what ends it.
   *
   * @returns where the next field begins, or the next row, if `#isRowEnd` says so; -1 as `scan`.
   */
  #quoteAt(bytes: Uint8Array, start: number, at: number, end: number, isLast: boolean): number {
    this.#isRowEnd = true;
    for (let i = start; i < at; i++) {
      if (!this.#isSpace(bytes[i] as number)) return this.#fail(strayMark, bytes, at, end, isLast);
    }
    const behind = this.#isCsv
      ? this.#quoted(bytes, at + 1, end, isLast)
      : this.#surrounded(bytes, at, end, isLast);
    if (behind === -1) return -1;
    if (behind === -2) return this.#fail(unclosed, bytes, at, end, isLast);
    if (behind === end) return end;
    const next = bytes[behind] as number;
    if (next === this.#delimiter) {
      this.#isRowEnd = false;
      return behind + 1;
    }
    if (next === LF) return behind + 1;
    if (next === CR && behind + 1 === end && !isLast) return -1;
    if (next === CR && (behind + 1 === end || bytes[behind + 1] === LF)) {
      this.rowFlags |= FieldFlag.crlf;
      return Math.min(end, behind + 2);
    }
    return this.#fail("text behind a closing quotation mark", bytes, behind, end, isLast);
  }

  #isSpace(byte: number): boolean {
    return (byte === SPACE || byte === TAB) && byte !== this.#delimiter;
  }

  /** Stores a field of CSV that opens before `at`; returns where its delimiter is, -1 or -2. */
  #quoted(bytes: Uint8Array, at: number, end: number, isLast: boolean): number {
    const quote = this.#quote;
    let flags: number = FieldFlag.quoted;
    let lines = 0;
    let i = at;
    for (;;) {
      while (i < end && bytes[i] !== quote) if (bytes[i++] === LF) lines++;
      if (i >= end) return isLast ? -2 : -1;
      if (i + 1 === end && !isLast) return -1;
      if (bytes[i + 1] !== quote || i + 1 === end) break;
      flags |= FieldFlag.doubled;
      i += 2;
    }
    this.innerLines += lines;
    this.#store(at, i, flags, 0);
    i++;
    while (i < end && this.#isSpace(bytes[i] as number)) i++;
    return i === end && !isLast ? -1 : i;
  }

  /**
   * Stores a field of delimited text that begins with the quotation mark at `at`. It ends with the
   * same mark before a delimiter or the end of the row; marks within are kept.
   */
  #surrounded(bytes: Uint8Array, at: number, end: number, isLast: boolean): number {
    const mark = bytes[at] as number;
    let flags: number = FieldFlag.quoted;
    let lines = 0;
    for (let i = at + 1; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte === BACKSLASH && this.#escape) {
        flags |= FieldFlag.escaped;
        if (bytes[++i] === LF) lines++;
        continue;
      }
      if (byte === LF) return -2;
      if (byte !== mark) continue;
      if (i + 1 === end && !isLast) return -1;
      const next = bytes[i + 1];
      const isEnd = i + 1 === end || next === this.#delimiter || next === LF ||
        (next === CR && (i + 2 >= end || bytes[i + 2] === LF));
      if (!isEnd) continue;
      this.innerLines += lines;
      this.#store(at + 1, i, flags, 0);
      return i + 1;
    }
    return isLast ? -2 : -1;
  }

  #store(start: number, end: number, flags: number, next: number): number {
    const count = this.count++;
    this.starts[count] = start;
    this.ends[count] = end;
    this.flags[count] = flags;
    this.rowFlags |= flags;
    return next;
  }

  /** The row is given up; the next one begins behind the next line feed. */
  #fail(why: string, bytes: Uint8Array, at: number, end: number, isLast: boolean): number {
    const lf = bytes.subarray(at, end).indexOf(LF);
    if (lf < 0 && !isLast) return -1;
    this.fault = why;
    return lf < 0 ? end : at + lf + 1;
  }
}
