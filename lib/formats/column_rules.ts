import type { CopyOptions } from "./copy_options.ts";
import type { CopyText } from "./copy_text.ts";
import { FixedTime } from "./fixed_time.ts";
import { sequenceLength } from "./json_text.ts";
import type { TargetColumn } from "./target_column.ts";
import { epochToIso, isoOf, readTimePattern } from "./time_pattern.ts";

const [SPACE, POINT] = [32, 46];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** How soon it is known that a value goes to the server as it stands. */
const Ease = {
  /** It always does. */
  always: 0,
  /** When it has bytes and does not begin with white space. */
  unlessBlank: 1,
  /** It has to be looked at. */
  never: 2,
} as const;

/**
 * What COPY's options make of the values of one column before the server sees them, by the page "Data
 * conversion parameters" of Amazon's Redshift Database Developer Guide. A value of a column that is no
 * text is NULL when it is blank, as on Redshift.
 */
export class ColumnRules {
  readonly ease: 0 | 1 | 2;
  readonly #column: TargetColumn;
  readonly #options: CopyOptions;
  readonly #isText: boolean;
  readonly #limit: number;
  readonly #replacement: number;
  readonly #fixed: FixedTime | undefined;
  readonly #toIso: ((text: string) => string | undefined) | undefined;

  constructor(column: TargetColumn, options: CopyOptions) {
    this.#column = column;
    this.#options = options;
    this.#isText = column.kind === "varchar" || column.kind === "char";
    this.#limit = options.truncateColumns ? column.limitBytes ?? Infinity : Infinity;
    this.#replacement = options.acceptInvChars?.charCodeAt(0) ?? -1;
    this.#toIso = timeReader(column, options);
    this.#fixed = this.#toIso &&
      FixedTime.of(formatOf(column, options) ?? "", column.kind === "time");
    this.ease = this.#easeOf();
  }

  #easeOf(): 0 | 1 | 2 {
    const { blanksAsNull, trimBlanks, emptyAsNull, nullAs, roundDecimals } = this.#options;
    if (!this.#isText) {
      const isCut = this.#column.scale !== null && !roundDecimals;
      return isCut || this.#toIso ? Ease.never : Ease.unlessBlank;
    }
    if (blanksAsNull || trimBlanks || this.#limit < Infinity || this.#replacement >= 0) {
      return Ease.never;
    }
    return emptyAsNull || nullAs === "" ? Ease.unlessBlank : Ease.always;
  }

  /**
   * Writes a value that is not the text of NULL.
   *
   * @param isQuoted whether quotation marks stood around it: an empty one is no missing one then.
   * @returns what is wrong with the value, null when nothing is.
   */
  write(
    out: CopyText,
    bytes: Uint8Array,
    start: number,
    end: number,
    isQuoted: boolean,
  ): string | null {
    if (this.#isText) this.#writeText(out, bytes, start, end, isQuoted);
    else if (isBlank(bytes, start, end)) out.null();
    else if (this.#toIso) return this.#writeTime(out, bytes, start, end);
    else out.value(bytes, start, this.#numberEnd(bytes, start, end));
    return null;
  }

  /** Writes what stands for a field that is missing at the end of a row (FILLRECORD). */
  writeMissing(out: CopyText): void {
    const { emptyAsNull, nullAs } = this.#options;
    if (this.#column.kind !== "varchar" || emptyAsNull || nullAs === "") out.null();
  }

  #writeText(
    out: CopyText,
    bytes: Uint8Array,
    start: number,
    end: number,
    isQuoted: boolean,
  ): void {
    const { blanksAsNull, trimBlanks, emptyAsNull, nullAs } = this.#options;
    if (start === end) {
      if ((emptyAsNull || nullAs === "") && !isQuoted) out.null();
      return;
    }
    if (blanksAsNull && isBlank(bytes, start, end)) return out.null();
    let value = bytes;
    if (this.#replacement >= 0) {
      value = validText(bytes, start, end, this.#replacement);
      if (value !== bytes) [start, end] = [0, value.length];
    }
    if (trimBlanks && this.#column.kind === "varchar") {
      while (end > start && isSpace(value[end - 1] as number)) end--;
    }
    if (end - start > this.#limit) end = boundaryBefore(value, start, start + this.#limit);
    out.value(value, start, end);
  }

  #writeTime(out: CopyText, bytes: Uint8Array, start: number, end: number): string | null {
    const fixed = this.#fixed?.read(bytes, start, end);
    if (fixed !== undefined) {
      out.value(fixed, 0, fixed.length);
      return null;
    }
    const text = decoder.decode(bytes.subarray(start, end));
    const iso = this.#toIso?.(text);
    if (iso === undefined) {
      const name = this.#column.kind === "date" ? "DATEFORMAT" : "TIMEFORMAT";
      const format = formatOf(this.#column, this.#options);
      return `"${text.slice(0, 80)}" does not follow ${name} '${format}'`;
    }
    const written = encoder.encode(iso);
    out.value(written, 0, written.length);
    return null;
  }

  /** Where a number ends without the digits that its column has no room for. */
  #numberEnd(bytes: Uint8Array, start: number, end: number): number {
    const { scale } = this.#column;
    if (scale === null || this.#options.roundDecimals) return end;
    let point = start;
    while (point < end && bytes[point] !== POINT) point++;
    if (end - point - 1 <= scale) return end;
    // With an exponent the digits mean something else: the server makes of it what it can.
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      const isDigit = byte >= 48 && byte <= 57;
      const isSign = i === start && (byte === 45 || byte === 43);
      if (!isDigit && !isSign && i !== point) return end;
    }
    return point + (scale === 0 ? 0 : 1 + scale);
  }
}

/** The format of the column's values; null for the default, and for columns that have none. */
function formatOf({ kind }: TargetColumn, { dateFormat, timeFormat }: CopyOptions): string | null {
  return kind === "date" ? dateFormat : kind === "time" ? timeFormat : null;
}

function timeReader(
  column: TargetColumn,
  options: CopyOptions,
): ((text: string) => string | undefined) | undefined {
  const format = formatOf(column, options);
  if (format === null || format === "auto") return undefined;
  if (format === "epochsecs") return (text) => epochToIso(text, 1_000_000n);
  if (format === "epochmillisecs") return (text) => epochToIso(text, 1_000n);
  const pattern = readTimePattern(format);
  if (typeof pattern === "string") {
    throw new RangeError(`Cannot read dates as ${format}: ${pattern}`);
  }
  return (text) => isoOf(text, pattern, column.kind === "time");
}

function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= 9 && byte <= 13);
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (!isSpace(bytes[i] as number)) return false;
  return true;
}

/** The end of the last whole character that ends at `limit` or before. */
function boundaryBefore(bytes: Uint8Array, start: number, limit: number): number {
  let at = limit;
  while (at > start && ((bytes[at] as number) & 0xc0) === 0x80) at--;
  return at;
}

/** The same bytes when they are UTF-8; else a copy, every byte that belongs to no character replaced. */
export function validText(
  bytes: Uint8Array,
  start: number,
  end: number,
  replacement: number,
): Uint8Array {
  let copy: Uint8Array | undefined;
  for (let i = start; i < end;) {
    const length = (bytes[i] as number) < 0x80 ? 1 : sequenceLength(bytes, i, end);
    if (length > 0) {
      i += length;
      continue;
    }
    copy ??= bytes.slice(start, end);
    copy[i - start] = replacement;
    i++;
  }
  return copy ?? bytes;
}
