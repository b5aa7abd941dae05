import { residentPeakOf } from "../tests/support/proc.ts";

/** The most memory that a process has had resident so far, MB (millions of bytes). */
export async function peakMbOf(pid: number): Promise<number> {
  return await residentPeakOf(pid) / 1e6;
}

/** Median and range of some measurements. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** @throws {RangeError} when there is nothing to sum up. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const [least] = sorted;
  const most = sorted.at(-1);
  const low = sorted[(sorted.length - 1) >> 1];
  const high = sorted[sorted.length >> 1];
  if (least === undefined || most === undefined || low === undefined || high === undefined) {
    throw new RangeError("no measurements");
  }
  return { median: (low + high) / 2, least, most };
}

/**
 * Where the true median lies with a certainty of at least 95 %, whatever the distribution: between two
 * of the measurements, by the sign test. All of them when they are fewer than six.
 */
export function medianInterval(values: readonly number[]): Pick<Spread, "least" | "most"> {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(0, Math.floor(values.length / 2 - 0.98 * Math.sqrt(values.length)) - 1);
  const [least, most] = [sorted[rank], sorted.at(-1 - rank)];
  if (least === undefined || most === undefined) throw new RangeError("no measurements");
  return { least, most };
}

/** `1.52 (1.47..1.60)` */
export function spreadText({ median, least, most }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}..${most.toFixed(digits)})`;
}
