import { visible } from "../../core/visible.ts";
import { Exit, type ExitCode, exitCodeOf } from "../../core/exit.ts";
import type { Gap } from "./partition_reader.ts";
import type { PartitionReport } from "./restore.ts";

/** What became of a partition, for people: one line. */
export function reportText(report: PartitionReport, { isDryRun }: { isDryRun: boolean }): string {
  const { plan: { from, topic }, objects, records, gaps, error } = report;
  const place = `${from.topic}/${from.partition}`;
  const written = isDryRun ? "would be written" : "written";
  return visible([
    `${place} -> ${topic}/${from.partition}: ${counted(records, "record")} ${written}` +
    ` from ${counted(objects, "object")}`,
    ...gaps.map(gapText),
    ...(error === null ? [] : ["NOT COMPLETE"]),
  ].join("; "));
}

/** `1 record`, `2 records`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function gapText({ from, to, isRetention }: Gap): string {
  const why = isRetention ? "were deleted before they could be archived" : "are missing";
  return `the offsets ${from} to ${to - 1n} ${why}`;
}

/** The same for programs. Offsets are texts, as they may be larger than what JSON readers keep. */
export function reportJson(report: PartitionReport): Readonly<Record<string, unknown>> {
  const { plan: { from, topic }, objects, records, gaps, error } = report;
  return {
    group: from.group,
    topic: from.topic,
    partition: from.partition,
    target: topic,
    objects,
    records,
    gaps: gaps.map((gap) => ({
      from_offset: String(gap.from),
      to_offset: String(gap.to),
      retention: gap.isRetention,
    })),
    error: error?.message ?? null,
  };
}

/** The exit code of all partitions together. */
export class RestoreVerdict {
  partitions = 0;
  records = 0;
  objects = 0;
  #exit: ExitCode = Exit.ok;

  get exit(): ExitCode {
    return this.#exit;
  }

  /** Damage outweighs all else, and any failure a gap; offsets that retention took are no failure. */
  add({ records, objects, gaps, error }: PartitionReport): void {
    this.partitions++;
    this.records += records;
    this.objects += objects;
    if (error !== null) {
      const code = exitCodeOf(error);
      const isFirst = this.#exit === Exit.ok || this.#exit === Exit.partial;
      if (isFirst || code === Exit.corrupt) this.#exit = code;
    } else if (this.#exit === Exit.ok && gaps.some(({ isRetention }) => !isRetention)) {
      this.#exit = Exit.partial;
    }
  }
}
