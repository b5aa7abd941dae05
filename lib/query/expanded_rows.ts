import type { Column, Row } from "../clients/warehouse/warehouse.ts";
import { visible } from "../core/visible.ts";
import type { Ending, RowWriter, TextOutput } from "./row_writer.ts";
import { cellText } from "./table_layout.ts";
import { padText, textWidth } from "./text_width.ts";
import { countText } from "./values.ts";

/** Each row as lines of its own, a value a line: for wide rows. */
export class ExpandedRows implements RowWriter {
  #names: readonly string[] = [];
  #count = 0;

  constructor(private readonly output: TextOutput, private readonly hasCount: boolean) {}

  begin(columns: readonly Column[]): Promise<void> {
    const names = columns.map(({ name }) => visible(name));
    const width = Math.max(0, ...names.map(textWidth));
    this.#names = names.map((name) => padText(name, width, "left"));
    this.#count = 0;
    return Promise.resolve();
  }

  async rows(batch: readonly Row[]): Promise<void> {
    let text = "";
    for (const row of batch) {
      text += `─── row ${(++this.#count).toLocaleString("en-US")} ───\n`;
      row.forEach((value, i) => text += `${this.#names[i]} │ ${cellText(value)}\n`);
    }
    await this.output.write(text);
  }

  async end({ rows, isWhole }: Ending): Promise<void> {
    if (!this.hasCount) return;
    const more = isWhole ? "" : " so far, then stopped";
    await this.output.write(`${countText(rows, "row")}${more}\n`);
  }
}
