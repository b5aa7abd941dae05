import { faultOf, SluiceError } from "../../core/errors.ts";
import { googleOrNull, googleReportOf } from "../../formats/google_error.ts";
import type { BigQueryClient, Cell, InsertedJob, JobPlace } from "./bigquery.ts";
import type { Call } from "./call.ts";
import { partitionsSql } from "./partitions_sql.ts";
import type { JobResource, PartitionEntry, TableReference } from "./resources.ts";

type JobCalls = Pick<
  BigQueryClient,
  "insertJob" | "dryRun" | "getJob" | "queryRows" | "listPartitions"
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
/** Five minutes for the query over partitions, which may wait for its turn. */
const partitionWaits = 15;

/** The calls about jobs and the rows of queries. */
export function jobCalls(call: Call): JobCalls {
  const getJob = (projectId: string, jobId: string, location: string) =>
    googleOrNull(() =>
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
    queryRows: (projectId, jobId, location) =>
      rowsOf(call, { projectId, jobId, location }, { waits: 0 }),
    listPartitions: (table, place) => partitionsOf(call, table, place),
  };
}

/**
 * Whether the job may be there although inserting it failed: its id is taken, or the answer was lost,
 * or the service does not know. A refusal leaves no doubt.
 */
function mayHaveBegun(thrown: unknown): boolean {
  const report = googleReportOf(thrown);
  if (report?.status === 409) return true;
  if (report?.status === 429 || /rateLimitExceeded$/i.test(report?.reason ?? "")) return false;
  return faultOf(thrown) === "transient";
}

/**
 * The rows of a query, page by page.
 *
 * @param from.first the page that a jobs.query has given already.
 * @param from.waits how often to ask a query that is not done, each time for `queryWaitMs`.
 */
async function* rowsOf(
  call: Call,
  job: { readonly projectId: string; readonly jobId: string; readonly location: string },
  from: { readonly first?: RowPage; readonly waits: number },
): AsyncGenerator<readonly Cell[]> {
  const action = `read the rows of ${job.jobId}`;
  const ask = (pageToken?: string) =>
    call<RowPage>(action, {
      path: ["projects", job.projectId, "queries", job.jobId],
      query: { location: job.location, maxResults: pageRows, pageToken, ...rowOptions },
    });
  let page = from.first ?? await ask();
  for (let waits = 0; !page.jobComplete; waits++) {
    if (waits >= from.waits) {
      throw new SluiceError(action, "transient", "the query is not done yet");
    }
    page = await ask();
  }
  while (true) {
    for (const { f } of page.rows ?? []) yield f.map(({ v }) => cellOf(v));
    if (!page.pageToken) return;
    page = await ask(page.pageToken);
  }
}

const rowOptions = { "formatOptions.useInt64Timestamp": true, timeoutMs: queryWaitMs };

function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function* partitionsOf(
  call: Call,
  table: TableReference,
  { projectId, location }: JobPlace,
): AsyncGenerator<PartitionEntry> {
  const { datasetId, tableId } = table;
  const first = await call<RowPage>(`list the partitions of ${datasetId}.${tableId}`, {
    method: "POST",
    path: ["projects", projectId, "queries"],
    json: {
      ...partitionsSql(table),
      ...{ location, useLegacySql: false, timeoutMs: queryWaitMs, maxResults: pageRows },
    },
  });
  const jobId = first.jobReference?.jobId ?? "";
  const job = { projectId, jobId, location: first.jobReference?.location ?? location };
  const rows = rowsOf(call, job, { first, waits: partitionWaits });
  for await (const [partitionId, totalRows, totalLogicalBytes, lastModifiedTime] of rows) {
    yield {
      partitionId: partitionId ?? "",
      totalRows: totalRows ?? "0",
      totalLogicalBytes: totalLogicalBytes ?? "0",
      lastModifiedTime: lastModifiedTime ?? "",
    };
  }
}
