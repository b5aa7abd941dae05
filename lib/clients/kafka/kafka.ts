/** The door of the Kafka client: everybody else imports from here. */
export { type CheckReport, Cluster, type ClusterOptions, type SaslOptions } from "./cluster.ts";
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
