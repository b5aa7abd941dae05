import type { Fault } from "../../core/errors.ts";
import type { FindingKind } from "./facts.ts";
import type { PartitionReport } from "./partition_report.ts";

/** What all partitions together come to. */
export interface Totals {
  partitions: number;
  objects: number;
  sizeBytes: number;
  records: number;
  uncompressedBytes: number;
  /** Offsets in Kafka that are not archived yet; null when Kafka was not asked. */
  notArchived: bigint | null;
  readonly counts: Record<FindingKind, number>;
}

/**
 * - `corrupt`: an object is damaged or contradicts itself.
 * - `partial`: offsets are missing or in two objects.
 * - a fault: not all could be looked at, for this reason.
 */
export type Verdict = "ok" | "corrupt" | "partial" | Exclude<Fault, "corrupt">;

/** Adds up the reports of partitions. */
export class TotalsBuilder {
  readonly totals: Totals = {
    partitions: 0,
    objects: 0,
    sizeBytes: 0,
    records: 0,
    uncompressedBytes: 0,
    notArchived: null,
    counts: {
      damaged: 0,
      contradiction: 0,
      gap: 0,
      overlap: 0,
      unreadable: 0,
      retention: 0,
      unknown: 0,
      notice: 0,
    },
  };
  readonly #faults = new Set<Fault>();

  add(
    { objects, sizeBytes, records, uncompressedBytes, counts, findings, kafka }: PartitionReport,
  ) {
    const { totals } = this;
    totals.partitions++;
    totals.objects += objects;
    totals.sizeBytes += sizeBytes;
    totals.records += records;
    totals.uncompressedBytes += uncompressedBytes;
    if (kafka !== undefined) totals.notArchived = (totals.notArchived ?? 0n) + kafka.notArchived;
    for (const kind of Object.keys(counts) as FindingKind[]) totals.counts[kind] += counts[kind];
    for (const { fault } of findings) if (fault !== undefined) this.#faults.add(fault);
    if (counts.unreadable > 0 && this.#faults.size === 0) this.#faults.add("permanent");
  }

  /**
   * The worst that was found. Damage outweighs missing offsets, and what was found outweighs what
   * could not be looked at.
   *
   * @param strictGaps whether gaps that are known and those that are not certain count as gaps.
   */
  verdict(strictGaps: boolean): Verdict {
    const { counts } = this.totals;
    if (counts.damaged + counts.contradiction > 0) return "corrupt";
    if (counts.gap + counts.overlap > 0) return "partial";
    if (strictGaps && counts.retention + counts.unknown > 0) return "partial";
    for (const fault of ["denied", "permanent", "usage", "transient"] as const) {
      if (this.#faults.has(fault)) return fault;
    }
    return counts.unreadable > 0 ? "permanent" : "ok";
  }
}
