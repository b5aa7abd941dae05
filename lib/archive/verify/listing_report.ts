import { visible } from "../../core/visible.ts";
import type { ArchiveListing, ListedPartition } from "../listing.ts";
import type { PartitionReport } from "./partition_report.ts";
import { timeOf } from "./report_json.ts";
import { countOf } from "./report_text.ts";

/** What the notes of a partition say; undefined when they are not asked for. */
type SummaryOf = ((partition: ListedPartition) => Promise<PartitionReport>) | undefined;

const head = ["PARTITION", "OBJECTS", "SIZE", "FROM", "TO", "NEWEST"] as const;

/**
 * A table for people: a line a partition, and the sum. With summaries there are the number of
 * records, and the offset behind the last one instead of the newest object's first.
 */
export async function* listingLines(
  { partitions, foreign }: ArchiveListing,
  summaryOf: SummaryOf,
): AsyncGenerator<string> {
  const names = partitions.map(({ group, topic, partition }) => `${group}/${topic}/${partition}`);
  const nameWidth = Math.max(head[0].length, ...names.map((name) => name.length));
  const row = (name: string, cells: readonly string[], newest: string) =>
    visible([name.padEnd(nameWidth), ...cells.map((cell) => cell.padStart(12)), newest].join("  "));
  const [, objectsHead, sizeHead, fromHead, toHead] = head;
  const recordsHead = summaryOf === undefined ? [] : ["RECORDS"];
  yield row(head[0], [objectsHead, sizeHead, ...recordsHead, fromHead, toHead], head[5]);
  for (const [i, partition] of partitions.entries()) {
    const summary = await summaryOf?.(partition);
    const to = summary?.next === undefined || summary.next === null
      ? `${partition.last}..`
      : `${summary.next}${summary.isEndExact ? "" : ".."}`;
    const cells = [String(partition.objects), sizeText(partition.sizeBytes)];
    if (summary !== undefined) cells.push(recordsText(summary));
    cells.push(String(partition.first), to);
    yield row(names[i] ?? "", cells, timeOf(partition.newestMs) ?? "");
  }
  const objects = partitions.reduce((sum, one) => sum + one.objects, 0);
  const bytes = partitions.reduce((sum, one) => sum + one.sizeBytes, 0);
  const others = foreign === 0 ? "" : `, and ${countOf(foreign, "object")} not of this archive`;
  const sum = [
    countOf(partitions.length, "partition"),
    countOf(objects, "object"),
    sizeText(bytes),
  ];
  yield `${sum.join(", ")}${others}`;
}

/** Objects of the predecessor do not say how many records they hold. */
function recordsText({ records, withoutNotes }: PartitionReport): string {
  return withoutNotes === 0 ? String(records) : `${records}..`;
}

/** One JSON document, a line a partition. Offsets are texts. */
export async function* listingJson(
  url: string,
  { partitions, foreign, foreignKeys }: ArchiveListing,
  summaryOf: SummaryOf,
): AsyncGenerator<string> {
  yield `{"archive":${JSON.stringify(url)},"partitions":[`;
  for (const [i, partition] of partitions.entries()) {
    const summary = await summaryOf?.(partition);
    const said = { ...listedJson(partition), ...(summary && notedJson(summary)) };
    yield `${JSON.stringify(said)}${i + 1 < partitions.length ? "," : ""}`;
  }
  const totals = {
    partitions: partitions.length,
    objects: partitions.reduce((sum, one) => sum + one.objects, 0),
    bytes: partitions.reduce((sum, one) => sum + one.sizeBytes, 0),
  };
  const rest = JSON.stringify({ totals, foreign: { objects: foreign, keys: foreignKeys } });
  yield `],${rest.slice(1)}`;
}

function listedJson(partition: ListedPartition): Readonly<Record<string, unknown>> {
  return {
    group: partition.group,
    topic: partition.topic,
    partition: partition.partition,
    objects: partition.objects,
    bytes: partition.sizeBytes,
    first_offset: String(partition.first),
    newest_object_first_offset: String(partition.last),
    newest_object: timeOf(partition.newestMs),
    gap_notes: partition.gapNotes,
  };
}

function notedJson(summary: PartitionReport): Readonly<Record<string, unknown>> {
  return {
    next_offset: summary.next === null ? null : String(summary.next),
    next_offset_exact: summary.isEndExact,
    records: summary.records,
    null_values: summary.nullValues,
    uncompressed_bytes: summary.uncompressedBytes,
    objects_without_notes: summary.withoutNotes,
    first_timestamp: timeOf(summary.firstTimestampMs),
    last_timestamp: timeOf(summary.lastTimestampMs),
  };
}

/** Bytes with three digits and a decimal unit, as people compare them. */
export function sizeText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
