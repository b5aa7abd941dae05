import { TextOutput } from "../../lib/query/row_writer.ts";
import type { RowWriter } from "../../lib/query/row_writer.ts";
import type { Row } from "../../lib/clients/warehouse/warehouse.ts";

/** Where a test reads what was printed. */
export class Printed {
  readonly #decoder = new TextDecoder();
  #text = "";
  readonly output = new TextOutput({
    write: (bytes) => {
      this.#text += this.#decoder.decode(bytes, { stream: true });
      return Promise.resolve();
    },
  });

  /** What was printed since it was asked last. */
  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }
}

/** Columns as `id:int4 name:text`. */
export function columnsOf(text: string): { name: string; type: string }[] {
  return text.split(" ").map((one) => {
    const [name = "", type = "text"] = one.split(":");
    return { name, type };
  });
}

/** Prints a result as a writer does, its rows in batches of so many. */
export async function print(
  writerOf: (output: TextOutput) => RowWriter,
  columns: string,
  rows: readonly Row[],
  batchRows = 3,
): Promise<string> {
  const printed = new Printed();
  const writer = writerOf(printed.output);
  await writer.begin(columnsOf(columns));
  for (let at = 0; at < rows.length; at += batchRows) {
    await writer.rows(rows.slice(at, at + batchRows));
  }
  await writer.end({ rows: rows.length, tag: `SELECT ${rows.length}`, isWhole: true });
  return printed.take();
}
