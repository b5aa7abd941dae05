import type { IngestSettings } from "../../lib/ingest/settings.ts";

/** What ingest within a test's process is told, where the test itself says nothing else. */
export function ingestSettings(own: Partial<IngestSettings>): IngestSettings {
  return {
    ...{ matches: () => true, pollMs: 1_000, once: false, workers: 4, keep: false, maxErrors: 0 },
    ...{ ledgerTable: "sluice_ingest_ledger", ledgerAgeMs: 86_400_000 },
    ...own,
  };
}
