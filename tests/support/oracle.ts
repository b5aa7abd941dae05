import { numberedKey } from "./numbered_lines.ts";

/** One line as it arrived; lines of one partition are handed in the order of their offsets. */
export interface ReceivedLine {
  readonly line: string;
  readonly partition: number;
}

/** What became of the lines that were sent. */
export interface Comparison {
  readonly sent: number;
  readonly received: number;
  /** Sent and never received, not even altered. */
  readonly lost: readonly string[];
  /** Received, and nothing of the kind was ever sent. */
  readonly foreign: readonly string[];
  /** Received with the number of a line that was sent, but with other bytes. */
  readonly altered: readonly string[];
  /** How many lines were received more often than they were sent. */
  readonly duplicates: number;
  /**
   * How many lines came, for the first time, behind a later line of the same source in the same
   * partition. A repeated line is no break: who sends again after a crash repeats in order.
   */
  readonly orderBreaks: number;
}

interface Sent {
  readonly source: string;
  readonly index: number;
  copies: number;
}

/**
 * Compares what was sent with what arrived, as sets, by number and by order.
 *
 * @param sent the lines in the order of sending, sources mixed as you like.
 * @param received lines alone count as one partition.
 */
export function compareLines(
  sent: Iterable<string>,
  received: Iterable<string | ReceivedLine>,
): Comparison {
  const book = bookOf(sent);
  const keys = new Map([...book.keys()].map((line) => [numberedKey(line), line]));
  const arrived = new Set<string>();
  const alteredFrom = new Set<string>();
  const furthest = new Map<string, number>();
  const foreign: string[] = [];
  const altered: string[] = [];
  let count = 0;
  let duplicates = 0;
  let orderBreaks = 0;
  for (const one of received) {
    const { line, partition } = typeof one === "string" ? { line: one, partition: 0 } : one;
    count++;
    const entry = book.get(line);
    if (entry === undefined) {
      const key = numberedKey(line);
      const original = key === undefined ? undefined : keys.get(key);
      (original === undefined ? foreign : altered).push(line);
      if (original !== undefined) alteredFrom.add(original);
      continue;
    }
    if (entry.copies-- <= 0) duplicates++;
    if (arrived.has(line)) continue;
    arrived.add(line);
    const lane = `${partition} ${entry.source}`;
    const before = furthest.get(lane) ?? -1;
    if (entry.index < before) orderBreaks++;
    else furthest.set(lane, entry.index);
  }
  const lost = [...book.keys()].filter((line) => !arrived.has(line) && !alteredFrom.has(line));
  const total = [...book.values()].reduce((sum, { sentCopies }) => sum + sentCopies, 0);
  return { sent: total, received: count, lost, foreign, altered, duplicates, orderBreaks };
}

function bookOf(sent: Iterable<string>): Map<string, Sent & { sentCopies: number }> {
  const book = new Map<string, Sent & { sentCopies: number }>();
  let index = 0;
  for (const line of sent) {
    const known = book.get(line);
    if (known) {
      known.copies++;
      known.sentCopies++;
    } else {
      book.set(line, { source: sourceOf(line), index, copies: 1, sentCopies: 1 });
    }
    index++;
  }
  return book;
}

function sourceOf(line: string): string {
  return numberedKey(line)?.split(" of ")[1] ?? "";
}

/** A comparison in one line, with examples of what is wrong. */
export function describeComparison(comparison: Comparison): string {
  const { sent, received, lost, foreign, altered, duplicates, orderBreaks } = comparison;
  const some = (name: string, lines: readonly string[]) =>
    `${lines.length} ${name}${lines.length > 0 ? ` (such as ${JSON.stringify(lines[0])})` : ""}`;
  return [
    `${sent} sent, ${received} received`,
    some("lost", lost),
    some("foreign", foreign),
    some("altered", altered),
    `${duplicates} duplicates`,
    `${orderBreaks} order breaks`,
  ].join(", ");
}
