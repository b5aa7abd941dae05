import type { StatusView } from "../core/status_view.ts";
import type { Counts } from "./counts.ts";
import type { ReplicateDaemon } from "./daemon.ts";
import type { LiveTable } from "./live_table.ts";

/** What the status page shows of replicate; the daemon is asked each second. */
export function replicateView(
  daemon: Pick<ReplicateDaemon, "left" | "underWay" | "lastCounts">,
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
          { label: "not done", read: () => daemon.left },
        ],
      },
      {
        ...{ title: "Rows", kind: "rate", unit: "count" },
        lines: [{ label: "copied", read: () => counts.rows }],
      },
      {
        ...{ title: "Bytes of tables", kind: "rate", unit: "bytes" },
        lines: [{ label: "copied", read: () => counts.bytes }],
      },
    ],
    figures: [
      { label: "tables, views, routines copied", unit: "count", read: () => counts.copied },
      { label: "rows copied", unit: "count", read: () => counts.rows },
      { label: "bytes copied", unit: "bytes", read: () => counts.bytes },
      // Not since the start: what failed once and was copied then is no trouble any more.
      {
        ...{ label: "failed in the last comparison", unit: "count", isBadUnlessZero: true },
        read: () => daemon.lastCounts?.failed ?? null,
      },
      {
        ...{ label: "refused in the last comparison", unit: "count", isBadUnlessZero: true },
        read: () => daemon.lastCounts?.refused ?? null,
      },
      { label: "failures tried again", unit: "count", read: () => counts.retries },
      { label: "comparisons", unit: "count", read: () => counts.rounds },
      {
        ...{ label: "since all came out well", unit: "seconds" },
        read: () =>
          counts.lastGoodSeconds === 0
            ? null
            : Math.max(0, Math.floor(nowMs() / 1000) - counts.lastGoodSeconds),
      },
    ],
    tables: [{
      title: "Tables being worked on, the longest in their state first",
      none: "None right now.",
      columns: [
        { label: "table", unit: "text" },
        { label: "state", unit: "text" },
        { label: "in this state", unit: "seconds" },
        { label: "trouble", unit: "text" },
      ],
      rows: () =>
        table.rows().map(({ name, stage, seconds, trouble }) => [name, stage, seconds, trouble]),
    }],
  };
}
