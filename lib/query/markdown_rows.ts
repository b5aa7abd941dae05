import type { Column, Row } from "../clients/warehouse/warehouse.ts";
import type { RowWriter, TextOutput } from "./row_writer.ts";
import { isNumber } from "./values.ts";

/** A table of Markdown as GitHub reads it; numbers stand at the right, and NULL is `NULL`. */
export class MarkdownRows implements RowWriter {
  #isFirst = true;

  constructor(private readonly output: TextOutput) {}

  async begin(columns: readonly Column[]): Promise<void> {
    // Without an empty line the next table would be rows of this one.
    const gap = this.#isFirst ? "" : "\n";
    this.#isFirst = false;
    const names = columns.map(({ name }) => cell(name));
    const rules = columns.map((column) => isNumber(column) ? "---:" : "---");
    await this.output.write(`${gap}${line(names)}${line(rules)}`);
  }

  async rows(batch: readonly Row[]): Promise<void> {
    await this.output.write(batch.map((row) => line(row.map(cell))).join(""));
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

function line(cells: readonly string[]): string {
  return `|${cells.map((one) => ` ${one} |`).join("")}\n`;
}

/** What would be emphasis, code, a link or a border; an underscore within a word is none. */
const marks = /[\\|*`~[\]]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu;

function cell(value: string | null): string {
  if (value === null) return "NULL";
  return value.replace(marks, "\\$&")
    .replace(/&(?=#?\w+;)/g, "&amp;").replace(/</g, "&lt;")
    .replace(/\r\n?|\n/g, "<br>").replace(/\p{Cc}/gu, " ");
}
