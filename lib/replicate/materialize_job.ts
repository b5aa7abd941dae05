import type { TableReference } from "../clients/bigquery/bigquery.ts";
import { usageError } from "../core/errors.ts";
import { jobId } from "./job_ids.ts";

/** What becomes of rows that are in the table already. */
export type Disposition = "WRITE_EMPTY" | "WRITE_TRUNCATE" | "WRITE_APPEND";

/** A query whose result becomes a table. */
export interface Materialization {
  readonly sql: string;
  readonly table: TableReference;
  readonly disposition: Disposition;
  readonly parameters: readonly Parameter[];
  readonly maximumBytesBilled: number | null;
  readonly timePartitioning: Readonly<Record<string, string>> | null;
  readonly rangePartitioning: Readonly<Record<string, unknown>> | null;
  readonly clustering: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
  readonly isLegacySql: boolean;
  readonly isBatch: boolean;
  /** Names this run: of the same name there is one, ever. Null: what is over is not looked at. */
  readonly runId: string | null;
}

/** A parameter of a query. */
export interface Parameter {
  /** Empty: by its position, for a `?`. */
  readonly name: string;
  /** `INT64`, `ARRAY<STRING>`. */
  readonly type: string;
  readonly value: string | readonly string[];
}

/** The configuration of the job. */
export function queryConfiguration(wanted: Materialization): Record<string, unknown> {
  const { sql, table, disposition, parameters, maximumBytesBilled, clustering, labels } = wanted;
  const query = {
    query: sql,
    useLegacySql: wanted.isLegacySql,
    ...(wanted.isLegacySql ? { allowLargeResults: true } : {}),
    // A cached result would be of another moment.
    useQueryCache: false,
    priority: wanted.isBatch ? "BATCH" : "INTERACTIVE",
    destinationTable: table,
    createDisposition: "CREATE_IF_NEEDED",
    writeDisposition: disposition,
    ...(maximumBytesBilled === null ? {} : { maximumBytesBilled: String(maximumBytesBilled) }),
    ...(wanted.timePartitioning === null ? {} : { timePartitioning: wanted.timePartitioning }),
    ...(wanted.rangePartitioning === null ? {} : { rangePartitioning: wanted.rangePartitioning }),
    ...(clustering.length === 0 ? {} : { clustering: { fields: clustering } }),
    ...(parameters.length === 0 ? {} : {
      parameterMode: parameters.some(({ name }) => name === "") ? "POSITIONAL" : "NAMED",
      queryParameters: parameters.map(queryParameter),
    }),
  };
  return { query, ...(labels.size === 0 ? {} : { labels: Object.fromEntries(labels) }) };
}

function queryParameter({ name, type, value }: Parameter): Record<string, unknown> {
  const [, element] = /^ARRAY<(.+)>$/.exec(type) ?? [];
  return {
    ...(name === "" ? {} : { name }),
    parameterType: element === undefined
      ? { type }
      : { type: "ARRAY", arrayType: { type: element } },
    parameterValue: typeof value === "string"
      ? { value }
      : { arrayValues: value.map((one) => ({ value: one })) },
  };
}

/**
 * The id of the job: derived from all that is asked for, so that a second process with the same wish
 * comes upon the first one's job. Without a run's name the day is in it, so that there are few ids to try.
 */
export function queryJobId(
  wanted: Materialization,
  location: string,
  day: string,
  generation: number,
): string {
  const configuration = JSON.stringify(queryConfiguration(wanted));
  const run = wanted.runId === null ? `day ${day}` : `run ${wanted.runId}`;
  return jobId("query", generation, location, configuration, run);
}

/** The day of a moment in UTC, `20260102`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10).replaceAll("-", "");
}

const scalars = new Set([
  ...["STRING", "BYTES", "INT64", "FLOAT64", "BOOL", "NUMERIC", "BIGNUMERIC"],
  ...["TIMESTAMP", "DATE", "TIME", "DATETIME", "GEOGRAPHY", "JSON", "INTERVAL"],
]);

/**
 * Reads `NAME:TYPE:VALUE` as bq does: without a name by position, without a type STRING; `ARRAY<INT64>` and
 * the like have a JSON array.
 *
 * @throws {SluiceError} `usage`
 */
export function parseParameter(text: string): Parameter {
  const [, name = "", written = "", value] = /^([A-Za-z_]\w*)?:([^:]*):([^]*)$/.exec(text) ?? [];
  const refuse = (why: string) => usageError(`read --parameter "${text}"`, why);
  if (value === undefined) {
    throw refuse("give NAME:TYPE:VALUE, for example day:DATE:2026-01-01; without a name :INT64:5");
  }
  const type = (written === "" ? "STRING" : written).toUpperCase()
    .replace(/\bINTEGER\b/, "INT64").replace(/\bFLOAT\b/, "FLOAT64").replace(/\bBOOLEAN\b/, "BOOL");
  const [, element] = /^ARRAY<(\w+)>$/.exec(type) ?? [];
  if (!scalars.has(element ?? type)) throw refuse(`${written} is no type that is known here`);
  if (element === undefined) return { name, type, value };
  let list: unknown;
  try {
    list = JSON.parse(value);
  } catch {
    list = null;
  }
  if (!Array.isArray(list) || list.some((one) => typeof one === "object")) {
    throw refuse('the value of an array is JSON, for example ["a","b"]');
  }
  return { name, type, value: list.map(String) };
}

/**
 * Reads `FIELD,START,END,INTERVAL`.
 *
 * @throws {SluiceError} `usage`
 */
export function parseRange(text: string): Record<string, unknown> {
  const [, field, start, end, interval] = /^([^,]+),(-?\d+),(-?\d+),([1-9]\d*)$/.exec(text) ?? [];
  if (field === undefined || start === undefined || BigInt(start) >= BigInt(end ?? 0)) {
    throw usageError(
      `read --range-partitioning "${text}"`,
      "give FIELD,START,END,INTERVAL, for example customer,0,1000,10",
    );
  }
  return { field, range: { start, end, interval } };
}
