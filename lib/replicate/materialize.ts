import type { BigQueryClient, JobResource, TableReference } from "../clients/bigquery/bigquery.ts";
import { SluiceError } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import { nameOf } from "./configurations.ts";
import { type JobWatch, judgeJob, newWatch, nextGeneration } from "./job_watch.ts";
import { dayOf, type Materialization, queryConfiguration, queryJobId } from "./materialize_job.ts";
import { patiently } from "./patience.ts";

/** What a materialization needs. */
export interface MaterializeTools {
  readonly client: BigQueryClient;
  readonly world: World;
  /** How long it may fail by what may pass, milliseconds. */
  readonly patienceMs: number;
  /** Where the query runs; null: where the dataset is. */
  readonly location: string | null;
  /** Aborted: the job is left to itself. */
  readonly stop: AbortSignal;
  /** Told of the job whenever it was looked at. */
  readonly onJob: (job: JobResource) => void;
}

/** How it came out. */
export interface Materialized {
  readonly jobId: string;
  /** Of the table, afterwards. */
  readonly rows: string;
  readonly bytes: string;
  readonly processedBytes: bigint;
  readonly billedBytes: bigint;
  /** The job was over before: this run of that name was done already. */
  readonly isOld: boolean;
}

/** What a query would read. */
export async function estimate(
  wanted: Materialization,
  tools: MaterializeTools,
): Promise<{ readonly bytes: bigint; readonly statement: string }> {
  const { client, world, stop } = tools;
  const location = await locationOf(wanted.table, tools);
  const job = await patiently(
    world,
    tools,
    "check the query",
    stop,
    () => client.dryRun(wanted.table.projectId, location, queryConfiguration(wanted)),
  );
  const { statistics } = job;
  const bytes = statistics?.query?.totalBytesProcessed ?? statistics?.totalBytesProcessed ?? "0";
  return { bytes: BigInt(bytes), statement: statistics?.query?.statementType ?? "" };
}

/**
 * Has the query's result written into the table, in one moment at the end of the job. A process that
 * is killed leaves the job to itself: the same command comes upon it while it runs. With a run's name it
 * also comes upon one that is over, and does nothing a second time.
 *
 * @throws {SluiceError} `transient` when it was told to stop waiting.
 */
export async function materialize(
  wanted: Materialization,
  tools: MaterializeTools,
): Promise<Materialized> {
  const { client, world, stop } = tools;
  const { projectId } = wanted.table;
  const location = await locationOf(wanted.table, tools);
  const attempt = crypto.randomUUID();
  const configuration = labelled(queryConfiguration(wanted), attempt);
  let { day, watch } = await whereToBegin(wanted, location, tools);
  while (true) {
    const id = queryJobId(wanted, location, day, watch.generation);
    const { isBegun } = watch;
    const { job, attached } = await patiently(world, tools, "run the query", stop, async () => {
      if (!isBegun) return await client.insertJob(projectId, id, location, configuration);
      const found = await client.getJob(projectId, id, location);
      if (found !== null) return { job: found, attached: true };
      throw new SluiceError(`read the job ${id}`, "transient", "it cannot be found");
    });
    tools.onJob(job);
    const isFound = attached && !isOfAttempt(job, attempt);
    const verdict = judgeJob(watch, job, isFound, `materialize ${nameOf(wanted.table)}`, tools);
    if (verdict.is === "failed") throw failure(wanted, verdict);
    if (verdict.is === "done") {
      if (!verdict.isOld || wanted.runId !== null) {
        return await concluded(wanted, verdict.job, verdict.isOld, tools);
      }
      watch = nextGeneration(watch);
      continue;
    }
    ({ watch } = verdict);
    await world.sleep(verdict.afterMs, stop);
    if (stop.aborted) {
      throw new SluiceError(
        `wait for the job ${id}`,
        "transient",
        "it was told to stop; the job goes on, and the same command finds it",
      );
    }
  }
}

/**
 * A label of the job: tells a job that this process has begun, and whose answer was lost, from one that
 * somebody else began in the same words. If it is over by the time it is found, ours is done; theirs is
 * not looked at.
 */
const attemptKey = "sluice_attempt";

function labelled(
  configuration: Readonly<Record<string, unknown>>,
  attempt: string,
): Record<string, unknown> {
  const labels = configuration["labels"] as Readonly<Record<string, string>> | undefined;
  return { ...configuration, labels: { ...labels, [attemptKey]: attempt } };
}

function isOfAttempt({ configuration }: JobResource, attempt: string): boolean {
  const labels = configuration["labels"] as Readonly<Record<string, string>> | undefined;
  return labels?.[attemptKey] === attempt;
}

function failure(
  { table }: Materialization,
  { reason, error }: { readonly reason: string; readonly error: SluiceError },
): SluiceError {
  if (reason !== "duplicate") return error;
  return new SluiceError(
    error.action,
    "permanent",
    `there are rows in ${table.tableId} already; --force replaces them, --append adds to them`,
    { cause: error },
  );
}

/** A job that was begun before midnight and runs on is under the id of that day. */
async function whereToBegin(
  wanted: Materialization,
  location: string,
  { client, world, ...tools }: MaterializeTools,
): Promise<{ readonly day: string; readonly watch: JobWatch }> {
  const today = dayOf(world.nowMs());
  if (wanted.runId !== null) return { day: today, watch: newWatch(0) };
  const yesterday = dayOf(world.nowMs() - 86_400_000);
  for (let generation = 0;; generation++) {
    const id = queryJobId(wanted, location, yesterday, generation);
    const job = await patiently(
      world,
      tools,
      "look for the job",
      tools.stop,
      () => client.getJob(wanted.table.projectId, id, location),
    );
    if (job === null) return { day: today, watch: newWatch(0) };
    if (job.status.state === "DONE") continue;
    return { day: yesterday, watch: { ...newWatch(generation), isBegun: true, isOurs: true } };
  }
}

async function concluded(
  { table }: Materialization,
  job: JobResource,
  isOld: boolean,
  { client, world, stop, ...tools }: MaterializeTools,
): Promise<Materialized> {
  const found = await patiently(world, tools, "read the table", stop, () => client.getTable(table));
  const { query, totalBytesProcessed } = job.statistics ?? {};
  if (found === null) {
    throw new SluiceError(
      `materialize ${nameOf(table)}`,
      "permanent",
      isOld
        ? "the run of that name is over and the table is gone; give another --run-id"
        : "somebody dropped the table at once",
    );
  }
  return {
    jobId: job.jobReference.jobId,
    rows: found.numRows ?? "0",
    bytes: found.numBytes ?? "0",
    processedBytes: BigInt(query?.totalBytesProcessed ?? totalBytesProcessed ?? "0"),
    billedBytes: BigInt(query?.totalBytesBilled ?? "0"),
    isOld,
  };
}

async function locationOf(
  { projectId, datasetId }: TableReference,
  { client, world, location, stop, ...tools }: MaterializeTools,
): Promise<string> {
  if (location !== null) return location;
  const dataset = await patiently(
    world,
    tools,
    "find the dataset",
    stop,
    () => client.getDataset(projectId, datasetId),
  );
  if (dataset !== null) return dataset.location;
  throw new SluiceError(
    `find the dataset ${projectId}.${datasetId}`,
    "permanent",
    "there is none; make it with `bq mk --location=LOCATION --dataset`",
  );
}
