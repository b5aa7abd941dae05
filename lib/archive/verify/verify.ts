import type { Store } from "../../clients/store/store.ts";
import { reasonOf, SluiceError } from "../../core/errors.ts";
import { Permits } from "../../core/permits.ts";
import type { World } from "../../core/world.ts";
import type { ArchivedPartition } from "../../formats/archive_key.ts";
import {
  type ArchiveFilter,
  listArchive,
  type ListedPartition,
  listObjects,
  nothingArchived,
} from "../listing.ts";
import { ChainCheck, type OpenLink, unknownFinding } from "./chain_check.ts";
import type { Finding, ObjectFacts } from "./facts.ts";
import { inOrder } from "./in_order.ts";
import { isSameTopic, judgeEnds, judgeGap, judgeOpenLink } from "./kafka_judge.ts";
import type { KafkaView } from "./kafka_view.ts";
import { lookAtObject } from "./look_at_object.ts";
import { type KafkaReport, type PartitionReport, ReportBuilder } from "./partition_report.ts";

/** What to verify, with what. */
export interface VerifyPlan {
  readonly store: Store;
  readonly world: World;
  readonly filter: ArchiveFilter;
  /** By listing, metadata and gzip headers only. */
  readonly shallow: boolean;
  /** Objects that are read at once. */
  readonly parallel: number;
  /** Undefined: the archive is held against itself only. */
  readonly kafka: KafkaView | undefined;
}

/** How far it is. */
export interface VerifyProgress {
  objects: number;
  bytes: number;
  /** By the listing: more may come meanwhile. */
  totalObjects: number;
  totalBytes: number;
}

/** A partition that Kafka has and the archive has not, though others of its topic are archived. */
export interface UnarchivedPartition extends ArchivedPartition {
  readonly logStart: bigint;
  readonly lastStable: bigint;
}

/** What was found in the archive besides its partitions. */
export interface VerifyRest {
  readonly foreign: number;
  readonly foreignKeys: readonly string[];
  readonly unarchived: readonly UnarchivedPartition[];
}

/**
 * Verifies an archive partition by partition, with several objects of several partitions read at
 * once; the reports come in the order of groups, topics and numbers. Memory is that of the objects
 * that are read now and of the partitions' names.
 *
 * @param progress is kept up to date.
 * @throws {SluiceError} when the archive cannot be listed, and `permanent` when there is none.
 */
export async function verifyArchive(
  plan: VerifyPlan,
  progress: VerifyProgress,
  report: (partition: PartitionReport) => Promise<void>,
): Promise<VerifyRest> {
  const listing = await listArchive(plan.store, plan.filter);
  const { partitions, foreign, foreignKeys } = listing;
  if (partitions.length === 0) throw nothingArchived(plan.store.url, listing, plan.filter);
  for (const { objects, sizeBytes } of partitions) {
    progress.totalObjects += objects;
    progress.totalBytes += sizeBytes;
  }
  const permits = new Permits(plan.parallel);
  const look = async (object: Parameters<typeof lookAtObject>[1]): Promise<ObjectFacts> => {
    const facts = await permits.use(() => lookAtObject(plan, object));
    progress.objects++;
    progress.bytes += object.sizeBytes;
    return facts;
  };
  const reports = inOrder(
    partitions,
    plan.parallel,
    (partition) => verifyPartition(plan, partition, look),
  );
  for await (const one of reports) await report(one);
  return { foreign, foreignKeys, unarchived: await findUnarchived(plan.kafka, partitions) };
}

async function verifyPartition(
  plan: VerifyPlan,
  partition: ListedPartition,
  look: (object: Parameters<typeof lookAtObject>[1]) => Promise<ObjectFacts>,
): Promise<PartitionReport> {
  const { store, kafka } = plan;
  const builder = new ReportBuilder(partition);
  const chain = new ChainCheck();
  for await (const facts of inOrder(listObjects(store, partition), plan.parallel, look)) {
    builder.addObject(facts);
    const { findings, open } = chain.add(facts);
    for (const finding of findings) {
      builder.addFinding(await askAboutGap(kafka, partition, finding));
    }
    const unknown = open && await judgeOpen(plan, partition, open);
    if (unknown !== undefined) builder.addFinding(unknown);
  }
  for (const finding of besides(partition, builder, chain)) builder.addFinding(finding);
  let state: KafkaReport | undefined;
  try {
    state = kafka && await askEnds(kafka, partition, builder, chain);
  } catch (thrown) {
    builder.addFinding(kafkaTrouble(thrown));
  }
  return builder.report(chain.end, state);
}

/** A gap as Kafka lets it be told; other findings, and all when Kafka cannot be asked, as they are. */
async function askAboutGap(
  kafka: KafkaView | undefined,
  of: ArchivedPartition,
  finding: Finding,
): Promise<Finding> {
  if (kafka === undefined || finding.kind !== "gap") return finding;
  try {
    return await judgeGap(kafka, of, finding);
  } catch (thrown) {
    return { ...finding, what: `${finding.what}; ${kafkaTrouble(thrown).what}` };
  }
}

async function judgeOpen(
  { kafka, store }: VerifyPlan,
  of: ArchivedPartition,
  open: OpenLink,
): Promise<Finding | undefined> {
  if (kafka === undefined) return unknownFinding(open);
  try {
    return await judgeOpenLink(kafka, store, of, open);
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    return { ...unknownFinding(open), what: `this could not be judged: ${reasonOf(thrown)}` };
  }
}

/** What is to be said of a partition as a whole. */
function besides(partition: ListedPartition, builder: ReportBuilder, chain: ChainCheck): Finding[] {
  const findings: Finding[] = [];
  if (chain.unread > 0) {
    const objects = chain.unread === 1 ? "1 object has" : `${chain.unread} objects have`;
    const what = `${objects} no notes: gaps beside them are not seen without reading them`;
    findings.push({ kind: "notice", what });
  }
  const { retention } = builder.counts;
  if (partition.gapNotes !== retention) {
    const what = `${partition.gapNotes} files gap-*.json lie beside ${retention} gaps`;
    findings.push({ kind: "notice", what });
  }
  return findings;
}

/** Asked behind the objects: what was archived meanwhile is in Kafka already. */
async function askEnds(
  kafka: KafkaView,
  partition: ListedPartition,
  builder: ReportBuilder,
  chain: ChainCheck,
): Promise<KafkaReport | undefined> {
  const { first } = builder;
  const { end } = chain;
  const state = await kafka.stateOf(partition);
  if (state === undefined) {
    builder.addFinding({ kind: "notice", what: "Kafka has no such partition; not compared" });
    return undefined;
  }
  if (first === null || end === undefined) return undefined;
  if (!isSameTopic(state, end)) {
    const what = "Kafka's topic of this name is another one than the archived; not compared";
    builder.addFinding({ kind: "notice", what });
    return undefined;
  }
  for (const finding of await judgeEnds(kafka, partition, state, first, end)) {
    builder.addFinding(finding);
  }
  const { logStart, lastStable, highWatermark } = state;
  const notArchived = lastStable > end.next ? lastStable - end.next : 0n;
  return { logStart, lastStable, highWatermark, notArchived };
}

function kafkaTrouble(thrown: unknown): Finding {
  if (!(thrown instanceof SluiceError)) throw thrown;
  return {
    kind: "unreadable",
    what: `Kafka could not be asked: ${reasonOf(thrown)}`,
    fault: thrown.fault,
  };
}

/** Partitions of archived topics of which nothing is archived, though Kafka has something. */
async function findUnarchived(
  kafka: KafkaView | undefined,
  partitions: readonly ListedPartition[],
): Promise<UnarchivedPartition[]> {
  const found: UnarchivedPartition[] = [];
  // Opened at a partition's folder, others are not looked for.
  const [only] = partitions;
  if (kafka === undefined || only === undefined || only.folder === "") return found;
  const topics = Map.groupBy(partitions, ({ group, topic }) => `${group}\n${topic}`);
  for (const known of topics.values()) {
    const [{ group, topic } = only] = known;
    for (let partition = 0; partition < kafka.partitionsOf(topic); partition++) {
      if (known.some((one) => one.partition === partition)) continue;
      const state = await kafka.stateOf({ topic, partition });
      if (state === undefined || state.logStart >= state.lastStable) continue;
      const { logStart, lastStable } = state;
      found.push({ group, topic, partition, logStart, lastStable });
    }
  }
  return found;
}
