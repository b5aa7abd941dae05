import { googleError } from "../../lib/formats/google_error.ts";
import type { FieldSchema, TableResource } from "../../lib/clients/bigquery/bigquery.ts";
import type { SluiceError } from "../../lib/core/errors.ts";

/** A refusal as BigQuery gives it. */
export function refusal(status: number, reason: string, message: string): SluiceError {
  const thrown = Object.assign(new Error(message), { code: status, errors: [{ reason, message }] });
  return googleError("do it", thrown);
}

/** A table of the cloud in memory: its rows are texts, by partition. */
export class FakeTable {
  etag = "";
  modifiedMs = 0;
  readonly policies = new Map<string, { filterPredicate: string; grantees: readonly string[] }>();
  partitions = new Map<string, string[]>();
  /** Of each partition, milliseconds. */
  readonly partitionMs = new Map<string, number>();

  constructor(
    public resource: Record<string, unknown>,
    readonly createdMs: number,
  ) {}

  get rows(): string[] {
    return [...this.partitions.values()].flat();
  }

  fields(): readonly FieldSchema[] {
    return (this.resource["schema"] as { fields?: FieldSchema[] } | undefined)?.fields ?? [];
  }

  labels(): Record<string, string> {
    return (this.resource["labels"] ?? {}) as Record<string, string>;
  }

  /** What tables.get gives; of one partition for its id. */
  shown(
    reference: TableResource["tableReference"],
    location: string,
    partition: string | null,
  ): TableResource {
    const rows = partition === null ? this.rows : this.partitions.get(partition) ?? [];
    return {
      type: "TABLE",
      ...structuredClone(this.resource),
      tableReference: reference,
      etag: this.etag,
      location,
      creationTime: String(this.createdMs),
      lastModifiedTime: String(this.modifiedMs),
      numRows: String(rows.length),
      numBytes: String(rows.join("").length),
    };
  }

  /** Replaces rows, adds to them, or refuses, all in one moment. */
  write(rows: ReadonlyMap<string, readonly string[]>, disposition: string, at: number): void {
    if (disposition === "WRITE_TRUNCATE") this.partitions = new Map();
    for (const [partition, some] of rows) this.writePartition(partition, some, at);
  }

  writePartition(partition: string, rows: readonly string[], at: number): void {
    this.partitions.set(partition, [...rows]);
    this.partitionMs.set(partition, at);
  }
}

/** tables.patch: null takes away; labels one by one. */
export function patched(
  resource: Record<string, unknown>,
  patch: Record<string, unknown>,
): Record<string, unknown> {
  const result = { ...resource };
  for (const [name, value] of Object.entries(patch)) {
    if (name === "labels") {
      const labels = { ...(result["labels"] ?? {}) as Record<string, unknown>, ...value as object };
      result["labels"] = Object.fromEntries(
        Object.entries(labels).filter(([, one]) => one !== null),
      );
    } else if (value === null) delete result[name];
    else result[name] = value;
  }
  return result;
}
