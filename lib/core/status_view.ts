/** A line of a plot. */
export interface PlotLine {
  readonly label: string;
  /** Read each second; of a `rate` the growth since the second before is drawn. */
  readonly read: () => number;
}

/** A plot of the last minutes. */
export interface Plot {
  readonly title: string;
  /** `rate`: what grows, drawn for each second; `level`: what it is. */
  readonly kind: "rate" | "level";
  readonly unit: Unit;
  /** One or two. */
  readonly lines: readonly PlotLine[];
}

/** How a number is written: 12.3 k, 4.5 MB, 2 min. */
export type Unit = "count" | "bytes" | "seconds";

/** A number with its name. */
export interface Figure {
  readonly label: string;
  readonly unit: Unit;
  /** Null is not known. */
  readonly read: () => number | null;
  /** Whether it is wrong that it is not 0. */
  readonly isBadUnlessZero?: boolean;
}

/** A cell: a text, or a number to be written by the unit of its column; null is not known. */
export type Cell = string | number | null;

/** What a daemon works on, row by row. */
export interface Table {
  readonly title: string;
  readonly columns: readonly { readonly label: string; readonly unit: Unit | "text" }[];
  /** What is said when there are no rows. */
  readonly none: string;
  /** The rows to show, most interesting first; the page shows {@linkcode tableRowsMost} at most. */
  readonly rows: () => readonly (readonly Cell[])[];
}

/** Rows of a table that are shown; of the others it is told how many there are. */
export const tableRowsMost = 100;

/** What the status page shows of a daemon; all daemons have the same page. */
export interface StatusView {
  readonly plots: readonly Plot[];
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
}
