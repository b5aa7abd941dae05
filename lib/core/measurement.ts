import type { Spread } from "./spread.ts";

/**
 * One value of one metric at one moment, as reporters send it.
 *
 * - `counter`: `value` only grows while the process lives.
 * - `gauge`: `value` is what it is now.
 * - `timer`: `value` is how many times were taken since the start; `recent` tells of the last of
 *   them, seconds, and is null when there were none lately.
 */
export interface Measurement {
  readonly kind: "counter" | "gauge" | "timer";
  /** The name on the page for Prometheus without `sluice_`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly recent: Spread | null;
}

/** A metric, whatever its values are and whether there are any yet. */
export interface Described extends Pick<Measurement, "kind" | "name"> {
  /** A line for people. */
  readonly help: string;
}

/** The key of a measurement among those of one moment. */
export function keyOf({ name, labels }: Pick<Measurement, "name" | "labels">): string {
  return JSON.stringify([name, ...Object.values(labels)]);
}
