import type { StatusView } from "../core/status_view.ts";
import type { ArchiveDaemon } from "./daemon.ts";
import { openObjects, refusedPartitions, waitingObjects } from "./partition_sums.ts";

type ArchiveWatched =
  & Pick<ArchiveDaemon, "counts" | "partitions" | "fetchedBytes" | "troublesOf" | "retentionHours">
  & {
    readonly permits: Pick<ArchiveDaemon["permits"], "inUse">;
    readonly memory: Pick<ArchiveDaemon["memory"], "usedBytes">;
    readonly pressure: Pick<ArchiveDaemon["pressure"], "spoolUse">;
  };

/** What the status page shows of archive; the daemon is asked each second. */
export function archiveView(daemon: () => ArchiveWatched): StatusView {
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
          read: () => partitions().reduce((sum, { lag }) => sum + lag, 0),
        }],
      },
    ],
    figures: [
      { label: "partitions", unit: "count", read: () => partitions().length },
      { label: "objects put", unit: "count", read: () => counts().objects },
      {
        ...{ label: "refused partitions", unit: "count", isBadUnlessZero: true },
        read: () => refusedPartitions(partitions()),
      },
      { label: "open objects", unit: "count", read: () => openObjects(partitions()) },
      { label: "objects to be put", unit: "count", read: () => waitingObjects(partitions()) },
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
        { label: "retention left", unit: "seconds" },
      ],
      rows: () =>
        [...partitions()].sort((a, b) => b.lag - a.lag).map((one) => [
          one.name,
          daemon().troublesOf(one).join("; ") || one.state,
          one.lag,
          secondsOf(daemon().retentionHours(one)),
        ]),
    }],
  };
}

function secondsOf(hours: number | null): number | null {
  return hours === null ? null : hours * 3_600;
}
