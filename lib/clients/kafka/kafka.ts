/** The door of the Kafka client: everybody else imports from here. */
export { type CheckReport, Cluster, type ClusterOptions, type SaslOptions } from "./cluster.ts";
export { Producer, type ProducerOptions, type ProducerState, type Refusal } from "./producer.ts";
