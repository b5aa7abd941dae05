import type { PartitionEntry } from "../clients/bigquery/bigquery.ts";

/** What is done about the partitions of a table. */
export interface PartitionChoice {
  /** To be copied, by id, with their rows. */
  readonly changed: ReadonlyMap<string, string>;
  /** A sentence for each that is not as in the source all the same. */
  readonly notes: readonly string[];
}

/** Rows that are not in a partition yet; they cannot be copied. */
const streamed = "__UNPARTITIONED__";

/**
 * The partitions that are not in the copy, have another number of rows there, or were modified since the
 * copy was made.
 *
 * @param copiedMs when the source as it was copied had last been modified, milliseconds.
 */
export function changedPartitions(
  source: Iterable<PartitionEntry>,
  destination: ReadonlyMap<string, PartitionEntry>,
  copiedMs: number,
): PartitionChoice {
  const changed = new Map<string, string>();
  const notes: string[] = [];
  const gone = new Set(destination.keys());
  for (const { partitionId, totalRows, lastModifiedTime } of source) {
    gone.delete(partitionId);
    if (partitionId === streamed) {
      notes.push(streamedNote(totalRows));
      continue;
    }
    const there = destination.get(partitionId);
    // Without a time nobody knows: it is copied.
    const modifiedMs = lastModifiedTime === "" ? Infinity : Number(lastModifiedTime);
    if (there === undefined || there.totalRows !== totalRows || modifiedMs > copiedMs) {
      changed.set(partitionId, totalRows);
    }
  }
  gone.delete(streamed);
  if (gone.size > 0) {
    const names = [...gone].slice(0, 5).join(", ");
    notes.push(
      `${gone.size} partitions are gone from the source and kept in the copy: ${names}` +
        (gone.size > 5 ? ", ..." : ""),
    );
  }
  return { changed, notes };
}

/** All partitions, for a table that is put together anew. */
export function allPartitions(source: Iterable<PartitionEntry>): PartitionChoice {
  return changedPartitions(source, new Map(), -1);
}

function streamedNote(rows: string): string {
  return `${rows} rows in the streaming buffer are not copied`;
}
