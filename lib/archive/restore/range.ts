import type { ObjectNotes } from "../../formats/object_notes.ts";

/** Which records are wanted; what is absent does not limit. */
export interface RestoreRange {
  /** The first offset. */
  readonly fromOffset?: bigint;
  /** The first offset that is not wanted any more. */
  readonly toOffset?: bigint;
  /** The earliest timestamp, milliseconds since 1970. */
  readonly fromTimeMs?: number;
  /** The first timestamp that is not wanted any more. */
  readonly toTimeMs?: number;
}

/** How much of an object is wanted. */
export type Cover = "all" | "part" | "none";

/** What of the offsets `[first, next)` is wanted; `next` null: nobody knows where the object ends. */
export function offsetCover(first: bigint, next: bigint | null, range: RestoreRange): Cover {
  const { fromOffset, toOffset } = range;
  if (toOffset !== undefined && first >= toOffset) return "none";
  if (fromOffset !== undefined && next !== null && next <= fromOffset) return "none";
  const isCut = (fromOffset !== undefined && first < fromOffset) ||
    (toOffset !== undefined && (next === null || next > toOffset));
  return isCut ? "part" : "all";
}

/** What of an object's records is wanted by their times. */
export function timeCover(
  { firstTimestampMs, lastTimestampMs }: Pick<ObjectNotes, "firstTimestampMs" | "lastTimestampMs">,
  { fromTimeMs = -Infinity, toTimeMs = Infinity }: RestoreRange,
): Cover {
  if (firstTimestampMs === null || lastTimestampMs === null) return "all"; // no record has a time
  if (lastTimestampMs < fromTimeMs || firstTimestampMs >= toTimeMs) return "none";
  return firstTimestampMs >= fromTimeMs && lastTimestampMs < toTimeMs ? "all" : "part";
}

/** Whether the times of records matter. */
export function hasTimes({ fromTimeMs, toTimeMs }: RestoreRange): boolean {
  return fromTimeMs !== undefined || toTimeMs !== undefined;
}

/** The part of a gap that lies within the range; null when nothing of it does. */
export function wantedGap(
  [from, to]: readonly [from: bigint, to: bigint],
  { fromOffset, toOffset }: RestoreRange,
): readonly [from: bigint, to: bigint] | null {
  const first = fromOffset !== undefined && fromOffset > from ? fromOffset : from;
  const next = toOffset !== undefined && toOffset < to ? toOffset : to;
  return next > first ? [first, next] : null;
}
