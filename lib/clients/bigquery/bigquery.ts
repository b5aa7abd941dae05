import type { World } from "../../core/world.ts";
import type { AuthClient } from "google-auth-library";
import type {
  DatasetResource,
  JobResource,
  PartitionEntry,
  RoutineReference,
  RoutineResource,
  RowAccessPolicy,
  TableEntry,
  TableReference,
  TableResource,
} from "./resources.ts";

export type * from "./resources.ts";
export { faultOfReason, googleReasonOf as reasonOf } from "../../formats/google_error.ts";

/** A job as it was begun, or found. */
export interface InsertedJob {
  readonly job: JobResource;
  /** True: a job of this id was there already, ours from an earlier try or run. */
  readonly attached: boolean;
}

/** Where a query runs and who pays for it. */
export interface JobPlace {
  readonly projectId: string;
  readonly location: string;
}

/** A value of a row: the API's text; records and repeated values are JSON; null is NULL. */
export type Cell = string | null;

/**
 * BigQuery's REST API, call by call: each method is one HTTP request, and a listing is one for each
 * page, without hidden retries. To try again is the caller's affair.
 *
 * Every method throws {@linkcode SluiceError}, whose fault kind comes from the reason that BigQuery
 * gives ({@linkcode reasonOf} tells it): `transient` for rate limits, errors of its backends, 429, 5xx
 * and a connection that fails or takes too long; `denied` for missing rights and credentials;
 * `permanent` for the rest. When the options' signal is aborted, calls end as `transient`.
 */
export interface BigQueryClient {
  /** datasets.get; null when there is none. */
  getDataset(projectId: string, datasetId: string): Promise<DatasetResource | null>;
  /** tables.list, in the order of the API, 1,000 a page. Throws `permanent`, `notFound` without a dataset. */
  listTables(projectId: string, datasetId: string): AsyncIterable<TableEntry>;
  /** tables.get; null when there is none. */
  getTable(table: TableReference): Promise<TableResource | null>;
  /** tables.insert. Throws `permanent` with the reason `duplicate` when there is one. */
  createTable(table: TableReference, resource: Record<string, unknown>): Promise<TableResource>;
  /**
   * tables.patch: only the fields that are given; null takes one away.
   *
   * @param ifEtag only if the table still has it; else throws `permanent` with `conditionNotMet`.
   */
  patchTable(
    table: TableReference,
    patch: Record<string, unknown>,
    ifEtag?: string,
  ): Promise<TableResource>;
  /** tables.delete; one that is not there is fine. */
  deleteTable(table: TableReference): Promise<void>;
  /**
   * jobs.insert. When the id is taken (409), or the answer is lost or says that the fate of the request
   * is not known (5xx), jobs.get tells whether the job is there: a second request at most.
   *
   * @throws {SluiceError} what jobs.insert threw when jobs.get finds no such job.
   */
  insertJob(
    projectId: string,
    jobId: string,
    location: string,
    configuration: Record<string, unknown>,
  ): Promise<InsertedJob>;
  /**
   * jobs.insert of a query that is not run: checks it and tells schema and bytes in `statistics`.
   *
   * @param location BigQuery finds it out from the tables without it.
   */
  dryRun(
    projectId: string,
    location: string | undefined,
    configuration: Record<string, unknown>,
  ): Promise<JobResource>;
  /** jobs.get; null when there is none in this location. */
  getJob(projectId: string, jobId: string, location: string): Promise<JobResource | null>;
  /**
   * jobs.getQueryResults, page by page, of a query job that is done. Timestamps are microseconds since
   * 1970-01-01 UTC.
   */
  queryRows(projectId: string, jobId: string, location: string): AsyncIterable<readonly Cell[]>;
  /**
   * The partitions of a table in the order of their ids, by one jobs.query over
   * INFORMATION_SCHEMA.PARTITIONS, which is billed as 10 MB. None for a table without partitions.
   */
  listPartitions(table: TableReference, place: JobPlace): AsyncIterable<PartitionEntry>;
  /** routines.list. */
  listRoutines(projectId: string, datasetId: string): AsyncIterable<RoutineResource>;
  /** routines.get; null when there is none. */
  getRoutine(routine: RoutineReference): Promise<RoutineResource | null>;
  /** routines.insert. Throws `permanent` with the reason `duplicate` when there is one. */
  createRoutine(
    routine: RoutineReference,
    resource: Record<string, unknown>,
  ): Promise<RoutineResource>;
  /** routines.update: replaces the routine. */
  updateRoutine(
    routine: RoutineReference,
    resource: Record<string, unknown>,
  ): Promise<RoutineResource>;
  /** rowAccessPolicies.list. */
  listRowAccessPolicies(table: TableReference): AsyncIterable<RowAccessPolicy>;
  /** rowAccessPolicies.insert. */
  createRowAccessPolicy(
    table: TableReference,
    policyId: string,
    resource: Record<string, unknown>,
  ): Promise<RowAccessPolicy>;
}

/** How to reach BigQuery. */
export interface BigQueryOptions {
  /** From `signIn` of the client google_auth.ts; without it no credentials are sent (an emulator). */
  readonly auth?: AuthClient;
  /** `http://127.0.0.1:9050`. @default BIGQUERY_EMULATOR_HOST, else Google's */
  readonly endpoint?: string;
  /** How long one call may take, milliseconds. @default 60 s */
  readonly callMs?: number;
  /** Aborted: calls under way end as `transient`, later ones do not begin. */
  readonly signal?: AbortSignal;
}

/**
 * Opens BigQuery; nothing is asked of it yet. Google's library is only loaded now.
 *
 * @throws {SluiceError} `usage` for an endpoint that is no URL.
 */
export async function openBigQuery(
  options: BigQueryOptions,
  world: World,
): Promise<BigQueryClient> {
  return (await import("./client.ts")).openClient(options, world);
}
