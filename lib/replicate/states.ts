import type {
  JobResource,
  RowAccessPolicy,
  TableReference,
  TableResource,
} from "../clients/bigquery/bigquery.ts";
import type { SluiceError } from "../core/errors.ts";
import type { Next } from "../core/machine.ts";
import type { Access } from "./access.ts";
import type { JobWatch } from "./job_watch.ts";
import type { Marks } from "./marks.ts";
import type { FileFormat, Way } from "./settings.ts";
import type { Candidate } from "./table_choice.ts";

/**
 * A table on its way from one dataset to the other. A process that dies takes no state along: another
 * one begins at `planned`, derives the same ids, and finds the jobs, files and tables of the first.
 *
 *     planned -> copying ------------------------------> verifying -> done
 *             -> extracting -> (moving) -> loading -----> verifying -> cleaning -> done
 *             -> splitting -> one unit a partition -> placing -> verifying -> cleaning -> done
 */
export type TableState =
  /** Nothing is known but its name. After a crash: again. */
  | {
    readonly at: "planned";
    readonly restarts: number;
    /** What is in the destination, this run has put there. */
    readonly isOurs: boolean;
    /** No copy job takes it to the other location: through files. */
    readonly isByFiles: boolean;
  }
  /** The table is without rows: it is only made. After a crash: it is there and finished, or not there. */
  | { readonly at: "creating"; readonly known: Known }
  /** After a crash the job is found by its id; a copy that is there without marks is looked up by it, too. */
  | { readonly at: "copying"; readonly known: Known; readonly job: JobWatch }
  /** After a crash the job is found by its id, and so are its files. */
  | { readonly at: "extracting"; readonly known: Known; readonly job: JobWatch }
  /** Its partitions are counted, to become units of their own. After a crash: again. */
  | {
    readonly at: "splitting";
    readonly known: Known;
    readonly target: "temporary" | "destination";
  }
  /** The source is looked at again: rows and schema have to belong together. */
  | { readonly at: "extracted"; readonly known: Known; readonly staged: Staged }
  /** After a crash: files that are there in full are not moved again. */
  | { readonly at: "moving"; readonly known: Known; readonly staged: Staged }
  /** Row access policies are there before the first row. After a crash: a table marked `made`. */
  | { readonly at: "guarding"; readonly known: Known; readonly staged: Staged }
  /** The table appears whole at the end of the job, marked `loaded`. */
  | {
    readonly at: "loading";
    readonly known: Known;
    readonly staged: Staged;
    readonly job: JobWatch;
  }
  /** A copy that was there without marks: is it one of ours whose last step was missed? */
  | { readonly at: "probing"; readonly known: Known; readonly job: JobWatch }
  /** Something is there that this run did not see come: the destination is looked at. */
  | {
    readonly at: "contested";
    readonly known: Known;
    readonly wrote: Wrote;
    /** Rows were in the way; null: the job was done before this run came upon it. */
    readonly duplicate: SluiceError | null;
    /** When that job was over, milliseconds since 1970-01-01 UTC as a text; null when it is not told. */
    readonly overMs: string | null;
    /** How to go on when the table is gone, or is another one by now. */
    readonly again: TableState;
  }
  /** Partitions are put together in a temporary table, which takes its place by one job. */
  | { readonly at: "placing"; readonly known: Known; readonly job: JobWatch }
  /** After a copy the source is looked at again. */
  | { readonly at: "rechecking"; readonly known: Known; readonly wrote: Wrote }
  /** Both sides are asked for their fingerprints. */
  | {
    readonly at: "printing";
    readonly known: Known;
    readonly wrote: Wrote;
    readonly jobs: readonly [source: JobWatch, destination: JobWatch];
    readonly done: number;
  }
  /** One change sets what is left and takes the mark `loaded` away. After a crash: again. */
  | { readonly at: "marking"; readonly known: Known; readonly wrote: Wrote }
  /** It came out other than its source: marked, so that the next run makes it anew. */
  | {
    readonly at: "spoiling";
    readonly known: Known;
    readonly wrote: Wrote;
    readonly why: SluiceError;
  }
  /** After a crash the next run finds the files of a finished table by its mark. */
  | {
    readonly at: "cleaning";
    readonly known: Known;
    readonly folders: readonly string[];
    readonly then: Move;
  };

/** Where a table goes from a state. */
export type Move = Next<TableState, TableEnd>;

/** What is known of a table once it was looked at. */
export interface Known {
  readonly source: TableResource;
  readonly access: Access;
  /** Of the source's etag. */
  readonly mark: string;
  /** The destination's table as it was; null when there was none. */
  readonly before: TableResource | null;
  /** Rows that are there are replaced. */
  readonly replaces: boolean;
  /** Its partitions go one by one, and are put together in a temporary table. */
  readonly isSplit: boolean;
  /** Only the partitions that changed are copied; the others are as they were. */
  readonly isPartial: boolean;
  /** Ids below this one are used up by an earlier copy of the same source. */
  readonly firstGeneration: number;
  readonly way: Way;
  readonly format: FileFormat;
  readonly restarts: number;
  /** What is not in the copy, a sentence each. */
  readonly notes: readonly string[];
  /** Folders of this table's earlier tries, to be emptied at the end. */
  readonly litter: readonly string[];
}

/** Files that an extract job has written. */
export interface Staged {
  /** The extract job, which names the folder. */
  readonly jobId: string;
  readonly folder: string;
  /** The job was done before this run came upon it: its files may be gone. */
  readonly isOld: boolean;
  /** So many files. */
  readonly files: number;
  /** The generation of the extract job. */
  readonly generation: number;
}

/** What has been written into the destination. */
export interface Wrote {
  /** As the job counted them; null when it was another run's. */
  readonly rows: string | null;
  /** The job that took the rows out of the source. */
  readonly run: string;
  readonly folders: readonly string[];
}

/** How a table came out. */
export interface TableResult {
  readonly way: Way | "create" | "partitions";
  readonly rows: string;
  readonly bytes: string;
  /** What is not in the copy, a sentence each. */
  readonly notes: readonly string[];
  /** The source as it was copied. */
  readonly source: TableResource;
}

/** What a unit of work ends with. */
export type TableEnd =
  | { readonly is: "copied"; readonly result: TableResult }
  /** There was nothing to do. */
  | { readonly is: "unchanged" }
  | { readonly is: "refused"; readonly reason: string }
  | { readonly is: "failed"; readonly error: SluiceError }
  /** A partition is there. */
  | { readonly is: "placed" }
  /** It goes on as one unit for each partition. */
  | { readonly is: "split"; readonly group: Group };

/** One table to be copied, or one partition of one. */
export interface Work {
  readonly candidate: Candidate;
  /** With `$PARTITION` for one. */
  readonly source: TableReference;
  readonly destination: TableReference;
  /** For a partition: the copying that it is part of. */
  readonly group: Group | null;
  /** It is there without marks, and only copied on if it is one of ours. */
  readonly isProbe: boolean;
}

/** The partitions of one table. */
export interface Group {
  readonly work: Work;
  readonly known: Known;
  readonly target: "temporary" | "destination";
  /** Rows of each partition that is copied, as they were listed. */
  readonly rows: ReadonlyMap<string, string>;
  readonly progress: {
    left: number;
    /** Told to stop before all were begun. */
    isStopped: boolean;
    failed: { readonly partition: string; readonly error: SluiceError }[];
  };
}

/** What has to be asked or done outside before a state can be left. */
export type Request =
  | {
    readonly do: "look";
    readonly source: TableReference;
    readonly destination: TableReference | null;
  }
  | { readonly do: "create"; readonly table: TableReference; readonly resource: Resource }
  | {
    readonly do: "guard";
    readonly table: TableReference;
    readonly resource: Resource;
    readonly access: Access;
    /** A table of ours that is not finished and of an older source. */
    readonly drops: boolean;
  }
  | {
    readonly do: "job";
    readonly side: "source" | "destination";
    readonly jobId: string;
    readonly configuration: Resource;
    readonly isBegun: boolean;
  }
  | {
    readonly do: "reread";
    /** Null: it need not be looked at. */
    readonly source: TableReference | null;
    /** Whose files are counted; null: none. */
    readonly folder: string | null;
  }
  | { readonly do: "read"; readonly table: TableReference }
  | {
    readonly do: "partitions";
    readonly known: Known;
    readonly target: "temporary" | "destination";
  }
  | { readonly do: "move"; readonly folder: string }
  | { readonly do: "compare"; readonly jobs: readonly [source: string, destination: string] }
  | { readonly do: "patch"; readonly table: TableReference; readonly patch: Resource }
  | {
    readonly do: "clean";
    readonly folders: readonly string[];
    readonly table: TableReference | null;
  };

export type Resource = Record<string, unknown>;

/** What came of a request. */
export type Answer =
  | {
    readonly is: "seen";
    readonly source: TableResource | null;
    readonly destination: TableResource | null;
    readonly policies: readonly RowAccessPolicy[];
  }
  | { readonly is: "job"; readonly job: JobResource | null; readonly attached: boolean }
  /** The request for a job was refused; nothing was begun. */
  | { readonly is: "refused"; readonly error: SluiceError }
  | { readonly is: "reread"; readonly source: TableResource | null; readonly files: number }
  /** Null: there is no such table. */
  | { readonly is: "table"; readonly table: TableResource | null }
  | {
    readonly is: "split";
    /** Null: none is to be copied by itself. */
    readonly group: Group | null;
    readonly notes: readonly string[];
    /** The whole table is to be copied. */
    readonly needsAll: boolean;
  }
  /** Null: the fingerprints are equal. */
  | { readonly is: "compared"; readonly difference: string | null }
  | { readonly is: "done" };

/** The states as they are told to people. */
export type Stage =
  | "planned"
  | "copying"
  | "extracting"
  | "moving"
  | "loading"
  | "verifying"
  | "cleaning";

const stages: Readonly<Record<TableState["at"], Stage>> = {
  planned: "planned",
  splitting: "planned",
  creating: "loading",
  copying: "copying",
  placing: "copying",
  extracting: "extracting",
  extracted: "extracting",
  moving: "moving",
  guarding: "loading",
  loading: "loading",
  probing: "planned",
  contested: "loading",
  rechecking: "verifying",
  printing: "verifying",
  marking: "verifying",
  spoiling: "verifying",
  cleaning: "cleaning",
};

export function stageOf({ at }: TableState): Stage {
  return stages[at];
}

/** The marks of a copy of what is known, by that job. */
export function marksFor(known: Known, run: string, state: Marks["state"]): Marks {
  return {
    source: known.mark,
    modifiedMs: known.source.lastModifiedTime ?? null,
    run: run === "" ? null : run,
    state,
  };
}
