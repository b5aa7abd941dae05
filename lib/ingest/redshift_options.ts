import type { Store } from "../clients/store/store.ts";
import { usageError } from "../core/errors.ts";
import { type CopyOptions, parseCopyOptions } from "../formats/copy_options.ts";
import type { Manifest } from "./manifest.ts";

/** A literal, which is left alone, or a word. */
const tokens = /'(?:[^'\\]|''|\\[^])*'|[^\s']+/g;

const compressions = new Set(["GZIP", "ZSTD", "BZIP2", "LZOP"]);

/** The words of COPY options in capitals, without the literals. */
function wordsOf(options: readonly string[]): readonly string[] {
  const found = options.join(" ").match(tokens) ?? [];
  return found.filter((one) => !one.startsWith("'")).map(bare);
}

/** Some write a semicolon behind the last of their options. */
function bare(word: string): string {
  return word.toUpperCase().replace(/;$/, "");
}

/** The options of a manifest as they are written, for one line of SQL. */
export function optionText(options: readonly string[]): string {
  return options.join(" ").replace(
    tokens,
    (one) => one.startsWith("'") ? one : one.replace(/;$/, ""),
  );
}

/** The options for files that are not compressed. */
export function plainOptions(options: readonly string[]): readonly string[] {
  const text = options.join(" ")
    .replace(tokens, (one) => compressions.has(bare(one)) ? "" : one);
  return [text.trim()];
}

/**
 * What is added to the options: the staging table is empty and short-lived, to look for encodings and
 * statistics would cost more than the load (COPY, "Data load operations": COMPUPDATE, STATUPDATE).
 * Columnar formats take no COMPUPDATE ("COPY from columnar data formats").
 */
export function addedOptions(options: readonly string[]): string {
  const words = wordsOf(options);
  const isColumnar = parseCopyOptions(options, "redshift").format === "columnar";
  return [
    ...(isColumnar || words.includes("COMPUPDATE") ? [] : ["COMPUPDATE OFF"]),
    ...(words.includes("STATUPDATE") ? [] : ["STATUPDATE OFF"]),
  ].join(" ");
}

/**
 * Whether sluice can put a number before each row of such files: it has to know where rows end, and
 * COPY has to find the number by the place or the name of its column.
 */
export function isNumberable(options: readonly string[]): boolean {
  const read = parseCopyOptions(options, "redshift");
  const words = wordsOf(options);
  if (words.includes("ENCRYPTED") || isOtherEncoding(options)) return false;
  if (read.compression === "lzop") return false;
  if (read.format === "json") return isAuto(options);
  return read.format !== "columnar" && read.delimiter.length === 1;
}

function isOtherEncoding(options: readonly string[]): boolean {
  const [, encoding] = /\bENCODING\s+(?:AS\s+)?'?([\w-]+)/i.exec(options.join(" ")) ?? [];
  return encoding !== undefined && !/^utf-?8$/i.test(encoding);
}

/** JSON whose keys are the columns' names: with a file of paths nobody would look at ours. */
function isAuto(options: readonly string[]): boolean {
  return !/\bJSON\s+(?:AS\s+)?'(?!auto'|auto ignorecase')/i.test(options.join(" "));
}

/** The options as they are read here, for numbering: what only Redshift honours changes no row's end. */
export function readOptions(options: readonly string[]): CopyOptions {
  return parseCopyOptions(options, "redshift");
}

/**
 * Refuses what Redshift cannot load, before anything is opened.
 *
 * @throws {SluiceError} `usage` naming it.
 */
export function refuseOnRedshift(
  { format, options }: Pick<Manifest, "format" | "options">,
  { url, keys }: Pick<Store, "url" | "keys">,
): void {
  if (!/^s3:/i.test(url) || keys === undefined) {
    throw usageError(
      `load ${url} into Redshift`,
      "its COPY reads from S3 alone; drop the files in a bucket, or load into postgres:// or pglite:",
    );
  }
  if (format === "baldr") {
    throw usageError(
      "load format baldr into Redshift",
      "its COPY cannot read archives; give csv or json, or load into postgres:// or pglite:",
    );
  }
  parseCopyOptions(options, "redshift");
  if (wordsOf(options).includes("EXPLICIT_IDS")) {
    throw usageError(
      "use EXPLICIT_IDS on Redshift",
      "files go through a staging table, which has no identity column; leave it out",
    );
  }
}
