import {
  type Catalog,
  type Dataset,
  keyOf,
  type Table,
  type TableSettings,
} from "./bigquery_catalog.ts";
import { hasHidden, partedName, partitionSql } from "./bigquery_partitions.ts";
import type { Field } from "./bigquery_schema.ts";
import { type TableName, type Upstream, UpstreamError } from "./bigquery_upstream.ts";
import {
  bigQueryRoute as route,
  type GoogleCall,
  notFound,
  ok,
  Refusal,
  type Reply,
  type Route,
} from "./google_proxy_calls.ts";

const ofDataset = "/projects/{project}/datasets/{dataset}";
const ofTable = `${ofDataset}/tables/{table}`;
const ofRoutine = `${ofDataset}/routines/{routine}`;

/** The calls about datasets and what is in them. */
export function tableRoutes(
  catalog: Catalog,
  upstream: Upstream,
  options: {
    readonly pageRows: number;
    /** Is told the columns before a change of them. */
    readonly reshape: (table: Table, before: readonly Field[]) => Promise<void>;
  },
): Route[] {
  const get = async (call: GoogleCall): Promise<Reply> => {
    const name = nameIn(call);
    const table = catalog.table(name);
    const { partition } = partedName(name);
    if (partition === undefined) return ok(catalog.resourceOf(table));
    return ok(await partitionResource(catalog, upstream, table, partition));
  };
  return [
    route("GET", ofDataset, ({ names }) => ok(datasetResource(datasetIn(catalog, names)))),
    route("POST", "/projects/{project}/datasets", (call) => addDataset(catalog, upstream, call)),
    route("GET", `${ofDataset}/tables`, (call) => listTables(catalog, call, options.pageRows)),
    route("POST", `${ofDataset}/tables`, async ({ names, body }) => {
      const name = { ...datasetName(names), tableId: String(body?.tableReference?.tableId) };
      return ok(catalog.resourceOf(await addTable(catalog, upstream, name, body)));
    }),
    route("GET", ofTable, get),
    route("PATCH", ofTable, async (call) => {
      const table = catalog.table(nameIn(call));
      const wanted = call.headers["if-match"];
      if (wanted !== undefined && wanted !== catalog.etagOf(table)) {
        throw new Refusal(412, "conditionNotMet", "Precondition Failed");
      }
      const before = table.settings.schema?.fields ?? [];
      catalog.patch(table, call.body);
      await options.reshape(table, before);
      return ok(catalog.resourceOf(table));
    }),
    route("DELETE", ofTable, async (call) => {
      const table = catalog.table(nameIn(call));
      catalog.tables.delete(keyOf(table.name));
      await upstream.dropTable(table.name);
      return { status: 204 };
    }),
    ...attachedRoutes(catalog),
  ];
}

/**
 * Makes a table in the catalog and its rows' place in the emulator.
 *
 * @param options.isThere false: clients do not see it yet.
 */
export async function addTable(
  catalog: Catalog,
  upstream: Upstream,
  name: TableName,
  settings: TableSettings,
  { isThere = true }: { readonly isThere?: boolean } = {},
): Promise<Table> {
  const query = settings.view?.query ?? settings.materializedView?.query;
  if (query !== undefined) checkTables(catalog, query);
  const table = catalog.add(name, settings, isThere);
  try {
    if (table.settings.view) await upstream.createView(name, table.settings.view.query);
    else if (table.type === "TABLE") {
      const fields = table.settings.schema?.fields ?? [];
      await upstream.createTable(name, fields, hasHidden(table.settings));
    }
    return table;
  } catch (thrown) {
    catalog.tables.delete(keyOf(name));
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw thrown instanceof UpstreamError ? new Refusal(400, "invalid", message) : thrown;
  }
}

/** BigQuery looks at a view's tables when it is made. */
function checkTables(catalog: Catalog, query: string): void {
  for (const [, text = ""] of query.matchAll(/`([^`]+\.[^`]+\.[^`]+)`/g)) {
    const [projectId = "", datasetId = "", ...rest] = text.split(".");
    const tableId = rest.join(".");
    if (/INFORMATION_SCHEMA/i.test(text) || catalog.routines.has(text)) continue;
    catalog.table({ projectId, datasetId, tableId });
  }
}

async function partitionResource(
  catalog: Catalog,
  upstream: Upstream,
  table: Table,
  partition: string,
): Promise<Record<string, unknown>> {
  const expression = partitionSql(table.settings);
  if (expression === undefined) throw notFound(`Partition ${partition} of ${table.name.tableId}`);
  const rows = await upstream.count(table.name, `${expression} = '${partition}'`);
  const modifiedMs = table.partitions.get(partition) ?? table.modifiedMs;
  return {
    ...catalog.resourceOf(table),
    tableReference: { ...table.name, tableId: `${table.name.tableId}$${partition}` },
    lastModifiedTime: String(modifiedMs),
    etag: `"${partition}-${modifiedMs}"`,
    numRows: String(rows),
  };
}

async function addDataset(catalog: Catalog, upstream: Upstream, call: GoogleCall): Promise<Reply> {
  const projectId = call.names["project"] ?? "";
  const { datasetReference, location = "US", ...resource } = call.body;
  const datasetId = String(datasetReference.datasetId);
  if (catalog.datasets.has(`${projectId}.${datasetId}`)) {
    throw new Refusal(409, "duplicate", `Already Exists: Dataset ${projectId}:${datasetId}`);
  }
  await upstream.createDataset(projectId, datasetId);
  const dataset: Dataset = { projectId, datasetId, location, resource };
  catalog.datasets.set(`${projectId}.${datasetId}`, dataset);
  return ok(datasetResource(dataset));
}

function datasetResource({ projectId, datasetId, location, resource }: Dataset) {
  return {
    kind: "bigquery#dataset",
    id: `${projectId}:${datasetId}`,
    datasetReference: { projectId, datasetId },
    ...resource,
    location,
  };
}

/** The entries have what BigQuery's have, which is less than the table's resource. */
function listTables(catalog: Catalog, { names, query }: GoogleCall, pageRows: number): Reply {
  const { projectId, datasetId } = datasetIn(catalog, names);
  const all = catalog.tablesOf(projectId, datasetId);
  const from = Number(query.get("pageToken") ?? 0);
  const most = Math.min(pageRows, Number(query.get("maxResults") ?? 50));
  const tables = all.slice(from, from + most).map((table) => {
    const {
      labels,
      timePartitioning,
      rangePartitioning,
      clustering,
      expirationTime,
      friendlyName,
    } = table.settings as Record<string, unknown>;
    return {
      kind: "bigquery#table",
      tableReference: table.name,
      type: table.type,
      creationTime: String(table.createdMs),
      ...{ labels, timePartitioning, rangePartitioning, clustering, expirationTime, friendlyName },
    };
  });
  const isMore = from + most < all.length;
  return ok({
    kind: "bigquery#tableList",
    ...(tables.length > 0 ? { tables } : {}),
    totalItems: all.length,
    ...(isMore ? { nextPageToken: String(from + most) } : {}),
  });
}

/** Routines and row access policies: kept, and not carried out. */
function attachedRoutes({ routines, policies }: Catalog): Route[] {
  const keyOfRoutine = ({ names }: GoogleCall) =>
    `${names["project"]}.${names["dataset"]}.${names["routine"]}`;
  const under = (kept: Map<string, Record<string, unknown>>, prefix: string) =>
    [...kept].filter(([key]) => key.startsWith(prefix)).map(([, value]) => value);
  return [
    route("GET", `${ofDataset}/routines`, ({ names }) => {
      const found = under(routines, `${names["project"]}.${names["dataset"]}.`);
      return ok({
        routines: found.map(({ routineReference, routineType, language, etag }) => (
          { routineReference, routineType, language, etag }
        )),
      });
    }),
    route("POST", `${ofDataset}/routines`, ({ names, body }) => {
      const key = `${names["project"]}.${names["dataset"]}.${body.routineReference.routineId}`;
      if (routines.has(key)) throw new Refusal(409, "duplicate", `Already Exists: Routine ${key}`);
      routines.set(key, { ...body, etag: `"${crypto.randomUUID()}"` });
      return ok(routines.get(key));
    }),
    route("GET", ofRoutine, (call) => {
      const found = routines.get(keyOfRoutine(call));
      if (!found) throw notFound(`Routine ${keyOfRoutine(call)}`);
      return ok(found);
    }),
    route("PUT", ofRoutine, (call) => {
      const key = keyOfRoutine(call);
      if (!routines.has(key)) throw notFound(`Routine ${key}`);
      routines.set(key, { ...call.body, etag: `"${crypto.randomUUID()}"` });
      return ok(routines.get(key));
    }),
    route("GET", `${ofTable}/rowAccessPolicies`, (call) => {
      const found = under(policies, `${keyOf(nameIn(call))}/`);
      // A listing does not tell to whom they are granted.
      return ok({ rowAccessPolicies: found.map(({ grantees: _, ...policy }) => policy) });
    }),
    route("POST", `${ofTable}/rowAccessPolicies`, (call) => {
      const { policyId } = call.body.rowAccessPolicyReference;
      policies.set(`${keyOf(nameIn(call))}/${policyId}`, call.body);
      return ok(call.body);
    }),
  ];
}

function datasetName(names: Readonly<Record<string, string>>) {
  return { projectId: names["project"] ?? "", datasetId: names["dataset"] ?? "" };
}

function datasetIn(catalog: Catalog, names: Readonly<Record<string, string>>): Dataset {
  const { projectId, datasetId } = datasetName(names);
  return catalog.dataset(projectId, datasetId);
}

function nameIn({ names }: GoogleCall): TableName {
  return { ...datasetName(names), tableId: names["table"] ?? "" };
}
