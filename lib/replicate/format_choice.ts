import type { FieldSchema } from "../clients/bigquery/bigquery.ts";
import type { FileFormat } from "./settings.ts";
import { eachField, typeOf } from "./table_schema.ts";

/** A format, or why none is right; `losses` is what `--lossy` lets go. */
export type FormatChoice =
  | { readonly format: FileFormat; readonly losses: readonly string[] }
  | { readonly refused: string };

/** In this order: the first that carries everything is taken. */
const order: readonly FileFormat[] = ["avro", "ndjson", "parquet"];

const known = new Set([
  ...["STRING", "BYTES", "INTEGER", "FLOAT", "BOOLEAN", "RECORD", "NUMERIC", "BIGNUMERIC"],
  ...["TIMESTAMP", "DATE", "TIME", "DATETIME", "GEOGRAPHY", "JSON", "RANGE", "INTERVAL"],
]);

/** What a format does to the values of a type; what is not named here comes back as it was. */
const harms: Readonly<Record<FileFormat, Readonly<Record<string, string>>>> = {
  avro: {
    RANGE: "BigQuery does not write it to Avro",
  },
  ndjson: {
    JSON: "JSON's null comes back as NULL, and numbers may change",
  },
  parquet: {
    JSON: "BigQuery does not write it to Parquet",
    RANGE: "BigQuery does not write it to Parquet",
    INTERVAL: "it comes back as another type",
    BIGNUMERIC: "its 77th digit is cut off",
  },
};

/**
 * The format in which the rows of such a table are staged: the first of Avro, NDJSON and Parquet that
 * brings every value back as it was.
 *
 * @param wanted a format by name has to carry everything, too.
 */
export function chooseFormat(
  fields: readonly FieldSchema[],
  wanted: "auto" | FileFormat,
  isLossy: boolean,
): FormatChoice {
  const candidates = wanted === "auto" ? order : [wanted];
  let least: readonly string[] | null = null;
  let best: FileFormat = candidates[0] ?? "avro";
  for (const format of candidates) {
    const losses = lossesOf(fields, format);
    if (losses.length === 0) return { format, losses };
    if (least === null || losses.length < least.length) [least, best] = [losses, format];
  }
  if (isLossy) return { format: best, losses: least ?? [] };
  const what = wanted === "auto" ? `no format carries it exactly; ${best}` : wanted;
  return { refused: `${what}: ${(least ?? []).join("; ")}; --lossy copies it all the same` };
}

/** What of these columns does not survive a format, a sentence each. */
export function lossesOf(fields: readonly FieldSchema[], format: FileFormat): string[] {
  const losses: string[] = [];
  for (const { path, field } of eachField(fields)) {
    const type = typeOf(field);
    const harm = harms[format][type];
    if (!known.has(type)) losses.push(`column ${path}: the type ${type} is not known`);
    else if (harm !== undefined) losses.push(`column ${path} of the type ${type}: ${harm}`);
    else if (field["timestampPrecision"] === "12" && format !== "ndjson") {
      losses.push(`column ${path}: its picoseconds are cut off`);
    } else if (format === "avro" && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(field.name)) {
      losses.push(`column ${path}: Avro takes no such name`);
    }
  }
  return losses;
}
