import type { Finding } from "./facts.ts";
import type { KafkaReport, PartitionReport } from "./partition_report.ts";
import type { Totals, Verdict } from "./verdict.ts";
import type { VerifyRest } from "./verify.ts";

/** What the document tells besides what was found. */
export interface VerifySummary {
  readonly verdict: Verdict;
  readonly exit: number;
  readonly totals: Totals;
  readonly rest: VerifyRest;
}

/**
 * A partition in the JSON document of `archive verify --json`. Offsets are texts, as they may be
 * larger than what JSON readers keep exactly; times are RFC 3339 in UTC, or null.
 */
export function partitionJson(report: PartitionReport): Readonly<Record<string, unknown>> {
  const told = report.findings.length;
  const all = Object.values(report.counts).reduce((sum, count) => sum + count, 0);
  return {
    group: report.group,
    topic: report.topic,
    partition: report.partition,
    objects: report.objects,
    objects_without_notes: report.withoutNotes,
    bytes: report.sizeBytes,
    uncompressed_bytes: report.uncompressedBytes,
    records: report.records,
    null_values: report.nullValues,
    first_offset: textOf(report.first),
    next_offset: textOf(report.next),
    next_offset_exact: report.isEndExact,
    first_timestamp: timeOf(report.firstTimestampMs),
    last_timestamp: timeOf(report.lastTimestampMs),
    newest_object: timeOf(report.objects === 0 ? null : report.newestMs),
    counts: report.counts,
    findings: report.findings.map(findingJson),
    findings_left_out: all - told,
    kafka: report.kafka === undefined ? null : kafkaJson(report.kafka),
  };
}

/** The rest of the document, beside its partitions. */
export function summaryJson(summary: VerifySummary): Readonly<Record<string, unknown>> {
  const { totals, rest } = summary;
  return {
    totals: {
      partitions: totals.partitions,
      objects: totals.objects,
      bytes: totals.sizeBytes,
      uncompressed_bytes: totals.uncompressedBytes,
      records: totals.records,
      not_archived: textOf(totals.notArchived),
      counts: totals.counts,
    },
    unarchived_partitions: rest.unarchived.map((one) => ({
      group: one.group,
      topic: one.topic,
      partition: one.partition,
      log_start: String(one.logStart),
      last_stable: String(one.lastStable),
    })),
    foreign: { objects: rest.foreign, keys: rest.foreignKeys },
    verdict: summary.verdict,
    exit: summary.exit,
  };
}

function findingJson(finding: Finding): Readonly<Record<string, unknown>> {
  const { kind, what, key, from, to, atByte, atCompressedByte, fault } = finding;
  return {
    kind,
    what,
    key: key ?? null,
    from_offset: textOf(from),
    to_offset: textOf(to),
    at_byte: atByte ?? null,
    at_compressed_byte: atCompressedByte ?? null,
    ...(fault === undefined ? {} : { fault }),
  };
}

function kafkaJson(kafka: KafkaReport): Readonly<Record<string, unknown>> {
  return {
    log_start: String(kafka.logStart),
    last_stable: String(kafka.lastStable),
    high_watermark: String(kafka.highWatermark),
    not_archived: String(kafka.notArchived),
  };
}

function textOf(offset: bigint | null | undefined): string | null {
  return offset === null || offset === undefined ? null : String(offset);
}

/** RFC 3339 in UTC; null for none, and for what is no time: a producer may send any number. */
export function timeOf(ms: number | null): string | null {
  if (ms === null || Math.abs(ms) > 8.64e15) return null;
  return new Date(ms).toISOString();
}
