import type { Outcome } from "./report.ts";

/** What replicate has done since it was started. */
export class Counts {
  rounds = 0;
  copied = 0;
  failed = 0;
  refused = 0;
  rows = 0;
  bytes = 0;
  /** Failures that were tried again. */
  retries = 0;
  /** When everything of a round came out well, seconds since 1970-01-01 UTC; 0 before. */
  lastGoodSeconds = 0;

  add(outcome: Outcome): void {
    if (outcome.is === "failed") this.failed++;
    if (outcome.is === "refused") this.refused++;
    if (outcome.is !== "copied") return;
    this.copied++;
    this.rows += Number(outcome.rows);
    this.bytes += Number(outcome.bytes);
  }
}
