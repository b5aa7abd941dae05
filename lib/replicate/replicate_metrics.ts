import type { Metrics } from "../clients/metrics.ts";
import type { Counts } from "./counts.ts";
import type { ReplicateDaemon } from "./daemon.ts";

/** Registers the metrics of replicate; they are read when the page is asked for. */
export function registerReplicateMetrics(
  metrics: Metrics,
  counts: Counts,
  daemon: Pick<ReplicateDaemon, "left" | "underWay" | "notReady">,
): void {
  const counters: readonly (readonly [string, string, () => number])[] = [
    ["rounds", "Comparisons of the two datasets", () => counts.rounds],
    ["copied", "Tables, views and routines copied", () => counts.copied],
    ["failed", "Tables, views and routines that failed", () => counts.failed],
    ["refused", "Tables of which there can be no exact or no safe copy", () => counts.refused],
    ["rows", "Rows of copied tables", () => counts.rows],
    ["bytes", "Bytes of copied tables, as BigQuery counts them", () => counts.bytes],
    ["retries", "Failures that were tried again", () => counts.retries],
  ];
  for (const [name, help, read] of counters) {
    metrics.counterOf(`replicate_${name}_total`, help, read);
  }
  const gauges: readonly (readonly [string, string, () => number])[] = [
    ["tables_under_way", "Tables that are being worked on now", () => daemon.underWay],
    ["tables_left", "Tables of this round that are not done", () => daemon.left],
    [
      "last_good_round_seconds",
      "When all of a round came out well, seconds since 1970-01-01 UTC",
      () => counts.lastGoodSeconds,
    ],
    ["ready", "1 when the last round came out well", () => daemon.notReady().length === 0 ? 1 : 0],
  ];
  for (const [name, help, read] of gauges) metrics.gaugeOf(`replicate_${name}`, help, read);
}
