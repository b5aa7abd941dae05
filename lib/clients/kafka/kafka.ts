/** The door of the Kafka client: everybody else imports from here. */
export { type CheckReport, Cluster, type ClusterOptions, type SaslOptions } from "./cluster.ts";
export { createTopic } from "./create_topic.ts";
export { releaseFetched } from "./fetch.ts";
export { decompress } from "./codecs.ts";
export type {
  AbortedTransaction,
  FetchedPartition,
  FetchOptions,
  FetchWish,
  Isolation,
} from "./fetch.ts";
export type { OffsetFound, OffsetWish } from "./offsets.ts";
export type { ReadOutcome } from "./read_verdict.ts";
export type { ListedTopic } from "./topics.ts";
export {
  Producer,
  type ProducerIdentity,
  type ProducerOptions,
  type ProducerState,
  type Refusal,
} from "./producer.ts";
export { GroupMember } from "./group.ts";
export type { GroupOptions, GroupState } from "./group_options.ts";
export type { GroupOffset } from "./group_coordinator.ts";
export { partitionKey, type TopicPartition } from "./group_protocol.ts";
