import type { StatusView } from "../core/status_view.ts";
import type { Counts } from "./counts.ts";
import type { IngestDaemon } from "./daemon.ts";
import type { Watch } from "./watch.ts";

/** What the status page shows of ingest; the daemon is asked each second. */
export function ingestView(
  daemon: Pick<IngestDaemon, "watches" | "watched" | "blocked" | "oldestWaitingSeconds">,
  counts: Counts,
  nowMs: () => number,
): StatusView {
  const watches = () => [...daemon.watches];
  return {
    plots: [
      {
        ...{ title: "Rows", kind: "rate", unit: "count" },
        lines: [{ label: "loaded", read: () => counts.rows }],
      },
      {
        ...{ title: "Bytes of files", kind: "rate", unit: "bytes" },
        lines: [{ label: "loaded", read: () => counts.bytes }],
      },
      {
        ...{ title: "Files", kind: "level", unit: "count" },
        lines: [
          {
            label: "waiting",
            read: () => watches().reduce((sum, { waitingFiles }) => sum + waitingFiles, 0),
          },
          { label: "being loaded", read: () => counts.importingFiles },
        ],
      },
    ],
    figures: [
      { label: "directories", unit: "count", read: () => daemon.watched },
      {
        ...{ label: "blocked directories", unit: "count", isBadUnlessZero: true },
        read: () => daemon.blocked,
      },
      { label: "files loaded", unit: "count", read: () => counts.files },
      { label: "rows loaded", unit: "count", read: () => counts.rows },
      {
        ...{ label: "rejected files", unit: "count", isBadUnlessZero: true },
        read: () => counts.rejectedFiles,
      },
      { label: "rejected rows", unit: "count", read: () => counts.rejectedRows },
      { label: "oldest waiting file", unit: "seconds", read: () => daemon.oldestWaitingSeconds },
      { label: "loads rolled back", unit: "count", read: () => counts.rollbacks },
    ],
    tables: [{
      title: "Directories, those in trouble first",
      none: "None with a manifest was found yet.",
      columns: [
        { label: "directory", unit: "text" },
        { label: "state", unit: "text" },
        { label: "files waiting", unit: "count" },
        { label: "oldest file", unit: "seconds" },
      ],
      rows: () =>
        watches().map((watch) => ({ watch, troubles: watch.troubles }))
          .sort((a, b) =>
            b.troubles.length - a.troubles.length || b.watch.waitingFiles - a.watch.waitingFiles
          )
          .map(({ watch, troubles }) => [
            watch.directory || "/",
            troubles.length > 0 ? troubles.join("; ") : stateOf(watch),
            watch.waitingFiles,
            watch.oldestMs === null ? null : Math.max(0, (nowMs() - watch.oldestMs) / 1_000),
          ]),
    }],
  };
}

function stateOf({ hasTurn, isBusy, waitingFiles }: Watch): string {
  if (hasTurn) return "loading";
  if (isBusy) return "queued";
  return waitingFiles > 0 ? "waiting" : "done";
}
