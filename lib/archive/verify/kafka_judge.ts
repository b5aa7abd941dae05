import type { Store } from "../../clients/store/store.ts";
import type { ArchivedPartition } from "../../formats/archive_key.ts";
import { type ChainEnd, type OpenLink, unknownFinding } from "./chain_check.ts";
import type { Finding } from "./facts.ts";
import type { KafkaView, PartitionState } from "./kafka_view.ts";
import { digestOf, digestsOf } from "./value_digests.ts";

/** Lost records that are looked for in vain until it is enough. */
const lostMost = 100;

/**
 * Judges a link that the archive leaves open: an object without notes does not say where it ends, so
 * that the offsets up to the next object may be lost records, or none at all (compacted away, of
 * aborted transactions, ends of transactions). Every record that Kafka still has there has to be in
 * the object, in its order; undefined when all of it is explained.
 *
 * @throws {SluiceError} of the store or Kafka.
 */
export async function judgeOpenLink(
  kafka: KafkaView,
  store: Store,
  of: ArchivedPartition,
  link: OpenLink,
): Promise<Finding | undefined> {
  const { object, to, key } = link;
  const { content } = object;
  if (object.kind !== "values" || content === undefined || content.damage !== undefined) {
    return unknownFinding(link);
  }
  const archived = await digestsOf(await store.get(object.key));
  let at = 0;
  let lost = 0;
  let firstLost: bigint | undefined;
  const began = await kafka.visit(of, object.first, to, (offset, bytes, start, end) => {
    const found = archived.indexOf(digestOf(bytes, start, end), at);
    if (found >= 0) at = found + 1;
    else {
      firstLost ??= offset;
      lost++;
    }
    return lost < lostMost;
  });
  if (firstLost !== undefined) {
    const noun = lost === 1 ? "record" : "records";
    const count = lost < lostMost ? lost : `at least ${lost}`;
    const what = `Kafka has ${count} ${noun} there that no object holds`;
    return { kind: "gap", what, key, from: firstLost, to };
  }
  return began === object.first ? undefined : unknownFinding(link);
}

/** Tells of a gap whether Kafka can fill it. @throws {SluiceError} of Kafka. */
export async function judgeGap(
  kafka: KafkaView,
  of: ArchivedPartition,
  gap: Finding,
): Promise<Finding> {
  const { from, to, what } = gap;
  if (from === undefined || to === undefined) return gap;
  const { first, began } = await firstIn(kafka, of, from, to);
  if (began === undefined) return gap;
  const told = first !== undefined
    ? `Kafka still has records of them, the first is ${first}`
    : began >= to
    ? "Kafka has deleted them"
    : "Kafka has no record there";
  return { ...gap, what: `${what}; ${told}` };
}

/** Whether Kafka's topic is the archived one, as far as ids tell: one made anew has another. */
export function isSameTopic(
  { topicId }: PartitionState,
  end: Pick<ChainEnd, "topicId">,
): boolean {
  return end.topicId === "" || topicId === "" || end.topicId === topicId;
}

/**
 * Holds both ends of a partition's archive against Kafka: records before the first object are
 * missing ones, those behind the last are not archived yet.
 *
 * @throws {SluiceError} of Kafka.
 */
export async function judgeEnds(
  kafka: KafkaView,
  of: ArchivedPartition,
  state: PartitionState,
  first: bigint,
  end: ChainEnd,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  if (state.logStart < first) {
    const { first: missing } = await firstIn(kafka, of, state.logStart, first);
    if (missing !== undefined) {
      const what = "Kafka has records there, before the archive begins";
      findings.push({ kind: "gap", what, from: missing, to: first });
    }
  }
  if (end.next > state.highWatermark) {
    const what = `Kafka's log ends at ${state.highWatermark}, before the archive does; ` +
      "was the topic made anew, or has Kafka lost records?";
    findings.push({ kind: "notice", what, from: end.next });
  }
  return findings;
}

/** The offset of the first record in a range, and where the visit began. */
async function firstIn(
  kafka: KafkaView,
  of: ArchivedPartition,
  from: bigint,
  to: bigint,
): Promise<{ readonly first: bigint | undefined; readonly began: bigint | undefined }> {
  let first: bigint | undefined;
  const began = await kafka.visit(of, from, to, (offset) => {
    first = offset;
    return false;
  });
  return { first, began };
}
