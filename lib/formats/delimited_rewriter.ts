import { ColumnRules } from "./column_rules.ts";
import type { CopyOptions } from "./copy_options.ts";
import type { CopyRewriter, RewriterSettings } from "./copy_rewriter.ts";
import { copyDelimiterOf } from "./copy_clause.ts";
import { CopyText } from "./copy_text.ts";
import { isBlankLine, linesOf } from "./delimited.ts";
import { FieldFlag, RowScanner } from "./delimited_row.ts";
import { FieldBytes, NullText } from "./field_bytes.ts";
import { RowFaults, rowsLeftOutMost } from "./row_faults.ts";
import { RowsInPieces } from "./rows_in_pieces.ts";
import type { TargetColumn } from "./target_column.ts";

/** No byte up to the space begins a value that goes to the server unlooked at. */
const SPACE = 32;

const noBytes = new Uint8Array(0);

/**
 * Rewrites one file of delimited text or CSV to PostgreSQL's COPY text, as it comes. Rows whose bytes
 * mean the same to PostgreSQL are not touched: runs of them are copied at once.
 */
export class DelimitedRewriter implements CopyRewriter {
  readonly #options: CopyOptions;
  readonly #columns: readonly TargetColumn[];
  readonly #rules: readonly ColumnRules[];
  readonly #eases: Uint8Array;
  readonly #scanner: RowScanner;
  readonly #fields: FieldBytes;
  readonly #null: NullText;
  readonly #out: CopyText;
  readonly #pieces: RowsInPieces;
  readonly #faults: RowFaults;
  readonly #isDelimiterKept: boolean;
  #headerLeft: number;
  #line = 1;
  #rows = 0;
  /** The untouched rows that are not copied yet: `#run[#runStart, #runEnd)`. */
  #run: Uint8Array = noBytes;
  #runStart = 0;
  #runEnd = 0;

  constructor({ options, columns, leftOutMost, findRows }: RewriterSettings) {
    this.#options = options;
    this.#columns = columns;
    this.#rules = columns.map((column) => new ColumnRules(column, options));
    this.#eases = Uint8Array.from(this.#rules, ({ ease }) => ease);
    this.#scanner = new RowScanner(options);
    this.#fields = new FieldBytes(options.quote?.charCodeAt(0) ?? 0);
    this.#null = new NullText(options);
    const delimiter = copyDelimiterOf(options);
    this.#out = new CopyText(delimiter.charCodeAt(0));
    this.#isDelimiterKept = delimiter === options.delimiter;
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
    const scanner = this.#scanner;
    this.#run = bytes;
    this.#runStart = this.#runEnd = at;
    while (at < end) {
      const next = scanner.scan(bytes, at, end, isLast);
      if (next < 0) break;
      if (this.#headerLeft > 0) {
        this.#headerLeft--;
        this.#runStart = this.#runEnd = next;
      } else if (this.#isUntouched(bytes) && bytes[next - 1] === 10) {
        this.#runEnd = next;
        this.#rows++;
        if (this.#rows === this.#faults.wanted) this.#faults.find(this.#line, bytes, at, next);
      } else {
        this.#flush();
        this.#row(bytes, at, next);
        this.#runStart = this.#runEnd = next;
      }
      this.#line += linesOf(scanner);
      at = next;
    }
    this.#flush();
    return at;
  }

  /** Copies the untouched rows, before anything is written behind them and before their bytes go. */
  #flush(): void {
    if (this.#runEnd > this.#runStart) this.#out.raw(this.#run, this.#runStart, this.#runEnd);
    this.#runStart = this.#runEnd;
  }

  /** Whether the row that was scanned last is COPY text as it stands. */
  #isUntouched(bytes: Uint8Array): boolean {
    const { count, rowFlags, fault, starts, ends } = this.#scanner;
    const eases = this.#eases;
    if (rowFlags !== 0 || count !== eases.length || fault !== null) return false;
    if (!this.#isDelimiterKept) return false;
    const isNullPlain = this.#null.isPlain;
    for (let i = 0; i < count; i++) {
      const start = starts[i] as number;
      const end = ends[i] as number;
      if (eases[i] !== 0) {
        if (eases[i] === 2 || start === end || (bytes[start] as number) <= SPACE) return false;
      }
      if (isNullPlain && this.#null.is(bytes, start, end)) return false;
    }
    return count > 1 || starts[0] !== ends[0] || !this.#options.ignoreBlankLines;
  }

  #row(bytes: Uint8Array, at: number, next: number): void {
    const scanner = this.#scanner;
    if (this.#options.ignoreBlankLines && isBlankLine(scanner)) return;
    const wrong = scanner.fault ?? this.#wrongCount();
    if (wrong !== null) return this.#refuse(null, wrong, bytes, at, next);
    const { length } = this.#out;
    const columns = this.#columns;
    const present = Math.min(scanner.count, columns.length);
    for (let i = 0; i < columns.length; i++) {
      if (i > 0) this.#out.delimiter();
      const complaint = i < present ? this.#field(bytes, i) : null;
      if (i >= present) this.#rules[i]?.writeMissing(this.#out);
      if (complaint !== null) {
        this.#out.cutTo(length);
        return this.#refuse(columns[i]?.name ?? null, complaint, bytes, at, next);
      }
    }
    this.#out.endLine();
    this.#rows++;
    if (this.#rows === this.#faults.wanted) this.#faults.find(this.#line, bytes, at, next);
  }

  #field(bytes: Uint8Array, i: number): string | null {
    const scanner = this.#scanner;
    const start = scanner.starts[i] as number;
    const end = scanner.ends[i] as number;
    const flags = scanner.flags[i] as number;
    const isQuoted = (flags & FieldFlag.quoted) !== 0;
    if (!isQuoted && this.#null.is(bytes, start, end)) {
      this.#out.null();
      return null;
    }
    const rules = this.#rules[i] as ColumnRules;
    if (!(flags & (FieldFlag.doubled | FieldFlag.escaped))) {
      return rules.write(this.#out, bytes, start, end, isQuoted);
    }
    const field = this.#fields.plain(bytes, start, end, flags);
    return rules.write(this.#out, field, 0, field.length, isQuoted);
  }

  #wrongCount(): string | null {
    const { count, starts, ends, flags } = this.#scanner;
    const wanted = this.#columns.length;
    if (count === wanted || (count < wanted && this.#options.fillRecord)) return null;
    // Many programs end each row with a delimiter, and Redshift takes that.
    const isEndDelimited = count === wanted + 1 && this.#options.format === "delimited" &&
      starts[wanted] === ends[wanted] && !((flags[wanted] ?? 0) & FieldFlag.quoted);
    if (isEndDelimited) return null;
    const fields = count === 1 ? "1 field" : `${count} fields`;
    return `${fields} where there are ${wanted} columns`;
  }

  #refuse(
    column: string | null,
    reason: string,
    bytes: Uint8Array,
    at: number,
    next: number,
  ): void {
    this.#faults.add({ line: this.#line, column, reason }, bytes, at, next);
  }
}
