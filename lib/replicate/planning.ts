import type { TableResource } from "../clients/bigquery/bigquery.ts";
import { SluiceError } from "../core/errors.ts";
import type { Access } from "./access.ts";
import { type Context, folderOf } from "./configurations.ts";
import { generationOf } from "./job_ids.ts";
import { newWatch } from "./job_watch.ts";
import { etagMark, marksOf } from "./marks.ts";
import { afterWriting } from "./moves.ts";
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
  { restarts, isOurs }: Extract<TableState, { readonly at: "planned" }>,
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
  const decision = decide(source, policies, context);
  if ("refused" in decision) {
    if (work.isProbe) return { end: { is: "unchanged" } };
    return { end: { is: "refused", reason: decision.refused } };
  }
  const { access, way, format, losses: notes } = decision;
  const isSplit = way === "extract" && isPartitionedByIngestion(source) && !isEmpty(source);
  const known: Known = {
    ...{ source, access, mark, way, format, restarts, notes, ...standing },
    ...{ isSplit, isPartial: false, litter: [] },
  };
  if (work.isProbe) {
    // A load job marks what it makes.
    if (way === "extract" && !isSplit) return { end: { is: "unchanged" } };
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
function standingOf(destination: TableResource | null, mark: string): Standing {
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

function firstMove(
  work: Work,
  known: Known,
  destination: TableResource | null,
  context: Context,
): Move {
  const marks = marksOf(destination?.labels);
  if (marks.source === known.mark && marks.state === "loaded") {
    const run = marks.run ?? "";
    const folders = generationOf(run) === null ? [] : [folderOf(work, run, context)];
    return afterWriting(work, known, { rows: null, run, folders }, context);
  }
  if (destination !== null && known.replaces) {
    if (destination.type !== "TABLE" && destination.type !== "CLONE") {
      throw permanent(
        work,
        `the destination has a ${destination.type} of that name; drop it there`,
      );
    }
    if (known.access.rowPolicies.length > 0) {
      throw permanent(work, "a table with row access policies is not replaced; drop its copy");
    }
    const conflict = layoutConflict(known.source, destination);
    if (conflict !== null) throw permanent(work, conflict);
    if (arePartitionsCopied(known, destination, context)) {
      const partial = { ...known, isPartial: true };
      return { to: { at: "splitting", known: partial, target: "destination" } };
    }
  }
  if (destination === null && isMadeEmpty(known.source, known.access)) {
    return { to: { at: "creating", known } };
  }
  return wholeMove(known);
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
  { source, access }: Known,
  { labels, schema }: TableResource,
  { settings }: Context,
): boolean {
  const marks = marksOf(labels);
  return settings.choice === "partitions" && isPartitioned(source) &&
    marks.source !== null && marks.modifiedMs !== null && marks.state === null &&
    isSameShape(access.fields, schema?.fields ?? []);
}

/** Whether a copy that is not there yet needs no job. Under row access policies it is put together. */
export function isMadeEmpty(source: TableResource, { rowPolicies }: Access): boolean {
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
