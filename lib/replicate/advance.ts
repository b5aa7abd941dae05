import { reasonOf } from "../clients/bigquery/bigquery.ts";
import { SluiceError } from "../core/errors.ts";
import { type Context, folderOf, isMoved } from "./configurations.ts";
import { afterJob } from "./job_steps.ts";
import { newWatch } from "./job_watch.ts";
import { marksOf } from "./marks.ts";
import {
  afterWriting,
  copied,
  expect,
  finish,
  isUntil,
  miscounted,
  partitionOf,
  restart,
} from "./moves.ts";
import { lookedAt, wholeMove } from "./planning.ts";
import type { Answer, Known, Move, Staged, TableState, Work, Wrote } from "./states.ts";

const nothingWritten: Wrote = { rows: null, run: "", folders: [] };

/** The next state of a table, from the present one and what came of its request. Nothing else is looked at. */
export function advance(work: Work, state: TableState, answer: Answer, context: Context): Move {
  switch (state.at) {
    case "planned":
      return lookedAt(work, state, expect(answer, "seen"), context);
    case "creating": {
      if (answer.is === "refused") return refusedCreation(state.known, answer.error);
      if (!context.isExpiring) return { end: copied(state.known, "create") };
      return { to: { at: "marking", known: state.known, wrote: nothingWritten } };
    }
    case "splitting": {
      const { group, notes, needsAll } = expect(answer, "split");
      if (needsAll) return wholeMove({ ...state.known, isPartial: false });
      if (group !== null) return { end: { is: "split", group } };
      const known = { ...state.known, notes };
      return { to: { at: "marking", known, wrote: nothingWritten } };
    }
    case "probing":
    case "copying":
    case "extracting":
    case "loading":
    case "placing":
    case "printing":
      return afterJob(work, state, answer, context);
    case "extracted":
      return afterExtract(work, state.known, state.staged, expect(answer, "reread"), context);
    case "moving":
      return { to: beforeLoad(state.known, state.staged) };
    case "guarding":
      return { to: loading(state.known, state.staged) };
    case "contested":
      return afterContest(work, state, expect(answer, "table"), context);
    case "rechecking": {
      const { source } = expect(answer, "reread");
      if (source?.etag === state.known.source.etag) {
        return afterWriting(work, state.known, state.wrote, context);
      }
      // Its partitions are each of their own moment: only what rests can be compared.
      if (state.known.isPartial) {
        return { to: { at: "marking", known: state.known, wrote: state.wrote } };
      }
      // What was copied is whole; it is of a moment between the two looks, so it is done again.
      return restart(work, state.known, state.wrote.folders, {
        isGone: source === null,
        isOurs: true,
      });
    }
    case "marking":
      return afterMarking(work, state.known, state.wrote, expect(answer, "table"));
    case "spoiling":
      return finish(state.known, state.wrote.folders, { is: "failed", error: state.why });
    case "cleaning":
      return state.then;
  }
}

function afterExtract(
  work: Work,
  known: Known,
  staged: Staged,
  { source, files }: Extract<Answer, { readonly is: "reread" }>,
  context: Context,
): Move {
  const folders = [...known.litter, staged.folder];
  if (work.group === null && source?.etag !== known.source.etag) {
    return restart(work, known, folders, { isGone: source === null, isOurs: false });
  }
  // An earlier run's files: once one is gone (they are deleted after the load) none is good any more.
  if (staged.isOld && files < Math.max(1, staged.files)) {
    const job = newWatch(staged.generation + 1);
    return { to: { at: "extracting", known: { ...known, litter: folders }, job } };
  }
  if (isMoved(context)) return { to: { at: "moving", known, staged } };
  return { to: beforeLoad(known, staged) };
}

function beforeLoad(known: Known, staged: Staged): TableState {
  const isGuarding = known.access.rowPolicies.length > 0 && !known.replaces;
  return isGuarding ? { at: "guarding", known, staged } : loading(known, staged);
}

function loading(known: Known, staged: Staged): TableState {
  return { at: "loading", known, staged, job: newWatch(known.firstGeneration) };
}

/**
 * There was something there that this run has not seen come: a job that was done before, whose table
 * may have been dropped since, or rows where none were expected.
 */
function afterContest(
  work: Work,
  state: Extract<TableState, { readonly at: "contested" }>,
  { table }: Extract<Answer, { readonly is: "table" }>,
  context: Context,
): Move {
  const { known, wrote, duplicate, overMs, again } = state;
  const failed = (error: SluiceError) => finish(known, wrote.folders, { is: "failed", error });
  if (table === null) return duplicate === null ? { to: again } : failed(duplicate);
  if (work.group !== null) {
    const expected = work.group.rows.get(partitionOf(work));
    if (duplicate !== null) return failed(duplicate);
    if (expected !== undefined && table.numRows !== expected) return { to: again };
    return afterWriting(work, known, wrote, context);
  }
  const marks = marksOf(table.labels);
  const isOfThisSource = marks.source === known.mark;
  if (isOfThisSource && marks.state === null && !known.replaces) {
    // Another run was faster.
    return finish(known, wrote.folders, copied(known, known.way));
  }
  if (duplicate === null) {
    // Somebody has written since: other rows, or another table in its place.
    if (!isUntil(table.lastModifiedTime, overMs)) return { to: again };
    return afterWriting(work, known, wrote, context);
  }
  if (isOfThisSource && marks.state === "loaded") {
    const run = marks.run ?? wrote.run;
    const folders = [...wrote.folders, folderOf(work, run, context)];
    return afterWriting(work, known, { rows: null, run, folders }, context);
  }
  if (isOfThisSource) return failed(duplicate);
  return failed(
    new SluiceError(
      `copy table ${work.candidate.tableId}`,
      "permanent",
      "a table of that name came to be in the destination, which is no copy of ours; " +
        "--all replaces it",
      { cause: duplicate },
    ),
  );
}

function afterMarking(
  work: Work,
  known: Known,
  wrote: Wrote,
  { table }: Extract<Answer, { readonly is: "table" }>,
): Move {
  if (table === null) {
    const error = new SluiceError(
      `copy table ${work.candidate.tableId}`,
      "permanent",
      "somebody dropped the copy while its settings were carried over; run it again",
    );
    return finish(known, wrote.folders, { is: "failed", error });
  }
  const { numRows: expected } = known.source;
  // Partitions that were left as they were are counted where they changed.
  if (!known.isPartial && table.numRows !== undefined && table.numRows !== expected) {
    const why = miscounted(work, known, table.numRows, expected ?? "?");
    return { to: { at: "spoiling", known, wrote, why } };
  }
  const way = known.isPartial ? "partitions" : known.way;
  return finish(known, wrote.folders, copied(known, way));
}

function refusedCreation(known: Known, error: SluiceError): Move {
  if (reasonOf(error) !== "duplicate") throw error;
  const again: TableState = { at: "creating", known };
  const contest = { known, wrote: nothingWritten, duplicate: error, overMs: null, again };
  return { to: { at: "contested", ...contest } };
}
