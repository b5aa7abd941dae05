import type { CaseFile } from "./ingest_cases_files.ts";
import type { ModelRow, ModelRules, Value } from "./ingest_model.ts";

/** The servers that ingest loads into. */
export type TargetKind = "postgres" | "pglite" | "redshift";

/** One way to use ingest, for every target: a table, a manifest, files in several passes. */
export interface IngestCase extends Partial<Omit<ModelRules, "columns">> {
  /** The directory, and the table when nothing else is said. */
  readonly id: string;
  readonly what: string;
  /** The table as the manifest names it. @default id */
  readonly table?: string;
  /** The table as SQL names it. @default id, quoted */
  readonly sqlTable?: string;
  /** A schema to make before, as SQL names it. */
  readonly schema?: string;
  /** The table's columns with their types, in order; on Redshift otherwise, or not at all. */
  readonly has: Readonly<Record<string, string | { postgres: string; redshift: string | null }>>;
  /** Without a primary key in the table. */
  readonly isUnkeyed?: boolean;
  /** The rows at the beginning, over {@linkcode startColumns}. */
  readonly start?: readonly (readonly Value[])[];
  /** @default the columns of the files */
  readonly startColumns?: readonly string[];
  /** Of the files, as they are; the manifest names them the same way but where it is said. */
  readonly columns: readonly string[];
  /** A column whose values the server makes: any, but each only once. */
  readonly identity?: string;
  /** A column that the server computes. */
  readonly computed?: { readonly column: string; readonly of: (row: ModelRow) => Value };
  /** What the manifest says besides table, keys, columns, strategy and target. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** @default json */
  readonly written?: "json" | "edn" | "yaml";
  /** The manifest as text, instead of all that. */
  readonly manifestText?: string;
  readonly passes: readonly (readonly CaseFile[])[];
  /** SQL to run before pass 2, 3...; `{{ledger}}` is the ledger's table. */
  readonly between?: readonly string[];
  /** Another table to look at in the end: its SQL name, how it is made, what is in it then. */
  readonly beside?: {
    readonly table: string;
    readonly make: string;
    readonly rows: readonly (readonly Value[])[];
  };
  /** The names in the ledger at the end. @default all that were loaded */
  readonly ledger?: readonly string[];
  /** Targets that refuse the manifest, with what they say: the table and the files stay then. */
  readonly refusedOn?: Partial<Record<TargetKind, RegExp>>;
}
