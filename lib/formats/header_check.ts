import type { CopyOptions } from "./copy_options.ts";
import { DelimitedReader, type DelimitedRow } from "./delimited.ts";
import { nearest } from "../core/nearest.ts";

/** What the header line of a file says about `columns`. */
export type HeaderVerdict =
  /** The file has no header line, by its options or its format. */
  | { readonly kind: "none" }
  /** Not enough of the file is there to see the line. */
  | { readonly kind: "unseen" }
  | { readonly kind: "same" }
  | { readonly kind: "different"; readonly complaint: string };

/**
 * Compares the last header line of a file, which names its fields, with the columns of the manifest:
 * same names, same order; upper case and white space around a name do not count.
 *
 * @param beginning of the file, decompressed.
 * @param isWhole whether that is all of the file.
 */
export function checkHeader(
  beginning: Uint8Array,
  options: CopyOptions,
  columns: readonly string[],
  isWhole: boolean,
): HeaderVerdict {
  if (options.ignoreHeader === 0) return { kind: "none" };
  if (options.format !== "csv" && options.format !== "delimited") return { kind: "none" };
  let header: DelimitedRow | undefined;
  let rows = 0;
  const reader = new DelimitedReader({ ...options, ignoreBlankLines: false }, (row) => {
    if (++rows === options.ignoreHeader) header = row;
  });
  try {
    reader.push(beginning);
    if (isWhole) reader.finish();
  } catch (thrown) {
    // A row behind the header is the load's business.
    if (header === undefined) return { kind: "different", complaint: complaintOf(thrown) };
  }
  if (header === undefined) return { kind: "unseen" };
  const complaint = headerComplaint(header.map((one) => decoder.decode(one ?? noBytes)), columns);
  return complaint === undefined ? { kind: "same" } : { kind: "different", complaint };
}

const decoder = new TextDecoder();
const noBytes = new Uint8Array(0);

function complaintOf(thrown: unknown): string {
  return `the header line cannot be read: ${thrown instanceof Error ? thrown.message : thrown}`;
}

/** What is wrong with the names of a header line, undefined when they are the columns. */
export function headerComplaint(
  header: readonly string[],
  columns: readonly string[],
): string | undefined {
  const plain = (name: string) => name.trim().toLowerCase();
  const names = header.map(plain);
  const wanted = columns.map(plain);
  const missing = columns.filter((name) => !names.includes(plain(name)));
  const extra = header.filter((name) => !wanted.includes(plain(name)));
  const differences = [
    ...missing.map((name) => {
      const meant = nearest(plain(name), extra.map(plain));
      return meant ? `"${name}" is missing (the file has "${meant}")` : `"${name}" is missing`;
    }),
    ...extra.map((name) => `"${name.trim()}" is none of the columns`),
  ];
  if (differences.length > 0) return differences.slice(0, 5).join(", ");
  const place = names.findIndex((name, i) => name !== wanted[i]);
  if (place >= 0 || names.length !== wanted.length) {
    const at = place < 0 ? wanted.length : place;
    return `field ${at + 1} is "${header[at]?.trim() ?? ""}" where the columns have "${
      columns[at] ?? "nothing"
    }": the order differs`;
  }
  return undefined;
}
