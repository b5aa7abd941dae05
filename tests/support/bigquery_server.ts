import { bigQueryEmulator } from "./bigquery_artifacts.ts";
import { Catalog, keyOf, type TableSettings } from "./bigquery_catalog.ts";
import { Jobs } from "./bigquery_jobs.ts";
import { Moves, spoolDataset } from "./bigquery_moves.ts";
import { partedName, partitionSql } from "./bigquery_partitions.ts";
import { columnsSql } from "./bigquery_schema.ts";
import { addTable, tableRoutes } from "./bigquery_tables.ts";
import { quoted, type TableName, Upstream } from "./bigquery_upstream.ts";
import { gcsServerPath } from "./gcs_artifacts.ts";
import { Objects, spoolBucket } from "./gcs_objects.ts";
import { GoogleProxy } from "./google_proxy.ts";
import { freePort, waitForPort } from "./ports.ts";
import { makeServerFolder, type ServerProcess, startProcess } from "./processes.ts";

/** How BigQuery is wanted. */
export interface BigQueryServerOptions {
  /** How long a job takes at least. @default 0 */
  readonly jobLatencyMs?: number;
  /** Rows of one file of an extract. @default 1,000,000 */
  readonly shardRows?: number;
  /** Tables of one page of a listing at most. @default 1,000 */
  readonly pageRows?: number;
  /** The port of the proxy; a free one without it. */
  readonly port?: number;
}

/**
 * BigQuery and Cloud Storage on 127.0.0.1: an emulator and a real server of objects keep rows and
 * files; the proxy before them keeps what they do not (metadata, job ids, locations), records every
 * call and injects faults. Ends with `await using`.
 */
export class BigQueryServer implements AsyncDisposable {
  readonly catalog = new Catalog();
  readonly objects: Objects;
  readonly moves: Moves;
  readonly #upstream: Upstream;
  readonly #processes: ServerProcess[] = [];
  #jobs: Jobs | undefined;
  #proxy: GoogleProxy | undefined;

  private constructor(
    readonly folder: string,
    readonly ports: { readonly rest: number; readonly grpc: number; readonly objects: number },
    readonly options: BigQueryServerOptions,
  ) {
    const objectsFolder = `${folder}/objects`;
    this.#upstream = new Upstream(`http://127.0.0.1:${ports.rest}`);
    this.objects = new Objects(`http://127.0.0.1:${ports.objects}`, objectsFolder);
    this.moves = new Moves({
      catalog: this.catalog,
      upstream: this.#upstream,
      objects: this.objects,
      shardRows: options.shardRows ?? 1_000_000,
    });
  }

  static async start(options: BigQueryServerOptions): Promise<BigQueryServer> {
    const folder = await makeServerFolder("bigquery");
    const ports = { rest: freePort(), grpc: freePort(), objects: freePort() };
    const server = new BigQueryServer(folder, ports, options);
    try {
      await server.#begin();
    } catch (thrown) {
      await server.stop();
      throw thrown;
    }
    return server;
  }

  /** The URL to give as endpoint, of both services. */
  get endpoint(): string {
    return this.proxy.endpoint;
  }

  /** Records calls and injects faults. */
  get proxy(): GoogleProxy {
    if (!this.#proxy) throw new Error("This BigQuery does not run");
    return this.#proxy;
  }

  get jobs(): Jobs {
    if (!this.#jobs) throw new Error("This BigQuery does not run");
    return this.#jobs;
  }

  /** For a process that uses the server; no credentials of this machine's own are looked for. */
  env(): Record<string, string> {
    return { BIGQUERY_EMULATOR_HOST: this.endpoint, STORAGE_EMULATOR_HOST: this.endpoint };
  }

  /** Makes a dataset as a client would. */
  async createDataset(projectId: string, datasetId: string, location: string): Promise<void> {
    await this.#upstream.createDataset(projectId, datasetId);
    const dataset = { projectId, datasetId, location, resource: {} };
    this.catalog.datasets.set(`${projectId}.${datasetId}`, dataset);
  }

  async createBucket(name: string, location: string): Promise<void> {
    await this.objects.createBucket(name, location);
  }

  /** Makes a table with the settings of a table resource: schema, partitions, labels, and so on. */
  async createTable(name: TableName, settings: TableSettings): Promise<void> {
    await addTable(this.catalog, this.#upstream, name, settings);
  }

  /**
   * Adds rows, by column, as in BigQuery's NDJSON: BYTES in base64, RANGE as {start, end}, INTERVAL as
   * "1 year 2 months 3 days 04:05:06", numbers of many digits as texts.
   *
   * @param name may end in `$PARTITION`.
   */
  async insert(name: TableName, rows: readonly Record<string, unknown>[]): Promise<void> {
    const file = `insert-${crypto.randomUUID()}`;
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
    const bytes = new TextEncoder().encode(lines);
    await this.objects.put(spoolBucket, file, bytes);
    const to = { name, disposition: "WRITE_APPEND" as const, settings: undefined };
    await this.moves.load(to, [`gs://${spoolBucket}/${file}`], "NEWLINE_DELIMITED_JSON");
    await Deno.remove(`${this.objects.folder}/${spoolBucket}/${file}`);
  }

  /** The rows of a table, each as JSON with the id of its partition, in order of the texts. */
  async rows(name: TableName): Promise<string[]> {
    const table = this.catalog.table(name);
    const columns = columnsSql(table.settings.schema?.fields ?? []);
    const expression = partitionSql(table.settings);
    const { partition } = partedName(name);
    const where = partition === undefined ? "TRUE" : `${expression} = '${partition}'`;
    const select = `SELECT ${expression ?? "''"}, ${columns} FROM ${quoted(table.name)}`;
    const found = await this.#upstream.sql(`${select} WHERE ${where}`);
    return found.map((row) => JSON.stringify(row)).sort();
  }

  /** The table as tables.get gives it; undefined without it. */
  table(name: TableName): Record<string, unknown> | undefined {
    const found = this.catalog.tables.get(keyOf(name));
    return found?.isThere ? this.catalog.resourceOf(found) : undefined;
  }

  /** Ends everything and removes the data. */
  async stop(): Promise<void> {
    this.#jobs?.stop();
    await this.#proxy?.[Symbol.asyncDispose]();
    this.#proxy = undefined;
    for (const one of this.#processes) {
      one.signal("SIGKILL"); // the data goes away in the next moment
      await one.ended;
    }
    await Deno.remove(this.folder, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #begin(): Promise<void> {
    await Deno.mkdir(this.objects.folder);
    const [emulator, server] = await Promise.all([bigQueryEmulator(), gcsServerPath()]);
    const address = `127.0.0.1:${this.ports.objects}`;
    await this.#start({
      name: "objects",
      command: server,
      args: [
        ...["-scheme", "http", "-host", "127.0.0.1", "-port", String(this.ports.objects)],
        ...["-backend", "filesystem", "-filesystem-root", this.objects.folder],
        ...["-public-host", address, "-external-url", `http://${address}`, "-log-level", "warn"],
      ],
    });
    await this.#start({
      name: "bigquery",
      command: emulator.command,
      args: [
        ...["start", "--project", "sluice", "--log-format", "json", "--log-level", "warning"],
        ...["--rest-port", String(this.ports.rest), "--grpc-port", String(this.ports.grpc)],
      ],
      env: {
        HOME: emulator.home,
        BQEMU_GCS_LOCAL_ROOT: this.objects.folder,
        TMPDIR: this.folder, // it leaves a folder for uploads
      },
    });
    await Promise.all([this.ports.objects, this.ports.rest].map((port) => waitForPort(port)));
    await this.#upstream.createDataset(spoolDataset.projectId, spoolDataset.datasetId);
    await this.objects.createBucket(spoolBucket, "US");
    const { jobLatencyMs = 0, pageRows = 1_000, port } = this.options;
    this.#jobs = new Jobs(this.moves, jobLatencyMs, (call) => this.proxy.failing.get(call));
    this.#proxy = await GoogleProxy.start([
      ...tableRoutes(this.catalog, this.#upstream, {
        pageRows,
        reshape: (table, before) => this.moves.reshape(table, before),
      }),
      ...this.#jobs.routes(),
      ...this.objects.routes(),
    ], port);
  }

  async #start(
    plan: Omit<Parameters<typeof startProcess>[0], "folder">,
  ): Promise<void> {
    this.#processes.push(await startProcess({ ...plan, folder: this.folder }));
  }
}

/** Starts BigQuery and Cloud Storage, empty, and waits until they answer. */
export function startBigQuery(options: BigQueryServerOptions = {}): Promise<BigQueryServer> {
  return BigQueryServer.start(options);
}
