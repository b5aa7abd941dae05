import {
  type Catalog,
  isSamePlace,
  keyOf,
  type Table,
  type TableSettings,
} from "./bigquery_catalog.ts";
import {
  beginningSql,
  currentPartition,
  hasHidden,
  partedName,
  partitionSql,
} from "./bigquery_partitions.ts";
import {
  columnsSql,
  emulated,
  type Field,
  hasType,
  hiddenColumn,
  written,
} from "./bigquery_schema.ts";
import { addTable } from "./bigquery_tables.ts";
import { quoted, type TableName, type Upstream, UpstreamError } from "./bigquery_upstream.ts";
import { type Objects, spoolBucket } from "./gcs_objects.ts";
import { Refusal } from "./google_proxy_calls.ts";

/** The dataset of the emulator for tables in between; the catalog does not know it. */
export const spoolDataset = { projectId: "sluice", datasetId: "spool" };

/** What a job does when rows are there already. */
export type Disposition =
  | "WRITE_EMPTY"
  | "WRITE_APPEND"
  | "WRITE_TRUNCATE"
  | "WRITE_TRUNCATE_DATA";

/** What moving rows needs. */
export interface Movers {
  readonly catalog: Catalog;
  readonly upstream: Upstream;
  readonly objects: Objects;
  /** Rows of one file of an extract. */
  readonly shardRows: number;
}

/** Where the rows of a job go. */
export interface Destination {
  readonly name: TableName;
  readonly disposition: Disposition;
  /** What the table becomes when it is not there, or is replaced; undefined: it has to be there. */
  readonly settings: TableSettings | undefined;
}

let spools = 0;

/** Moves rows between the emulator's tables and objects, whole or not at all. */
export class Moves {
  constructor(readonly movers: Movers) {}

  /** Writes a table's rows to objects. @returns how many objects. */
  async extract(source: TableName, uri: string, format: string): Promise<number> {
    const { upstream, objects, shardRows } = this.movers;
    const { table, fields, where } = this.#rowsOf(source);
    checkFormat(fields, format);
    const [, bucket = "", pattern = ""] = /^gs:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
    const parts = pattern.split("*");
    if (parts.length > 2) throw invalid(`More than one wildcard in ${uri}`);
    const rows = where === undefined ? table.rows : await upstream.count(table.name, where);
    const shards = parts.length === 2 ? Math.max(1, Math.ceil(rows / shardRows)) : 1;
    const columns = written(fields, format);
    const isPlain = columns === undefined && where === undefined && shards === 1 &&
      !hasHidden(table.settings);
    for (let shard = 0; shard < shards; shard++) {
      const part = shards === 1 ? "" : ` LIMIT ${shardRows} OFFSET ${shard * shardRows}`;
      const bytes = isPlain
        ? await this.#written(table.name, format)
        : await this.#spooled(columns ?? fields, async (spool) => {
          const from = `${quoted(table.name)} WHERE ${where ?? "TRUE"}${part}`;
          await upstream.sql(
            `INSERT INTO ${quoted(spool)} SELECT ${columnsSql(fields)} FROM ${from}`,
          );
          return await this.#written(spool, format);
        });
      const name = parts.join(parts.length === 2 ? String(shard).padStart(12, "0") : "");
      await objects.put(bucket, name, bytes);
    }
    return shards;
  }

  /** Takes the rows of objects into a table. @returns how many rows came. */
  async load(to: Destination, uris: readonly string[], format: string): Promise<number> {
    const { upstream, objects } = this.movers;
    const found = await Promise.all(uris.map((uri) => objects.matching(uri)));
    const missing = uris[found.findIndex((names) => names.length === 0)];
    if (missing !== undefined) throw new Refusal(404, "notFound", `Not found: Uris ${missing}`);
    const existing = this.#existing(to);
    const fields =
      (existing && to.disposition !== "WRITE_TRUNCATE" ? undefined : to.settings?.schema) ??
        existing?.settings.schema;
    if (!fields?.fields) {
      throw invalid("This stand-in finds out no schema: name it, or the table has it");
    }
    checkFormat(fields.fields, format);
    return await this.#spooled(fields.fields, async (spool) => {
      let rows = 0;
      for (const uri of found.flat()) rows = await upstream.load(spool, uri, format);
      await this.#take(to, spool, fields.fields ?? [], { rows });
      return rows;
    });
  }

  /** Copies rows from table to table. @returns how many. */
  async copy(to: Destination, sources: readonly TableName[]): Promise<number> {
    const { upstream } = this.movers;
    const [first] = sources;
    if (!first) throw invalid("A copy needs a source");
    const { table, fields, where } = this.#rowsOf(first);
    // Rows keep their partitions, unless one of them is copied under another name.
    const keeps = where === undefined && hasHidden(table.settings);
    return await this.#spooled(fields, async (spool) => {
      for (const source of sources) {
        const { table, where } = this.#rowsOf(source);
        if (where === undefined) await upstream.copy(table.name, spool);
        else {
          const select = `SELECT ${columnsSql(fields)} FROM ${quoted(table.name)}`;
          await upstream.sql(`INSERT INTO ${quoted(spool)} ${select} WHERE ${where}`);
        }
      }
      const rows = await upstream.count(spool);
      await this.#take(to, spool, fields, { rows, keeps });
      return rows;
    }, keeps);
  }

  /** Gives a table other columns; rows keep what both have. */
  async reshape(table: Table, before: readonly Field[]): Promise<void> {
    const { upstream } = this.movers;
    const after = table.settings.schema?.fields ?? [];
    const hidden = hasHidden(table.settings);
    const isSame =
      JSON.stringify(emulated(before, hidden)) === JSON.stringify(emulated(after, hidden));
    if (isSame || table.type !== "TABLE") return;
    const kept = after.filter(({ name }) => before.some((one) => one.name === name));
    const columns = columnsSql(
      hidden ? [...kept, { name: hiddenColumn, type: "TIMESTAMP" }] : kept,
    );
    await this.#spooled(after, async (spool) => {
      const select = `SELECT ${columns} FROM ${quoted(table.name)}`;
      await upstream.sql(`INSERT INTO ${quoted(spool)} (${columns}) ${select}`);
      await upstream.dropTable(table.name);
      await upstream.createTable(table.name, after, hidden);
      await upstream.copy(spool, table.name);
    }, hidden);
  }

  /** Takes the rows of a query into a table. */
  async query(to: Destination, sql: string, parameters: Record<string, unknown>): Promise<number> {
    const { upstream } = this.movers;
    const fields = to.settings?.schema?.fields ?? [];
    return await this.#spooled(fields, async (spool) => {
      await upstream.sql(`INSERT INTO ${quoted(spool)} ${sql}`, parameters);
      const rows = await upstream.count(spool);
      await this.#take(to, spool, fields, { rows });
      return rows;
    });
  }

  /** The table, its columns, and the condition of the partition that the name ends in. */
  #rowsOf(name: TableName) {
    const table = this.movers.catalog.table(name);
    if (table.type !== "TABLE") throw invalid(`${name.tableId} is no table but a ${table.type}`);
    const { partition } = partedName(name);
    const expression = partitionSql(table.settings);
    if (partition !== undefined && expression === undefined) {
      throw invalid(`${name.tableId}: the table has no partitions`);
    }
    const where = partition === undefined ? undefined : `${expression} = '${partition}'`;
    return { table, fields: table.settings.schema?.fields ?? [], where };
  }

  #existing(to: Destination): Table | undefined {
    const { table } = partedName(to.name);
    const found = this.movers.catalog.tables.get(keyOf(table));
    if (!found && to.settings === undefined) this.movers.catalog.table(table); // says 404
    return found;
  }

  /**
   * Rows go from the spool into the destination, by its disposition. All that can be wrong is looked at
   * first, and a new table is seen when it has its rows.
   */
  async #take(
    to: Destination,
    spool: TableName,
    fields: readonly Field[],
    { rows, keeps = false }: { readonly rows: number; readonly keeps?: boolean },
  ): Promise<void> {
    const { catalog, upstream } = this.movers;
    const { table: name, partition } = partedName(to.name);
    const found = this.#existing(to);
    const settings = found?.settings ?? to.settings ?? {};
    if (found && to.disposition === "WRITE_EMPTY") await this.#checkEmpty(found, partition);
    const partitions = await this.#partitionsOf(spool, settings, { partition, keeps });
    const isEmptied = found !== undefined && to.disposition.startsWith("WRITE_TRUNCATE");
    const isReplaced = isEmptied && to.disposition === "WRITE_TRUNCATE" && partition === undefined;
    const table = found ?? await addTable(catalog, upstream, name, settings, { isThere: false });
    try {
      if (isReplaced) {
        await upstream.dropTable(name);
        await upstream.createTable(name, fields, hasHidden(settings));
      } else if (isEmptied) {
        const where = partition === undefined
          ? "TRUE"
          : `${partitionSql(settings)} = '${partition}'`;
        await upstream.sql(`DELETE FROM ${quoted(name)} WHERE ${where}`);
      }
      const columns = isReplaced ? fields : settings.schema?.fields ?? [];
      const isSame = JSON.stringify(emulated(fields, false)) ===
        JSON.stringify(emulated(columns, false));
      if (isSame && (keeps || !hasHidden(settings))) await upstream.copy(spool, name);
      else await this.#insert(table, spool, fields, { partition: partitions[0], keeps });
      if (isReplaced && to.settings) table.settings = replaced(settings, to.settings);
      table.rows = isEmptied && !isReplaced
        ? await upstream.count(name)
        : rows + (isReplaced ? 0 : table.rows);
      table.isThere = true;
      catalog.touch(table, partitions);
    } catch (thrown) {
      if (!found) {
        catalog.tables.delete(keyOf(name));
        await upstream.dropTable(name);
      }
      throw thrown;
    }
  }

  async #checkEmpty(table: Table, partition: string | undefined): Promise<void> {
    const rows = partition === undefined ? table.rows : await this.movers.upstream.count(
      table.name,
      `${partitionSql(table.settings)} = '${partition}'`,
    );
    if (rows === 0) return;
    const { projectId, datasetId, tableId } = table.name;
    const message = `Already Exists: Table ${projectId}:${datasetId}.${tableId}`;
    throw new Refusal(409, "duplicate", message);
  }

  async #insert(
    table: Table,
    spool: TableName,
    fields: readonly Field[],
    { partition, keeps }: { readonly partition: string | undefined; readonly keeps: boolean },
  ): Promise<void> {
    const { upstream } = this.movers;
    const columns = columnsSql(fields);
    let [into, from] = [columns, columns];
    if (hasHidden(table.settings)) {
      into += `, ${hiddenColumn}`;
      from += `, ${keeps ? hiddenColumn : beginningSql(partition ?? "")}`;
    }
    const select = `SELECT ${from} FROM ${quoted(spool)}`;
    await upstream.sql(`INSERT INTO ${quoted(table.name)} (${into}) ${select}`);
  }

  /** The partitions that rows of the spool belong to; none for a table without partitions. */
  async #partitionsOf(
    spool: TableName,
    settings: TableSettings,
    { partition, keeps }: { readonly partition: string | undefined; readonly keeps: boolean },
  ): Promise<string[]> {
    const expression = partitionSql(settings);
    if (expression === undefined) {
      if (partition === undefined) return [];
      throw invalid(`There is no partition ${partition}: the table has none`);
    }
    if (hasHidden(settings) && !keeps) return [partition ?? currentPartition(settings)];
    const rows = await this.movers.upstream.sql(
      `SELECT DISTINCT ${expression} FROM ${quoted(spool)}`,
    );
    const found = rows.map(([id]) => String(id));
    const wrong = found.find((one) => partition !== undefined && one !== partition);
    if (wrong !== undefined) throw invalid(`Rows of ${wrong} do not belong into $${partition}`);
    return found;
  }

  /** Gives `act` an empty table of these columns, and drops it afterwards. */
  async #spooled<T>(
    fields: readonly Field[],
    act: (spool: TableName) => Promise<T>,
    hasHidden = false,
  ): Promise<T> {
    const { upstream } = this.movers;
    const spool = { ...spoolDataset, tableId: `t${++spools}` };
    await upstream.createTable(spool, fields, hasHidden);
    try {
      return await act(spool);
    } finally {
      await upstream.dropTable(spool);
    }
  }

  /** The file that the emulator makes of a table. */
  async #written(table: TableName, format: string): Promise<Uint8Array<ArrayBuffer>> {
    const name = `f${++spools}`;
    await this.movers.upstream.extract(table, `gs://${spoolBucket}/${name}`, format);
    const path = `${this.movers.objects.folder}/${spoolBucket}/${name}`;
    const bytes = await Deno.readFile(path);
    await Deno.remove(path);
    return bytes;
  }
}

/** Where a job's rows go. */
export function destinationOf(
  // deno-lint-ignore no-explicit-any -- whatever a client sends
  configuration: Record<string, any>,
  settings: TableSettings,
  usual: Disposition,
): Destination {
  const isMade = configuration["createDisposition"] !== "CREATE_NEVER";
  return {
    name: configuration["destinationTable"],
    disposition: configuration["writeDisposition"] ?? usual,
    settings: isMade ? settings : undefined,
  };
}

/** What WRITE_TRUNCATE leaves of a table's settings: the new schema, and no constraints. */
function replaced(old: TableSettings, { schema }: TableSettings): TableSettings {
  const { tableConstraints: _, ...kept } = old;
  return { ...kept, ...(schema ? { schema } : {}) };
}

/** BigQuery's own limits of the formats. */
function checkFormat(fields: readonly Field[], format: string): void {
  const wrong: Readonly<Record<string, readonly string[]>> = {
    AVRO: ["RANGE"],
    PARQUET: ["JSON", "RANGE"],
    CSV: ["RECORD", "RANGE"],
    NEWLINE_DELIMITED_JSON: [],
  };
  const types = wrong[format];
  if (!types) throw invalid(`Unknown format ${format}`);
  if (hasType(fields, types)) throw invalid(`${format} cannot hold ${types.join(" or ")}`);
}

/** Whether objects of a bucket and tables of a dataset may be used together. */
export function isColocated(dataset: string, bucket: string): boolean {
  if (isSamePlace(dataset, bucket) || isSamePlace(dataset, "US")) return true;
  return isSamePlace(dataset, "EU") && /^europe-/i.test(bucket);
}

/** An error of the request or of the data. */
export function invalid(message: string): Refusal {
  return new Refusal(400, "invalid", message);
}

/** Anything that moving rows has thrown, as the error of a job. */
export function jobErrorOf(thrown: unknown): { readonly reason: string; readonly message: string } {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof Refusal) return { reason: thrown.reason, message };
  // What the emulator calls an internal error it cannot do: another try does not help.
  if (thrown instanceof UpstreamError) {
    return { reason: thrown.reason === "internalError" ? "invalid" : thrown.reason, message };
  }
  return { reason: "stopped", message: `A defect of the stand-in: ${message}` };
}
