import { type Fault, SluiceError } from "../../core/errors.ts";

/** What a producer does about an error of the broker. */
export type Remedy =
  | "retry"
  | "split"
  | "refused"
  | "new-id"
  | "unknown-topic"
  | "denied"
  | "wrong";

/** Error codes of the protocol (kafka.apache.org/protocol#protocol_error_codes). */
export const code = {
  none: 0,
  unknownTopic: 3,
  messageTooLarge: 10,
  recordListTooLarge: 18,
  topicDenied: 29,
  clusterDenied: 31,
  invalidTimestamp: 32,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  unknownProducer: 59,
  invalidRecord: 87,
} as const;

const names: Readonly<Record<number, string>> = {
  2: "CORRUPT_MESSAGE",
  3: "UNKNOWN_TOPIC_OR_PARTITION",
  5: "LEADER_NOT_AVAILABLE",
  6: "NOT_LEADER_OR_FOLLOWER",
  7: "REQUEST_TIMED_OUT",
  10: "MESSAGE_TOO_LARGE",
  17: "INVALID_TOPIC_EXCEPTION",
  18: "RECORD_LIST_TOO_LARGE",
  19: "NOT_ENOUGH_REPLICAS",
  20: "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
  29: "TOPIC_AUTHORIZATION_FAILED",
  31: "CLUSTER_AUTHORIZATION_FAILED",
  32: "INVALID_TIMESTAMP",
  45: "OUT_OF_ORDER_SEQUENCE_NUMBER",
  47: "INVALID_PRODUCER_EPOCH",
  56: "KAFKA_STORAGE_ERROR",
  59: "UNKNOWN_PRODUCER_ID",
  76: "UNSUPPORTED_COMPRESSION_TYPE",
  87: "INVALID_RECORD",
};

const remedies: Readonly<Record<number, Remedy>> = {
  [code.unknownTopic]: "unknown-topic",
  [code.messageTooLarge]: "split",
  [code.recordListTooLarge]: "split",
  [code.invalidTimestamp]: "refused",
  [code.invalidRecord]: "refused",
  [code.topicDenied]: "denied",
  [code.clusterDenied]: "denied",
  [code.outOfOrderSequence]: "new-id",
  [code.unknownProducer]: "new-id",
  47: "new-id",
  49: "new-id",
  17: "wrong",
  21: "wrong",
  35: "wrong",
  42: "wrong",
  43: "wrong",
  44: "denied",
  53: "denied",
  65: "denied",
  76: "wrong",
};

/** What to do about an error code; what is not listed will pass with time. */
export function remedyOf(errorCode: number): Remedy {
  return remedies[errorCode] ?? "retry";
}

/** The name of an error code as the protocol has it. */
export function nameOf(errorCode: number): string {
  return names[errorCode] ?? `Kafka error ${errorCode}`;
}

/** The fault kind of a remedy, for those who watch. */
export function faultOfRemedy(remedy: Remedy): Fault {
  if (remedy === "denied") return "denied";
  return remedy === "wrong" ? "permanent" : "transient";
}

/** What an operator has to do about an error of a topic. */
export function topicAdvice(topic: string, errorCode: number): string {
  switch (errorCode) {
    case code.unknownTopic:
      return `topic ${topic} does not exist; create it`;
    case code.topicDenied:
      return `this user may not write to topic ${topic}; grant Write and Describe on it`;
    case code.clusterDenied:
      return "this user may not write idempotently; grant IdempotentWrite on the cluster";
    default:
      return `topic ${topic}: ${nameOf(errorCode)}`;
  }
}

/** Anything that the library threw while `action` was tried, as an error of ours. */
export function kafkaError(action: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const chain = causesOf(thrown);
  const told = (fault: Fault, detail: string) =>
    new SluiceError(action, fault, detail, { cause: thrown });
  if (chain.some(isDenial)) {
    return told("denied", "the broker refuses the login; check mechanism, user name and password");
  }
  const tls = chain.find((one) => /certificate|TLS|SSL|tls/.test(String(one.message)));
  if (tls !== undefined) return told("permanent", `TLS: ${String(tls.message)}`);
  return told("transient", String(chain.at(-1)?.message ?? thrown));
}

interface Linked {
  readonly message?: unknown;
  readonly code?: unknown;
  readonly apiId?: unknown;
}

function isDenial({ code: name, apiId }: Linked): boolean {
  return name === "PLT_KFK_AUTHENTICATION" || apiId === "SASL_AUTHENTICATION_FAILED" ||
    apiId === "UNSUPPORTED_SASL_MECHANISM" || apiId === "TOPIC_AUTHORIZATION_FAILED" ||
    apiId === "CLUSTER_AUTHORIZATION_FAILED";
}

/** The error, its causes and the errors that it gathers. */
function causesOf(thrown: unknown): Linked[] {
  if (typeof thrown !== "object" || thrown === null) return [];
  const { cause, errors } = thrown as { cause?: unknown; errors?: unknown[] };
  return [thrown as Linked, ...(errors ?? []).flatMap(causesOf), ...causesOf(cause)];
}
