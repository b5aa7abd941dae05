import { Buffer } from "node:buffer";
import type { CopySwitches } from "./redshift_copy_clause.ts";
import type { RawField, RawRow } from "./redshift_rows.ts";
import { readStamp, ValueFault } from "./redshift_stamps.ts";

/** A column of the target, in the order of the COPY. */
export interface LoadColumn {
  readonly name: string;
  /** As PostgreSQL's format_type names it, without its length. */
  readonly type: string;
  /** Bytes of a VARCHAR or CHAR; null for any. */
  readonly length: number | null;
  readonly scale: number | null;
  readonly isNotNull: boolean;
}

/** One row that cannot be loaded; codes by "Load error reference" (r_Load_Error_Reference). */
export interface LoadFault {
  readonly line: number;
  readonly raw: string;
  readonly column: LoadColumn | undefined;
  readonly value: string;
  readonly code: number;
  readonly reason: string;
}

/** The row as a line of PostgreSQL's COPY text, or what is wrong with it. */
export function copyLine(
  row: RawRow,
  columns: readonly LoadColumn[],
  options: CopySwitches,
): string | LoadFault {
  const fault = (code: number, reason: string, column?: LoadColumn, value = ""): LoadFault => ({
    line: row.line,
    raw: Buffer.from(row.raw, "latin1").toString("utf8"),
    ...{ column, value, code, reason },
  });
  if (row.fault !== undefined) return fault(options.format === "json" ? 1213 : 1214, row.fault);
  const count = row.fields.length;
  if (count > columns.length) return fault(1202, "Extra column(s) found");
  if (count < columns.length && !options.fillsRecord) {
    return fault(1214, "Delimiter not found", columns[count]);
  }
  const texts: string[] = [];
  for (const [i, column] of columns.entries()) {
    const field = row.fields[i];
    try {
      const value = field ? fieldValue(field, column, options) : filled(column, options);
      if (value === null && column.isNotNull) {
        throw new ValueFault(1213, "Missing data for not-null field");
      }
      texts.push(value === null ? "\\N" : escaped(value));
    } catch (thrown) {
      if (!(thrown instanceof ValueFault)) throw thrown;
      return fault(thrown.code, thrown.message, column, field?.text ?? "");
    }
  }
  return `${texts.join("\t")}\n`;
}

function escaped(text: string): string {
  return text.replace(
    /[\\\t\n\r]/g,
    (one) => ({ "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" })[one] ?? one,
  );
}

function isText({ type }: LoadColumn): boolean {
  return /^(character|text|bpchar)/.test(type);
}

/** FILLRECORD: "missing columns are loaded as NULLs; zero-length strings if VARCHAR". */
function filled(column: LoadColumn, { emptyAsNull }: CopySwitches): string | null {
  return isText(column) && !emptyAsNull ? "" : null;
}

function fieldValue(field: RawField, column: LoadColumn, options: CopySwitches): string | null {
  if (field.text === null) return null;
  if (!(options.format === "csv" && field.isQuoted) && field.text === options.nullAs) return null;
  let text = utf8(field.text, options.invalidChars);
  if (!isText(column)) {
    // "Empty fields for other data types, such as INT, are always loaded with NULL" (EMPTYASNULL).
    return text.trim() === "" ? null : otherValue(text.trim(), column, options);
  }
  // BLANKSASNULL: "fields which consist of only white space characters".
  if (options.blanksAsNull && text !== "" && /^\s+$/.test(text)) return null;
  // EMPTYASNULL: "when data contains two delimiters in succession with no characters between".
  if (options.emptyAsNull && text === "" && (!field.isQuoted || options.format === "json")) {
    return null;
  }
  // TRIMBLANKS: "removes the trailing white space characters from a VARCHAR string".
  if (options.trimsBlanks) text = text.replace(/\s+$/, "");
  if (text.includes("\0")) throw new ValueFault(1211, "Null byte in the data");
  return fitted(text, column, options.truncatesColumns);
}

function utf8(latin1: string, invalidChars: string | undefined): string {
  const bytes = Buffer.from(latin1, "latin1");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    if (invalidChars === undefined) {
      const hex = [...bytes].filter((one) => one > 127).slice(0, 4)
        .map((one) => one.toString(16)).join(" ");
      const text = "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence:";
      throw new ValueFault(1220, `${text} ${hex} (error 1)`);
    }
    return replaced(bytes, invalidChars);
  }
}

/** ACCEPTINVCHARS: "a string of equal length consisting of the character". */
function replaced(bytes: Uint8Array, character: string): string {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for (let at = 0; at < bytes.length;) {
    let size = 0;
    for (const length of [1, 2, 3, 4]) {
      if (at + length > bytes.length) break;
      try {
        text += decoder.decode(bytes.subarray(at, at + length));
        size = length;
        break;
      } catch {
        // Not with so many bytes.
      }
    }
    if (size === 0) text += character;
    at += size || 1;
  }
  return text;
}

/** "VARCHAR(n): n is bytes, not characters" (r_Character_types). */
function fitted(text: string, { length, type }: LoadColumn, truncates: boolean): string {
  if (length === null) return text;
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= length) return text;
  if (type === "character" && bytes.length - length <= text.length - text.trimEnd().length) {
    return text.trimEnd();
  }
  if (!truncates) throw new ValueFault(1204, "String length exceeds DDL length");
  // TRUNCATECOLUMNS: to "the appropriate number of characters", never within one.
  let end = length;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

const whole: Readonly<Record<string, readonly [name: string, bits: bigint]>> = {
  smallint: ["Short", 16n],
  integer: ["Integer", 32n],
  bigint: ["Long", 64n],
};

function otherValue(text: string, column: LoadColumn, options: CopySwitches): string {
  const { type } = column;
  const [name, bits] = whole[type] ?? [];
  if (name !== undefined && bits !== undefined) {
    const at = /^[+-]?\d*/.exec(text)?.[0].length ?? 0;
    if (at < text.length || !/\d$/.test(text)) {
      const wrong = text[at] ?? text;
      throw new ValueFault(1207, `Invalid digit, Value '${wrong}', Pos ${at}, Type: ${name}`);
    }
    if (
      BigInt.asIntN(Number(bits), BigInt(text.replace("+", ""))) !== BigInt(text.replace("+", ""))
    ) {
      throw new ValueFault(1216, `Overflow, Value '${text}', Type: ${name}`);
    }
    return text;
  }
  if (type === "numeric") return decimal(text, column, options.rounds);
  if (type === "real" || type === "double precision") {
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^[+-]?(nan|infinity|inf)$/i.test(text)) {
      throw new ValueFault(1207, `Invalid digit, Value '${text.charAt(0)}', Pos 0, Type: Double`);
    }
    return text;
  }
  if (type === "boolean") {
    // "Boolean type" (r_Boolean_type).
    const found = /^(?:(true|t|yes|y|1)|(false|f|no|n|0))$/i.exec(text);
    if (!found) throw new ValueFault(1210, `Unknown boolean format: '${text}'`);
    return found[1] === undefined ? "f" : "t";
  }
  return readStamp(text, type, options);
}

/** Digits too many behind the point are cut off, with ROUNDEC rounded (copy-parameters-data-conversion). */
function decimal(text: string, { scale }: LoadColumn, rounds: boolean): string {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const at = /^[+-]?[\d.]*/.exec(text)?.[0].length ?? 0;
    throw new ValueFault(
      1207,
      `Invalid digit, Value '${text[at] ?? ""}', Pos ${at}, Type: Decimal`,
    );
  }
  const [, before, after] = /^([^.e]*)\.?(\d*)$/i.exec(text) ?? [];
  if (rounds || scale === null || before === undefined || after === undefined) return text;
  return after.length <= scale
    ? text
    : scale === 0
    ? before || "0"
    : `${before}.${after.slice(0, scale)}`;
}
