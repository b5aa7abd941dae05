import type {
  BigQueryClient,
  Cell,
  InsertedJob,
  RoutineResource,
  TableReference,
  TableResource,
} from "../../lib/clients/bigquery/bigquery.ts";
import type { ObjectStore } from "../../lib/clients/gcs.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { type Config, FakeState } from "./fake_state.ts";
import { type FakeTable, patched, refusal } from "./fake_tables.ts";

/** The clients of a cloud in memory. */
export class FakeCloud extends FakeState {
  /** Every client of this cloud; `gate` is asked before each call and after what it did. */
  client(gate: (when: "before" | "after", call: string) => Promise<void> = async () => {}) {
    const call = async <T>(name: string, act: () => T): Promise<T> => {
      this.calls.push(name);
      await gate("before", name);
      const fault = this.fault(name);
      if (fault instanceof SluiceError) throw fault;
      this.settle();
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
          : this.shown(job);
      });
    return {
      ...this.#tableCalls(call),
      getJob,
      insertJob: async (projectId, jobId, location, configuration): Promise<InsertedJob> => {
        try {
          const job = await call(`jobs.insert ${jobId}`, () => {
            if (this.jobs.has(jobId)) throw refusal(409, "duplicate", `Already Exists: ${jobId}`);
            return this.begin(projectId, jobId, location, configuration as Config);
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
          const expires = this.expirationMs === undefined
            ? {}
            : { defaultTableExpirationMs: this.expirationMs };
          return {
            datasetReference: { projectId, datasetId },
            location: found.location,
            ...expires,
          };
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
          const made = this.made(resource);
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
      ...this.#routineCalls(call),
      ...this.#policyCalls(call),
    };
  }

  #policyCalls(call: <T>(name: string, act: () => T) => Promise<T>) {
    return {
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
}

async function* spread<T>(list: Promise<readonly T[]>): AsyncGenerator<T> {
  yield* await list;
}
