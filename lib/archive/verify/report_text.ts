import { visible } from "../../core/visible.ts";
import type { Finding, FindingKind } from "./facts.ts";
import type { PartitionReport } from "./partition_report.ts";
import type { Totals } from "./verdict.ts";
import type { VerifyRest } from "./verify.ts";

/** Findings of one partition that are told to a person; JSON has more. */
const toldMost = 50;

/** The lines about a partition: one for all of it, and one for each finding. */
export function partitionLines(report: PartitionReport): string[] {
  const { group, topic, partition, findings, counts, kafka } = report;
  const name = `${group}/${topic}/${partition}`;
  const end = report.isEndExact ? "" : " at least";
  const told = [
    standing(counts),
    countOf(report.objects, "object"),
    countOf(report.records, "record"),
    report.first === null ? "no offsets" : `offsets ${report.first} to ${report.next}${end}`,
    ...(kafka === undefined ? [] : [`${kafka.notArchived} not archived yet`]),
  ];
  const lines = [`${name}: ${told.join(", ")}`];
  for (const finding of findings.slice(0, toldMost)) lines.push(`  ${findingText(finding)}`);
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const left = all - Math.min(findings.length, toldMost);
  if (left > 0) lines.push(`  and ${left} more`);
  return lines.map(visible);
}

/** The last lines: what belongs to no partition, and the sum. */
export function restLines(rest: VerifyRest, totals: Totals): string[] {
  const lines = rest.unarchived.map(({ group, topic, partition, logStart, lastStable }) =>
    `${group}/${topic}/${partition}: nothing is archived, Kafka has offsets ${logStart} to ${lastStable}`
  );
  if (rest.foreign > 0) {
    const [first = "", ...more] = rest.foreignKeys;
    const others = rest.foreign - 1;
    const such = more.length > 0 ? `${first} and ${others} more` : first;
    lines.push(`${countOf(rest.foreign, "object")} not of this archive: ${such}`);
  }
  const { counts, notArchived } = totals;
  const found = kindsInOrder.filter((kind) => counts[kind] > 0)
    .map((kind) => countOf(counts[kind], ...words[kind]));
  const sum = [
    countOf(totals.partitions, "partition"),
    countOf(totals.objects, "object"),
    countOf(totals.records, "record"),
    ...(notArchived === null ? [] : [`${notArchived} offsets not archived yet`]),
    ...(found.length === 0 ? ["all sound"] : found),
  ];
  lines.push(sum.join(", "));
  return lines.map(visible);
}

/** The worst first. */
const kindsInOrder: readonly FindingKind[] = [
  "damaged",
  "contradiction",
  "gap",
  "overlap",
  "unreadable",
  "unknown",
  "retention",
  "notice",
];

const words: Readonly<Record<FindingKind, readonly [one: string, many?: string]>> = {
  damaged: ["damaged object"],
  contradiction: ["contradiction"],
  gap: ["gap"],
  overlap: ["overlap"],
  unreadable: ["thing that could not be read", "things that could not be read"],
  unknown: ["possible gap"],
  retention: ["gap by retention", "gaps by retention"],
  notice: ["notice"],
};

function standing(counts: PartitionReport["counts"]): string {
  const worst = kindsInOrder.find((kind) => counts[kind] > 0);
  if (worst === undefined || worst === "notice" || worst === "retention") return "ok";
  return worst === "unknown" ? "not certain" : "not ok";
}

function findingText({ kind, what, key, from, to, atByte, atCompressedByte }: Finding): string {
  const parts: string[] = [];
  if (key !== undefined) parts.push(key);
  const where = atByte === undefined
    ? ""
    : ` at byte ${atByte} (byte ${atCompressedByte ?? "?"} of the gzip)`;
  const range = from === undefined ? "" : to === undefined ? ` from ${from}` : ` ${from} to ${to}`;
  parts.push(`${kind}${where}${range}`);
  return `${parts.join(": ")}: ${what}`;
}

/** `1 object`, `2 objects`. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
