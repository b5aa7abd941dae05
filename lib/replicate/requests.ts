import {
  type Context,
  copyJob,
  extractJob,
  loadJob,
  placeJob,
  temporaryOf,
} from "./configurations.ts";
import { printJobs } from "./fingerprint.ts";
import { finishingPatch, newTable, wrongPatch } from "./table_copy.ts";
import { type Known, marksFor, type Request, type TableState, type Work } from "./states.ts";

/** What has to be asked or done outside before this state can be left. */
export function requestOf(work: Work, state: TableState, context: Context): Request {
  const { source, destination } = work;
  switch (state.at) {
    case "planned":
      return {
        do: "look",
        source,
        // What was not there a moment ago need not be asked for.
        destination: work.candidate.destination === null && !state.isOurs ? null : destination,
      };
    case "creating": {
      // Not finished yet where it has to be told not to expire.
      const marks = marksFor(state.known, "", context.isExpiring ? "loaded" : null);
      const resource = newTable(state.known.source, state.known.access, marks, context.isExpiring);
      return { do: "create", table: destination, resource };
    }
    case "guarding": {
      const { known, staged } = state;
      const marks = marksFor(known, staged.jobId, "made");
      const resource = newTable(known.source, known.access, marks, context.isExpiring);
      const drops = known.before !== null;
      return { do: "guard", table: destination, resource, access: known.access, drops };
    }
    case "probing":
    case "copying":
    case "extracting":
    case "loading":
    case "placing":
      return jobRequestOf(work, state, context);
    case "printing":
      return printRequestOf(work, state);
    case "splitting":
      return { do: "partitions", known: state.known, target: state.target };
    case "extracted":
      return {
        do: "reread",
        source: work.group === null ? source : null,
        folder: state.staged.isOld ? state.staged.folder : null,
      };
    case "rechecking":
      return { do: "reread", source, folder: null };
    case "moving":
      return { do: "move", folder: state.staged.folder };
    case "contested":
      return { do: "read", table: destination };
    case "marking":
      return {
        do: "patch",
        table: destination,
        patch: lastPatch(state.known, state.wrote.run, context),
      };
    case "spoiling": {
      const marks = marksFor(state.known, state.wrote.run, "wrong");
      return { do: "patch", table: destination, patch: wrongPatch(marks) };
    }
    case "cleaning":
      return {
        do: "clean",
        folders: state.folders,
        table: work.group === null && state.known.isSplit
          ? temporaryOf(work, state.known, context)
          : null,
      };
  }
}

function printRequestOf(
  work: Work,
  { known, wrote, jobs, done }: Extract<TableState, { readonly at: "printing" }>,
): Request {
  const prints = printJobs(work, known, wrote.run);
  const [one, other] = jobs;
  if (done === 2) {
    const { jobId: source } = prints.source(one.generation);
    const { jobId: destination } = prints.destination(other.generation);
    return { do: "compare", jobs: [source, destination] };
  }
  const side = done === 0 ? "source" : "destination";
  const { isBegun, generation } = done === 0 ? one : other;
  return { do: "job", side, isBegun, ...prints[side](generation) };
}

type JobState = Extract<
  TableState,
  { readonly at: "probing" | "copying" | "extracting" | "loading" | "placing" }
>;

function jobRequestOf(work: Work, state: JobState, context: Context): Request {
  const { known, job: { generation, isBegun } } = state;
  switch (state.at) {
    case "extracting":
      return {
        do: "job",
        side: "source",
        isBegun,
        ...extractJob(work, known, generation, context),
      };
    case "loading": {
      const job = loadJob(work, known, state.staged, generation, context);
      return { do: "job", side: "destination", isBegun, ...job };
    }
    case "placing":
      return {
        do: "job",
        side: "destination",
        isBegun,
        ...placeJob(work, known, generation, context),
      };
    case "copying":
      return { do: "job", side: "destination", isBegun, ...copyJob(work, known, generation) };
    case "probing": {
      const job = known.isSplit
        ? placeJob(work, known, generation, context)
        : copyJob(work, known, generation);
      return { do: "job", side: "destination", isBegun: true, ...job };
    }
  }
}

function lastPatch(known: Known, run: string, { isExpiring }: Context): Record<string, unknown> {
  const marks = marksFor(known, run, null);
  return finishingPatch(known.source, known.access, marks, known.before, isExpiring);
}
