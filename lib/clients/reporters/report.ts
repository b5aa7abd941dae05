import { keyOf, type Measurement } from "../../core/measurement.ts";
import { Turns } from "../../core/turns.ts";

/** A measurement beside the one before it. */
export interface Entry extends Measurement {
  /** How much a counter, or the count of a timer, has grown since the last report; 0 for a gauge. */
  readonly grown: number;
  /** The same for each second of that time. */
  readonly rate: number;
}

/** Everything there is to tell at one moment. */
export interface Report {
  /** Wall clock, milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
  readonly entries: readonly Entry[];
  /** Why the daemon does not do its work; empty when all is well. */
  readonly notReady: readonly string[];
}

/** Remembers what counters were at the last report, and no more. */
export class Growth {
  #before = new Map<string, number>();
  #beforeMs: number;

  /** @param nowMs by a clock that only goes forward; counters were 0 then. */
  constructor(nowMs: number) {
    this.#beforeMs = nowMs;
  }

  /** One at a time: of many the event loop has turns between them. */
  async take(measurements: readonly Measurement[], nowMs: number): Promise<Entry[]> {
    const seconds = Math.max(nowMs - this.#beforeMs, 1) / 1_000;
    const now = new Map<string, number>();
    const turns = new Turns();
    const entries: Entry[] = [];
    for (const one of measurements) {
      entries.push(this.#entryOf(one, seconds, now));
      if (turns.isDue()) await turns.next();
    }
    this.#before = now;
    this.#beforeMs = nowMs;
    return entries;
  }

  #entryOf(one: Measurement, seconds: number, now: Map<string, number>): Entry {
    if (one.kind === "gauge") return { ...one, grown: 0, rate: 0 };
    const key = keyOf(one);
    now.set(key, one.value);
    const grown = Math.max(0, one.value - (this.#before.get(key) ?? 0));
    return { ...one, grown, rate: grown / seconds };
  }
}

/** What is told of the times that a timer took lately. */
export const aspects = ["mean", "p50", "p75", "p95", "p99", "max"] as const;

/** Each aspect with its value, seconds; nothing when there were none lately. */
export function aspectsOf({ recent }: Measurement): (readonly [string, number])[] {
  return recent === null ? [] : aspects.map((aspect) => [aspect, recent[aspect]]);
}
