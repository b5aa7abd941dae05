import type { CopyOptions } from "./copy_options.ts";
import { DelimitedRewriter } from "./delimited_rewriter.ts";
import { JsonRewriter } from "./json_rewriter.ts";
import type { RowFaults } from "./row_faults.ts";
import type { TargetColumn } from "./target_column.ts";

/** What one file is rewritten by. */
export interface RewriterSettings {
  readonly options: CopyOptions;
  /** The columns that are loaded, in the file's order; of JSON, the keys. */
  readonly columns: readonly TargetColumn[];
  /** How many rows may be left out. @default what MAXERROR says of a load with this file alone */
  readonly leftOutMost?: number;
  /** The numbers, from 1 and ascending, of rows to look for: the lines that the server has named. */
  readonly findRows?: readonly number[];
}

/**
 * Makes COPY text of one file, piece by piece, one line a row: what Redshift would load from the file
 * with these options, PostgreSQL loads from the text by {@linkcode copyClauseOf}. The server's line N is
 * the Nth row; `findRows` tells on which line of the file that stands.
 */
export interface CopyRewriter {
  /** Rows written so far. */
  readonly rows: number;
  /** Rows left out, which only MAXERROR allows, and those that were looked for. */
  readonly faults: RowFaults;
  /**
   * Takes the next bytes of the file, decompressed. What it gives is lent until the next call.
   *
   * @throws {DataError} for a row that cannot be loaded, with its line, column and bytes.
   */
  push(bytes: Uint8Array): Uint8Array;
  /** The file has ended, and with it its last row. */
  finish(): Uint8Array;
}

/** The rewriter of one file. */
export function openRewriter(settings: RewriterSettings): CopyRewriter {
  return settings.options.format === "json"
    ? new JsonRewriter(settings)
    : new DelimitedRewriter(settings);
}
