import { gzipSync, zstdCompressSync } from "node:zlib";
import type { ModelFile, Value } from "./ingest_model.ts";

/** A file of a case: what it means, and its bytes. */
export interface CaseFile extends ModelFile {
  readonly bytes: Uint8Array;
  /** `left`: not to be loaded, so that it stays; `bad`: to be moved aside. @default to be loaded */
  readonly fate?: "left" | "bad";
  /** Some of its rows are left out, which a report tells. */
  readonly isPartly?: boolean;
}

type Rows = readonly (readonly Value[])[];

const encoder = new TextEncoder();

/** How a CSV file is written. */
export interface CsvStyle {
  readonly delimiter?: string;
  readonly quote?: string;
  /** What stands for NULL, without quotation marks. @default \N */
  readonly nullAs?: string;
  readonly newline?: "\n" | "\r\n";
  /** Lines before the rows. */
  readonly header?: string;
  /** Quote every value, not only those that need it. */
  readonly isAllQuoted?: boolean;
  /** End without a line feed. */
  readonly isOpenEnded?: boolean;
}

/** CSV by RFC 4180. */
export function csv(name: string, rows: Rows, style: CsvStyle = {}): CaseFile {
  const { delimiter = ",", quote = '"', nullAs = "\\N", newline = "\n", header = "" } = style;
  const field = (value: Value) => {
    if (value === null) return nullAs;
    const isOdd = [delimiter, quote, "\n", "\r"].some((one) => value.includes(one)) ||
      value === nullAs || value !== value.trim();
    if (!isOdd && !style.isAllQuoted) return value;
    return `${quote}${value.replaceAll(quote, quote + quote)}${quote}`;
  };
  const lines = rows.map((row) => row.map(field).join(delimiter));
  const end = style.isOpenEnded ? "" : newline;
  const text = lines.length === 0 ? "" : `${lines.join(newline)}${end}`;
  return { name, rows, bytes: encoder.encode(header + text) };
}

/** How delimited text is written. */
export interface DelimitedStyle {
  /** @default | */
  readonly delimiter?: string;
  readonly newline?: "\n" | "\r\n";
  /** Backslashes before what would mean something else, for ESCAPE. */
  readonly isEscaped?: boolean;
}

/** Delimited text as the COPY of Redshift has it by default. */
export function delimited(name: string, rows: Rows, style: DelimitedStyle = {}): CaseFile {
  const { delimiter = "|", newline = "\n", isEscaped = false } = style;
  const field = (value: Value) => {
    if (value === null) return "\\N";
    if (!isEscaped) return value;
    return [...value].map((one) =>
      one === delimiter || one === "\\" || one === "\n" ? `\\${one}` : one
    )
      .join("");
  };
  const text = rows.map((row) => row.map(field).join(delimiter) + newline).join("");
  return { name, rows, bytes: encoder.encode(text) };
}

/** JSON objects, one a line; the values as strings but for the columns that are written bare. */
export function json(
  name: string,
  columns: readonly string[],
  rows: Rows,
  bare: readonly string[] = [],
): CaseFile {
  const lines = rows.map((row) => jsonLine(columns, row, bare));
  return { name, rows, bytes: encoder.encode(lines.map((line) => `${line}\n`).join("")) };
}

/** A row as an object of JSON. */
export function jsonLine(
  columns: readonly string[],
  row: readonly Value[],
  bare: readonly string[] = [],
): string {
  const members = columns.map((column, i) => {
    const value = row[i] ?? null;
    const written = value !== null && bare.includes(column) ? value : JSON.stringify(value);
    return `${JSON.stringify(column)}:${written}`;
  });
  return `{${members.join(",")}}`;
}

/** A file as it stands, beside what it means. */
export function literal(name: string, content: string | Uint8Array, rows: Rows): CaseFile {
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  return { name, rows, bytes };
}

/** A file some of whose rows cannot be loaded; `rows` are the others. */
export function partly(name: string, content: string, rows: Rows): CaseFile {
  return { ...literal(name, content, rows), isPartly: true };
}

/** A file that no load takes. */
export function left(name: string, content: string): CaseFile {
  return { ...literal(name, content, []), fate: "left" };
}

/** A file that cannot be loaded. */
export function bad(name: string, content: string): CaseFile {
  return { ...literal(name, content, []), fate: "bad" };
}

/** The same file compressed with gzip; `isParted` makes several members of it. */
export function gzipped(file: CaseFile, isParted = false): CaseFile {
  const middle = file.bytes.length >> 1;
  const parts = isParted
    ? [file.bytes.subarray(0, middle), file.bytes.subarray(middle)]
    : [file.bytes];
  const packed = parts.map((part) => Uint8Array.from(gzipSync(part)));
  return { ...file, bytes: concatenated(packed) };
}

export function zstd(file: CaseFile): CaseFile {
  return { ...file, bytes: Uint8Array.from(zstdCompressSync(file.bytes)) };
}

/** Records of JSON in a Baldr stream: a length of 8 bytes, big end first, before each. */
export function baldr(
  name: string,
  columns: readonly string[],
  rows: Rows,
  bare: readonly string[] = [],
): CaseFile {
  const parts = rows.flatMap((row) => {
    const record = encoder.encode(jsonLine(columns, row, bare));
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigInt64(0, BigInt(record.length));
    return [length, record];
  });
  return { name, rows, bytes: concatenated(parts) };
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
