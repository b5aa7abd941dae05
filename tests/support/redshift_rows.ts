import { Buffer } from "node:buffer";
import type { CopySwitches } from "./redshift_copy_clause.ts";

/** A field of a file: its bytes, each as one character. `null` is JSON's null or a missing key. */
export interface RawField {
  readonly text: string | null;
  /** Between quotation marks, so that it is no NULL and not empty "between two delimiters". */
  readonly isQuoted: boolean;
}

/** A row as it stands in a file. */
export interface RawRow {
  /** The line that it begins on, from 1, header lines counted. */
  readonly line: number;
  readonly raw: string;
  readonly fields: readonly RawField[];
  /** What is wrong with the row as a whole. */
  readonly fault?: string;
}

/**
 * The rows of a file, with a reader of its own (nothing of lib/), slow and plain, by "Data format
 * parameters" (copy-parameters-data-format), "Data conversion parameters"
 * (copy-parameters-data-conversion) and "COPY from JSON format" (copy-usage_notes-copy-from-json).
 *
 * @param columns the names that JSON's keys are held against.
 */
export function readRows(
  bytes: Uint8Array,
  options: CopySwitches,
  columns: readonly string[],
): Iterable<RawRow> {
  const text = Buffer.from(bytes).toString("latin1").replace(/^\u00ef\u00bb\u00bf/, "");
  if (options.format === "json") return jsonRows(text, options, columns);
  return options.format === "csv" ? csvRows(text, options) : delimitedRows(text, options);
}

/** CSV: "fields with the quote character inside are enclosed, inner ones doubled". */
function* csvRows(text: string, options: CopySwitches): Generator<RawRow> {
  const { quote } = options;
  const delimiter = options.delimiter ?? ",";
  let line = 1;
  for (let at = 0; at < text.length;) {
    const [from, first] = [at, line];
    const fields: RawField[] = [];
    let fault: string | undefined;
    for (let isRow = true; isRow;) {
      let field = "";
      // "White space between delimiters and quotation marks is ignored" (CSV).
      const mark = afterBlanks(text, at, delimiter);
      const isQuoted = text[mark] === quote;
      if (isQuoted) {
        at = mark;
        for (at++; at < text.length; at++) {
          if (text[at] === "\n") line++;
          if (text[at] !== quote) field += text[at];
          else if (text[at + 1] === quote) field += text[at++];
          else break;
        }
        if (at >= text.length) fault = "Invalid quote formatting for CSV";
        at++;
      }
      while (at < text.length && text[at] !== delimiter && text[at] !== "\n") {
        const isWrong = isQuoted ? !isBlank(text[at]) : text[at] === quote;
        if (isWrong) fault ??= "Invalid quote formatting for CSV";
        else if (!isQuoted && (text[at] !== "\r" || text[at + 1] !== "\n")) field += text[at];
        at++;
      }
      fields.push({ text: field, isQuoted });
      isRow = text[at] === delimiter;
      if (isRow) at++;
    }
    const raw = text.slice(from, at).replace(/\r$/, "");
    at++;
    line++;
    if (isLeftOut(first, raw, options)) continue;
    yield { line: first, raw, fields, ...(fault === undefined ? {} : { fault }) };
  }
}

function afterBlanks(text: string, from: number, delimiter: string): number {
  let at = from;
  while (text[at] !== delimiter && text[at] !== "\n" && isBlank(text[at])) at++;
  return at;
}

function isBlank(character: string | undefined): boolean {
  return character !== undefined && /[ \t\r]/.test(character);
}

/** Delimited text: no quotation marks; with ESCAPE a backslash takes the next character as it is. */
function* delimitedRows(text: string, options: CopySwitches): Generator<RawRow> {
  const { isEscaped, removesQuotes } = options;
  const delimiter = options.delimiter ?? "|";
  let line = 1;
  for (let at = 0; at < text.length;) {
    const [from, first] = [at, line];
    const fields: RawField[] = [];
    for (let isRow = true; isRow;) {
      const begin = at;
      let field = "";
      let mark: string | undefined = removesQuotes && /["']/.test(text[at] ?? "")
        ? text[at]
        : undefined;
      const isQuoted = mark !== undefined;
      while (at < text.length && (mark !== undefined || !text.startsWith(delimiter, at))) {
        if (text[at] === "\n" && mark === undefined) break;
        if (text[at] === "\n") line++;
        if (isEscaped && text[at] === "\\" && at + 1 < text.length) {
          at++;
          if (text[at] === "\n") line++;
          field += text[at] === "N" && begin === at - 1 ? "\\N" : text[at];
        } else if (mark !== undefined && text[at] === mark && at > begin) {
          mark = undefined;
        } else if (at > begin || mark === undefined) field += text[at];
        at++;
      }
      isRow = at < text.length && text[at] !== "\n";
      if (!isRow) field = field.replace(/\r$/, "");
      fields.push({ text: field, isQuoted });
      if (isRow) at += delimiter.length;
    }
    const raw = text.slice(from, at).replace(/\r$/, "");
    at++;
    line++;
    if (!isLeftOut(first, raw, options)) yield { line: first, raw, fields };
  }
}

/** IGNOREHEADER counts lines of the file; IGNOREBLANKLINES: "lines that only contain a line feed". */
function isLeftOut(line: number, raw: string, options: CopySwitches): boolean {
  return line <= options.ignoreHeader || options.ignoresBlankLines && raw === "";
}

/**
 * JSON 'auto': "a set of objects", one behind the other; keys match columns, in any order; a key that
 * is no column is left out, a column without a key is NULL. Numbers are taken as written.
 */
function* jsonRows(
  text: string,
  options: CopySwitches,
  columns: readonly string[],
): Generator<RawRow> {
  let line = 1;
  for (let at = 0; at < text.length;) {
    if (/\s/.test(text[at] ?? "")) {
      if (text[at++] === "\n") line++;
      continue;
    }
    const end = endOfObject(text, at);
    const raw = text.slice(at, end);
    // "When loading JSON, the last line of the object with the error" (SYS_LOAD_ERROR_DETAIL).
    line += raw.split("\n").length - 1;
    at = end;
    const object = parse(raw);
    if (!object) {
      yield { line, raw, fields: [], fault: "Invalid JSONPath format: Member is not an object." };
      // What comes behind cannot be made out any more.
      if (end >= text.length) return;
      continue;
    }
    const fold = (name: string) => options.isCaseIgnored ? name.toLowerCase() : name;
    const found = new Map(Object.entries(object).map(([key, value]) => [fold(key), value]));
    const fields = columns.map((name) => jsonField(found.get(fold(name))));
    yield { line, raw, fields };
  }
}

/** Where the object that begins here ends; without brackets, the end of the line. */
function endOfObject(text: string, from: number): number {
  const line = text.indexOf("\n", from);
  if (text[from] !== "{") return line < 0 ? text.length : line;
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === "\\") at++;
    } else if (text[at] === "{") depth++;
    else if (text[at] === "}" && --depth === 0) return at + 1;
  }
  return text.length;
}

function parse(raw: string): Record<string, unknown> | undefined {
  const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
  try {
    const utf8 = Buffer.from(raw, "latin1").toString("utf8");
    const read = JSON.parse(
      utf8,
      function (_, value, context?: { source?: string }) {
        return typeof value === "number" ? rawJson(context?.source ?? String(value)) : value;
      } as (key: string, value: unknown) => unknown,
    );
    return typeof read === "object" && read !== null && !Array.isArray(read) ? read : undefined;
  } catch {
    return undefined;
  }
}

function jsonField(value: unknown): RawField {
  if (value === undefined || value === null) return { text: null, isQuoted: false };
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return { text: Buffer.from(text, "utf8").toString("latin1"), isQuoted: true };
}
