import type { Column, Row } from "../clients/warehouse/warehouse.ts";
import type { RowWriter, TextOutput } from "./row_writer.ts";

/**
 * CSV as RFC 4180 and PostgreSQL's COPY have it, so that COPY reads it back: a header, quotes where
 * they are needed; NULL is nothing at all and the empty text is `""`.
 */
export class CsvRows implements RowWriter {
  readonly copyOptions = "FORMAT csv, HEADER";
  #isSingle = false;

  constructor(private readonly output: TextOutput) {}

  async begin(columns: readonly Column[]): Promise<void> {
    this.#isSingle = columns.length === 1;
    await this.output.write(`${columns.map(({ name }) => csvField(name)).join(",")}\n`);
  }

  async rows(batch: readonly Row[]): Promise<void> {
    let text = "";
    for (const row of batch) {
      for (let i = 0; i < row.length; i++) {
        const value = row[i];
        if (i > 0) text += ",";
        if (typeof value === "string") text += csvField(value);
      }
      // Alone in its line it would be the end of the data for COPY.
      if (this.#isSingle && row[0] === "\\.") text = `${text.slice(0, -2)}"\\."`;
      text += "\n";
    }
    await this.output.write(text);
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

function csvField(value: string): string {
  if (value !== "" && !/[",\n\r]/.test(value)) return value;
  return `"${value.replaceAll('"', '""')}"`;
}

const escapes: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\v": "\\v",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
};

/**
 * Tabs between the fields, a row a line and a header: PostgreSQL's COPY text, so that NULL is `\N`
 * and tab, line feed, carriage return and backslash are `\t`, `\n`, `\r` and `\\`; so are `\b`, `\f`
 * and `\v`.
 */
export class TsvRows implements RowWriter {
  constructor(private readonly output: TextOutput) {}

  async begin(columns: readonly Column[]): Promise<void> {
    await this.output.write(`${columns.map(({ name }) => tsvField(name)).join("\t")}\n`);
  }

  async rows(batch: readonly Row[]): Promise<void> {
    let text = "";
    for (const row of batch) text += `${row.map(tsvField).join("\t")}\n`;
    await this.output.write(text);
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

function tsvField(value: string | null): string {
  if (value === null) return "\\N";
  return /[\\\t\n\r\b\f\v]/.test(value)
    ? value.replace(/[\\\t\n\r\b\f\v]/g, (char) => escapes[char] ?? char)
    : value;
}
