import { isSamePlace, type TableSettings } from "./bigquery_catalog.ts";
import { destinationOf, invalid, isColocated, jobErrorOf, type Moves } from "./bigquery_moves.ts";
import { QueryRuns } from "./bigquery_queries.ts";
import type { TableName } from "./bigquery_upstream.ts";
import {
  bigQueryRoute as route,
  type GoogleCall,
  notFound,
  ok,
  Refusal,
  type Reply,
  type Route,
} from "./google_proxy_calls.ts";
import { sleep } from "../../lib/core/world.ts";
import type { FaultAct } from "./google_proxy_faults.ts";

/** What a client asked a job to do. */
// deno-lint-ignore no-explicit-any -- whatever a client sends
type Configuration = Record<string, any>;

/** A job of the stand-in. */
interface Job {
  readonly projectId: string;
  readonly jobId: string;
  readonly location: string;
  readonly configuration: Configuration;
  readonly createdMs: number;
  /** Not `DONE` before; not at all while it is held. */
  doneMs: number;
  endedMs: number | undefined;
  error: { readonly reason: string; readonly message: string } | undefined;
  statistics: Record<string, unknown>;
}

const ofJob = "/projects/{project}/jobs/{job}";

/** BigQuery's jobs: ids that are used once, locations, states, and time that passes. */
export class Jobs {
  /** How long a job takes at least. */
  latencyMs: number;
  /** Whether copy jobs may go from one location to another. */
  copiesAcross = true;
  readonly #jobs = new Map<string, Job>();
  readonly #moves: Moves;
  readonly #queries: QueryRuns;
  /** Jobs move rows one after the other, as the emulator does. */
  #last: Promise<unknown> = Promise.resolve();
  /** Resolves when jobs that are begun now may be done, whatever their latency. */
  #held: Promise<void> | undefined;
  readonly #stopped = new AbortController();

  /** @param failing tells which calls are to have a job that fails. */
  constructor(
    moves: Moves,
    latencyMs: number,
    readonly failing: (call: GoogleCall) => (FaultAct & { do: "failJob" }) | undefined,
  ) {
    this.#moves = moves;
    this.#queries = new QueryRuns(moves);
    this.latencyMs = latencyMs;
  }

  /** How many jobs there have been, of a kind with it: "load"; and of one project with that. */
  count(kind?: string, projectId?: string): number {
    return [...this.#jobs.values()]
      .filter((job) => kind === undefined || job.configuration[kind])
      .filter((job) => projectId === undefined || job.projectId === projectId).length;
  }

  /** From now on no job that is begun is done until what is given back is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return () => {
      if (this.#held === promise) this.#held = undefined;
      resolve();
    };
  }

  routes(): Route[] {
    return [
      route("POST", "/projects/{project}/jobs", (call) => this.#insert(call)),
      route("GET", ofJob, (call) => ok(resourceOf(this.#job(call)))),
      route("GET", "/projects/{project}/queries/{job}", (call) => {
        const job = this.#job(call);
        if (stateOf(job) !== "DONE") {
          return ok({ jobReference: referenceOf(job), jobComplete: false });
        }
        if (job.error) throw new Refusal(400, job.error.reason, job.error.message);
        return this.#queries.rowsOf(keyOf(job), referenceOf(job), call.query);
      }),
      route("POST", "/projects/{project}/queries", (call) => this.#queries.ask(call)),
    ];
  }

  async #insert(call: GoogleCall): Promise<Reply> {
    const { jobReference = {}, configuration } = call.body ?? {};
    const projectId = call.names["project"] ?? "";
    if (configuration?.dryRun) return ok(await this.#queries.dryRun(projectId, call.body));
    const location = this.#locationOf(jobReference.location, configuration);
    const jobId = jobReference.jobId ?? `sluice_${crypto.randomUUID()}`;
    if (!/^[\w-]{1,1024}$/.test(jobId)) throw invalid(`Invalid job ID ${jobId}`);
    const nowMs = Date.now();
    const job: Job = {
      ...{ projectId, jobId, location, configuration },
      createdMs: nowMs,
      doneMs: this.#held === undefined ? nowMs + this.latencyMs : Infinity,
      endedMs: undefined,
      error: undefined,
      statistics: {},
    };
    if (this.#jobs.has(keyOf(job))) {
      throw new Refusal(409, "duplicate", `Already Exists: Job ${projectId}:${location}.${jobId}`);
    }
    this.#checkPlaces(job);
    this.#jobs.set(keyOf(job), job);
    const failing = this.failing(call);
    const done = this.#begin(job, failing);
    // Without latency the answer has the end of it, as that of a small job may.
    if (this.latencyMs === 0 && this.#held === undefined) await done;
    return ok(resourceOf(job));
  }

  /** Begun jobs that are not done are so for ever. */
  stop(): void {
    this.#stopped.abort();
  }

  /** An extract reads its rows now; what others write is seen when they are done, and not before. */
  async #begin(job: Job, failing: (FaultAct & { do: "failJob" }) | undefined): Promise<void> {
    await this.#whileHeld(job);
    const reads = job.configuration["extract"] !== undefined;
    if (!reads) await sleep(this.latencyMs, this.#stopped.signal);
    if (this.#stopped.signal.aborted) return;
    const done = this.#last.then(() => this.#run(job, failing));
    this.#last = done;
    await done;
  }

  async #whileHeld(job: Job): Promise<void> {
    if (this.#held === undefined) return;
    await this.#held;
    job.doneMs = Date.now() + this.latencyMs;
  }

  async #run(job: Job, failing: (FaultAct & { do: "failJob" }) | undefined): Promise<void> {
    try {
      if (failing) {
        job.error = {
          reason: failing.reason,
          message: failing.message ?? `It is ${failing.reason}`,
        };
      } else job.statistics = await this.#work(job);
    } catch (thrown) {
      job.error = jobErrorOf(thrown);
    }
    job.endedMs = Date.now();
  }

  async #work(job: Job): Promise<Record<string, unknown>> {
    const { extract, load, copy, query } = job.configuration;
    if (extract) {
      const [uri, more] = extract.destinationUris ?? [extract.destinationUri];
      if (more !== undefined) throw invalid("This stand-in takes one URI to extract to");
      const files = await this.#moves.extract(
        extract.sourceTable,
        uri,
        extract.destinationFormat ?? "CSV",
      );
      return { extract: { destinationUriFileCounts: [String(files)] } };
    }
    if (load) {
      const to = destinationOf(load, loadSettings(load), "WRITE_APPEND");
      const rows = await this.#moves.load(to, load.sourceUris, load.sourceFormat ?? "CSV");
      return { load: { outputRows: String(rows), badRecords: "0" } };
    }
    if (copy) {
      const sources: TableName[] = copy.sourceTables ?? [copy.sourceTable];
      const to = destinationOf(copy, this.#copied(sources, copy), "WRITE_EMPTY");
      return { copy: { copiedRows: String(await this.#moves.copy(to, sources)) } };
    }
    return await this.#queries.run(keyOf(job), job.projectId, query);
  }

  /** What a copy takes over: columns and partitions, and nothing that people have written. */
  #copied([source]: readonly TableName[], copy: Configuration): TableSettings {
    if (!source) return {};
    const { schema, timePartitioning, rangePartitioning, clustering } =
      this.#moves.movers.catalog.table(source).settings;
    const carried = {
      ...{ schema, timePartitioning, rangePartitioning, clustering },
      encryptionConfiguration: copy["destinationEncryptionConfiguration"],
    };
    return JSON.parse(JSON.stringify(carried)); // without what is undefined
  }

  /** As BigQuery does: the location that was given, or that of the dataset in the request. */
  #locationOf(given: string | undefined, configuration: Configuration): string {
    if (given !== undefined) return given;
    const { extract, load, copy, query } = configuration;
    const table: TableName | undefined = extract?.sourceTable ?? load?.destinationTable ??
      copy?.destinationTable ?? query?.destinationTable;
    if (!table) return "US";
    return this.#moves.movers.catalog.dataset(table.projectId, table.datasetId).location;
  }

  /** Tables have to be where the job is, and buckets beside them. */
  #checkPlaces({ configuration, location }: Job): void {
    const { catalog, objects } = this.#moves.movers;
    const { extract, load, copy, query } = configuration;
    const uris: string[] = extract?.destinationUris ?? load?.sourceUris ?? [];
    for (const uri of uris) {
      const bucket = /^gs:\/\/([^/]+)\//.exec(uri)?.[1] ?? "";
      const place = objects.locationOf(bucket);
      if (isColocated(location, place)) continue;
      const message = `Cannot ${extract ? "write" : "read"} in location ${place} from ${location}`;
      throw invalid(`${message}: ${bucket}`);
    }
    if (extract) catalog.table(extract.sourceTable, location);
    if (load) inPlace(load.destinationTable);
    if (query?.destinationTable) inPlace(query.destinationTable);
    if (!copy) return;
    const sources: TableName[] = copy.sourceTables ?? [copy.sourceTable];
    const from = sources.map((one) => catalog.dataset(one.projectId, one.datasetId).location);
    const { destinationTable } = copy;
    const to = catalog.dataset(destinationTable.projectId, destinationTable.datasetId).location;
    for (const source of sources) catalog.table(source);
    if (from.every((one) => isSamePlace(one, to))) return inPlace(destinationTable);
    if (!this.copiesAcross) {
      throw invalid(`Cannot copy from ${from.join()} to ${to}: across locations`);
    }
    if (copy.writeDisposition === "WRITE_APPEND") {
      throw invalid("Cross-region table copy with append mode is unsupported");
    }

    function inPlace(table: TableName): void {
      catalog.dataset(table.projectId, table.datasetId, location);
    }
  }

  /** The job of a call; without a location only the two large ones are looked at. */
  #job({ names, query }: GoogleCall): Job {
    const { project: projectId = "", job: jobId = "" } = names;
    const location = query.get("location");
    for (const place of location === null ? ["US", "EU"] : [location]) {
      const found = this.#jobs.get(keyOf({ projectId, jobId, location: place }));
      if (found) return found;
    }
    throw notFound(`Job ${projectId}:${jobId}`);
  }
}

function keyOf(job: Pick<Job, "projectId" | "jobId" | "location">): string {
  return `${job.projectId}/${job.location.toUpperCase()}/${job.jobId}`;
}

function referenceOf({ projectId, jobId, location }: Job) {
  return { projectId, jobId, location };
}

function stateOf(job: Job): "RUNNING" | "DONE" {
  return job.endedMs !== undefined && Date.now() >= job.doneMs ? "DONE" : "RUNNING";
}

function resourceOf(job: Job): Record<string, unknown> {
  const state = stateOf(job);
  const failed = state === "DONE" && job.error
    ? { errorResult: job.error, errors: [job.error] }
    : {};
  const endMs = Math.max(job.endedMs ?? 0, job.doneMs);
  return {
    kind: "bigquery#job",
    id: `${job.projectId}:${job.location}.${job.jobId}`,
    jobReference: referenceOf(job),
    configuration: job.configuration,
    status: { state, ...failed },
    statistics: {
      creationTime: String(job.createdMs),
      startTime: String(job.createdMs),
      ...(state === "DONE" ? { endTime: String(endMs), ...job.statistics } : {}),
    },
  };
}

function loadSettings(load: Configuration): TableSettings {
  const { schema, timePartitioning, rangePartitioning, clustering, destinationTableProperties } =
    load;
  const described = destinationTableProperties ?? {};
  const encryptionConfiguration = load["destinationEncryptionConfiguration"];
  return JSON.parse(JSON.stringify({
    ...{ schema, timePartitioning, rangePartitioning, clustering, encryptionConfiguration },
    ...described,
  }));
}
