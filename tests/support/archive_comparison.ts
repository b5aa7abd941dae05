import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { runCommand } from "./processes.ts";

const checker = fileURLToPath(new URL("archive_checker.py", import.meta.url));

/** What the independent checker tells of one partition. */
export interface PartitionReport {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly objects: number;
  readonly records: number;
  readonly nullValues: number;
  /** Where the chain of objects begins and ends; null when there is no object. */
  readonly first: string | null;
  readonly next: string | null;
  /** Offsets that Kafka had deleted before: [first, next). */
  readonly gaps: readonly (readonly [string, string])[];
  /** Which processes wrote the objects. */
  readonly writers: readonly string[];
  /** The longest that a first record was older than its object, milliseconds. */
  readonly slowestMs: number | null;
  /** Over the content of the records without their offsets, in order. */
  readonly contentSha256: string;
  /** How many records Kafka has in the offsets that were compared. */
  readonly kafkaRecords: number;
  /** Records of Kafka that no object holds. */
  readonly lost: number;
  /** Records in objects that Kafka does not hold, repeated ones among them. */
  readonly extra: number;
  /** Objects with the right records in another order. */
  readonly altered: number;
  readonly problems: readonly string[];
}

/** What the independent checker tells of an archive. */
export interface ArchiveReport {
  readonly partitions: readonly PartitionReport[];
  /** Files that are neither an object nor a note about a gap. */
  readonly strays: readonly string[];
}

/** What an archive is compared with. */
export interface ComparisonOptions {
  /** HOST:PORT */
  readonly kafka: string;
  readonly topics: readonly string[];
  /** @default "sluice" */
  readonly group?: string;
  /** A file of another reader than kcat; see archive_kafka.py. */
  readonly recordsFile?: string;
  /** @default "read_committed" */
  readonly isolation?: "read_committed" | "read_uncommitted";
  /** The archive need not reach Kafka's end. */
  readonly isOpen?: boolean;
  /** Kafka may have deleted the first records of an object, and not all of them, meanwhile. */
  readonly isShortened?: boolean;
}

/** One record of an archive. */
export interface DumpedRecord {
  readonly topic: string;
  readonly partition: number;
  /** Of the object that holds it. */
  readonly first: string;
  /** Base64. */
  readonly value: string | null;
  /** These are known of whole records only. */
  readonly offset?: string;
  readonly timestamp?: number;
  readonly key?: string | null;
  readonly headers?: readonly (readonly [string, string | null])[];
}

/** Where the files of an archive are. */
export interface ArchiveFolder {
  /** The folder above the groups. */
  readonly folder: string;
  /** Where versitygw keeps the objects' metadata; it must be the same as in the files then. */
  readonly notes?: string;
}

/** Checks the chains of objects by themselves. */
export async function walkArchive(archive: ArchiveFolder): Promise<ArchiveReport> {
  return reportOf(await runChecker("walk", archive));
}

/** Checks the chains, and record by record what they hold beside Kafka. */
export async function compareArchive(
  archive: ArchiveFolder,
  options: ComparisonOptions,
): Promise<ArchiveReport> {
  return reportOf(
    await runChecker("compare", archive, [
      ...["--kafka", options.kafka, "--group", options.group ?? "sluice"],
      ...options.topics.flatMap((topic) => ["--topic", topic]),
      ...(options.recordsFile === undefined ? [] : ["--records", options.recordsFile]),
      ...["--isolation", options.isolation ?? "read_committed"],
      ...(options.isOpen ? ["--open"] : []),
      ...(options.isShortened ? ["--shortened"] : []),
    ]),
  );
}

/** Every record of a small archive. */
export async function dumpArchive(archive: ArchiveFolder): Promise<DumpedRecord[]> {
  return await runChecker("dump", archive) as unknown as DumpedRecord[];
}

/** Sums over the partitions of some topics, or of all. */
export function totalsOf({ partitions }: ArchiveReport, topics?: readonly string[]) {
  const some = partitions.filter(({ topic }) => topics?.includes(topic) ?? true);
  const sum = (of: (one: PartitionReport) => number) =>
    some.reduce((total, one) => total + of(one), 0);
  return {
    objects: sum(({ objects }) => objects),
    records: sum(({ records }) => records),
    kafkaRecords: sum(({ kafkaRecords }) => kafkaRecords),
    lost: sum(({ lost }) => lost),
    extra: sum(({ extra }) => extra),
    gaps: sum(({ gaps }) => gaps.length),
    writers: new Set(some.flatMap(({ writers }) => writers)).size,
  };
}

/** Asserts that every chain is whole, and every record of Kafka in exactly one object, unaltered. */
export function assertExact(report: ArchiveReport): void {
  const wrong = report.partitions.filter(({ lost, extra, altered, problems }) =>
    lost + extra + altered + problems.length > 0
  );
  const { records, lost, extra } = totalsOf(report);
  assert.deepEqual(
    wrong.map(({ topic, partition, problems }) => [topic, partition, ...problems.slice(0, 5)]),
    [],
    `${records} records are archived, ${lost} lost, ${extra} too many`,
  );
  assert.deepEqual(report.strays, [], "files that are no objects");
}

async function runChecker(
  action: string,
  { folder, notes }: ArchiveFolder,
  args: readonly string[] = [],
): Promise<Record<string, unknown>[]> {
  const where = notes === undefined ? [folder] : [folder, "--notes", notes];
  const { success, text } = await runCommand(["python3", checker, action, ...where, ...args]);
  if (!success) throw new Error(`Cannot check the archive: ${text.trim().slice(-2_000)}`);
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

function reportOf(lines: readonly Record<string, unknown>[]): ArchiveReport {
  const of = (kind: string) => lines.filter((line) => line.kind === kind) as unknown;
  const [end] = of("end") as { readonly strays: readonly string[] }[];
  return { partitions: of("partition") as PartitionReport[], strays: end?.strays ?? [] };
}
