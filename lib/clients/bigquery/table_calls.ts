import { googleOrNull } from "../../formats/google_error.ts";
import type { BigQueryClient } from "./bigquery.ts";
import type { Call } from "./call.ts";
import { pagesOf } from "./pages.ts";
import type {
  DatasetResource,
  RowAccessPolicy,
  TableEntry,
  TableReference,
  TableResource,
} from "./resources.ts";

type TableCalls = Pick<
  BigQueryClient,
  | "getDataset"
  | "listTables"
  | "getTable"
  | "createTable"
  | "patchTable"
  | "deleteTable"
  | "listRowAccessPolicies"
  | "createRowAccessPolicy"
>;

/** An entry as it comes. */
type ListedTable = Omit<TableEntry, "tableId"> & { readonly tableReference: TableReference };

const pageRows = 1_000;

/** The calls about datasets, tables and what hangs on tables. */
export function tableCalls(call: Call): TableCalls {
  return {
    getDataset: (projectId, datasetId) =>
      googleOrNull(() =>
        call<DatasetResource>(`read the dataset ${projectId}.${datasetId}`, {
          path: datasetPath(projectId, datasetId),
        })
      ),
    listTables: (projectId, datasetId) =>
      pagesOf(
        call,
        `list the tables of ${projectId}.${datasetId}`,
        { path: [...datasetPath(projectId, datasetId), "tables"], query: { maxResults: pageRows } },
        (page: { readonly tables?: readonly ListedTable[] }) => page.tables?.map(entryOf),
      ),
    getTable: (table) =>
      googleOrNull(() =>
        call<TableResource>(`read the table ${nameOf(table)}`, { path: tablePath(table) })
      ),
    createTable: (table, resource) =>
      call<TableResource>(`create the table ${nameOf(table)}`, {
        method: "POST",
        path: tablesPath(table),
        json: { ...resource, tableReference: table },
      }),
    patchTable: (table, patch, ifEtag) =>
      call<TableResource>(`change the table ${nameOf(table)}`, {
        method: "PATCH",
        path: tablePath(table),
        json: patch,
        ...(ifEtag === undefined ? {} : { headers: { "If-Match": ifEtag } }),
      }),
    deleteTable: async (table) => {
      await googleOrNull(() =>
        call(`delete the table ${nameOf(table)}`, { method: "DELETE", path: tablePath(table) })
      );
    },
    listRowAccessPolicies: (table) =>
      pagesOf(
        call,
        `list the row access policies of ${nameOf(table)}`,
        { path: [...tablePath(table), "rowAccessPolicies"] },
        (page: { readonly rowAccessPolicies?: readonly RowAccessPolicy[] }) =>
          page.rowAccessPolicies,
      ),
    createRowAccessPolicy: (table, policyId, resource) =>
      call<RowAccessPolicy>(`create the row access policy ${policyId} of ${nameOf(table)}`, {
        method: "POST",
        path: [...tablePath(table), "rowAccessPolicies"],
        json: { ...resource, rowAccessPolicyReference: { ...table, policyId } },
      }),
  };
}

function entryOf({ tableReference, ...entry }: ListedTable): TableEntry {
  return { ...entry, tableId: tableReference.tableId };
}

function datasetPath(projectId: string, datasetId: string): string[] {
  return ["projects", projectId, "datasets", datasetId];
}

function tablesPath({ projectId, datasetId }: TableReference): string[] {
  return [...datasetPath(projectId, datasetId), "tables"];
}

function tablePath(table: TableReference): string[] {
  return [...tablesPath(table), table.tableId];
}

function nameOf({ projectId, datasetId, tableId }: TableReference): string {
  return `${projectId}.${datasetId}.${tableId}`;
}
