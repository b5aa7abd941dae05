import type { TableReference } from "./resources.ts";

/** The query for the partitions of a table, for jobs.query. */
export function partitionsSql(
  { projectId, datasetId, tableId }: TableReference,
): Readonly<Record<string, unknown>> {
  // A name cannot hold a backtick; the table's own is a parameter.
  const view = `\`${projectId}.${datasetId}.INFORMATION_SCHEMA.PARTITIONS\``;
  return {
    query: "SELECT partition_id, total_rows, total_logical_bytes, " +
      `UNIX_MILLIS(last_modified_time) FROM ${view} ` +
      "WHERE table_name = @table AND partition_id IS NOT NULL ORDER BY partition_id",
    parameterMode: "NAMED",
    queryParameters: [{
      name: "table",
      parameterType: { type: "STRING" },
      parameterValue: { value: tableId },
    }],
  };
}
