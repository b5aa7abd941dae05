/** Everything that ingest was told, checked and in its own units. */
export interface IngestSettings {
  /** Whether a directory, by its key without the slash at the end, is ours to look at. */
  readonly matches: (directory: string) => boolean;
  readonly pollMs: number;
  /** One pass over everything, then stop. */
  readonly once: boolean;
  /** Directories that are loaded side by side. */
  readonly workers: number;
  /** Leave files where they are after they were loaded. */
  readonly keep: boolean;
  /** Rows of one load that may be left out, where the manifest has no MAXERROR. */
  readonly maxErrors: number;
  /** The name of the ledger table, which lies in the schema of each target table. */
  readonly ledgerTable: string;
  /** Rows of the ledger are forgotten when their file is gone and they are so old, milliseconds. */
  readonly ledgerAgeMs: number;
  /** The role by which Redshift reads the store; by the store's own keys without it. */
  readonly iamRole?: string | undefined;
}
