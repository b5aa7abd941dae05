import { usageError } from "../../core/errors.ts";
import type { TableReference } from "./resources.ts";

/** The query for the partitions of a table, for jobs.query. */
export function partitionsSql(
  { projectId, datasetId, tableId }: TableReference,
): Readonly<Record<string, unknown>> {
  if (/[`\\]/.test(projectId + datasetId)) {
    const detail = "no name of a project or dataset has ` or \\ in it";
    throw usageError(`list the partitions of ${projectId}.${datasetId}`, detail);
  }
  // The table's name is a parameter.
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
