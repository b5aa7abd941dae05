import type { Cluster, FetchedPartition, TopicPartition } from "../../clients/kafka/kafka.ts";
import { decompress } from "../../clients/kafka/kafka.ts";
import { faultOf, SluiceError } from "../../core/errors.ts";
import { Permits } from "../../core/permits.ts";
import { backoffMs, networkRetry } from "../../core/retry.ts";
import type { World } from "../../core/world.ts";
import {
  AbortedFilter,
  type BatchHead,
  checkBatch,
  controlTypeOf,
  readBatchHead,
  recordsAt,
} from "../../formats/fetched_batches.ts";
import { RecordWalk } from "../../formats/record_walk.ts";
import type { KafkaView, PartitionState, RecordVisitor } from "./kafka_view.ts";

const isolation = "read-committed";
const fetchBytes = 4 * 1024 * 1024;
/** There is something to be had at once, or nothing at all. */
const maxWaitMs = 200;
/** Nothing though it is before the end: compaction has left no record, or the broker is not quite there. */
const emptyAnswersMost = 3;
/** Behind that many failures in a row the partition is given up. */
const triesMost = 6;

/** Asks a real cluster. */
export class KafkaReader implements KafkaView {
  /** A connection takes one fetch at a time. */
  readonly #permits = new Permits(1);
  #topics = new Map<string, { readonly id: string; readonly partitions: number }>();

  private constructor(private readonly cluster: Cluster, private readonly world: World) {}

  /** @throws {SluiceError} `transient` or `denied` when the cluster does not answer. */
  static async open(cluster: Cluster, world: World): Promise<KafkaReader> {
    const reader = new KafkaReader(cluster, world);
    await reader.#list();
    return reader;
  }

  partitionsOf(topic: string): number {
    return this.#topics.get(topic)?.partitions ?? 0;
  }

  async stateOf(of: TopicPartition): Promise<PartitionState | undefined> {
    if (of.partition >= this.partitionsOf(of.topic)) return undefined;
    return {
      topicId: this.#topics.get(of.topic)?.id ?? "",
      logStart: await this.#offset(of, "earliest", isolation),
      lastStable: await this.#offset(of, "latest", isolation),
      highWatermark: await this.#offset(of, "latest", "read-uncommitted"),
    };
  }

  async visit(
    of: TopicPartition,
    from: bigint,
    to: bigint,
    visitor: RecordVisitor,
  ): Promise<bigint | undefined> {
    let began = from;
    let at = from;
    for (let attempt = 1; attempt <= triesMost; attempt++) {
      const gone = await this.#visitUpTo(of, at, to, visitor);
      if (gone === undefined) return began;
      const state = await this.stateOf(of);
      if (state === undefined) return undefined;
      if (gone >= state.highWatermark) return began;
      // Retention has overtaken us: on from where the log begins now.
      began = at = gone < state.logStart ? state.logStart : gone;
      if (at >= to) return began;
    }
    throw new SluiceError(actionOf(of), "transient", `Kafka gives nothing at offset ${at}`);
  }

  /** Undefined when it is done; else the offset that Kafka has not, from where the rest is missing. */
  async #visitUpTo(
    of: TopicPartition,
    from: bigint,
    to: bigint,
    visitor: RecordVisitor,
  ): Promise<bigint | undefined> {
    let at = from;
    for (let emptyAnswers = 0; at < to && emptyAnswers < emptyAnswersMost;) {
      const answer = await this.#permits.use(() => this.#insist(() => this.#fetch(of, at)));
      if (answer.outcome === "out-of-range") return at;
      const next = visitAnswer(answer, at, to, visitor);
      if (next === undefined || next >= answer.lastStableOffset) return undefined;
      if (next === at) emptyAnswers++;
      at = next;
    }
    return undefined;
  }

  async #fetch({ topic, partition }: TopicPartition, offset: bigint): Promise<FetchedPartition> {
    const nodeId = this.cluster.leaderId(topic, partition);
    const action = actionOf({ topic, partition });
    if (nodeId === undefined) throw new SluiceError(action, "transient", "it has no leader now");
    const wish = { topic, partition, offset, maxBytes: fetchBytes };
    const options = { maxWaitMs, minBytes: 1, maxBytes: fetchBytes, isolation } as const;
    const [answer] = await this.cluster.fetch(nodeId, [wish], options);
    if (answer?.outcome === "ok" || answer?.outcome === "out-of-range") return answer;
    throw answer?.error ?? new SluiceError(action, "transient", "another broker leads it now");
  }

  async #offset(
    of: TopicPartition,
    at: "earliest" | "latest",
    isolation: "read-committed" | "read-uncommitted",
  ): Promise<bigint> {
    return await this.#insist(async () => {
      const [found] = await this.cluster.listOffsets([{ ...of, at }], isolation);
      if (found?.offset !== null && found?.offset !== undefined) return found.offset;
      const action = `ask for an offset of partition ${of.partition} of ${of.topic}`;
      throw found?.error ?? new SluiceError(action, "transient", "Kafka tells none");
    });
  }

  async #list(): Promise<void> {
    const topics = await this.cluster.listTopics();
    this.#topics = new Map(topics.map(({ name, id, partitions }) => [name, { id, partitions }]));
  }

  /** Tries again while a partition moves. */
  async #insist<T>(act: () => Promise<T>): Promise<T> {
    for (let attempt = 1;; attempt++) {
      try {
        return await act();
      } catch (thrown) {
        if (faultOf(thrown) !== "transient" || attempt === triesMost) throw thrown;
        await this.world.sleep(backoffMs(networkRetry, attempt, this.world.random()));
        await this.#list();
      }
    }
  }
}

function actionOf({ topic, partition }: TopicPartition): string {
  return `read partition ${partition} of ${topic}`;
}

/** Visits what an answer holds of a range; where to go on, undefined when the visitor has enough. */
function visitAnswer(
  { records: bytes, aborted }: FetchedPartition,
  from: bigint,
  to: bigint,
  visitor: RecordVisitor,
): bigint | undefined {
  const filter = new AbortedFilter(aborted);
  let next = from;
  for (let at = 0;;) {
    const head = readBatchHead(bytes, at);
    if (head === null) return next;
    if (head.baseOffset >= to) return to;
    checkBatch(bytes, at, head);
    const control = head.isControl ? controlTypeOf(bytes, at, head) : null;
    if (filter.isWanted(head, control)) {
      const range = { from, to };
      if (!visitBatch(recordsOf(bytes, at, head), head, range, visitor)) return undefined;
    }
    at += head.sizeBytes;
    next = head.nextOffset;
  }
}

/** Where the records of a batch are once they are decompressed. */
interface BatchRecords {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

function recordsOf(bytes: Uint8Array, at: number, head: BatchHead): BatchRecords {
  const [start, end] = [recordsAt(at), at + head.sizeBytes];
  const { codec } = head;
  if (codec === 0) return { bytes, start, end };
  if (codec !== 1 && codec !== 2 && codec !== 3 && codec !== 4) {
    const action = `read the batch at offset ${head.baseOffset}`;
    throw new SluiceError(action, "corrupt", `there is no codec ${codec}`);
  }
  const inflated = decompress(codec, bytes.subarray(start, end));
  return { bytes: inflated, start: 0, end: inflated.length };
}

function visitBatch(
  { bytes, start, end }: BatchRecords,
  head: BatchHead,
  range: { readonly from: bigint; readonly to: bigint },
  visitor: RecordVisitor,
): boolean {
  const walk = new RecordWalk();
  walk.begin(head, bytes, start, end, range.from);
  while (walk.next()) {
    if (walk.offset >= range.to) return true;
    if (!visitor(walk.offset, bytes, walk.valueStart, walk.valueEnd)) return false;
  }
  return true;
}
