import type { Column } from "../clients/warehouse/warehouse.ts";
import { usageError } from "../core/errors.ts";
import { type ChartKind, ChartRows } from "./chart_rows.ts";
import { ExpandedRows } from "./expanded_rows.ts";
import { JsonRows } from "./json_rows.ts";
import { MarkdownRows } from "./markdown_rows.ts";
import type { RowWriter, TextOutput } from "./row_writer.ts";
import { CsvRows, TsvRows } from "./separated_rows.ts";
import { TableRows } from "./table_rows.ts";

/** What results can be printed as. */
export const queryFormats = ["table", "csv", "tsv", "jsonl", "markdown", "arrow"] as const;
export type QueryFormat = typeof queryFormats[number];

/** How results are wanted. */
export interface Style {
  readonly format: QueryFormat;
  readonly chart?: ChartKind | undefined;
  readonly isExpanded?: boolean;
  /** A person looks at it: tables fit the terminal, and their rows are counted below. */
  readonly isForPeople: boolean;
  /** Cells of a line. */
  readonly width: number;
  /** Lines of the terminal. */
  readonly height: number;
  /** Rows of a table that are shown; Infinity: all. */
  readonly rowsMost: number;
}

/** What prints results in a style. */
export async function writerOf(style: Style, output: TextOutput): Promise<RowWriter> {
  const { format, chart, isForPeople, width, rowsMost } = style;
  if (chart !== undefined) return new ChartRows(output, chart, style);
  if (style.isExpanded && format === "table") return new ExpandedRows(output, isForPeople);
  switch (format) {
    case "table":
      return new TableRows(output, {
        width: isForPeople ? width : Infinity,
        rowsMost,
        hasCount: isForPeople,
      });
    case "csv":
      return new CsvRows(output);
    case "tsv":
      return new TsvRows(output);
    case "jsonl":
      return new JsonRows(output);
    case "markdown":
      return new MarkdownRows(output);
    case "arrow":
      return await arrowRows(output);
  }
}

/** Loaded only now: the library is a part of the start that nobody else needs. */
async function arrowRows(output: TextOutput): Promise<RowWriter> {
  const { ArrowStream } = await import("../clients/arrow.ts");
  let stream: InstanceType<typeof ArrowStream> | undefined;
  return {
    begin: async (columns: readonly Column[]) => {
      if (stream) {
        throw usageError("print a second result", "a stream of Arrow is one table; give one query");
      }
      stream = new ArrowStream(columns);
      await output.bytes(stream.head());
    },
    rows: async (batch) => {
      for (const bytes of stream?.add(batch) ?? []) await output.bytes(bytes);
    },
    end: async () => {
      for (const bytes of stream?.finish() ?? []) await output.bytes(bytes);
    },
  };
}
