import type { TableReference } from "../clients/bigquery/bigquery.ts";
import { jobId, pairId, temporaryTable } from "./job_ids.ts";
import type { FileFormat, ReplicateSettings, Side } from "./settings.ts";
import { type BucketPlace, filesUri, jobFolder, pairFolder } from "./staging.ts";
import { type Known, marksFor, type Resource, type Staged, type Work } from "./states.ts";
import { encryptionOf, loadReplacement, loadTarget } from "./table_copy.ts";
import type { CopyQuota } from "./copy_quota.ts";

/** What all tables of a run have in common. */
export interface Context {
  readonly settings: ReplicateSettings;
  readonly source: Side;
  readonly destination: Side;
  /** The destination's dataset lets new tables or partitions expire: copies are told otherwise. */
  readonly isExpiring: boolean;
  readonly quota: CopyQuota;
}

/** A job to be begun. */
export interface JobRequest {
  readonly jobId: string;
  readonly configuration: Resource;
}

const sourceFormats: Readonly<Record<FileFormat, string>> = {
  avro: "AVRO",
  ndjson: "NEWLINE_DELIMITED_JSON",
  parquet: "PARQUET",
};

const compressions: Readonly<Record<FileFormat, string>> = {
  avro: "SNAPPY",
  ndjson: "GZIP",
  parquet: "SNAPPY",
};

/** Whether the destination is in another location than the source. */
export function isAcross(
  { source, destination }: Pick<Context, "source" | "destination">,
): boolean {
  return source.location !== destination.location;
}

/** Whether files are moved to a bucket of their own before they are loaded. */
export function isMoved(context: Context): boolean {
  return context.settings.destinationBucket !== null && isAcross(context);
}

/** The buckets in which a folder may have files. */
export function bucketsOf(context: Context): BucketPlace[] {
  const { bucket, destinationBucket } = context.settings;
  if (bucket === null) return [];
  return isMoved(context) && destinationBucket !== null ? [bucket, destinationBucket] : [bucket];
}

/** The folder of an extract job, below the bucket's own; in both buckets it has the same name. */
export function folderOf(work: Work, extractId: string, { settings }: Context): string {
  const place = settings.bucket ?? { bucket: "", prefix: "" };
  return jobFolder(
    pairFolder(place, settings.source, settings.destination),
    work.source,
    extractId,
  );
}

/** The job that copies a table, or a partition. */
export function copyJob(work: Work, known: Known, generation: number): JobRequest {
  // Not by the disposition: a copy whose last step was missed is there, and found by this id.
  const id = jobId(
    "copy",
    generation,
    ...[nameOf(work.source), nameOf(work.destination), known.mark],
    known.access.kmsKeyName ?? "",
  );
  return { jobId: id, configuration: copyFrom(work.source, work, known) };
}

function copyFrom(sourceTable: TableReference, { destination }: Work, known: Known): Resource {
  return {
    copy: {
      sourceTable,
      destinationTable: destination,
      createDisposition: "CREATE_IF_NEEDED",
      writeDisposition: known.replaces ? "WRITE_TRUNCATE" : "WRITE_EMPTY",
      ...encryptionOf(known.access, "destinationEncryptionConfiguration"),
    },
  };
}

/** The job that writes a table's rows, or a partition's, into files. */
export function extractJob(
  work: Work,
  known: Known,
  generation: number,
  context: Context,
): JobRequest {
  const { bucket, prefix } = context.settings.bucket ?? { bucket: "", prefix: "" };
  const { format } = known;
  const id = jobId(
    "extract",
    generation,
    ...[nameOf(work.source), nameOf(work.destination), known.mark],
    ...[bucket, prefix, format],
  );
  const configuration = {
    extract: {
      sourceTable: work.source,
      destinationUris: [filesUri(bucket, folderOf(work, id, context), format)],
      destinationFormat: sourceFormats[format],
      compression: compressions[format],
      ...(format === "avro" ? { useAvroLogicalTypes: true } : {}),
    },
  };
  return { jobId: id, configuration };
}

/** The job that loads what an extract job has written. */
export function loadJob(
  work: Work,
  known: Known,
  staged: Staged,
  generation: number,
  context: Context,
): JobRequest {
  const { format } = known;
  const place = isMoved(context) ? context.settings.destinationBucket : context.settings.bucket;
  const load = {
    sourceUris: [filesUri(place?.bucket ?? "", staged.folder, format)],
    destinationTable: work.destination,
    sourceFormat: sourceFormats[format],
    ...(format === "avro" ? { useAvroLogicalTypes: true } : {}),
    ...(format === "parquet" ? { parquetOptions: { enableListInference: true } } : {}),
    ...loadedTable(work, known, staged, context),
  };
  const id = jobId("load", generation, staged.jobId, JSON.stringify(load));
  return { jobId: id, configuration: { load } };
}

/** The table that rows are loaded into: made by the job, or there already. */
function loadedTable(
  work: Work,
  known: Known,
  staged: Staged,
  { isExpiring }: Context,
): Resource {
  const { source, access } = known;
  if (work.group !== null) {
    return {
      schema: { fields: access.fields },
      createDisposition: "CREATE_NEVER",
      writeDisposition: "WRITE_TRUNCATE",
    };
  }
  if (known.replaces) {
    return {
      ...loadReplacement(source, access, isExpiring),
      createDisposition: "CREATE_IF_NEEDED",
      writeDisposition: "WRITE_TRUNCATE",
    };
  }
  if (access.rowPolicies.length > 0) {
    return {
      schema: { fields: access.fields },
      createDisposition: "CREATE_NEVER",
      writeDisposition: "WRITE_EMPTY",
    };
  }
  return {
    ...loadTarget(source, access, marksFor(known, staged.jobId, "loaded"), isExpiring),
    createDisposition: "CREATE_IF_NEEDED",
    writeDisposition: "WRITE_EMPTY",
  };
}

/** The table in which the partitions of a table are put together. */
export function temporaryOf(
  work: Work,
  known: Known,
  { source, destination }: Context,
): TableReference {
  const { projectId, datasetId } = destination;
  const tableId = temporaryTable(
    pairId(source, destination),
    ...[nameOf(work.source), nameOf(work.destination), known.mark],
    ...[known.format, String(known.firstGeneration)],
  );
  return { projectId, datasetId, tableId };
}

/** The job by which a table that was put together takes its place. */
export function placeJob(
  work: Work,
  known: Known,
  generation: number,
  context: Context,
): JobRequest {
  const temporary = temporaryOf(work, known, context);
  const id = jobId("place", generation, nameOf(temporary), nameOf(work.destination));
  return { jobId: id, configuration: copyFrom(temporary, work, known) };
}

/** `PROJECT.DATASET.TABLE` */
export function nameOf({ projectId, datasetId, tableId }: TableReference): string {
  return `${projectId}.${datasetId}.${tableId}`;
}
