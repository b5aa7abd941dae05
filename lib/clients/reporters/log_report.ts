import { Turns } from "../../core/turns.ts";
import type { Log } from "../../core/world.ts";
import { aspectsOf, type Entry, type Report } from "./report.ts";

/** Of labelled metrics there may be thousands: a log line tells of all of them together. */
interface Told {
  readonly counters: Record<string, { count: number; rate: number }>;
  readonly gauges: Record<string, number | { min: number; max: number }>;
  readonly timers: Record<string, Record<string, number>>;
}

/** One line with all metrics: labelled counters added up, of labelled gauges the least and the most. */
export async function logReport({ entries }: Report, log: Log): Promise<void> {
  const told: Told = { counters: {}, gauges: {}, timers: {} };
  const turns = new Turns();
  for (const entry of entries) {
    tellOf(entry, told);
    if (turns.isDue()) await turns.next();
  }
  log("info", "Metrics", { ...told });
}

function tellOf(entry: Entry, told: Told): void {
  const { kind, name, labels, value, rate } = entry;
  // Of the runtime's own numbers the log tells the usual ones: CPU and memory.
  if (name.startsWith("nodejs_") || name === "build_info") return;
  if (kind === "timer") {
    const aspects = aspectsOf(entry).map(([aspect, seconds]) => [aspect, rounded(seconds)]);
    told.timers[name] = { count: value, ...Object.fromEntries(aspects) };
  } else if (kind === "counter") {
    const { count, rate: sum } = told.counters[name] ?? { count: 0, rate: 0 };
    told.counters[name] = { count: count + value, rate: rounded(sum + rate) };
  } else if (Object.keys(labels).length === 0) told.gauges[name] = value;
  else {
    const before = told.gauges[name];
    const { min, max } = typeof before === "object" ? before : { min: value, max: value };
    told.gauges[name] = { min: Math.min(min, value), max: Math.max(max, value) };
  }
}

/** To a millionth: times of microseconds stay, and the line short. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
