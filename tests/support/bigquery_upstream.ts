import { emulated, type Field } from "./bigquery_schema.ts";

/** Names a table. */
export interface TableName {
  readonly projectId: string;
  readonly datasetId: string;
  readonly tableId: string;
}

/** A value of a row as the API has it. */
export type Value = string | null | readonly { readonly v: Value }[] | {
  readonly f: readonly { readonly v: Value }[];
};

/** What the emulator said no to. */
export class UpstreamError extends Error {
  constructor(readonly reason: string, message: string) {
    super(message);
  }
}

interface Answer {
  readonly status?: {
    readonly errorResult?: { readonly reason: string; readonly message: string };
  };
  readonly statistics?: { readonly load?: { readonly outputRows?: string } };
  readonly error?: { readonly message: string; readonly errors?: readonly { reason: string }[] };
  readonly errors?: readonly { readonly reason: string; readonly message: string }[];
  readonly rows?: readonly { readonly f: readonly { readonly v: Value }[] }[];
}

/** The emulator behind the proxy, which keeps the rows and their columns and nothing else. */
export class Upstream {
  #jobs = 0;

  /** @param endpoint its URL. */
  constructor(readonly endpoint: string) {}

  async createDataset(projectId: string, datasetId: string): Promise<void> {
    await this.call("POST", `/projects/${projectId}/datasets`, {
      datasetReference: { projectId, datasetId },
    });
  }

  /** Makes a table that can hold the rows of these columns. */
  async createTable(table: TableName, fields: readonly Field[], hasHidden = false): Promise<void> {
    const { projectId, datasetId } = table;
    await this.call("POST", `/projects/${projectId}/datasets/${datasetId}/tables`, {
      tableReference: table,
      schema: { fields: emulated(fields, hasHidden) },
    });
  }

  /** Makes a view, so that queries over it work. */
  async createView(table: TableName, query: string): Promise<void> {
    const { projectId, datasetId } = table;
    await this.call("POST", `/projects/${projectId}/datasets/${datasetId}/tables`, {
      tableReference: table,
      view: { query, useLegacySql: false },
    });
  }

  async dropTable({ projectId, datasetId, tableId }: TableName): Promise<void> {
    const path = `/projects/${projectId}/datasets/${datasetId}/tables/${tableId}`;
    await this.call("DELETE", path).catch(() => {}); // a view has no table to drop
  }

  /** Runs one statement and gives its rows. */
  async sql(query: string, more: Record<string, unknown> = {}): Promise<Value[][]> {
    const body = { query, useLegacySql: false, maxResults: 1_000_000, ...more };
    const answer = await this.call("POST", "/projects/sluice/queries", body);
    const [wrong] = answer.errors ?? [];
    if (wrong) throw new UpstreamError(wrong.reason, wrong.message);
    return (answer.rows ?? []).map(({ f }) => f.map(({ v }) => v));
  }

  /** How many rows there are, those of one condition with it. */
  async count(table: TableName, where = "TRUE"): Promise<number> {
    const [row] = await this.sql(`SELECT COUNT(*) FROM ${quoted(table)} WHERE ${where}`);
    return Number(row?.[0]);
  }

  /** Writes all rows into one file. */
  async extract(sourceTable: TableName, uri: string, destinationFormat: string): Promise<void> {
    await this.#job({ extract: { sourceTable, destinationUris: [uri], destinationFormat } });
  }

  /** Adds the rows of a file. @returns how many rows the table has now. */
  async load(destinationTable: TableName, uri: string, sourceFormat: string): Promise<number> {
    const answer = await this.#job({
      load: {
        destinationTable,
        sourceUris: [uri],
        sourceFormat,
        createDisposition: "CREATE_NEVER",
        writeDisposition: "WRITE_APPEND",
      },
    });
    return Number(answer.statistics?.load?.outputRows);
  }

  /** Adds all rows of a table of the same columns. */
  async copy(sourceTable: TableName, destinationTable: TableName): Promise<void> {
    const writeDisposition = "WRITE_APPEND";
    await this.#job({ copy: { sourceTable, destinationTable, writeDisposition } });
  }

  /** Any call; throws what the emulator refuses. */
  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.endpoint}/bigquery/v2${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer = (text === "" ? {} : JSON.parse(text)) as Answer;
    if (response.ok) return answer;
    const reason = answer.error?.errors?.[0]?.reason ?? "internalError";
    throw new UpstreamError(reason, `${method} ${path}: ${answer.error?.message ?? text}`);
  }

  async #job(configuration: Record<string, unknown>): Promise<Answer> {
    const jobReference = { projectId: "sluice", jobId: `sluice-${++this.#jobs}` };
    const answer = await this.call("POST", "/projects/sluice/jobs", {
      jobReference,
      configuration,
    });
    const failed = answer.status?.errorResult;
    if (failed) throw new UpstreamError(failed.reason, failed.message);
    return answer;
  }
}

/** The table's name for SQL. */
export function quoted({ projectId, datasetId, tableId }: TableName): string {
  return `\`${projectId}.${datasetId}.${tableId}\``;
}
