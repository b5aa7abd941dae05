import type { TopicPartition } from "../../clients/kafka/kafka.ts";

/** What Kafka holds of a partition now. */
export interface PartitionState {
  /** The topic's id; empty when the cluster gives none. */
  readonly topicId: string;
  /** The first offset that is not deleted. */
  readonly logStart: bigint;
  /** Before the first record of a transaction that is still open. */
  readonly lastStable: bigint;
  readonly highWatermark: bigint;
}

/** A record in Kafka: its value is `bytes[start, end)`, only valid during the call. */
export type RecordVisitor = (
  offset: bigint,
  bytes: Uint8Array,
  start: number,
  end: number,
) => boolean;

/** What verify asks Kafka. */
export interface KafkaView {
  /** How many partitions the topic has; 0 when there is no such topic. */
  partitionsOf(topic: string): number;
  /** Undefined when there is no such partition. @throws {SluiceError} */
  stateOf(of: TopicPartition): Promise<PartitionState | undefined>;
  /**
   * Visits the records with offsets in `[from, to)` that a reader of committed records gets, until
   * the visitor says false.
   *
   * @returns where Kafka's log goes on without a deleted part: `from`, or behind what retention has
   * deleted of the range, `to` or more when that is all of it; undefined without such a partition.
   * @throws {SluiceError}
   */
  visit(
    of: TopicPartition,
    from: bigint,
    to: bigint,
    visitor: RecordVisitor,
  ): Promise<bigint | undefined>;
}
