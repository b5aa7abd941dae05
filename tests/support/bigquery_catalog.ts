import { notFound, Refusal } from "./google_proxy_calls.ts";
import { type Division, partedName } from "./bigquery_partitions.ts";
import { type Field, normalized } from "./bigquery_schema.ts";
import type { TableName } from "./bigquery_upstream.ts";

/** A dataset. */
export interface Dataset {
  readonly projectId: string;
  readonly datasetId: string;
  /** In capitals where it is one of the two large ones: `US`, `EU`, `europe-west2`. */
  readonly location: string;
  readonly resource: Readonly<Record<string, unknown>>;
}

/** What clients may set of a table. */
export type TableSettings = Division & {
  readonly schema?: { readonly fields?: readonly Field[] };
  readonly view?: { readonly query: string };
  readonly materializedView?: { readonly query: string };
  readonly [other: string]: unknown;
};

/** A table, a view, or anything else that has its place among them. */
export interface Table {
  readonly name: TableName;
  settings: TableSettings;
  type: string;
  rows: number;
  /** False while its first rows come: clients do not see it yet. */
  isThere: boolean;
  /** Counts changes; the etag is made of it. */
  version: number;
  readonly createdMs: number;
  modifiedMs: number;
  /** When each partition was changed. */
  readonly partitions: Map<string, number>;
}

/** What hangs on a dataset or table without rows: routines, row access policies. */
export type Attached = Record<string, unknown>;

/** Everything that BigQuery knows besides the rows. */
export class Catalog {
  readonly datasets = new Map<string, Dataset>();
  readonly tables = new Map<string, Table>();
  readonly routines = new Map<string, Attached>();
  readonly policies = new Map<string, Attached>();
  /** Differs from one proxy to the next, so that etags do. */
  readonly #salt = crypto.randomUUID().slice(0, 8);
  #lastMs = 0;

  /** The dataset; throws 404 without it, or when it is not in `location`. */
  dataset(projectId: string, datasetId: string, location?: string): Dataset {
    const found = this.datasets.get(`${projectId}.${datasetId}`);
    const isThere = found && (location === undefined || isSamePlace(found.location, location));
    if (isThere) return found;
    const where = location === undefined ? "" : ` was not found in location ${location}`;
    throw notFound(`Dataset ${projectId}:${datasetId}${where}`);
  }

  /** The table, whatever partition is named; throws 404 without it. */
  table(name: TableName, location?: string): Table {
    const { table } = partedName(name);
    this.dataset(table.projectId, table.datasetId, location);
    const found = this.tables.get(keyOf(table));
    if (found?.isThere) return found;
    const where = location === undefined ? "" : ` was not found in location ${location}`;
    throw notFound(`Table ${table.projectId}:${table.datasetId}.${table.tableId}${where}`);
  }

  /** Adds a table; throws 409 when there is one. */
  add(name: TableName, settings: TableSettings, isThere = true): Table {
    const { location } = this.dataset(name.projectId, name.datasetId);
    if (this.tables.has(keyOf(name))) {
      const { projectId, datasetId, tableId } = name;
      const message = `Already Exists: Table ${projectId}:${datasetId}.${tableId}`;
      throw new Refusal(409, "duplicate", message);
    }
    checkPlaces(settings, location);
    const nowMs = this.#nowMs();
    const table: Table = {
      name,
      settings: settled(settings),
      type: typeOf(settings),
      rows: 0,
      isThere,
      version: 1,
      createdMs: nowMs,
      modifiedMs: nowMs,
      partitions: new Map(),
    };
    this.tables.set(keyOf(name), table);
    return table;
  }

  /** Changes settings: those given, null takes one away. */
  patch(table: Table, patch: TableSettings): void {
    const { location } = this.dataset(table.name.projectId, table.name.datasetId);
    checkPlaces(patch, location);
    const changed: Record<string, unknown> = { ...table.settings, ...patch };
    if (isRecord(patch["labels"]) && isRecord(table.settings["labels"])) {
      changed["labels"] = { ...table.settings["labels"], ...patch["labels"] };
    }
    table.settings = settled(changed as TableSettings);
    this.touch(table);
  }

  /** Notes a change, of these partitions where rows have changed. */
  touch(table: Table, partitions: Iterable<string> = []): void {
    table.version++;
    table.modifiedMs = this.#nowMs();
    for (const one of partitions) table.partitions.set(one, table.modifiedMs);
  }

  /** The resource as tables.get gives it. */
  resourceOf(table: Table): Record<string, unknown> {
    const { projectId, datasetId, tableId } = table.name;
    const bytes = table.rows * 16 * Math.max(1, table.settings.schema?.fields?.length ?? 1);
    return {
      kind: "bigquery#table",
      id: `${projectId}:${datasetId}.${tableId}`,
      ...table.settings,
      etag: this.etagOf(table),
      tableReference: table.name,
      type: table.type,
      location: this.dataset(projectId, datasetId).location,
      creationTime: String(table.createdMs),
      lastModifiedTime: String(table.modifiedMs),
      numRows: String(table.rows),
      numBytes: String(bytes),
      numLongTermBytes: "0",
    };
  }

  etagOf(table: Table): string {
    return `"${this.#salt}-${table.createdMs}-${table.version}"`;
  }

  /** Tables of a dataset in the order of their ids. */
  tablesOf(projectId: string, datasetId: string): Table[] {
    return [...this.tables.values()]
      .filter((one) => one.isThere && one.name.projectId === projectId)
      .filter(({ name }) => name.datasetId === datasetId)
      .sort((a, b) => a.name.tableId < b.name.tableId ? -1 : 1);
  }

  /** The clock, never twice the same: changes are told apart by it. */
  #nowMs(): number {
    this.#lastMs = Math.max(Date.now(), this.#lastMs + 1);
    return this.#lastMs;
  }
}

/** The key of a table in {@linkcode Catalog.tables}. */
export function keyOf({ projectId, datasetId, tableId }: TableName): string {
  return `${projectId}.${datasetId}.${tableId}`;
}

/** Whether two names of locations mean the same. */
export function isSamePlace(a: string, b: string): boolean {
  return a.toUpperCase() === b.toUpperCase();
}

/** What BigQuery sets itself, or what is taken away by null, is no setting. */
function settled(settings: TableSettings): TableSettings {
  const own = [
    ...["kind", "id", "selfLink", "etag", "tableReference", "type", "location", "creationTime"],
    ...["lastModifiedTime", "numRows", "numBytes", "numLongTermBytes"],
  ];
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(settings)) {
    if (value === null || own.includes(name)) continue;
    kept[name] = name === "labels" && isRecord(value) ? withoutNulls(value) : value;
  }
  const fields = settings.schema?.fields;
  return { ...kept, ...(fields ? { schema: { fields: normalized(fields) } } : {}) };
}

function withoutNulls(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function typeOf(settings: TableSettings): string {
  if (typeof settings["type"] === "string") return settings["type"];
  if (settings.view) return "VIEW";
  if (settings.materializedView) return "MATERIALIZED_VIEW";
  return settings["externalDataConfiguration"] ? "EXTERNAL" : "TABLE";
}

/** Keys and policy tags have places of their own, which must be the dataset's. */
function checkPlaces(settings: TableSettings, location: string): void {
  const text = JSON.stringify([settings["encryptionConfiguration"], settings.schema]);
  for (const [, place = ""] of text.matchAll(/\/locations\/([\w-]+)\/(?:keyRings|taxonomies)\//g)) {
    if (isSamePlace(place, location)) continue;
    const message = `The key or policy tag in ${place} cannot be used in ${location}`;
    throw new Refusal(400, "invalid", message);
  }
}
