import type { TableReference } from "../clients/bigquery/bigquery.ts";
import { usageError } from "../core/errors.ts";
import { generationOf, pairId } from "./job_ids.ts";
import type { Dataset, FileFormat } from "./settings.ts";

/** A bucket, or a folder in one. */
export interface BucketPlace {
  readonly bucket: string;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
}

/**
 * Reads `gs://BUCKET` or `gs://BUCKET/FOLDER`.
 *
 * @throws {SluiceError} `usage` for anything else.
 */
export function parseBucket(text: string, flag: string): BucketPlace {
  const [, bucket, folder = ""] =
    /^gs:\/\/([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(\/.*)?$/.exec(text) ??
      [];
  // BigQuery takes `//` in a name for `/`, and Cloud Storage does not.
  const parts = folder.split("/").filter((part) => part !== "");
  if (bucket === undefined || /[*?\[\]#\p{Cc}]/u.test(folder)) {
    throw usageError(`use ${flag} "${text}"`, "give gs://BUCKET or gs://BUCKET/FOLDER");
  }
  return { bucket, prefix: parts.map((part) => `${part}/`).join("") };
}

/** The folder of everything that is staged for one pair of datasets; ends in a slash. */
export function pairFolder({ prefix }: BucketPlace, source: Dataset, destination: Dataset): string {
  return `${prefix}sluice/${pairId(source, destination)}/`;
}

/**
 * The folder of the files of one extract job. The job's id is in it, so that no two jobs share one;
 * and it ends in a slash, so that what is deleted for `t1` is never of `t10`.
 */
export function jobFolder(pairFolder: string, { tableId }: TableReference, jobId: string): string {
  return `${pairFolder}${tableId}/${jobId}/`;
}

const endings: Readonly<Record<FileFormat, string>> = {
  avro: "avro",
  // Compressed all the same; some readers go by the name and not by the content.
  ndjson: "json",
  parquet: "parquet",
};

/** The URI of all files of a folder: BigQuery puts twelve digits for the star. */
export function filesUri(bucket: string, folder: string, format: FileFormat): string {
  return `gs://${bucket}/${folder}*.${endings[format]}`;
}

/** The table and the extract job of a staged object; null for one that is not ours. */
export function stagedBy(
  pairFolder: string,
  name: string,
): { readonly tableId: string; readonly jobId: string; readonly folder: string } | null {
  if (!name.startsWith(pairFolder)) return null;
  const [tableId, jobId, file, ...more] = name.slice(pairFolder.length).split("/");
  if (tableId === undefined || jobId === undefined || file === undefined) return null;
  if (more.length > 0 || generationOf(jobId) === null) return null;
  return { tableId, jobId, folder: `${pairFolder}${tableId}/${jobId}/` };
}

/**
 * Whether BigQuery can read and write this bucket from a dataset of that location: the same place, or
 * a region within the multi-region, or a dataset in the US, which may use any.
 */
export function bucketFits(bucketLocation: string, datasetLocation: string): boolean {
  const bucket = bucketLocation.toUpperCase();
  const dataset = datasetLocation.toUpperCase();
  if (dataset === "US" || bucket === dataset) return true;
  if (dataset === "EU") return bucket.startsWith("EUROPE-") || bucket === "EUR4";
  // Of dual-regions only the lists of Google know what is in them: BigQuery has the last word.
  return !/^[A-Z]+-[A-Z]+\d+$/.test(bucket) && bucket.slice(0, 2) === dataset.slice(0, 2);
}
