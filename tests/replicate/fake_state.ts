import type {
  JobError,
  JobResource,
  RoutineResource,
  TableReference,
} from "../../lib/clients/bigquery/bigquery.ts";
import type { SluiceError } from "../../lib/core/errors.ts";
import type { World } from "../../lib/core/world.ts";
import { FakeTable } from "./fake_tables.ts";

interface FakeJob {
  readonly resource: JobResource;
  readonly endMs: number;
  outcome: { error?: JobError; statistics?: Record<string, unknown> } | null;
}

interface Dataset {
  readonly location: string;
  readonly tables: Map<string, FakeTable>;
  readonly routines: Map<string, RoutineResource>;
}

export type Config = Record<string, Record<string, unknown>>;

/** What BigQuery and Cloud Storage hold, in memory, and their jobs, in the time of the test's world. */
export class FakeState {
  readonly datasets = new Map<string, Dataset>();
  readonly buckets = new Map<
    string,
    Map<string, { rows: string; generation: number; ms: number }>
  >();
  readonly jobs = new Map<string, FakeJob>();
  /** `METHOD WHAT` of every call, in their order. */
  readonly calls: string[] = [];
  /** Tables expire after so long unless they are told otherwise. */
  expirationMs: string | undefined = undefined;
  jobMs = 2_000;
  isCopiedAcross = false;
  /** Before each call: what is thrown the call fails with; "lost": it is done, and the answer lost. */
  fault: (call: string) => SluiceError | "lost" | undefined = () => undefined;
  /** How a job ends instead. */
  jobFault: (jobId: string, configuration: Config) => JobError | undefined = () => undefined;
  /** Just before a job does its work. */
  onJob: (jobId: string, configuration: Config) => void = () => {};
  etags = 0;

  constructor(readonly world: World) {}

  dataset(name: string, location: string): Dataset {
    const made = { location, tables: new Map(), routines: new Map() };
    this.datasets.set(name, made);
    return made;
  }

  bucket(name: string) {
    const made = new Map();
    this.buckets.set(name, made);
    return made;
  }

  /** Names of all objects, with their buckets. */
  objects(): string[] {
    return [...this.buckets].flatMap(([bucket, all]) =>
      [...all.keys()].map((n) => `${bucket}/${n}`)
    );
  }

  /** Makes a table; its rows by partition, or all in one. */
  table(
    dataset: string,
    tableId: string,
    resource: Record<string, unknown>,
    rows: readonly string[] | Readonly<Record<string, readonly string[]>> = [],
  ): FakeTable {
    const table = new FakeTable(
      { schema: { fields: [{ name: "a", type: "STRING" }] }, ...resource },
      this.world.nowMs(),
    );
    const parts = Array.isArray(rows) ? { "": rows } : rows as Record<string, readonly string[]>;
    for (const [part, some] of Object.entries(parts)) {
      table.writePartition(part, some, this.world.nowMs());
    }
    this.datasets.get(dataset)?.tables.set(tableId, table);
    this.touch(table);
    return table;
  }

  touch(table: FakeTable): void {
    table.etag = `etag/${++this.etags}==`;
    table.modifiedMs = this.world.nowMs();
  }

  /** A new table, which may expire. */
  made(resource: Record<string, unknown>): FakeTable {
    const { expirationMs } = this;
    const expiring = expirationMs === undefined
      ? {}
      : { expirationTime: String(this.world.nowMs() + Number(expirationMs)) };
    return new FakeTable({ ...expiring, ...resource }, this.world.nowMs());
  }

  find({ projectId, datasetId, tableId }: TableReference) {
    const [id = "", partition = null] = tableId.split("$");
    const dataset = this.datasets.get(`${projectId}.${datasetId}`);
    return { dataset, id, partition, table: dataset?.tables.get(id) ?? null };
  }

  begin(projectId: string, jobId: string, location: string, configuration: Config): JobResource {
    const resource: JobResource = {
      jobReference: { projectId, jobId, location },
      status: { state: "RUNNING" },
      configuration,
    };
    const job = { resource, endMs: this.world.nowMs() + this.jobMs, outcome: null };
    this.jobs.set(jobId, job);
    return this.shown(job);
  }

  shown({ resource, outcome, endMs }: FakeJob): JobResource {
    if (outcome === null) return resource;
    const { error, statistics } = outcome;
    const status = {
      state: "DONE" as const,
      ...(error ? { errorResult: error, errors: [error] } : {}),
    };
    return { ...resource, status, statistics: { ...statistics, endTime: String(endMs) } };
  }

  /** Jobs whose time has come do their work, each in one moment. */
  settle(): void {
    const due = [...this.jobs.values()].filter(({ outcome, endMs }) =>
      outcome === null && endMs <= this.world.nowMs()
    ).sort((a, b) => a.endMs - b.endMs);
    for (const job of due) {
      const { jobReference: { jobId, location }, configuration } = job.resource;
      const config = configuration as Config;
      const error = this.jobFault(jobId, config);
      this.onJob(jobId, config);
      job.outcome = error ? { error } : this.#work(config, location);
    }
  }

  #work({ copy, extract, load, query }: Config, location: string): NonNullable<FakeJob["outcome"]> {
    if (copy) return this.#copy(copy, location);
    if (extract) return this.#extract(extract, location);
    if (load) return this.#load(load, location);
    if (query?.["destinationTable"]) return this.#query(query, location);
    return { statistics: {} };
  }

  #copy(copy: Record<string, unknown>, location: string): NonNullable<FakeJob["outcome"]> {
    const from = this.find(copy["sourceTable"] as TableReference);
    const to = this.find(copy["destinationTable"] as TableReference);
    if (from.table === null) return failed("notFound", "Not found: source");
    if (
      to.dataset?.location !== location || (from.dataset?.location !== location &&
        !this.isCopiedAcross)
    ) {
      return failed("invalid", "Cannot copy across locations");
    }
    const rows = from.partition === null
      ? from.table.partitions
      : new Map([[from.partition, from.table.partitions.get(from.partition) ?? []]]);
    const { labels: _labels, tableConstraints: _keys, ...resource } = from.table.resource;
    return this.#put(to, rows, copy, { ...resource }, {
      copy: { copiedRows: String([...rows.values()].flat().length) },
    });
  }

  #extract(extract: Record<string, unknown>, location: string): NonNullable<FakeJob["outcome"]> {
    const { dataset, table, partition } = this.find(extract["sourceTable"] as TableReference);
    if (table === null || dataset?.location !== location) return failed("notFound", "Not found");
    const [uri = ""] = extract["destinationUris"] as string[];
    const [, bucket = "", start = "", end = ""] = /^gs:\/\/([^/]+)\/(.*)\*(.*)$/.exec(uri) ?? [];
    const objects = this.buckets.get(bucket);
    if (objects === undefined) return failed("notFound", "No such bucket");
    const rows = partition === null ? table.rows : table.partitions.get(partition) ?? [];
    const half = Math.ceil(rows.length / 2);
    const shards = rows.length > 1 ? [rows.slice(0, half), rows.slice(half)] : [rows];
    shards.forEach((some, i) =>
      objects.set(`${start}${String(i).padStart(12, "0")}${end}`, {
        rows: JSON.stringify(some),
        generation: this.etags++,
        ms: this.world.nowMs(),
      })
    );
    return { statistics: { extract: { destinationUriFileCounts: [String(shards.length)] } } };
  }

  #load(load: Record<string, unknown>, location: string): NonNullable<FakeJob["outcome"]> {
    const to = this.find(load["destinationTable"] as TableReference);
    if (to.dataset?.location !== location) return failed("notFound", "Not found: dataset");
    const [uri = ""] = load["sourceUris"] as string[];
    const [, bucket = "", start = "", end = ""] = /^gs:\/\/([^/]+)\/(.*)\*(.*)$/.exec(uri) ?? [];
    const files = [...this.buckets.get(bucket) ?? []]
      .filter(([name]) => name.startsWith(start) && name.endsWith(end));
    if (files.length === 0) return failed("notFound", "Not found: URI");
    const all = files.flatMap(([, { rows }]) => JSON.parse(rows) as string[]);
    if (to.table !== null && load["destinationTableProperties"] !== undefined) {
      return failed("invalid", "The table is there and has other properties");
    }
    const properties = (load["destinationTableProperties"] ?? {}) as Record<string, unknown>;
    const layout = ["timePartitioning", "rangePartitioning", "clustering"]
      .filter((name) => load[name] !== undefined).map((name) => [name, load[name]]);
    const resource = { ...properties, ...Object.fromEntries(layout), schema: load["schema"] };
    const rows = new Map([[to.partition ?? "", all]]);
    return this.#put(to, rows, load, resource, { load: { outputRows: String(all.length) } });
  }

  #query(query: Record<string, unknown>, location: string): NonNullable<FakeJob["outcome"]> {
    const to = this.find(query["destinationTable"] as TableReference);
    if (to.dataset?.location !== location) return failed("notFound", "Not found: dataset");
    return this.#put(to, new Map([["", ["1"]]]), query, { schema: { fields: [] } }, { query: {} });
  }

  #put(
    { dataset, id, partition, table }: ReturnType<FakeState["find"]>,
    rows: ReadonlyMap<string, readonly string[]>,
    { createDisposition, writeDisposition }: Record<string, unknown>,
    resource: Record<string, unknown>,
    statistics: Record<string, unknown>,
  ): NonNullable<FakeJob["outcome"]> {
    if (table === null && createDisposition === "CREATE_NEVER") {
      return failed("notFound", `Not found: Table ${id}`);
    }
    if (table !== null && writeDisposition === "WRITE_EMPTY" && table.rows.length > 0) {
      return failed("duplicate", `Already Exists: Table ${id}`);
    }
    const nowMs = this.world.nowMs();
    const there = table ?? this.made(resource);
    if (partition === "__UNPARTITIONED__") return failed("invalid", "No partition to write to");
    if (
      partition !== null &&
      JSON.stringify(there.resource["schema"]) !== JSON.stringify(resource["schema"])
    ) return failed("invalid", "Provided Schema does not match Table");
    if (partition !== null) {
      for (const [, some] of rows) there.writePartition(partition, some, nowMs);
    } else {
      there.write(rows, String(writeDisposition), nowMs);
      if (table !== null) there.resource = { ...there.resource, schema: resource["schema"] };
    }
    dataset?.tables.set(id, there);
    this.touch(there);
    return { statistics };
  }
}

function failed(reason: string, message: string) {
  return { error: { reason, message } };
}
