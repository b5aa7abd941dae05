import type { StatusView } from "../core/status_view.ts";
import type { ArchiveDaemon } from "./daemon.ts";
import type { Partition } from "./partition.ts";

/** What the status page shows of archive; the daemon is asked each second. */
export function archiveView(daemon: () => ArchiveDaemon): StatusView {
  const counts = () => daemon().counts;
  const partitions = () => daemon().partitions;
  return {
    plots: [
      {
        ...{ title: "Records", kind: "rate", unit: "count" },
        lines: [{ label: "archived", read: () => counts().records }],
      },
      {
        ...{ title: "Bytes", kind: "rate", unit: "bytes" },
        lines: [
          { label: "fetched", read: () => daemon().fetchedBytes },
          { label: "put", read: () => counts().fileBytes },
        ],
      },
      {
        ...{ title: "Lag", kind: "level", unit: "count" },
        lines: [{
          label: "offsets not in the store",
          read: () => partitions().reduce((sum, one) => sum + lagOf(one), 0),
        }],
      },
    ],
    figures: [
      { label: "partitions", unit: "count", read: () => partitions().length },
      { label: "objects put", unit: "count", read: () => counts().objects },
      {
        ...{ label: "objects being filled", unit: "count" },
        read: () => partitions().filter(({ open }) => open !== null).length,
      },
      {
        ...{ label: "objects waiting to be put", unit: "count" },
        read: () => partitions().reduce((sum, { waiting }) => sum + waiting.length, 0),
      },
      { label: "objects being put", unit: "count", read: () => daemon().permits.inUse },
      { label: "records in memory", unit: "bytes", read: () => daemon().memory.usedBytes },
      { label: "spool", unit: "bytes", read: () => daemon().pressure.spoolUse.usedBytes },
      { label: "failed puts", unit: "count", read: () => counts().putErrors },
      { label: "gaps", unit: "count", isBadUnlessZero: true, read: () => counts().gaps },
    ],
    tables: [{
      title: "Partitions, the furthest behind first",
      none: "None is this instance's yet.",
      columns: [
        { label: "partition", unit: "text" },
        { label: "state", unit: "text" },
        { label: "lag", unit: "count" },
        { label: "kept by Kafka for", unit: "seconds" },
      ],
      rows: () =>
        partitions().map((one) => ({ one, lag: lagOf(one) }))
          .sort((a, b) => b.lag - a.lag)
          .map(({ one, lag }) => [
            one.name,
            one.trouble ?? one.fetchTrouble ?? one.state,
            lag,
            secondsOf(daemon().retentionHours(one)),
          ]),
    }],
  };
}

function lagOf({ highWatermark, tip }: Partition): number {
  return highWatermark > tip ? Number(highWatermark - tip) : 0;
}

function secondsOf(hours: number | null): number | null {
  return hours === null ? null : hours * 3_600;
}
