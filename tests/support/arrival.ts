import assert from "node:assert/strict";
import type { ReadOptions } from "./kafka_reader.ts";
import { readAllKcat } from "./kcat_reader.ts";
import { compareLines, type Comparison, describeComparison } from "./oracle.ts";

/** What arrived in a topic of raw lines, beside what was sent. */
export async function compareTopic(
  bootstrap: string,
  topic: string,
  sent: readonly string[],
  options: ReadOptions = {},
): Promise<Comparison> {
  const decoder = new TextDecoder();
  const records = await readAllKcat(bootstrap, topic, { timeoutMs: 120_000, ...options });
  return compareLines(
    sent,
    records.map(({ value, partition }) => ({ line: decoder.decode(value), partition })),
  );
}

/** Nothing lost, nothing altered, nothing that nobody sent. Repetitions are for the caller to judge. */
export function assertNothingLost(seen: Comparison): void {
  const { lost, foreign, altered } = seen;
  assert.deepEqual(
    [lost.length, foreign.length, altered.length],
    [0, 0, 0],
    describeComparison(seen),
  );
}

/** Waits for as many records as lines: every line once, unaltered, in the order of its source. */
export async function assertArrivedOnce(
  bootstrap: string,
  topic: string,
  sent: readonly string[],
): Promise<void> {
  const seen = await compareTopic(bootstrap, topic, sent, { expect: sent.length });
  assertNothingLost(seen);
  assert.deepEqual([seen.duplicates, seen.orderBreaks], [0, 0], describeComparison(seen));
}
