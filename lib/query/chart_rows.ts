import type { Column, Row } from "../clients/warehouse/warehouse.ts";
import { SluiceError } from "../core/errors.ts";
import { barLines, lineLines, type Point } from "./chart.ts";
import type { Ending, RowWriter, TextOutput } from "./row_writer.ts";
import { cellText } from "./table_layout.ts";
import { countText, isNumber } from "./values.ts";

/** The charts there are. */
export const chartKinds = ["bar", "line"] as const;
export type ChartKind = typeof chartKinds[number];

/** Points that are kept; of more, the bars are the first ones and the line is of means. */
const pointsMost = { bar: 200, line: 8_192 } as const;

/**
 * Draws two columns: labels, and numbers. Of a line with very many points neighbours are taken
 * together, so that memory is bounded.
 */
export class ChartRows implements RowWriter {
  #points: Point[] = [];
  /** Rows that one point stands for; and those that the next one has so far. */
  #each = 1;
  #sum = 0;
  #summed = 0;
  #label = "";
  #at = { label: 0, value: 1 };
  #nulls = 0;

  constructor(
    private readonly output: TextOutput,
    private readonly kind: ChartKind,
    private readonly room: { readonly width: number; readonly height: number },
  ) {}

  begin(columns: readonly Column[]): Promise<void> {
    [this.#points, this.#each, this.#sum, this.#summed, this.#nulls] = [[], 1, 0, 0, 0];
    const [first, second] = columns;
    if (columns.length === 1 && first && isNumber(first)) this.#at = { label: -1, value: 0 };
    else if (columns.length === 2 && second && isNumber(second)) this.#at = { label: 0, value: 1 };
    else if (columns.length === 2 && first && isNumber(first)) this.#at = { label: 1, value: 0 };
    else {
      const types = columns.map(({ type }) => type).join(", ");
      const detail = `select a label and a number; there are ${
        countText(columns.length, "column")
      }`;
      throw new SluiceError("draw a chart", "permanent", `${detail} (${types})`);
    }
    return Promise.resolve();
  }

  rows(batch: readonly Row[]): Promise<void> {
    for (const row of batch) {
      const value = Number(row[this.#at.value] ?? NaN);
      if (!Number.isFinite(value)) this.#nulls++;
      else this.#add(this.#at.label < 0 ? "" : cellText(row[this.#at.label] ?? null), value);
    }
    return Promise.resolve();
  }

  #add(label: string, value: number): void {
    if (this.kind === "bar") {
      if (this.#points.length < pointsMost.bar) this.#points.push({ label, value });
      return;
    }
    if (this.#summed === 0) this.#label = label;
    this.#sum += value;
    if (++this.#summed < this.#each) return;
    this.#points.push({ label: this.#label, value: this.#sum / this.#summed });
    [this.#sum, this.#summed] = [0, 0];
    if (this.#points.length < pointsMost.line) return;
    this.#each *= 2;
    this.#points = this.#points.filter((_, i) => i % 2 === 0).map((point, i) => ({
      label: point.label,
      value: (point.value + (this.#points[2 * i + 1]?.value ?? point.value)) / 2,
    }));
  }

  async end({ rows }: Ending): Promise<void> {
    if (this.#summed > 0) {
      this.#points.push({ label: this.#label, value: this.#sum / this.#summed });
    }
    const { width, height } = this.room;
    const lines = this.kind === "bar"
      ? barLines(this.#points, width)
      : lineLines(this.#points, width, Math.max(4, Math.min(20, height - 6)));
    const drawn = rows - this.#nulls;
    const notes = [
      ...rows === 0 ? ["No rows"] : [],
      ...this.#nulls > 0 ? [`${countText(this.#nulls, "row")} without a number left out`] : [],
      ...this.kind === "bar" && drawn > this.#points.length
        ? [`${countText(drawn, "row")}, the first ${this.#points.length} shown`]
        : [],
      ...this.#each > 1 ? [`each point is the mean of ${this.#each} rows`] : [],
    ];
    await this.output.write([...lines, ...notes].map((line) => `${line}\n`).join(""));
  }
}
