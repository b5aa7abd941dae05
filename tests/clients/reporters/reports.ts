import type { Entry, Report } from "../../../lib/clients/reporters/report.ts";

/** An entry with what matters to a test, the rest as if there was nothing. */
export function entry(given: Partial<Entry>): Entry {
  return {
    ...{ kind: "gauge", name: "n", labels: {}, value: 0, recent: null, grown: 0, rate: 0 },
    ...given,
  };
}

export function report(entries: readonly Entry[], notReady: readonly string[] = []): Report {
  return { atMs: 1_700_000_000_123, entries, notReady };
}

/** Times that a timer took. */
export const recent = {
  ...{ count: 3, mean: 0.25, p50: 0.2, p75: 0.3, p95: 0.4, p99: 0.45, max: 0.5 },
};
