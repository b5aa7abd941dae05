import type {
  BigQueryClient,
  Cell,
  InsertedJob,
  JobError,
  JobResource,
  RoutineResource,
  TableReference,
  TableResource,
} from "../../lib/clients/bigquery/bigquery.ts";
import type { ObjectStore } from "../../lib/clients/gcs.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import type { World } from "../../lib/core/world.ts";
import { FakeTable, patched, refusal } from "./fake_tables.ts";

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

type Config = Record<string, Record<string, unknown>>;

/** BigQuery and Cloud Storage in memory, in the time of the test's world. */
export class FakeCloud {
  readonly datasets = new Map<string, Dataset>();
  readonly buckets = new Map<
    string,
    Map<string, { rows: string; generation: number; ms: number }>
  >();
  readonly jobs = new Map<string, FakeJob>();
  /** `METHOD WHAT` of every call, in their order. */
  readonly calls: string[] = [];
  jobMs = 2_000;
  isCopiedAcross = false;
  /** Before each call: what is thrown the call fails with; "lost": it is done, and the answer lost. */
  fault: (call: string) => SluiceError | "lost" | undefined = () => undefined;
  /** How a job ends instead. */
  jobFault: (jobId: string, configuration: Config) => JobError | undefined = () => undefined;
  /** Just before a job does its work. */
  onJob: (jobId: string, configuration: Config) => void = () => {};
  #etag = 0;

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
    table.etag = `etag/${++this.#etag}==`;
    table.modifiedMs = this.world.nowMs();
  }

  find({ projectId, datasetId, tableId }: TableReference) {
    const [id = "", partition = null] = tableId.split("$");
    const dataset = this.datasets.get(`${projectId}.${datasetId}`);
    return { dataset, id, partition, table: dataset?.tables.get(id) ?? null };
  }

  /** Every client of this cloud; `gate` is asked before each call and after what it did. */
  client(gate: (when: "before" | "after", call: string) => Promise<void> = async () => {}) {
    const call = async <T>(name: string, act: () => T): Promise<T> => {
      this.calls.push(name);
      await gate("before", name);
      const fault = this.fault(name);
      if (fault instanceof SluiceError) throw fault;
      this.#settle();
      const result = structuredClone(act());
      await gate("after", name);
      if (fault === "lost") throw refusal(503, "backendError", "the answer was lost");
      return result;
    };
    return { bigQuery: this.#bigQuery(call), store: this.#objectStore(call) };
  }

  #bigQuery(call: <T>(name: string, act: () => T) => Promise<T>): BigQueryClient {
    const getJob = (_projectId: string, jobId: string, location: string) =>
      call(`jobs.get ${jobId}`, () => {
        const job = this.jobs.get(jobId);
        return job === undefined || job.resource.jobReference.location !== location
          ? null
          : this.#shown(job);
      });
    return {
      ...this.#tableCalls(call),
      getJob,
      insertJob: async (projectId, jobId, location, configuration): Promise<InsertedJob> => {
        try {
          const job = await call(`jobs.insert ${jobId}`, () => {
            if (this.jobs.has(jobId)) throw refusal(409, "duplicate", `Already Exists: ${jobId}`);
            return this.#begin(projectId, jobId, location, configuration as Config);
          });
          return { job, attached: false };
        } catch (thrown) {
          const job = await getJob(projectId, jobId, location);
          if (job === null) throw thrown;
          return { job, attached: true };
        }
      },
      dryRun: (projectId, location, configuration) =>
        call("jobs.insert dry", () => ({
          jobReference: { projectId, jobId: "", location: location ?? "US" },
          status: { state: "DONE" as const },
          statistics: { totalBytesProcessed: "1000000000000" },
          configuration,
        })),
      cancelJob: (_p, jobId) => call(`jobs.cancel ${jobId}`, () => {}),
      queryRows: (_p, jobId) =>
        spread(call(`jobs.getQueryResults ${jobId}`, () => {
          const { query } = (this.jobs.get(jobId)?.resource.configuration as Config)["query"] ?? {};
          const [, name = ""] = /`([^`]+)` AS t/.exec(String(query)) ?? [];
          const [projectId = "", datasetId = "", tableId = ""] = name.split(".");
          const { table } = this.find({ projectId, datasetId, tableId });
          const parts = [...table?.partitions ?? []].filter(([, rows]) => rows.length > 0).sort();
          return parts.map(([part, rows]): readonly Cell[] => {
            const print = [...rows].sort().join("\n");
            return [part, String(rows.length), print, ""];
          });
        })),
    };
  }

  #tableCalls(call: <T>(name: string, act: () => T) => Promise<T>) {
    const shown = (ref: TableReference) => {
      const { dataset, table, partition } = this.find(ref);
      return table?.shown(ref, dataset?.location ?? "", partition) ?? null;
    };
    const change = (ref: TableReference, act: (table: FakeTable) => void): TableResource => {
      const { table } = this.find(ref);
      if (table === null) throw refusal(404, "notFound", `Not found: Table ${ref.tableId}`);
      act(table);
      this.touch(table);
      return shown(ref) as TableResource;
    };
    const list = (name: string) => this.datasets.get(name);
    return {
      getDataset: (projectId: string, datasetId: string) =>
        call(`datasets.get ${datasetId}`, () => {
          const found = list(`${projectId}.${datasetId}`);
          if (found === undefined) return null;
          return { datasetReference: { projectId, datasetId }, location: found.location };
        }),
      listTables: (projectId: string, datasetId: string) =>
        spread(
          call(`tables.list ${datasetId}`, () =>
            [...list(`${projectId}.${datasetId}`)?.tables ?? []].map(([tableId, table]) => ({
              tableId,
              type: String(table.resource["type"] ?? "TABLE"),
              labels: { ...table.labels() },
              creationTime: String(table.createdMs),
            }))),
        ),
      getTable: (ref: TableReference) => call(`tables.get ${ref.tableId}`, () => shown(ref)),
      createTable: (ref: TableReference, resource: Record<string, unknown>) =>
        call(`tables.insert ${ref.tableId}`, () => {
          const { dataset, id, table } = this.find(ref);
          if (table !== null) throw refusal(409, "duplicate", `Already Exists: ${id}`);
          const made = new FakeTable(resource, this.world.nowMs());
          dataset?.tables.set(id, made);
          this.touch(made);
          return shown(ref) as TableResource;
        }),
      patchTable: (ref: TableReference, patch: Record<string, unknown>) =>
        call(
          `tables.patch ${ref.tableId}`,
          () => change(ref, (table) => table.resource = patched(table.resource, patch)),
        ),
      deleteTable: (ref: TableReference) =>
        call(`tables.delete ${ref.tableId}`, () => {
          this.find(ref).dataset?.tables.delete(ref.tableId);
        }),
      listPartitions: (ref: TableReference) =>
        spread(call(`partitions ${ref.tableId}`, () => {
          const { table } = this.find(ref);
          return [...table?.partitions ?? []].map(([partitionId, rows]) => ({
            partitionId,
            totalRows: String(rows.length),
            totalLogicalBytes: "0",
            lastModifiedTime: String(table?.partitionMs.get(partitionId) ?? ""),
          }));
        })),
      ...this.#routineCalls(call),
      listRowAccessPolicies: (ref: TableReference) =>
        spread(
          call(`rowAccessPolicies.list ${ref.tableId}`, () =>
            [...this.find(ref).table?.policies ?? []].map(([policyId, { filterPredicate }]) => ({
              rowAccessPolicyReference: { ...ref, policyId },
              filterPredicate,
            }))),
        ),
      createRowAccessPolicy: (
        ref: TableReference,
        policyId: string,
        resource: Record<string, unknown>,
      ) =>
        call(`rowAccessPolicies.insert ${ref.tableId}`, () => {
          const { table } = this.find(ref);
          if (table?.policies.has(policyId)) throw refusal(409, "duplicate", "Already Exists");
          const filterPredicate = String(resource["filterPredicate"]);
          const grantees = resource["grantees"] as string[];
          table?.policies.set(policyId, { filterPredicate, grantees });
          return { rowAccessPolicyReference: { ...ref, policyId }, filterPredicate };
        }),
    };
  }

  #routineCalls(call: <T>(name: string, act: () => T) => Promise<T>) {
    const all = (ref: { projectId: string; datasetId: string }) =>
      this.datasets.get(`${ref.projectId}.${ref.datasetId}`)?.routines ?? new Map();
    type Reference = RoutineResource["routineReference"];
    const put = (ref: Reference, resource: Record<string, unknown>): RoutineResource => {
      const made = { ...resource, routineReference: ref } as unknown as RoutineResource;
      all(ref).set(ref.routineId, made);
      return made;
    };
    return {
      listRoutines: (projectId: string, datasetId: string) =>
        spread(
          call(`routines.list ${datasetId}`, () => [...all({ projectId, datasetId }).values()]),
        ),
      getRoutine: (ref: Reference) =>
        call(`routines.get ${ref.routineId}`, () => all(ref).get(ref.routineId) ?? null),
      createRoutine: (ref: Reference, resource: Record<string, unknown>) =>
        call(`routines.insert ${ref.routineId}`, () => {
          if (all(ref).has(ref.routineId)) throw refusal(409, "duplicate", "Already Exists");
          return put(ref, resource);
        }),
      updateRoutine: (ref: Reference, resource: Record<string, unknown>) =>
        call(`routines.update ${ref.routineId}`, () => put(ref, resource)),
    };
  }

  #objectStore(call: <T>(name: string, act: () => T) => Promise<T>): ObjectStore {
    return {
      list: (bucket, prefix) =>
        spread(
          call(`objects.list ${bucket}/${prefix}`, () =>
            [...this.buckets.get(bucket) ?? []].filter(([name]) =>
              name.startsWith(prefix)
            ).map((
              [name, { rows, generation, ms }],
            ) => ({
              name,
              sizeBytes: rows.length,
              generation: String(generation),
              createdMs: ms,
            }))),
        ),
      delete: (bucket, name) =>
        call(`objects.delete ${bucket}/${name}`, () => void this.buckets.get(bucket)?.delete(name)),
      copy: (from, to) =>
        call(`objects.rewrite ${from.bucket}/${from.name}`, () => {
          const object = this.buckets.get(from.bucket)?.get(from.name);
          if (object === undefined) throw refusal(404, "notFound", "No such object");
          this.buckets.get(to.bucket)?.set(to.name, { ...object });
        }),
      bucketLocation: (bucket) =>
        call(`buckets.get ${bucket}`, () => this.buckets.has(bucket) ? "US" : null),
    };
  }

  #begin(projectId: string, jobId: string, location: string, configuration: Config): JobResource {
    const resource: JobResource = {
      jobReference: { projectId, jobId, location },
      status: { state: "RUNNING" },
      configuration,
    };
    const job = { resource, endMs: this.world.nowMs() + this.jobMs, outcome: null };
    this.jobs.set(jobId, job);
    return this.#shown(job);
  }

  #shown({ resource, outcome, endMs }: FakeJob): JobResource {
    if (outcome === null) return resource;
    const { error, statistics } = outcome;
    const status = {
      state: "DONE" as const,
      ...(error ? { errorResult: error, errors: [error] } : {}),
    };
    return { ...resource, status, statistics: { ...statistics, endTime: String(endMs) } };
  }

  /** Jobs whose time has come do their work, each in one moment. */
  #settle(): void {
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
        generation: this.#etag++,
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
    { dataset, id, partition, table }: ReturnType<FakeCloud["find"]>,
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
    const there = table ?? new FakeTable(resource, nowMs);
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

async function* spread<T>(list: Promise<readonly T[]>): AsyncGenerator<T> {
  yield* await list;
}
