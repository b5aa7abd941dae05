import { type Catalog, keyOf, type Table } from "./bigquery_catalog.ts";
import { destinationOf, invalid, type Moves } from "./bigquery_moves.ts";
import { partitionSql } from "./bigquery_partitions.ts";
import { type Field, hiddenColumn } from "./bigquery_schema.ts";
import { quoted } from "./bigquery_upstream.ts";
import { type GoogleCall, ok, Refusal, type Reply } from "./google_proxy_calls.ts";

// deno-lint-ignore no-explicit-any -- whatever a client sends
type Body = Record<string, any>;

/** The rows of a query in the shape of the API. */
interface Result {
  readonly schema: unknown;
  readonly rows: readonly unknown[];
}

/** Queries: those that only ask, and those whose rows go into a table. */
export class QueryRuns {
  readonly #results = new Map<string, Result>();

  constructor(readonly moves: Moves) {}

  /** Runs a query job. @returns its statistics. */
  async run(key: string, projectId: string, query: Body): Promise<Record<string, unknown>> {
    const { upstream } = this.moves.movers;
    const preview = await this.dryRun(projectId, { configuration: { query } });
    const { totalBytesProcessed } = preview.statistics;
    const most = query["maximumBytesBilled"];
    if (most !== undefined && BigInt(totalBytesProcessed) > BigInt(most)) {
      const message =
        `Query exceeded limit for bytes billed: ${most}. ${totalBytesProcessed} needed.`;
      throw new Refusal(400, "bytesBilledLimitExceeded", message);
    }
    if (query["destinationTable"]) {
      const { schema } = preview.statistics.query;
      const { timePartitioning, rangePartitioning, clustering } = query;
      const settings = JSON.parse(
        JSON.stringify({ schema, timePartitioning, rangePartitioning, clustering }),
      );
      const to = destinationOf(query, settings, "WRITE_EMPTY");
      await this.moves.query({ ...to, settings }, asked(query), parametersOf(query));
    } else {
      const body = { ...parametersOf(query), query: asked(query), useLegacySql: false };
      const answer = await upstream.call("POST", `/projects/${projectId}/queries`, {
        ...body,
        maxResults: 10_000_000,
      }) as Body;
      const [wrong] = answer["errors"] ?? [];
      if (wrong) throw new Refusal(400, wrong.reason, wrong.message);
      this.#results.set(key, { schema: answer["schema"], rows: answer["rows"] ?? [] });
      await this.#afterChange(query["query"]);
    }
    const { statementType } = preview.statistics.query;
    const bytes = { totalBytesProcessed, totalBytesBilled: totalBytesProcessed };
    return { totalBytesProcessed, query: { ...bytes, statementType, cacheHit: false } };
  }

  /** A page of the rows of a job that is done. */
  rowsOf(key: string, jobReference: unknown, query: URLSearchParams): Reply {
    const { schema, rows } = this.#results.get(key) ?? { schema: { fields: [] }, rows: [] };
    const from = Number(query.get("pageToken") ?? 0);
    const to = from + Number(query.get("maxResults") ?? 10_000);
    return ok({
      kind: "bigquery#getQueryResultsResponse",
      jobReference,
      jobComplete: true,
      schema,
      totalRows: String(rows.length),
      rows: rows.slice(from, to),
      ...(to < rows.length ? { pageToken: String(to) } : {}),
    });
  }

  /** jobs.query: the same at once. */
  async ask(call: GoogleCall): Promise<Reply> {
    const body: Body = call.body;
    const projectId = call.names["project"] ?? "";
    const listed = /`([^`]+)\.([^`]+)\.INFORMATION_SCHEMA\.PARTITIONS`/.exec(body["query"]);
    const jobReference = {
      projectId,
      jobId: `sluice_${crypto.randomUUID()}`,
      location: body["location"] ?? "US",
    };
    if (listed) {
      const [, project = "", dataset = ""] = listed;
      const tableId = body["queryParameters"]?.[0]?.parameterValue?.value;
      const { catalog } = this.moves.movers;
      catalog.dataset(project, dataset, jobReference.location);
      const table = catalog.tables.get(keyOf({ projectId: project, datasetId: dataset, tableId }));
      const rows = table ? await this.#partitions(table) : [];
      return ok({ jobReference, jobComplete: true, totalRows: String(rows.length), rows });
    }
    const key = jobReference.jobId;
    await this.run(key, projectId, body);
    return this.rowsOf(key, jobReference, new URLSearchParams());
  }

  /** Checks a query and tells its columns and bytes. */
  async dryRun(projectId: string, body: Body) {
    const { upstream, catalog } = this.moves.movers;
    const { query } = body["configuration"];
    if (!query) throw invalid("A dry run is of a query");
    const answer = await upstream.call("POST", `/projects/${projectId}/jobs`, {
      jobReference: { projectId, jobId: `dry-${crypto.randomUUID()}` },
      configuration: {
        dryRun: true,
        query: { ...query, query: asked(query), useLegacySql: false },
      },
    }) as Body;
    const found = answer["statistics"].query;
    const totalBytesProcessed = String(bytesOf(catalog, query.query));
    const { statementType, schema } = found as {
      statementType: string;
      schema: { fields: Field[] };
    };
    return {
      kind: "bigquery#job",
      configuration: body["configuration"],
      jobReference: { projectId, location: body["jobReference"]?.location ?? "US" },
      status: { state: "DONE" },
      statistics: {
        totalBytesProcessed,
        query: { totalBytesProcessed, statementType, schema },
      },
    };
  }

  async #partitions(table: Table): Promise<unknown[]> {
    const expression = partitionSql(table.settings);
    if (expression === undefined) return [];
    const rows = await this.moves.movers.upstream.sql(
      `SELECT ${expression} AS id, COUNT(*) FROM ${quoted(table.name)} GROUP BY 1 ORDER BY 1`,
    );
    return rows.map(([id, count]) => {
      const bytes = String(Number(count) * 16);
      const modified = String(table.partitions.get(String(id)) ?? table.modifiedMs);
      return { f: [id, count, bytes, modified].map((v) => ({ v })) };
    });
  }

  /** DML has changed rows: the tables that it names count as changed. */
  async #afterChange(sql: string): Promise<void> {
    if (!/^\s*(INSERT|UPDATE|DELETE|MERGE|TRUNCATE)\b/i.test(sql)) return;
    const { catalog, upstream } = this.moves.movers;
    const table = tablesIn(catalog, sql)[0];
    if (!table) return;
    table.rows = await upstream.count(table.name);
    catalog.touch(table, table.partitions.keys());
  }
}

/** The SQL as the emulator understands it. */
function asked(query: Body): string {
  return String(query["query"])
    .replace(/\b_PARTITIONTIME\b/gi, hiddenColumn)
    .replace(/\b_PARTITIONDATE\b/gi, `DATE(${hiddenColumn})`);
}

function parametersOf({ parameterMode, queryParameters }: Body): Record<string, unknown> {
  return queryParameters === undefined ? {} : { parameterMode, queryParameters };
}

/** The bytes of all tables that a query names. */
function bytesOf(catalog: Catalog, sql: string): number {
  const named = tablesIn(catalog, sql).map((table) =>
    Number(catalog.resourceOf(table)["numBytes"])
  );
  return named.reduce((sum, one) => sum + one, 0);
}

function tablesIn(catalog: Catalog, sql: string): Table[] {
  return [...sql.matchAll(/`([^`]+)`/g)].flatMap(([, name = ""]) => {
    const found = catalog.tables.get(name);
    return found ? [found] : [];
  });
}
