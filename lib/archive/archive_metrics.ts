import type { Metrics, Readings } from "../clients/metrics.ts";
import type { ArchiveDaemon } from "./daemon.ts";
import type { Partition } from "./partition.ts";
import { openObjects, refusedPartitions, waitingObjects } from "./partition_sums.ts";

/** Registers the metrics of archive; all but the put time are read when the page is asked for. */
export function registerArchiveMetrics(metrics: Metrics, daemon: ArchiveDaemon): void {
  const { counts, memory, pressure, permits, group } = daemon;
  const counters: readonly (readonly [string, string, () => number])[] = [
    ["objects", "Objects put", () => counts.objects],
    ["null_values", "Records without a value among those archived", () => counts.nullValues],
    ["fetched_bytes", "Bytes of record batches fetched", () => daemon.fetchedBytes],
    ["aborted_records", "Records of aborted transactions left out", () => counts.aborted],
    [
      "adopted_objects",
      "Objects gone over that another instance put, or this one before it was restarted",
      () => counts.adopted,
    ],
    ["gaps", "Gaps that retention has torn", () => counts.gaps],
    ["gap_offsets", "Offsets in those gaps", () => Number(counts.gapOffsets)],
    ["put_errors", "Tries to put an object that failed", () => counts.putErrors],
    ["commits", "Commits of offsets", () => counts.commits],
    ["rebalances", "Times this instance was given its share", () => group.rebalances],
  ];
  for (const [name, help, read] of counters) metrics.counterOf(`archive_${name}_total`, help, read);
  const topics = (of: "records" | "rawBytes" | "fileBytes"): Readings => () =>
    Array.from(counts.topics, ([topic, one]) => [{ topic }, one[of]] as const);
  metrics.countersOf("archive_records_total", "Records archived", ["topic"], topics("records"));
  metrics.countersOf(
    "archive_bytes_total",
    "Bytes archived, before compression",
    ["topic"],
    topics("rawBytes"),
  );
  metrics.countersOf(
    "archive_file_bytes_total",
    "Bytes of objects put",
    ["topic"],
    topics("fileBytes"),
  );
  const gauges: readonly (readonly [string, string, () => number])[] = [
    ["partitions", "Partitions that are this instance's", () => daemon.partitions.length],
    ["open_files", "Objects being filled", () => openObjects(daemon.partitions)],
    ["waiting_files", "Objects that wait to be put", () => waitingObjects(daemon.partitions)],
    ["uploads", "Objects being put now", () => permits.inUse],
    ["memory_bytes", "Bytes of records in memory", () => memory.usedBytes],
    ["spool_bytes", "Bytes of objects in the spool", () => pressure.spoolUse.usedBytes],
    [
      "refused_partitions",
      "Partitions that cannot be archived as they are: an operator is needed",
      () => refusedPartitions(daemon.partitions),
    ],
    ["ready", "1 when all is being archived", () => daemon.notReady().length === 0 ? 1 : 0],
  ];
  for (const [name, help, read] of gauges) metrics.gaugeOf(`archive_${name}`, help, read);
  const places = ["topic", "partition"];
  metrics.gaugesOf(
    "archive_lag_records",
    "Offsets between what is in the store and the end of the partition",
    places,
    () => daemon.partitions.map((one) => [labelsOf(one), one.lag] as const),
  );
  metrics.gaugesOf(
    "archive_retention_hours",
    "Hours until Kafka deletes what is not archived yet, by the topic's retention.ms",
    places,
    () =>
      daemon.partitions.flatMap((one) => {
        const hours = daemon.retentionHours(one);
        return hours === null ? [] : [[labelsOf(one), hours] as const];
      }),
  );
}

function labelsOf({ topic, partition }: Partition): Record<string, string> {
  return { topic, partition: String(partition) };
}
