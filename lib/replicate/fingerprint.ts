import type { Cell, TableReference, TableResource } from "../clients/bigquery/bigquery.ts";
import { type JobRequest, nameOf } from "./configurations.ts";
import { jobId } from "./job_ids.ts";
import type { Known, Work } from "./states.ts";

/**
 * The query for a table's fingerprint: for each partition the number of its rows and two sums over the
 * hashes of all of them, in which the order of rows does not matter. It reads the whole table.
 */
export function fingerprintSql(table: TableReference, source: TableResource): string {
  const { partition, filter } = partitionOf(source);
  // A name cannot hold a backtick.
  return `SELECT part, COUNT(*) AS n, ` +
    `CAST(BIT_XOR(h) AS STRING) AS x, CAST(SUM(MOD(h, 1000000007)) AS STRING) AS s ` +
    `FROM (SELECT CAST(${partition} AS STRING) AS part, ` +
    `FARM_FINGERPRINT(TO_JSON_STRING(t)) AS h FROM \`${nameOf(table)}\` AS t${filter}) ` +
    `GROUP BY part ORDER BY part`;
}

function partitionOf(
  { timePartitioning: time, rangePartitioning: range, schema, requirePartitionFilter }:
    TableResource,
): { readonly partition: string; readonly filter: string } {
  const column = time?.field ?? range?.field;
  if (time === undefined && column === undefined) return { partition: "''", filter: "" };
  const quoted = column === undefined ? "_PARTITIONTIME" : `t.\`${column}\``;
  // Every row passes it, and the table asks for some filter.
  const filter = requirePartitionFilter || time?.requirePartitionFilter
    ? ` WHERE ${quoted} IS NULL OR ${quoted} IS NOT NULL`
    : "";
  if (column === undefined) return { partition: quoted, filter };
  if (range !== undefined) {
    const { start, interval } = range.range;
    return { partition: `DIV(${quoted} - ${start}, ${interval})`, filter };
  }
  const type = schema?.fields?.find(({ name }) => name === column)?.type ?? "TIMESTAMP";
  const unit = time?.type ?? "DAY";
  const truncate = type === "DATE" ? "DATE_TRUNC" : `${type}_TRUNC`;
  return { partition: `${truncate}(${quoted}, ${unit})`, filter };
}

/**
 * The jobs of the two queries, by generation.
 *
 * @param run the job that took the rows out of the source.
 */
export function printJobs(
  work: Work,
  known: Known,
  run: string,
): Record<"source" | "destination", (generation: number) => JobRequest> {
  const jobOf = (table: TableReference) => (generation: number): JobRequest => {
    const query = fingerprintSql(table, known.source);
    return {
      jobId: jobId("print", generation, query, known.mark, run),
      configuration: { query: { query, useLegacySql: false, useQueryCache: false } },
    };
  };
  return {
    source: jobOf(work.source),
    destination: jobOf(work.destination),
  };
}

/**
 * Compares two fingerprints, row by row as they come; both are in the order of their partitions.
 *
 * @returns what differs first, null when nothing does.
 */
export async function fingerprintDifference(
  source: AsyncIterable<readonly Cell[]>,
  destination: AsyncIterable<readonly Cell[]>,
): Promise<string | null> {
  const others = destination[Symbol.asyncIterator]();
  for await (const one of source) {
    const { value: other, done } = await others.next() as IteratorResult<readonly Cell[]>;
    if (done) {
      return `${partitionName(one)} has ${one[1]} rows in the source and is not in the copy`;
    }
    if (one[0] !== other[0]) return `${partitionName(one)} is on one side only`;
    if (one[1] !== other[1]) {
      return `${partitionName(one)} has ${one[1]} rows in the source and ${other[1]} in the copy`;
    }
    if (one[2] !== other[2] || one[3] !== other[3]) {
      return `${partitionName(one)} has rows that differ`;
    }
  }
  const { value: more, done } = await others.next() as IteratorResult<readonly Cell[]>;
  return done ? null : `${partitionName(more)} is in the copy only`;
}

function partitionName([part]: readonly Cell[]): string {
  if (part === "") return "the table";
  return part === null || part === undefined ? "the partition of NULL" : `the partition ${part}`;
}
