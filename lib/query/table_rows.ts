import type { Column, Row } from "../clients/warehouse/warehouse.ts";
import type { Ending, RowWriter, TextOutput } from "./row_writer.ts";
import { footLine, gapLines, headLines, layoutColumns, rowLine } from "./table_layout.ts";
import { countText } from "./values.ts";

/** How a table is wanted. */
export interface TableOptions {
  /** Cells of a line; Infinity where there is no end. */
  readonly width: number;
  /** Rows that are shown, half of them the first and half the last ones; Infinity: all. */
  readonly rowsMost: number;
  /** Whether a line below tells the number of rows. */
  readonly hasCount: boolean;
}

/** So many rows tell how wide the columns are when all rows are shown. */
const measuredRows = 1_000;

/**
 * A table with borders in DuckDB's manner: names and types above, as wide as the terminal at most, the
 * first and the last rows, and how many there are. All rows are read, as else nobody knows their
 * number, but only those shown are kept.
 */
export class TableRows implements RowWriter {
  #columns: readonly Column[] = [];
  #head: Row[] = [];
  /** The last rows behind the head, as a ring. */
  #tail: Row[] = [];
  #count = 0;
  /** Set when rows are printed as they come. */
  #shown: ReturnType<typeof layoutColumns> | undefined;

  constructor(private readonly output: TextOutput, private readonly options: TableOptions) {}

  begin(columns: readonly Column[]): Promise<void> {
    this.#columns = columns;
    [this.#head, this.#tail, this.#count, this.#shown] = [[], [], 0, undefined];
    return Promise.resolve();
  }

  async rows(batch: readonly Row[]): Promise<void> {
    this.#count += batch.length;
    if (this.options.rowsMost < Infinity) return this.#keep(batch);
    if (this.#shown) return await this.#print(batch);
    this.#head.push(...batch);
    if (this.#head.length >= measuredRows) await this.#printHead();
  }

  #keep(batch: readonly Row[]): void {
    const { rowsMost } = this.options;
    const headMost = Math.ceil(rowsMost / 2);
    const tailMost = rowsMost - headMost;
    const before = this.#count - batch.length;
    batch.forEach((row, i) => {
      const at = before + i;
      if (at < headMost) this.#head.push(row);
      else if (tailMost > 0) this.#tail[(at - headMost) % tailMost] = row;
    });
  }

  async #printHead(): Promise<void> {
    this.#shown = layoutColumns(this.#columns, this.#head, this.options.width);
    await this.#lines(headLines(this.#shown));
    await this.#print(this.#head);
    this.#head = [];
  }

  async #print(rows: readonly Row[]): Promise<void> {
    const shown = this.#shown ?? [];
    const canCut = this.options.width < Infinity;
    await this.#lines(rows.map((row) => rowLine(shown, row, canCut)));
  }

  async end(ending: Ending): Promise<void> {
    const tailAt = this.#tail.length === 0 ? 0 : (this.#count - this.#head.length) %
      this.#tail.length;
    const tail = [...this.#tail.slice(tailAt), ...this.#tail.slice(0, tailAt)];
    let shownRows = this.#count;
    if (!this.#shown) {
      shownRows = this.#head.length + tail.length;
      const kept = [...this.#head, ...tail];
      this.#shown = layoutColumns(this.#columns, kept, this.options.width);
      await this.#lines(headLines(this.#shown));
      await this.#print(this.#head);
      if (shownRows < this.#count) await this.#lines(gapLines(this.#shown));
      await this.#print(tail);
    }
    await this.#lines([footLine(this.#shown)]);
    if (this.options.hasCount) await this.output.write(`${this.#countLine(ending, shownRows)}\n`);
  }

  #countLine({ isWhole }: Ending, shownRows: number): string {
    const shownColumns = (this.#shown ?? []).filter(({ index }) => index !== null).length;
    const all = this.#columns.length;
    return [
      countText(this.#count, "row") + (isWhole ? "" : " so far, then stopped"),
      ...shownRows < this.#count ? [`${shownRows.toLocaleString("en-US")} shown`] : [],
      ...shownColumns < all ? [`${shownColumns} of ${countText(all, "column")} shown`] : [],
    ].join(", ");
  }

  async #lines(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.output.write(`${lines.join("\n")}\n`);
  }
}
