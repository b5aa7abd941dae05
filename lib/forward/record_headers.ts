import type { RecordHeader } from "../formats/record_batch.ts";

const encoder = new TextEncoder();

/** The headers that sluice may add to a record. Only unusual records have any unless `--headers`. */
export const headerNames = {
  /** Why the message is no syslog; its value holds the whole text. */
  parseError: "sluice-parse-error",
  /**
   * Which part of an over-long message this is: `1`, `2`, `3/3`; the last one says how many. A part
   * that was still too large is two parts itself, named `2.1` and `2.2/2`.
   */
  part: "sluice-part",
  /** The message went on without its end. */
  truncated: "sluice-truncated",
  /** Why the broker refused the record in its first form. */
  refused: "sluice-refused",
  /** The record time that the broker refused, ISO 8601. */
  recordTime: "sluice-record-time",
  peer: "sluice-peer",
  listener: "sluice-listener",
} as const;

export function header(name: string, value: string): RecordHeader {
  return { key: encoder.encode(name), value: encoder.encode(value) };
}

/** The name of part `part` (0 is the first) of an over-long message; empty for a whole one. */
export function partName(part: number, more: boolean): string {
  if (part === 0 && !more) return "";
  return more ? `${part + 1}` : `${part + 1}/${part + 1}`;
}

/** The names of the two halves of a message (`name` is empty) or of a part of one. */
export function halfNames(name: string): readonly [string, string] {
  const prefix = name === "" ? "" : `${name}.`;
  return [`${prefix}1`, `${prefix}2/2`];
}
