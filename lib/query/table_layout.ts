import type { Column, Row } from "../clients/warehouse/warehouse.ts";
import { visible } from "../core/visible.ts";
import { fitText, padText, textWidth } from "./text_width.ts";
import { isNumber } from "./values.ts";

/** A column as it is shown. */
export interface ShownColumn {
  /** Its place in the row; null for the one that stands for those left out. */
  readonly index: number | null;
  readonly name: string;
  readonly type: string;
  readonly width: number;
  readonly align: "left" | "right";
}

/** A column is not made narrower than this while others can be. */
const narrowest = 12;

/** Longer values are cut even where there would be room, so that a row stays a line. */
const widest = 400;

/**
 * Chooses columns and widths by some rows. When all do not fit, the widest are made narrower first;
 * then those in the middle are left out.
 *
 * @param width cells of a line; Infinity where there is no end.
 */
export function layoutColumns(
  columns: readonly Column[],
  rows: readonly Row[],
  width: number,
): ShownColumn[] {
  const natural = columns.map((column, i) => {
    let most = Math.max(textWidth(visible(column.name)), textWidth(visible(column.type)), 1);
    for (const row of rows) most = Math.max(most, cellWidth(row[i] ?? null));
    return width === Infinity ? most : Math.min(most, widest);
  });
  const shown = columns.map((_, i) => i);
  let left = -1;
  while (shown.length > 2 && least(shown, natural, left >= 0) > width) {
    // Of an even number the right one of the two in the middle goes.
    left = shown.length >> 1;
    shown.splice(left, 1);
  }
  const widths = narrowed(shown.map((i) => natural[i] ?? 1), room(width, shown.length, left >= 0));
  const laidOut: ShownColumn[] = shown.map((index, i) => {
    const { name, type } = columns[index] ?? { name: "", type: "" };
    const align = isNumber({ name, type }) ? "right" : "left";
    return {
      ...{ index, align, width: widths[i] ?? 1 },
      name: visible(name),
      type: visible(type),
    };
  });
  if (left >= 0) {
    const gap = { index: null, name: "…", type: "", width: 1, align: "left" } as const;
    laidOut.splice((shown.length + 1) >> 1, 0, gap);
  }
  return laidOut;
}

/** Cells for values, without those for borders and for the gap. */
function room(width: number, count: number, hasGap: boolean): number {
  return width - 1 - 3 * count - (hasGap ? 4 : 0);
}

function least(shown: readonly number[], natural: readonly number[], hasGap: boolean): number {
  const values = shown.reduce((sum, i) => sum + Math.min(natural[i] ?? 1, narrowest), 0);
  return values + 1 + 3 * shown.length + (hasGap ? 4 : 0);
}

/** Takes from the widest until the sum fits. */
function narrowed(widths: readonly number[], most: number): number[] {
  const result = [...widths];
  let over = result.reduce((sum, one) => sum + one, 0) - most;
  while (over > 0) {
    const top = Math.max(...result);
    if (top <= 1) break;
    const next = Math.max(1, ...result.filter((one) => one < top));
    const at = result.flatMap((one, i) => one === top ? [i] : []);
    const each = Math.min(top - next || 1, Math.ceil(over / at.length));
    for (const i of at) {
      const less = Math.min(each, over, top - 1);
      result[i] = top - less;
      over -= less;
    }
  }
  return result;
}

/** A value as it stands in a cell: in one line, and commanding no terminal. */
export function cellText(value: string | null): string {
  if (value === null) return "NULL";
  // Most values are plain.
  if (/^[\x20-\x7e]*$/.test(value)) return value;
  const inLine = value.replace(/\n/g, "\\n").replace(/\r/g, "\\r").replace(/\t/g, "\\t");
  return visible(inLine.replace(turning, (char) => `\\u${char.charCodeAt(0).toString(16)}`));
}

/** What turns the direction of text, and with it the order of the cells of a line. */
const turning = /[\u202a-\u202e\u2066-\u2069]/g;

function cellWidth(value: string | null): number {
  if (value === null) return 4;
  return value.length > widest * 4 ? widest : textWidth(cellText(value));
}

/** The lines above the rows: names in the middle of their columns, types below them. */
export function headLines(shown: readonly ShownColumn[]): string[] {
  const middle = (text: (column: ShownColumn) => string) =>
    line(shown.map((one) => padText(fitText(text(one), one.width), one.width, "center")));
  return [
    rule(shown, "┌", "┬", "┐"),
    middle(({ name }) => name),
    middle(({ type }) => type),
    rule(shown, "├", "┼", "┤"),
  ];
}

/** A row as a line. */
export function rowLine(shown: readonly ShownColumn[], row: Row, canCut: boolean): string {
  return line(shown.map(({ index, width, align }) => {
    const text = index === null ? "…" : cellText(row[index] ?? null);
    return padText(canCut ? fitText(text, width) : text, width, align);
  }));
}

/** What stands for the rows that are left out: three points, one below the other. */
export function gapLines(shown: readonly ShownColumn[]): string[] {
  const dots = line(shown.map(({ width, align }) => padText("·", width, align)));
  return [dots, dots, dots];
}

/** The last line. */
export function footLine(shown: readonly ShownColumn[]): string {
  return rule(shown, "└", "┴", "┘");
}

function rule(shown: readonly ShownColumn[], left: string, middle: string, right: string): string {
  return left + shown.map(({ width }) => "─".repeat(width + 2)).join(middle) + right;
}

function line(cells: readonly string[]): string {
  return `│${cells.map((one) => ` ${one} `).join("│")}│`;
}
