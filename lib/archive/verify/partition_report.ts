import type { ArchivedPartition } from "../../formats/archive_key.ts";
import type { Finding, FindingKind, ObjectFacts } from "./facts.ts";

/** What Kafka says of a partition that is archived. */
export interface KafkaReport {
  readonly logStart: bigint;
  readonly lastStable: bigint;
  readonly highWatermark: bigint;
  /** Offsets between the archive's end and the last stable one. */
  readonly notArchived: bigint;
}

/** What verify has found of one partition. */
export interface PartitionReport extends ArchivedPartition {
  readonly objects: number;
  /** Objects that say nothing about themselves: the predecessor's. */
  readonly withoutNotes: number;
  /** Compressed, of all objects. */
  readonly sizeBytes: number;
  /** As counted; by the notes where objects were not read. */
  readonly records: number;
  readonly nullValues: number;
  readonly uncompressedBytes: number;
  /** Where the archive begins; null when its objects are gone. */
  readonly first: bigint | null;
  /** Behind the last offset that an object answers for. */
  readonly next: bigint | null;
  /** False: the last object does not tell its end, which is `next` or behind. */
  readonly isEndExact: boolean;
  /** The least and greatest timestamp, by the notes and whole records. */
  readonly firstTimestampMs: number | null;
  readonly lastTimestampMs: number | null;
  /** When the newest object was written. */
  readonly newestMs: number;
  /** How many findings there are of each kind. */
  readonly counts: Readonly<Record<FindingKind, number>>;
  /** The first of them. */
  readonly findings: readonly Finding[];
  /** Undefined when Kafka was not asked or has no such partition. */
  readonly kafka: KafkaReport | undefined;
}

/** Findings that are kept of one partition; behind that they are counted. */
const findingsMost = 1_000;

/** Adds up a partition's objects and findings. */
export class ReportBuilder {
  #objects = 0;
  #withoutNotes = 0;
  #sizeBytes = 0;
  #records = 0;
  #nullValues = 0;
  #uncompressedBytes = 0;
  #first: bigint | null = null;
  #firstTimestampMs: number | null = null;
  #lastTimestampMs: number | null = null;
  #newestMs = 0;
  readonly #counts: Record<FindingKind, number> = {
    damaged: 0,
    contradiction: 0,
    gap: 0,
    overlap: 0,
    unreadable: 0,
    retention: 0,
    unknown: 0,
    notice: 0,
  };
  readonly #findings: Finding[] = [];

  constructor(private readonly of: ArchivedPartition) {}

  get counts(): Readonly<Record<FindingKind, number>> {
    return this.#counts;
  }

  get first(): bigint | null {
    return this.#first;
  }

  addObject({ notes, content, sizeBytes, modifiedMs, first, findings }: ObjectFacts): void {
    this.#objects++;
    const isUnread = findings.some(({ kind }) => kind === "unreadable");
    if (notes === null && !isUnread) this.#withoutNotes++;
    this.#sizeBytes += sizeBytes;
    this.#records += content?.records ?? notes?.records ?? 0;
    this.#nullValues += content?.whole?.nullValues ?? notes?.nullValues ?? 0;
    this.#uncompressedBytes += content?.bytes ?? notes?.uncompressedBytes ?? 0;
    this.#first ??= first;
    this.#newestMs = Math.max(this.#newestMs, modifiedMs);
    for (const told of [content?.whole, notes]) {
      const { firstTimestampMs = null, lastTimestampMs = null } = told ?? {};
      if (firstTimestampMs === null || lastTimestampMs === null) continue;
      this.#firstTimestampMs = Math.min(this.#firstTimestampMs ?? Infinity, firstTimestampMs);
      this.#lastTimestampMs = Math.max(this.#lastTimestampMs ?? -Infinity, lastTimestampMs);
    }
    for (const finding of findings) this.addFinding(finding);
  }

  addFinding(finding: Finding): void {
    this.#counts[finding.kind]++;
    if (this.#findings.length < findingsMost) this.#findings.push(finding);
  }

  report(
    end: { readonly next: bigint; readonly isExact: boolean } | undefined,
    kafka: KafkaReport | undefined,
  ): PartitionReport {
    const { group, topic, partition } = this.of;
    return {
      ...{ group, topic, partition },
      objects: this.#objects,
      withoutNotes: this.#withoutNotes,
      sizeBytes: this.#sizeBytes,
      records: this.#records,
      nullValues: this.#nullValues,
      uncompressedBytes: this.#uncompressedBytes,
      first: this.#first,
      next: end?.next ?? null,
      isEndExact: end?.isExact ?? true,
      firstTimestampMs: this.#firstTimestampMs,
      lastTimestampMs: this.#lastTimestampMs,
      newestMs: this.#newestMs,
      counts: { ...this.#counts },
      findings: this.#findings,
      kafka,
    };
  }
}
