import type {
  BigQueryClient,
  PartitionEntry,
  TableResource,
} from "../clients/bigquery/bigquery.ts";
import type { Context } from "./configurations.ts";
import { marksOf } from "./marks.ts";
import { isPartitionedByIngestion } from "./table_copy.ts";

/** What is done about the partitions of a table. */
export interface PartitionChoice {
  /** To be copied, by id, with their rows. */
  readonly changed: ReadonlyMap<string, string>;
  /** A sentence for each that is not as in the source all the same. */
  readonly notes: readonly string[];
  /** Rows changed that are in none that could be copied by itself: only the whole table brings them. */
  readonly needsAll: boolean;
}

/** Rows that are not in a partition yet, or outside of all; no job takes it by its name. */
const unpartitioned = "__UNPARTITIONED__";

/**
 * Asks which partitions are to be copied.
 *
 * @param before the copy that is there; null: all of them are, into another table.
 */
export async function choosePartitions(
  client: BigQueryClient,
  context: Pick<Context, "source" | "destination">,
  from: TableResource,
  before: TableResource | null,
): Promise<PartitionChoice> {
  const list = (table: TableResource, side: "source" | "destination") =>
    Array.fromAsync(client.listPartitions(table.tableReference, context[side]));
  const source = await list(from, "source");
  if (before === null) return allPartitions(source);
  const there = (await list(before, "destination")).map((one) => [one.partitionId, one] as const);
  const copiedMs = Number(marksOf(before.labels).modifiedMs ?? -1);
  const isStreamed = isPartitionedByIngestion(from) || from.streamingBuffer !== undefined;
  return changedPartitions(source, new Map(there), copiedMs, isStreamed);
}

/**
 * The partitions that are not in the copy, have another number of rows there, or were modified since the
 * copy was made.
 *
 * @param copiedMs when the source as it was copied had last been modified, milliseconds.
 * @param isStreamed rows outside of all partitions are on their way into one; else they belong there.
 */
export function changedPartitions(
  source: Iterable<PartitionEntry>,
  destination: ReadonlyMap<string, PartitionEntry>,
  copiedMs: number,
  isStreamed: boolean,
): PartitionChoice {
  const changed = new Map<string, string>();
  const notes: string[] = [];
  const gone = new Set(destination.keys());
  let needsAll = false;
  for (const { partitionId, totalRows, lastModifiedTime } of source) {
    gone.delete(partitionId);
    if (partitionId === unpartitioned && isStreamed) {
      notes.push(streamedNote(totalRows));
      continue;
    }
    const there = destination.get(partitionId);
    // Without a time nobody knows: it is copied.
    const modifiedMs = lastModifiedTime === "" ? Infinity : Number(lastModifiedTime);
    if (there?.totalRows === totalRows && modifiedMs <= copiedMs) continue;
    if (partitionId === unpartitioned) needsAll = true;
    else changed.set(partitionId, totalRows);
  }
  if (gone.delete(unpartitioned) && !isStreamed) needsAll = true;
  if (gone.size > 0) {
    const names = [...gone].slice(0, 5).join(", ");
    notes.push(
      `${gone.size} partitions are gone from the source and kept in the copy: ${names}` +
        (gone.size > 5 ? ", ..." : ""),
    );
  }
  return { changed, notes, needsAll };
}

/** All partitions, for a table that is put together anew. */
function allPartitions(source: Iterable<PartitionEntry>): PartitionChoice {
  return changedPartitions(source, new Map(), -1, true);
}

function streamedNote(rows: string): string {
  return `${rows} rows in the streaming buffer are not copied`;
}
