/**
 * Resources as BigQuery's REST API gives them. The fields that sluice reads have types, all others are
 * kept as they came: a copy carries them over. 64-bit integers are texts, times are milliseconds since
 * 1970-01-01 UTC as texts.
 */

/** Names a table. */
export interface TableReference {
  readonly projectId: string;
  readonly datasetId: string;
  /** May end in `$PARTITION`. */
  readonly tableId: string;
}

/** A column, or a field of a record. */
export interface FieldSchema {
  readonly name: string;
  /** `STRING`, `INTEGER` or `INT64`, `RECORD` or `STRUCT`: the API gives the older names. */
  readonly type: string;
  /** `NULLABLE` where it is missing. */
  readonly mode?: "NULLABLE" | "REQUIRED" | "REPEATED";
  /** Of a record. */
  readonly fields?: readonly FieldSchema[];
  readonly description?: string;
  readonly policyTags?: { readonly names?: readonly string[] };
  readonly dataPolicies?: readonly unknown[];
  readonly maxLength?: string;
  readonly precision?: string;
  readonly scale?: string;
  readonly collation?: string;
  readonly defaultValueExpression?: string;
  readonly rangeElementType?: { readonly type: string };
  readonly [other: string]: unknown;
}

/** Partitions by time: by a column, or by the time of loading where `field` is missing. */
export interface TimePartitioning {
  readonly type: "HOUR" | "DAY" | "MONTH" | "YEAR";
  readonly field?: string;
  readonly expirationMs?: string;
  readonly requirePartitionFilter?: boolean;
}

/** Partitions by ranges of an integer column. */
export interface RangePartitioning {
  readonly field: string;
  readonly range: { readonly start: string; readonly end: string; readonly interval: string };
}

/** A table, view or snapshot, as tables.get gives it; of one partition for `NAME$PARTITION`. */
export interface TableResource {
  /** Another one after every change. */
  readonly etag: string;
  /** `TABLE`, `VIEW`, `MATERIALIZED_VIEW`, `EXTERNAL`, `SNAPSHOT`, `CLONE`. */
  readonly type: string;
  readonly tableReference: TableReference;
  readonly schema?: { readonly fields?: readonly FieldSchema[] };
  /** Without the rows in the streaming buffer. */
  readonly numRows?: string;
  readonly numBytes?: string;
  readonly creationTime?: string;
  readonly lastModifiedTime?: string;
  readonly location?: string;
  readonly timePartitioning?: TimePartitioning;
  readonly rangePartitioning?: RangePartitioning;
  readonly clustering?: { readonly fields?: readonly string[] };
  readonly labels?: Readonly<Record<string, string>>;
  readonly resourceTags?: Readonly<Record<string, string>>;
  readonly description?: string;
  readonly friendlyName?: string;
  readonly expirationTime?: string;
  readonly requirePartitionFilter?: boolean;
  readonly encryptionConfiguration?: { readonly kmsKeyName?: string };
  readonly tableConstraints?: unknown;
  readonly defaultCollation?: string;
  readonly defaultRoundingMode?: string;
  readonly maxStaleness?: string;
  readonly streamingBuffer?: {
    readonly estimatedRows?: string;
    readonly estimatedBytes?: string;
    readonly oldestEntryTime?: string;
  };
  readonly view?: {
    readonly query: string;
    readonly useLegacySql?: boolean;
    readonly [other: string]: unknown;
  };
  readonly materializedView?: { readonly query: string; readonly [other: string]: unknown };
  readonly [other: string]: unknown;
}

/** What tables.list tells of a table. */
export interface TableEntry {
  readonly tableId: string;
  readonly type: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly creationTime?: string;
  readonly expirationTime?: string;
  readonly timePartitioning?: TimePartitioning;
  readonly rangePartitioning?: RangePartitioning;
  readonly clustering?: { readonly fields?: readonly string[] };
}

/** A dataset. */
export interface DatasetResource {
  readonly datasetReference: { readonly projectId: string; readonly datasetId: string };
  /** `US`, `EU`, `europe-west2`. */
  readonly location: string;
  readonly etag?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly description?: string;
  readonly defaultTableExpirationMs?: string;
  readonly [other: string]: unknown;
}

/** Why something failed. */
export interface JobError {
  /** A word of a fixed list: `backendError`, `notFound`. */
  readonly reason: string;
  readonly message: string;
  readonly location?: string;
}

/** Names a job. A dry run has no id. */
export interface JobReference {
  readonly projectId: string;
  readonly jobId: string;
  readonly location: string;
}

/** A job. It has failed when it is `DONE` and has an `errorResult`; `errors` alone are warnings. */
export interface JobResource {
  readonly jobReference: JobReference;
  readonly status: {
    readonly state: "PENDING" | "RUNNING" | "DONE";
    readonly errorResult?: JobError;
    readonly errors?: readonly JobError[];
  };
  readonly statistics?: {
    readonly creationTime?: string;
    readonly startTime?: string;
    readonly endTime?: string;
    readonly totalBytesProcessed?: string;
    readonly query?: {
      readonly totalBytesProcessed?: string;
      readonly totalBytesBilled?: string;
      readonly statementType?: string;
      readonly schema?: { readonly fields?: readonly FieldSchema[] };
      readonly [other: string]: unknown;
    };
    readonly extract?: {
      /** One number for each URI asked for. */
      readonly destinationUriFileCounts?: readonly string[];
      readonly inputBytes?: string;
    };
    readonly load?: {
      readonly inputFiles?: string;
      readonly inputFileBytes?: string;
      readonly outputRows?: string;
      readonly outputBytes?: string;
      readonly badRecords?: string;
    };
    readonly copy?: { readonly copiedRows?: string; readonly copiedLogicalBytes?: string };
    readonly [other: string]: unknown;
  };
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** One partition, as INFORMATION_SCHEMA.PARTITIONS tells of it. */
export interface PartitionEntry {
  /** `20260101`, `__NULL__`, `__UNPARTITIONED__`. */
  readonly partitionId: string;
  readonly totalRows: string;
  readonly totalLogicalBytes: string;
  /** Milliseconds since 1970-01-01 UTC, as a text; empty when it is not known. */
  readonly lastModifiedTime: string;
}

/** Names a routine: a function, a procedure. */
export interface RoutineReference {
  readonly projectId: string;
  readonly datasetId: string;
  readonly routineId: string;
}

/** A routine; from a listing without its body. */
export interface RoutineResource {
  readonly routineReference: RoutineReference;
  readonly routineType: string;
  readonly language?: string;
  readonly definitionBody?: string;
  readonly etag?: string;
  readonly [other: string]: unknown;
}

/** A filter on who may see which rows of a table. */
export interface RowAccessPolicy {
  readonly rowAccessPolicyReference: {
    readonly projectId: string;
    readonly datasetId: string;
    readonly tableId: string;
    readonly policyId: string;
  };
  readonly filterPredicate: string;
  /** Given when one is made; a listing is silent about them. */
  readonly grantees?: readonly string[];
  readonly [other: string]: unknown;
}
