import { type Field, hiddenColumn } from "./bigquery_schema.ts";
import type { TableName } from "./bigquery_upstream.ts";

/** How a table is divided, of its resource. */
export interface Division {
  readonly schema?: { readonly fields?: readonly Field[] };
  readonly timePartitioning?: { readonly type?: string; readonly field?: string };
  readonly rangePartitioning?: {
    readonly field: string;
    readonly range: { readonly start: string; readonly end: string; readonly interval: string };
  };
}

/** `name$20260101` in its two parts. */
export function partedName(table: TableName): {
  readonly table: TableName;
  readonly partition: string | undefined;
} {
  const at = table.tableId.indexOf("$");
  if (at < 0) return { table, partition: undefined };
  return {
    table: { ...table, tableId: table.tableId.slice(0, at) },
    partition: table.tableId.slice(at + 1),
  };
}

/** Whether rows belong to the partition of their loading, for which no column stands. */
export function hasHidden({ timePartitioning }: Division): boolean {
  return timePartitioning !== undefined && timePartitioning.field === undefined;
}

const patterns: Readonly<Record<string, string>> = {
  HOUR: "%Y%m%d%H",
  DAY: "%Y%m%d",
  MONTH: "%Y%m",
  YEAR: "%Y",
};

/** SQL that gives the id of a row's partition; undefined for a table without partitions. */
export function partitionSql(division: Division): string | undefined {
  const { timePartitioning, rangePartitioning } = division;
  if (rangePartitioning) return rangeSql(rangePartitioning);
  if (!timePartitioning) return undefined;
  const pattern = patterns[timePartitioning.type ?? "DAY"] ?? "%Y%m%d";
  const column = timePartitioning.field ?? hiddenColumn;
  const type = division.schema?.fields?.find(({ name }) => name === column)?.type ?? "TIMESTAMP";
  return `IFNULL(FORMAT_${type}('${pattern}', \`${column}\`), '__NULL__')`;
}

function rangeSql({ field, range }: NonNullable<Division["rangePartitioning"]>): string {
  const { start, end, interval } = range;
  const steps = `CAST(FLOOR((\`${field}\` - ${start}) / ${interval}) AS INT64)`;
  const begin = `${start} + ${steps} * ${interval}`;
  return `CASE WHEN \`${field}\` IS NULL THEN '__NULL__' ` +
    `WHEN \`${field}\` < ${start} OR \`${field}\` >= ${end} THEN '__UNPARTITIONED__' ` +
    `ELSE CAST(${begin} AS STRING) END`;
}

/** The time with which a partition of loading time begins, as SQL. */
export function beginningSql(partition: string): string {
  const [, year, month = "01", day = "01", hour = "00"] =
    /^(\d{4})(\d\d)?(\d\d)?(\d\d)?$/.exec(partition) ?? [];
  if (year === undefined) throw new RangeError(`No partition of a time: ${partition}`);
  return `TIMESTAMP '${year}-${month}-${day} ${hour}:00:00+00'`;
}

/** The partition of rows that come now. */
export function currentPartition({ timePartitioning }: Division): string {
  const digits = { HOUR: 10, DAY: 8, MONTH: 6, YEAR: 4 }[timePartitioning?.type ?? "DAY"] ?? 8;
  return new Date().toISOString().replace(/\D/g, "").slice(0, digits);
}
