import { faultOfReason, type JobResource } from "../clients/bigquery/bigquery.ts";
import { type Fault, SluiceError } from "../core/errors.ts";

/** How far we are with one job. */
export interface JobWatch {
  /** Part of its id. */
  readonly generation: number;
  readonly isBegun: boolean;
  /** We began it, or saw it run: how it ends is about this run. */
  readonly isOurs: boolean;
  readonly polls: number;
  /** Jobs of ours that failed by what may pass. */
  readonly failures: number;
}

/** What a job's answer means. */
export type JobVerdict =
  | { readonly is: "running"; readonly watch: JobWatch; readonly afterMs: number }
  /** Its id is used up: the next one is tried. */
  | { readonly is: "again"; readonly watch: JobWatch; readonly afterMs: number }
  | { readonly is: "done"; readonly job: JobResource; readonly isOld: boolean }
  | { readonly is: "failed"; readonly error: SluiceError; readonly reason: string };

/** Jobs of ours in a row that may fail by what may pass. */
const failuresMost = 5;
/** Ids that may be used up before it is a defect. */
const generationsMost = 10_000;

/** A job that was not begun yet. */
export function newWatch(generation: number): JobWatch {
  return { generation, isBegun: false, isOurs: false, polls: 0, failures: 0 };
}

/** The pause before a job is asked for again, milliseconds: short jobs are seen soon, long ones spared. */
function pollPauseMs(polls: number): number {
  return Math.min(10_000, Math.round(1_000 * 1.5 ** polls));
}

/** The pause after so many jobs of ours that failed, milliseconds. */
function pauseMs(failures: number): number {
  return Math.min(60_000, 1_000 * 4 ** (failures - 1));
}

/** The pauses after each of them. */
function pausesMs(failures: number): number {
  return failures === 0 ? 0 : pausesMs(failures - 1) + pauseMs(failures);
}

/**
 * Judges a job. Only `errorResult` makes it a failed one; `errors` alone are warnings. A job that had
 * failed before we came is no verdict on our work, whatever it failed by: somebody may have mended the
 * cause since. Its id is used up, and the next generation is tried.
 *
 * @param attached it was there when we wanted to begin it.
 * @param patience how long jobs of ours may be tried again: their pauses together, milliseconds. Five are
 *   begun at most, whatever is left of it: a job that fails counts against the quota of the day, too.
 */
export function judgeJob(
  watch: JobWatch,
  job: JobResource | null,
  attached: boolean,
  what: string,
  { patienceMs }: { readonly patienceMs: number },
): JobVerdict {
  if (job === null) {
    const error = new SluiceError(what, "transient", "the job that was begun cannot be found");
    throw error;
  }
  const isOurs = watch.isOurs || !attached || job.status.state !== "DONE";
  if (job.status.state !== "DONE") {
    const polls = watch.polls + 1;
    return {
      is: "running",
      watch: { ...watch, isBegun: true, isOurs, polls },
      afterMs: pollPauseMs(watch.polls),
    };
  }
  const { errorResult } = job.status;
  if (errorResult === undefined) return { is: "done", job, isOld: !isOurs };
  const { reason, message } = errorResult;
  const error = jobError(what, faultOfReason(reason), message, job);
  if (!isOurs) return nextOne(watch, watch.failures, 0, error);
  if (error.fault !== "transient") return { is: "failed", error, reason };
  const failures = watch.failures + 1;
  const isOver = failures >= failuresMost || pausesMs(failures) > patienceMs;
  if (isOver) return { is: "failed", error, reason };
  return nextOne(watch, failures, pauseMs(failures), error);
}

/** The next generation; `done` jobs whose work is gone use theirs up, too. */
export function nextGeneration({ generation, failures }: JobWatch): JobWatch {
  return { ...newWatch(generation + 1), failures };
}

function nextOne(
  watch: JobWatch,
  failures: number,
  afterMs: number,
  error: SluiceError,
): JobVerdict {
  if (watch.generation >= generationsMost) return { is: "failed", error, reason: "" };
  return { is: "again", watch: { ...nextGeneration(watch), failures }, afterMs };
}

function jobError(what: string, fault: Fault, message: string, job: JobResource): SluiceError {
  const { projectId, jobId } = job.jobReference;
  return new SluiceError(what, fault, `${message} (job ${projectId}:${jobId})`);
}
