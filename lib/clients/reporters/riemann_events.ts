import { aspectsOf, type Entry, type Report } from "./report.ts";
import type { RiemannEvent } from "./riemann_schema.ts";

/** Who reports, and how. */
export interface RiemannIdentity {
  readonly host: string;
  /** Before each name: "sluice.". */
  readonly prefix: string;
  readonly tags: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  /** Until Riemann takes what it was told for outdated. */
  readonly ttlSeconds: number;
}

/** Reasons may be many; Riemann shows one line. */
const descriptionMost = 1_000;

/**
 * The events of a report, one by one. Riemann tells events apart by host and service, so values of
 * labels are part of the service (`sluice.archive_lag_records orders 3`), and attributes, too.
 *
 * - counter: its value, and `… rate`, for each second since the last report
 * - gauge: its value
 * - timer: `… count` and `… rate`, and when there were any lately: `… mean`, `… p50` to `… max`
 */
export function* eventsOf(report: Report, identity: RiemannIdentity): Generator<RiemannEvent> {
  for (const entry of report.entries) {
    const base = baseOf(report, entry, identity);
    for (const [aspect, value] of valuesOf(entry)) {
      if (!Number.isFinite(value)) continue;
      const service = aspect === "" ? base.service : `${base.service} ${aspect}`;
      yield { ...base, service, ...metricOf(value) };
    }
  }
}

function valuesOf(entry: Entry): (readonly [string, number])[] {
  const { kind, value, rate } = entry;
  if (kind === "gauge") return [["", value]];
  if (kind === "counter") return [["", value], ["rate", rate]];
  return [["count", value], ["rate", rate], ...aspectsOf(entry)];
}

function baseOf({ atMs, notReady }: Report, entry: Entry, identity: RiemannIdentity) {
  const { host, prefix, tags, attributes, ttlSeconds } = identity;
  const { name, labels } = entry;
  const isReadiness = /_ready$/.test(name) && entry.kind === "gauge";
  const all = Object.entries({ ...attributes, ...labels });
  return {
    time: Math.floor(atMs / 1_000),
    timeMicros: Math.floor(atMs * 1_000),
    state: isReadiness && entry.value === 0 ? "critical" : "ok",
    service: [prefix + name, ...Object.values(labels)].join(" "),
    host,
    tags,
    ttl: ttlSeconds,
    attributes: all.map(([key, value]) => ({ key, value })),
    ...(isReadiness && notReady.length > 0
      ? { description: notReady.join("; ").slice(0, descriptionMost) }
      : {}),
  };
}

/** Whole numbers stay exact; -0 and what is larger than they can be is a double. */
function metricOf(value: number): { metricSint64: number } | { metricD: number } {
  return Number.isSafeInteger(value) && !Object.is(value, -0)
    ? { metricSint64: value }
    : { metricD: value };
}
