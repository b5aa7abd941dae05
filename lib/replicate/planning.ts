import type { TableResource } from "../clients/bigquery/bigquery.ts";
import { SluiceError } from "../core/errors.ts";
import type { Access } from "./access.ts";
import { type Context, folderOf } from "./configurations.ts";
import { generationOf } from "./job_ids.ts";
import { newWatch } from "./job_watch.ts";
import { etagMark, marksOf } from "./marks.ts";
import { afterWriting } from "./moves.ts";
import type { Way } from "./settings.ts";
import type { Answer, Known, Move, TableState, Work } from "./states.ts";
import { isPartitioned, isPartitionedByIngestion, layoutConflict } from "./table_copy.ts";
import { isSameShape } from "./table_schema.ts";
import { decide } from "./way_choice.ts";

/** What stands in the destination already, as far as it matters for the copy. */
interface Standing {
  readonly before: TableResource | null;
  readonly replaces: boolean;
  readonly firstGeneration: number;
}

/** The first move of a table, once source and destination were looked at. */
export function lookedAt(
  work: Work,
  { restarts, isOurs, isByFiles }: Extract<TableState, { readonly at: "planned" }>,
  seen: Extract<Answer, { readonly is: "seen" }>,
  context: Context,
): Move {
  const { source, destination, policies } = seen;
  if (source === null) throw permanent(work, "it is not there any more");
  const mark = etagMark(source.etag);
  const standing = isOurs || work.candidate.destination !== null
    ? standingOf(destination, mark)
    : notThere;
  if (destination !== null && isDone(destination, mark, context) && !work.isProbe) {
    return { end: { is: "unchanged" } };
  }
  const decision = decide(source, policies, context, isByFiles);
  if ("refused" in decision) {
    if (work.isProbe) return { end: { is: "unchanged" } };
    return { end: { is: "refused", reason: decision.refused } };
  }
  const { access, way, format, losses: notes } = decision;
  const known: Known = {
    ...{ source, access, mark, way, format, restarts, notes, ...standing },
    ...{ isSplit: isPutTogether(source, way), isPartial: false, litter: [] },
  };
  if (work.isProbe) {
    // A load job marks what it makes.
    if (way === "extract" && !known.isSplit) return { end: { is: "unchanged" } };
    return { to: { at: "probing", known: { ...known, ...notThere }, job: newWatch(0) } };
  }
  return firstMove(work, known, destination, context);
}

const notThere: Standing = { before: null, replaces: false, firstGeneration: 0 };

/** Whether the destination is a finished copy of the source as it is. */
function isDone(destination: TableResource, mark: string, { settings }: Context): boolean {
  const marks = marksOf(destination.labels);
  return marks.source === mark && marks.state === null && settings.choice !== "all";
}

/**
 * - a finished or wrong copy of the same source: made anew, by jobs of another generation;
 * - whole, but not finished (`loaded`): gone on with;
 * - begun for rows under a policy (`made`): gone on with, or dropped when the source is another by now;
 * - anything else: replaced.
 */
export function standingOf(destination: TableResource | null, mark: string): Standing {
  if (destination === null) return notThere;
  const { source, run, state } = marksOf(destination.labels);
  if (source !== mark) {
    return { before: destination, replaces: state !== "made", firstGeneration: 0 };
  }
  if (state === "loaded" || state === "made") return notThere;
  const used = run === null ? null : generationOf(run);
  return {
    before: destination,
    replaces: true,
    firstGeneration: used === null ? 0 : used + 1,
  };
}

/** How a table is begun, with what stands in its place. */
export type Course =
  /** Not at all: why, and what to do. */
  | { readonly barred: string }
  /** It is there, and only its settings are missing. */
  | "finish"
  /** It has no rows: it is made. */
  | "create"
  /** Only the partitions that changed are copied. */
  | "partitions"
  | "whole";

/** What a run begins with, and what `--dry-run` tells of it. */
export function courseOf(
  known: Pick<Known, "source" | "access" | "mark" | "replaces">,
  destination: TableResource | null,
  context: Context,
): Course {
  const { source, access, mark, replaces } = known;
  if (destination === null) return isMadeEmpty(source, access) ? "create" : "whole";
  const marks = marksOf(destination.labels);
  if (marks.source === mark && marks.state === "loaded") return "finish";
  if (!replaces) return "whole";
  if (destination.type !== "TABLE" && destination.type !== "CLONE") {
    return { barred: `the destination has a ${destination.type} of that name; drop it there` };
  }
  if (access.rowPolicies.length > 0) {
    return { barred: "a table with row access policies is not replaced; drop its copy" };
  }
  const conflict = layoutConflict(source, destination);
  if (conflict !== null) return { barred: conflict };
  return arePartitionsCopied(known, destination, context) ? "partitions" : "whole";
}

function firstMove(
  work: Work,
  known: Known,
  destination: TableResource | null,
  context: Context,
): Move {
  const course = courseOf(known, destination, context);
  if (typeof course === "object") throw permanent(work, course.barred);
  switch (course) {
    case "finish": {
      const run = marksOf(destination?.labels).run ?? "";
      const folders = generationOf(run) === null ? [] : [folderOf(work, run, context)];
      return afterWriting(work, known, { rows: null, run, folders }, context);
    }
    case "create":
      return { to: { at: "creating", known } };
    case "partitions":
      return {
        to: { at: "splitting", known: { ...known, isPartial: true }, target: "destination" },
      };
    case "whole":
      return wholeMove(known);
  }
}

/** The first move of a table all of whose rows are copied. */
export function wholeMove(known: Known): Move {
  if (known.isSplit) return { to: { at: "splitting", known, target: "temporary" } };
  const job = newWatch(known.firstGeneration);
  const at = known.way === "copy" ? "copying" as const : "extracting" as const;
  return { to: { at, known, job } };
}

/**
 * Only of a finished copy is it known which partitions are as they were; and a job that writes one
 * partition takes no rows of another shape.
 */
function arePartitionsCopied(
  { source, access }: Pick<Known, "source" | "access">,
  { labels, schema }: TableResource,
  { settings }: Context,
): boolean {
  const marks = marksOf(labels);
  return settings.choice === "partitions" && isPartitioned(source) &&
    marks.source !== null && marks.modifiedMs !== null && marks.state === null &&
    isSameShape(access.fields, schema?.fields ?? []);
}

/** Whether it goes partition by partition: no file carries when a row was loaded. */
export function isPutTogether(source: TableResource, way: Way): boolean {
  return way === "extract" && isPartitionedByIngestion(source) && !isEmpty(source);
}

/** Whether a copy that is not there yet needs no job. Under row access policies it is put together. */
function isMadeEmpty(source: TableResource, { rowPolicies }: Access): boolean {
  return isEmpty(source) && rowPolicies.length === 0;
}

/** Without rows, also without some that are on their way; or without columns to have any. */
function isEmpty({ numRows, streamingBuffer, schema }: TableResource): boolean {
  if ((schema?.fields ?? []).length === 0) return true;
  return numRows === "0" && streamingBuffer === undefined;
}

function permanent(work: Work, detail: string): SluiceError {
  return new SluiceError(`copy table ${work.candidate.tableId}`, "permanent", detail);
}
