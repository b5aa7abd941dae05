import type { StatusView } from "../core/status_view.ts";
import type { Counts } from "./counts.ts";
import type { ReplicateDaemon } from "./daemon.ts";
import type { LiveTable } from "./live_table.ts";

/** What the status page shows of replicate. */
export function replicateView(
  daemon: Pick<ReplicateDaemon, "left" | "underWay">,
  counts: Counts,
  table: LiveTable,
  nowMs: () => number,
): StatusView {
  return {
    plots: [
      {
        ...{ title: "Tables", kind: "level", unit: "count" },
        lines: [
          { label: "being worked on", read: () => daemon.underWay },
          { label: "to do", read: () => daemon.left },
        ],
      },
      {
        ...{ title: "Rows", kind: "rate", unit: "count" },
        lines: [{ label: "copied", read: () => counts.rows }],
      },
    ],
    figures: [
      { label: "copied", unit: "count", read: () => counts.copied },
      { label: "rows", unit: "count", read: () => counts.rows },
      { label: "bytes", unit: "bytes", read: () => counts.bytes },
      { label: "failed", unit: "count", isBadUnlessZero: true, read: () => counts.failed },
      { label: "refused", unit: "count", isBadUnlessZero: true, read: () => counts.refused },
      { label: "failures tried again", unit: "count", read: () => counts.retries },
      { label: "comparisons", unit: "count", read: () => counts.rounds },
      {
        ...{ label: "since all came out well", unit: "seconds" },
        read: () =>
          counts.lastGoodSeconds === 0
            ? 0
            : Math.max(0, Math.floor(nowMs() / 1000) - counts.lastGoodSeconds),
      },
    ],
    tables: [{
      title: "Tables that are being worked on",
      none: "None; all is done until the next comparison.",
      columns: [
        { label: "table", unit: "text" },
        { label: "state", unit: "text" },
        { label: "for", unit: "seconds" },
        { label: "trouble", unit: "text" },
      ],
      rows: () =>
        table.rows().map(({ name, stage, seconds, trouble }) => [name, stage, seconds, trouble]),
    }],
  };
}
