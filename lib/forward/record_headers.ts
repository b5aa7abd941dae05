import type { RecordHeader } from "../formats/record_batch.ts";

const encoder = new TextEncoder();

/** The headers that sluice may add to a record. Only unusual records have any unless `--headers`. */
export const headerNames = {
  /** Why the message is no syslog; its value holds the whole text. */
  parseError: "sluice-parse-error",
  /** `1`, `2`, `3/3`: which part of an over-long message this is; the last one says how many. */
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

/** The header of part `part` (0 is the first) of an over-long message. */
export function partHeader(part: number, more: boolean): RecordHeader {
  return header(headerNames.part, more ? `${part + 1}` : `${part + 1}/${part + 1}`);
}
