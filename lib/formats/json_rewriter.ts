import { ColumnRules, validText } from "./column_rules.ts";
import type { CopyRewriter, RewriterSettings } from "./copy_rewriter.ts";
import { CopyText } from "./copy_text.ts";
import { lineFeedsIn } from "./delimited.ts";
import { NullText } from "./field_bytes.ts";
import { isSpace, JsonFields, objectEnd, unescapedJson } from "./json_fields.ts";
import { JsonScanner } from "./json_record.ts";
import { RowFaults, rowsLeftOutMost } from "./row_faults.ts";
import { RowsInPieces } from "./rows_in_pieces.ts";

const [QUOTE, OPEN, LOWER_N, LF] = [34, 123, 110, 10];

const decoder = new TextDecoder();

/**
 * Rewrites one file of JSON objects, one a line or one behind the other, to PostgreSQL's COPY text, as
 * JSON 'auto' of Redshift reads them ("COPY from JSON format" in Amazon's Redshift Database Developer
 * Guide): keys are the columns' names, any order; a key that is no column is passed over, a column
 * without a key and `null` are NULL; objects and arrays inside are loaded as their text; numbers keep
 * every digit. Of a key that stands twice the last counts.
 */
export class JsonRewriter implements CopyRewriter {
  readonly #rules: readonly ColumnRules[];
  readonly #names: readonly string[];
  readonly #keys: KeyColumns;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #escaped: Uint8Array;
  readonly #fields = new JsonFields();
  readonly #json = new JsonScanner();
  readonly #null: NullText;
  readonly #out = new CopyText();
  readonly #pieces: RowsInPieces;
  readonly #faults: RowFaults;
  readonly #replacement: number;
  #headerLeft: number;
  #line = 1;
  /** Where the next line feed is, looked for once per line: one line may hold many objects. */
  #lineFeed = -1;
  #rows = 0;

  constructor({ options, columns, leftOutMost, findRows }: RewriterSettings) {
    this.#rules = columns.map((column) => new ColumnRules(column, options));
    this.#names = columns.map(({ name }) => name);
    this.#keys = new KeyColumns(this.#names, options.jsonIgnoresCase);
    this.#starts = new Int32Array(columns.length);
    this.#ends = new Int32Array(columns.length);
    this.#escaped = new Uint8Array(columns.length);
    this.#null = new NullText(options);
    this.#replacement = options.acceptInvChars?.charCodeAt(0) ?? -1;
    this.#headerLeft = options.ignoreHeader;
    this.#faults = new RowFaults(leftOutMost ?? rowsLeftOutMost(options.maxError), findRows);
    this.#pieces = new RowsInPieces(this.#take.bind(this), () => this.#line);
  }

  get rows(): number {
    return this.#rows;
  }

  get faults(): RowFaults {
    return this.#faults;
  }

  push(bytes: Uint8Array): Uint8Array {
    this.#out.clear();
    this.#pieces.push(bytes);
    return this.#out.bytes;
  }

  finish(): Uint8Array {
    this.#out.clear();
    this.#pieces.finish();
    return this.#out.bytes;
  }

  #take(bytes: Uint8Array, at: number, end: number, isLast: boolean): number {
    this.#lineFeed = -1;
    for (;;) {
      while (at < end && isSpace(bytes[at] as number)) if (bytes[at++] === LF) this.#line++;
      if (at >= end) return at;
      if (this.#lineFeed < at) this.#lineFeed = lineFeedAt(bytes, at, end);
      const next = this.#headerLeft > 0
        ? this.#lineEnd(end, isLast)
        : this.#object(bytes, at, end, isLast);
      if (next < 0) return at;
      if (this.#headerLeft > 0) this.#headerLeft--;
      if (next === this.#lineFeed + 1) this.#line++;
      else if (next > this.#lineFeed) this.#line += lineFeedsIn(bytes, at, next);
      at = next;
    }
  }

  /** Takes the object that begins at `at`; returns where it ends, -1 when that is not known yet. */
  #object(bytes: Uint8Array, at: number, end: number, isLast: boolean): number {
    if (bytes[at] !== OPEN) {
      return this.#notJson("there is no { where an object begins", bytes, at, end, isLast);
    }
    // Mostly an object has a line of its own, which is soon found: JSON has no line feed in strings.
    const line = this.#lineEnd(end, isLast);
    if (line >= 0 && this.#isRow(bytes, at, line)) return line;
    const behind = objectEnd(bytes, at, end);
    if (behind < 0 && !isLast) return -1;
    if (behind < 0) return this.#notJson("the object does not end", bytes, at, end, isLast);
    if (this.#isRow(bytes, at, behind)) return behind;
    return this.#notJson("the object is not JSON", bytes, at, end, isLast);
  }

  /** Where the line ends that is being looked at; -1 when that is not known yet. */
  #lineEnd(end: number, isLast: boolean): number {
    if (this.#lineFeed < end) return this.#lineFeed + 1;
    return isLast ? end : -1;
  }

  /** Writes what is at `at` if it is one object and nothing more. */
  #isRow(bytes: Uint8Array, at: number, end: number): boolean {
    let object = bytes.subarray(at, end);
    if (this.#replacement >= 0) object = validText(object, 0, object.length, this.#replacement);
    if (!this.#json.isJson(object)) return false;
    this.#row(object);
    return true;
  }

  /** Leaves the line out, if that is allowed. */
  #notJson(
    reason: string,
    bytes: Uint8Array,
    at: number,
    end: number,
    isLast: boolean,
  ): number {
    const next = this.#lineEnd(end, isLast);
    if (next < 0) return -1;
    this.#faults.add({ line: this.#line, column: null, reason }, bytes, at, next);
    return next;
  }

  #row(bytes: Uint8Array): void {
    const fields = this.#fields;
    this.#starts.fill(-1);
    fields.begin(bytes, 0);
    this.#keys.begin();
    while (fields.next()) {
      const i = this.#keys.of(bytes, fields.keyStart, fields.keyEnd, fields.isKeyEscaped);
      if (i < 0) continue;
      this.#starts[i] = fields.valueStart;
      this.#ends[i] = fields.valueEnd;
      this.#escaped[i] = fields.isValueEscaped ? 1 : 0;
    }
    const { length } = this.#out;
    for (let i = 0; i < this.#names.length; i++) {
      if (i > 0) this.#out.delimiter();
      const complaint = this.#value(bytes, i);
      if (complaint === null) continue;
      this.#out.cutTo(length);
      const column = this.#names[i] ?? null;
      return this.#faults.add(
        { line: this.#line, column, reason: complaint },
        bytes,
        0,
        bytes.length,
      );
    }
    this.#out.endLine();
    this.#rows++;
    if (this.#rows === this.#faults.wanted) this.#faults.find(this.#line, bytes, 0, bytes.length);
  }

  #value(bytes: Uint8Array, i: number): string | null {
    let start = this.#starts[i] as number;
    let end = this.#ends[i] as number;
    if (start < 0 || bytes[start] === LOWER_N) {
      this.#out.null();
      return null;
    }
    const rules = this.#rules[i] as ColumnRules;
    if (bytes[start] !== QUOTE) return rules.write(this.#out, bytes, start, end, false);
    start++;
    end--;
    const isEscaped = this.#escaped[i] === 1;
    const value = isEscaped ? unescapedJson(bytes, start, end) : bytes;
    if (isEscaped) [start, end] = [0, value.length];
    if (this.#null.is(value, start, end)) {
      this.#out.null();
      return null;
    }
    return rules.write(this.#out, value, start, end, false);
  }
}

/** Where the next line feed is; `end` when there is none. */
function lineFeedAt(bytes: Uint8Array, at: number, end: number): number {
  const found = bytes.subarray(at, end).indexOf(LF);
  return found < 0 ? end : at + found;
}

/** Positions whose keys are remembered. */
const POSITIONS_MOST = 4096;

/** Finds the columns of keys. Objects mostly have the same keys in the same order as the one before. */
class KeyColumns {
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #ignoresCase: boolean;
  /** The keys of the object before, by their position, with their columns. */
  readonly #before: { readonly key: Uint8Array; readonly column: number }[] = [];
  #position = 0;

  constructor(names: readonly string[], ignoresCase: boolean) {
    this.#ignoresCase = ignoresCase;
    this.#indexOf = new Map(names.map((name, i) => [ignoresCase ? name.toLowerCase() : name, i]));
  }

  /** The next object begins. */
  begin(): void {
    this.#position = 0;
  }

  /** The column of the next key, without its quotation marks; -1 when it is none. */
  of(bytes: Uint8Array, start: number, end: number, isEscaped: boolean): number {
    const before = this.#before[this.#position++];
    if (before && isSame(before.key, bytes, start, end)) return before.column;
    const key = isEscaped ? unescapedJson(bytes, start, end) : bytes.subarray(start, end);
    const text = decoder.decode(key);
    const column = this.#indexOf.get(this.#ignoresCase ? text.toLowerCase() : text) ?? -1;
    if (this.#position <= POSITIONS_MOST) {
      this.#before[this.#position - 1] = { key: bytes.slice(start, end), column };
    }
    return column;
  }
}

function isSame(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}
