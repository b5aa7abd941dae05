import type { Partition } from "./partition.ts";

/** Objects being filled. */
export function openObjects(partitions: readonly Partition[]): number {
  return partitions.filter(({ open }) => open !== null).length;
}

/** Objects that wait to be put, and those that are being put. */
export function waitingObjects(partitions: readonly Partition[]): number {
  return partitions.reduce((sum, { waiting }) => sum + waiting.length, 0);
}

/** Partitions that cannot be archived as they are: an operator is needed. */
export function refusedPartitions(partitions: readonly Partition[]): number {
  return partitions.filter(({ state }) => state === "refused").length;
}
