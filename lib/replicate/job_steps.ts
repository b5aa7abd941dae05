import { type JobResource, reasonOf } from "../clients/bigquery/bigquery.ts";
import { SluiceError } from "../core/errors.ts";
import {
  type Context,
  copyJob,
  extractJob,
  folderOf,
  isAcross,
  placeJob,
} from "./configurations.ts";
import { type JobVerdict, type JobWatch, judgeJob, newWatch, nextGeneration } from "./job_watch.ts";
import { afterWriting, expect, finish, isUntil } from "./moves.ts";
import type { Answer, Known, Move, Staged, TableState, Work, Wrote } from "./states.ts";
import { isPartitionedByIngestion } from "./table_copy.ts";
import { chooseWay, type WayChoice } from "./way_choice.ts";

type State<At extends TableState["at"]> = Extract<TableState, { readonly at: At }>;

/** The moves of the states that wait for a job. */
export function afterJob(
  work: Work,
  state: State<"probing" | "copying" | "extracting" | "loading" | "placing" | "printing">,
  answer: Answer,
  context: Context,
): Move {
  switch (state.at) {
    case "probing":
      return afterProbe(work, state, answer, context);
    case "copying":
      return afterCopy(work, state, answer, context);
    case "extracting":
      return afterExtracting(work, state, answer, context);
    case "loading":
      return afterLoading(work, state, answer, context);
    case "placing":
      return afterPlacing(work, state, answer, context);
    case "printing":
      return afterPrinting(work, state, answer, context);
  }
}

function verdictOn(
  work: Work,
  state: { readonly job: JobWatch },
  answer: Answer,
  { settings }: Context,
): JobVerdict {
  const { job, attached } = expect(answer, "job");
  return judgeJob(state.job, job, attached, `copy table ${work.source.tableId}`, settings);
}

/** No job of ours has made it: it is somebody else's, and present. */
function afterProbe(work: Work, state: State<"probing">, answer: Answer, context: Context): Move {
  const { job } = expect(answer, "job");
  if (job === null) return otherProbe(state.known, context);
  const what = `copy table ${work.source.tableId}`;
  const verdict = judgeJob(state.job, job, true, what, context.settings);
  if (verdict.is === "again") return { to: { ...state, job: verdict.watch } };
  if (verdict.is === "done" && !madeBy(job, work)) return { end: { is: "unchanged" } };
  const next = { known: state.known, job: state.job };
  return state.known.isSplit
    ? afterPlacing(work, { ...next, at: "placing" }, answer, context)
    : afterCopy(work, { ...next, at: "copying" }, answer, context);
}

/** No copy job has made it. Put together of partitions, it would have been made by another one. */
function otherProbe(known: Known, context: Context): Move {
  if (!known.isSplit && isPartitionedByIngestion(known.source) && context.settings.via === "auto") {
    const choice = extractChoice(known, context);
    if (!("refused" in choice)) {
      const { way, format } = choice;
      const split = { ...known, way, format, isSplit: true };
      return { to: { at: "probing", known: split, job: newWatch(0) } };
    }
  }
  return { end: { is: "unchanged" } };
}

function extractChoice({ source, access }: Known, { settings, quota }: Context): WayChoice {
  return chooseWay(source, access, {
    settings: { ...settings, via: "extract" },
    isSameLocation: false,
    quota,
  });
}

/** Whether the table that is there was made by this job: not after it was over. */
function madeBy(job: JobResource, { candidate: { destination } }: Work): boolean {
  return isUntil(destination?.creationTime, job.statistics?.endTime);
}

function afterCopy(work: Work, state: State<"copying">, answer: Answer, context: Context): Move {
  const { known } = state;
  const goesAcross = isAcross(context);
  if (answer.is === "refused") {
    if (!goesAcross) throw answer.error;
    context.quota.refused(reasonOf(answer.error));
    return otherWay(work, known, context, answer.error);
  }
  const verdict = verdictOn(work, state, answer, context);
  const { jobId } = copyJob(work, known, state.job.generation);
  if (goesAcross && !state.job.isBegun && verdict.is !== "failed") context.quota.begun();
  switch (verdict.is) {
    case "running":
    case "again":
      return { to: { ...state, job: verdict.watch }, afterMs: verdict.afterMs };
    case "failed": {
      if (verdict.reason === "duplicate") {
        return inTheWay(state, { rows: null, run: jobId, folders: [] }, verdict.error);
      }
      if (!goesAcross || verdict.error.fault !== "permanent") throw verdict.error;
      context.quota.refused(verdict.reason);
      return otherWay(work, known, context, verdict.error);
    }
    case "done": {
      if (goesAcross) context.quota.done();
      const rows = verdict.job.statistics?.copy?.copiedRows ?? null;
      const wrote: Wrote = { rows, run: jobId, folders: [] };
      if (verdict.isOld) return doneBefore(state, wrote, verdict.job);
      return afterCopied(work, known, wrote, context);
    }
  }
}

function afterCopied(work: Work, known: Known, wrote: Wrote, context: Context): Move {
  if (work.group !== null) return afterWriting(work, known, wrote, context);
  return { to: { at: "rechecking", known, wrote } };
}

/** BigQuery does not copy it to the other location: it goes through files, if it may. */
function otherWay(work: Work, known: Known, context: Context, why: SluiceError): Move {
  if (context.settings.via !== "auto") throw why;
  const choice = extractChoice(known, context);
  if ("refused" in choice) {
    throw new SluiceError(
      `copy table ${work.source.tableId}`,
      why.fault,
      `${why.detail}; and ${choice.refused}`,
      { cause: why },
    );
  }
  // Looked at anew: how it is taken apart hangs on the way. Others may go by copy jobs all the same.
  if (work.group === null) {
    return { to: { at: "planned", restarts: known.restarts, isOurs: false, isByFiles: true } };
  }
  const job = newWatch(known.firstGeneration);
  const { format, way } = choice;
  return { to: { at: "extracting", known: { ...known, way, format }, job } };
}

function afterExtracting(
  work: Work,
  state: State<"extracting">,
  answer: Answer,
  context: Context,
): Move {
  const { known, job: { generation } } = state;
  const { jobId } = extractJob(work, known, generation, context);
  const folder = folderOf(work, jobId, context);
  const verdict = verdictOn(work, state, answer, context);
  switch (verdict.is) {
    case "running":
      return { to: { ...state, job: verdict.watch }, afterMs: verdict.afterMs };
    case "again": {
      const littered = { ...known, litter: [...known.litter, folder] };
      return { to: { ...state, known: littered, job: verdict.watch }, afterMs: verdict.afterMs };
    }
    case "failed":
      return finish(known, [folder], { is: "failed", error: verdict.error });
    case "done": {
      const counts = verdict.job.statistics?.extract?.destinationUriFileCounts ?? [];
      const files = counts.reduce((sum, count) => sum + Number(count), 0);
      const staged: Staged = { jobId, folder, isOld: verdict.isOld, files, generation };
      return { to: { at: "extracted", known, staged } };
    }
  }
}

function afterLoading(
  work: Work,
  state: State<"loading">,
  answer: Answer,
  context: Context,
): Move {
  const { known, staged } = state;
  const folders = [staged.folder];
  const verdict = verdictOn(work, state, answer, context);
  switch (verdict.is) {
    case "running":
    case "again":
      return { to: { ...state, job: verdict.watch }, afterMs: verdict.afterMs };
    case "failed": {
      // A table in the way may also be told as one with other properties.
      if (!known.replaces && ["duplicate", "invalid"].includes(verdict.reason)) {
        return inTheWay(state, { rows: null, run: staged.jobId, folders }, verdict.error);
      }
      return finish(known, folders, { is: "failed", error: verdict.error });
    }
    case "done": {
      const rows = verdict.job.statistics?.load?.outputRows ?? null;
      const wrote: Wrote = { rows, run: staged.jobId, folders };
      if (verdict.isOld) return doneBefore(state, wrote, verdict.job);
      return afterWriting(work, known, wrote, context);
    }
  }
}

function afterPlacing(work: Work, state: State<"placing">, answer: Answer, context: Context): Move {
  const { known } = state;
  const { jobId } = placeJob(work, known, state.job.generation, context);
  const verdict = verdictOn(work, state, answer, context);
  switch (verdict.is) {
    case "running":
    case "again":
      return { to: { ...state, job: verdict.watch }, afterMs: verdict.afterMs };
    case "failed": {
      if (verdict.reason === "duplicate") {
        return inTheWay(state, { rows: null, run: jobId, folders: [] }, verdict.error);
      }
      return finish(known, [], { is: "failed", error: verdict.error });
    }
    case "done": {
      const rows = verdict.job.statistics?.copy?.copiedRows ?? null;
      const wrote: Wrote = { rows, run: jobId, folders: [] };
      if (verdict.isOld) return doneBefore(state, wrote, verdict.job);
      return { to: { at: "rechecking", known, wrote } };
    }
  }
}

type Writing = State<"copying" | "loading" | "placing">;

/** Rows are there where none were expected. */
function inTheWay(state: Writing, wrote: Wrote, duplicate: SluiceError): Move {
  return contested(state, { wrote, duplicate, overMs: null });
}

/** The job was done before this run came upon it. */
function doneBefore(state: Writing, wrote: Wrote, { statistics }: JobResource): Move {
  return contested(state, { wrote, duplicate: null, overMs: statistics?.endTime ?? null });
}

/** Without the rows that should be there the next job of its kind is begun. */
function contested(
  state: Writing,
  contest: Pick<State<"contested">, "wrote" | "duplicate" | "overMs">,
): Move {
  const again = { ...state, job: nextGeneration(state.job) };
  return { to: { at: "contested", known: state.known, ...contest, again } };
}

/** First the source's fingerprint, then the copy's, then they are compared. */
function afterPrinting(
  work: Work,
  state: State<"printing">,
  answer: Answer,
  context: Context,
): Move {
  const { known, wrote, done } = state;
  const [one, other] = state.jobs;
  if (done === 2) {
    const { difference } = expect(answer, "compared");
    if (difference === null) return { to: { at: "marking", known, wrote } };
    const why = new SluiceError(`copy table ${work.source.tableId}`, "permanent", difference);
    return { to: { at: "spoiling", known, wrote, why } };
  }
  const verdict = verdictOn(work, { job: done === 0 ? one : other }, answer, context);
  const withJob = (job: JobWatch): State<"printing"> => ({
    ...state,
    jobs: done === 0 ? [job, other] : [one, job],
  });
  switch (verdict.is) {
    case "running":
    case "again":
      return { to: withJob(verdict.watch), afterMs: verdict.afterMs };
    case "failed":
      throw verdict.error;
    case "done":
      return { to: { ...state, done: done + 1 } };
  }
}
