import type { CopyOptions } from "./copy_options.ts";
import { isCopyDelimiter } from "./copy_text.ts";

/** The delimiter of the COPY text that files with these options become: their own when it may be. */
export function copyDelimiterOf({ format, delimiter }: CopyOptions): string {
  return format !== "json" && isCopyDelimiter(delimiter) ? delimiter : "\t";
}

/** What stands behind `COPY t (columns) FROM STDIN` for what {@linkcode CopyRewriter} gives. */
export function copyClauseOf(options: CopyOptions): string {
  const delimiter = copyDelimiterOf(options);
  const literal = delimiter < " " || delimiter === "\x7f"
    ? `E'\\x${delimiter.charCodeAt(0).toString(16).padStart(2, "0")}'`
    : `'${delimiter.replace("'", "''")}'`;
  return `WITH (FORMAT text, DELIMITER ${literal}, NULL '\\N', ENCODING 'UTF8')`;
}
