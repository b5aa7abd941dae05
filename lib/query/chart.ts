import { fitText, padText, textWidth } from "./text_width.ts";

/** A value with what it is called. */
export interface Point {
  readonly label: string;
  readonly value: number;
}

/** Parts of a cell from its left, an eighth each. */
const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** Labels take no more of a line than this. */
const labelMost = 0.4;

/**
 * A bar a line: its label, the bar, its value. Bars begin at zero; those of numbers below it go to the
 * left.
 *
 * @param width cells of a line.
 */
export function barLines(points: readonly Point[], width: number): string[] {
  const values = points.map(({ value }) => value);
  const texts = values.map(numberText);
  const label = Math.min(
    Math.max(0, ...points.map((point) => textWidth(point.label))),
    Math.floor(width * labelMost),
  );
  const room = Math.max(8, width - label - Math.max(0, ...texts.map((one) => one.length)) - 4);
  const least = Math.min(0, ...values);
  const most = Math.max(0, ...values);
  const cells = most > least ? room / (most - least) : 0;
  const below = Math.ceil(-least * cells);
  const above = Math.max(0, room - below);
  return points.map(({ label: name, value }, i) => {
    const length = Math.abs(value) * cells;
    const left = value < 0
      ? padText("█".repeat(Math.round(length)), below, "right")
      : " ".repeat(below);
    const right = value > 0 ? rightBar(Math.min(length, above)) : "";
    return `${padText(fitText(name, label), label, "left")} │${left}${right} ${texts[i]}`;
  });
}

/** A bar of so many cells, to the eighth; what is not nothing is seen. */
function rightBar(length: number): string {
  const parts = Math.max(1, Math.round(length * 8));
  return "█".repeat(parts >> 3) + (eighths[parts & 7] ?? "");
}

/** The dots of a Braille cell by line and column: four by two. */
const dots = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]] as const;

/**
 * A line through the values from left to right, of dots of which eight make a cell; the scale stands at
 * the left, the first and the last label below.
 */
export function lineLines(points: readonly Point[], width: number, height: number): string[] {
  if (points.length === 0) return [];
  const values = points.map(({ value }) => value);
  const least = values.reduce((a, b) => Math.min(a, b));
  const most = values.reduce((a, b) => Math.max(a, b));
  const scale = [numberText(most), numberText((most + least) / 2), numberText(least)];
  const margin = Math.max(...scale.map((one) => one.length));
  const columns = Math.max(8, width - margin - 3);
  const grid = plot(values, least, most, columns, height);
  const lines = grid.map((cells, row) => {
    const mark = row === 0
      ? scale[0]
      : row === height - 1
      ? scale[2]
      : row === height >> 1
      ? scale[1]
      : "";
    const text = cells.map((cell) => cell === 0 ? " " : String.fromCharCode(0x2800 + cell)).join(
      "",
    );
    return `${padText(mark ?? "", margin, "right")} ┤${text.trimEnd()}`;
  });
  const half = Math.max(1, (columns >> 1) - 1);
  const first = fitText(points[0]?.label ?? "", half);
  const last = fitText(points.at(-1)?.label ?? "", half);
  const gap = " ".repeat(Math.max(1, columns - textWidth(first) - textWidth(last)));
  lines.push(`${" ".repeat(margin)} └${"─".repeat(columns)}`);
  if (first !== "" || last !== "") lines.push(`${" ".repeat(margin + 2)}${first}${gap}${last}`);
  return lines;
}

/** Sets the dots of the line; gives the cells, line by line. */
function plot(
  values: readonly number[],
  least: number,
  most: number,
  columns: number,
  height: number,
): number[][] {
  const grid = Array.from({ length: height }, () => new Array<number>(columns).fill(0));
  const wide = columns * 2 - 1;
  const high = height * 4 - 1;
  const xOf = (i: number) => values.length === 1 ? 0 : Math.round(i * wide / (values.length - 1));
  const yOf = (value: number) =>
    most === least ? high >> 1 : Math.round((most - value) / (most - least) * high);
  const set = (x: number, y: number) => {
    const row = grid[y >> 2];
    if (row) row[x >> 1] = (row[x >> 1] ?? 0) | (dots[y & 3]?.[x & 1] ?? 0);
  };
  values.forEach((value, i) => {
    const [x, y] = [xOf(i), yOf(value)];
    const [fromX, fromY] = i === 0 ? [x, y] : [xOf(i - 1), yOf(values[i - 1] ?? value)];
    const steps = Math.max(Math.abs(x - fromX), Math.abs(y - fromY), 1);
    for (let step = 0; step <= steps; step++) {
      const part = step / steps;
      set(Math.round(fromX + (x - fromX) * part), Math.round(fromY + (y - fromY) * part));
    }
  });
  return grid;
}

/** A number as short as it can be read. */
function numberText(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 6 });
}
