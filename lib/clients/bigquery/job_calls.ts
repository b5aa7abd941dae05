import { faultOf, SluiceError } from "../../core/errors.ts";
import { googleReportOf } from "../../formats/google_error.ts";
import type { BigQueryClient, Cell, InsertedJob } from "./bigquery.ts";
import type { Call } from "./call.ts";
import { orNull } from "./pages.ts";
import { partitionsSql } from "./partitions_sql.ts";
import type { JobResource, PartitionEntry } from "./resources.ts";

type JobCalls = Pick<
  BigQueryClient,
  "insertJob" | "dryRun" | "getJob" | "cancelJob" | "queryRows" | "listPartitions"
>;

/** A page of a query's rows. */
interface RowPage {
  readonly jobReference?: { readonly jobId: string; readonly location?: string };
  readonly jobComplete: boolean;
  readonly pageToken?: string;
  readonly rows?: readonly { readonly f: readonly { readonly v: unknown }[] }[];
}

/** How many rows a page has at most; BigQuery sends fewer when they are long. */
const pageRows = 10_000;
/** How long BigQuery waits for a query before it answers that it is not done. */
const queryWaitMs = 20_000;

/** The calls about jobs and the rows of queries. */
export function jobCalls(call: Call): JobCalls {
  const getJob = (projectId: string, jobId: string, location: string) =>
    orNull(() =>
      call<JobResource>(`read the job ${jobId}`, {
        path: ["projects", projectId, "jobs", jobId],
        query: { location },
      })
    );
  return {
    getJob,
    insertJob: async (projectId, jobId, location, configuration): Promise<InsertedJob> => {
      const jobReference = { projectId, jobId, location };
      try {
        const job = await call<JobResource>(`begin the job ${jobId}`, {
          method: "POST",
          path: ["projects", projectId, "jobs"],
          json: { jobReference, configuration },
        });
        return { job, attached: false };
      } catch (thrown) {
        if (!mayHaveBegun(thrown)) throw thrown;
        const job = await getJob(projectId, jobId, location);
        if (job === null) throw thrown;
        return { job, attached: true };
      }
    },
    dryRun: (projectId, location, configuration) =>
      call<JobResource>("check the query", {
        method: "POST",
        path: ["projects", projectId, "jobs"],
        json: {
          ...(location === undefined ? {} : { jobReference: { projectId, location } }),
          configuration: { ...configuration, dryRun: true },
        },
      }),
    cancelJob: async (projectId, jobId, location) => {
      await orNull(() =>
        call(`cancel the job ${jobId}`, {
          method: "POST",
          path: ["projects", projectId, "jobs", jobId, "cancel"],
          query: { location },
        })
      );
    },
    queryRows: (projectId, jobId, location) => rowsOf(call, { projectId, jobId, location }),
    listPartitions: (table, place) => {
      const query = partitionsSql(table);
      return partitionsOf(call, place.projectId, { ...query, location: place.location });
    },
  };
}

/**
 * Whether the job may be there although inserting it failed: its id is taken, or the answer was lost,
 * or the service does not know. A refusal leaves no doubt.
 */
function mayHaveBegun(thrown: unknown): boolean {
  const report = googleReportOf(thrown);
  if (report?.status === 409) return true;
  if (report?.status === 429 || report?.reason.endsWith("ateLimitExceeded")) return false;
  return faultOf(thrown) === "transient";
}

/** @param first the page that a jobs.query has given already. */
async function* rowsOf(
  call: Call,
  job: { readonly projectId: string; readonly jobId: string; readonly location: string },
  first?: RowPage,
): AsyncGenerator<readonly Cell[]> {
  let page = first;
  while (true) {
    page ??= await call<RowPage>(`read the rows of ${job.jobId}`, {
      path: ["projects", job.projectId, "queries", job.jobId],
      query: { location: job.location, maxResults: pageRows, ...rowOptions },
    });
    if (!page.jobComplete) {
      throw new SluiceError(
        `read the rows of ${job.jobId}`,
        "transient",
        "the query is not done yet",
      );
    }
    for (const { f } of page.rows ?? []) yield f.map(({ v }) => cellOf(v));
    if (!page.pageToken) return;
    page = await call<RowPage>(`read the rows of ${job.jobId}`, {
      path: ["projects", job.projectId, "queries", job.jobId],
      query: {
        location: job.location,
        maxResults: pageRows,
        pageToken: page.pageToken,
        ...rowOptions,
      },
    });
  }
}

const rowOptions = { "formatOptions.useInt64Timestamp": true, timeoutMs: queryWaitMs };

function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function* partitionsOf(
  call: Call,
  projectId: string,
  query: Readonly<Record<string, unknown>> & { readonly location: string },
): AsyncGenerator<PartitionEntry> {
  const page = await call<RowPage>("list the partitions", {
    method: "POST",
    path: ["projects", projectId, "queries"],
    json: { ...query, useLegacySql: false, timeoutMs: queryWaitMs, maxResults: pageRows },
  });
  const jobId = page.jobReference?.jobId ?? "";
  const job = { projectId, jobId, location: page.jobReference?.location ?? query.location };
  const rows = rowsOf(call, job, page.jobComplete ? page : undefined);
  for await (const [partitionId, totalRows, totalLogicalBytes, lastModifiedTime] of rows) {
    yield {
      partitionId: partitionId ?? "",
      totalRows: totalRows ?? "0",
      totalLogicalBytes: totalLogicalBytes ?? "0",
      lastModifiedTime: lastModifiedTime ?? "",
    };
  }
}
