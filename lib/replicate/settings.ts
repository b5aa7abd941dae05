import type { BucketPlace } from "./staging.ts";

/** Names a dataset. */
export interface Dataset {
  readonly projectId: string;
  readonly datasetId: string;
}

/** A dataset, with where it is: every call about its jobs says so. */
export interface Side extends Dataset {
  /** `US`, `EU`, `europe-west2`. */
  readonly location: string;
}

/** Which tables of the source are copied. */
export type TableChoice =
  /** Those that the destination has no table of that name for. */
  | "missing"
  /** And those whose source was modified since it was copied. */
  | "changed"
  /** As `changed`, but of partitioned tables only the changed partitions. */
  | "partitions"
  | "all";

/** How rows get from one dataset to the other. */
export type Way = "copy" | "extract";

/** A format of staged files. */
export type FileFormat = "avro" | "ndjson" | "parquet";

/** Everything that replicate was told, checked and in its own units. */
export interface ReplicateSettings {
  readonly source: Dataset;
  readonly destination: Dataset;
  /** Matches whole names of tables. */
  readonly filter: RegExp;
  /** So many tables at most, the last in order of their names. */
  readonly number: number;
  readonly choice: TableChoice;
  readonly via: "auto" | Way;
  /** Where extracted files are put; null: nothing can be extracted. */
  readonly bucket: BucketPlace | null;
  /** Where they are moved before they are loaded; null: they are loaded from where they are. */
  readonly destinationBucket: BucketPlace | null;
  readonly format: "auto" | FileFormat;
  /** Copy what no format carries exactly, too. */
  readonly isLossy: boolean;
  readonly includeViews: boolean;
  readonly verify: "rows" | "fingerprint";
  /** Names of keys, of the source's to the destination's. */
  readonly kmsMap: ReadonlyMap<string, string>;
  /** Names of policy tags and data policies, likewise. */
  readonly policyTagMap: ReadonlyMap<string, string>;
  /** `POLICY` or `TABLE.POLICY` of row access policies to the members that they are granted to. */
  readonly rowPolicyMap: ReadonlyMap<string, readonly string[]>;
  /** Tables that are worked on side by side. */
  readonly agents: number;
  /** How long a table may fail by what may pass, milliseconds. */
  readonly patienceMs: number;
}
