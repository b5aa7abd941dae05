import type { Metrics } from "../clients/metrics.ts";
import type { Counts } from "./counts.ts";
import type { IngestDaemon } from "./daemon.ts";

/** Registers the metrics of ingest; all but the import time are read when the page is asked for. */
export function registerIngestMetrics(
  metrics: Metrics,
  daemon: IngestDaemon,
  counts: Counts,
): void {
  const counters: readonly (readonly [string, string, () => number])[] = [
    ["imports", "Loads begun", () => counts.imports],
    ["commits", "Loads committed", () => counts.commits],
    ["rollbacks", "Loads undone", () => counts.rollbacks],
    ["files", "Files loaded", () => counts.files],
    ["rows", "Rows of files loaded", () => counts.rows],
    ["bytes", "Bytes of files loaded, as they are in the store", () => counts.bytes],
    ["rejected_files", "Files moved aside", () => counts.rejectedFiles],
    [
      "rejected_rows",
      "Rows that MAXERROR or --max-errors let be left out",
      () => counts.rejectedRows,
    ],
    [
      "ledger_skips",
      "Files not loaded as the ledger knew them: only deleted",
      () => counts.ledgerSkips,
    ],
    ["delete_errors", "Tries to delete a loaded file that failed", () => counts.deleteErrors],
    [
      "recovered_commits",
      "Commits whose answer was lost and that the ledger told of",
      () => counts.recoveredCommits,
    ],
  ];
  for (const [name, help, read] of counters) metrics.counterOf(`ingest_${name}_total`, help, read);
  const gauges: readonly (readonly [string, string, () => number])[] = [
    ["directories_watched", "Directories with a manifest", () => daemon.watched],
    ["directories_blocked", "Directories that are not loaded as they are", () => daemon.blocked],
    ["loads", "Loads under way, each with a connection to its database", () => daemon.loads],
    ["importing_files", "Files that are being loaded now", () => counts.importingFiles],
    [
      "oldest_file_seconds",
      "Age of the oldest file that waits to be loaded",
      () => daemon.oldestWaitingSeconds,
    ],
    ["ready", "1 when all is being loaded", () => daemon.notReady().length === 0 ? 1 : 0],
  ];
  for (const [name, help, read] of gauges) metrics.gaugeOf(`ingest_${name}`, help, read);
}
