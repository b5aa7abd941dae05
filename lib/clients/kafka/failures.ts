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
  unknownServer: -1,
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
  14: "COORDINATOR_LOAD_IN_PROGRESS",
  15: "COORDINATOR_NOT_AVAILABLE",
  16: "NOT_COORDINATOR",
  17: "INVALID_TOPIC_EXCEPTION",
  18: "RECORD_LIST_TOO_LARGE",
  19: "NOT_ENOUGH_REPLICAS",
  20: "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
  21: "INVALID_REQUIRED_ACKS",
  22: "ILLEGAL_GENERATION",
  25: "UNKNOWN_MEMBER_ID",
  27: "REBALANCE_IN_PROGRESS",
  29: "TOPIC_AUTHORIZATION_FAILED",
  30: "GROUP_AUTHORIZATION_FAILED",
  31: "CLUSTER_AUTHORIZATION_FAILED",
  32: "INVALID_TIMESTAMP",
  35: "UNSUPPORTED_VERSION",
  42: "INVALID_REQUEST",
  43: "UNSUPPORTED_FOR_MESSAGE_FORMAT",
  44: "POLICY_VIOLATION",
  45: "OUT_OF_ORDER_SEQUENCE_NUMBER",
  47: "INVALID_PRODUCER_EPOCH",
  49: "INVALID_PRODUCER_ID_MAPPING",
  53: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
  56: "KAFKA_STORAGE_ERROR",
  59: "UNKNOWN_PRODUCER_ID",
  65: "DELEGATION_TOKEN_AUTHORIZATION_FAILED",
  76: "UNSUPPORTED_COMPRESSION_TYPE",
  87: "INVALID_RECORD",
  90: "PRODUCER_FENCED",
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
  90: "new-id",
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
  // A missing topic is tried again, too, but without an operator it will not come.
  return remedy === "wrong" || remedy === "unknown-topic" ? "permanent" : "transient";
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
  // A token whose file cannot be read any more comes up through the library.
  const ours = chain.find((one) => one instanceof SluiceError);
  if (ours !== undefined) return new SluiceError(action, "denied", ours.message, { cause: thrown });
  const [fault, detail] = deniedIn(chain) ?? tlsIn(chain) ??
    ["transient", textOf(chain.findLast(({ message }) => message)) || String(thrown)];
  return new SluiceError(action, fault, detail, { cause: thrown });
}

interface Linked {
  readonly message?: unknown;
  readonly code?: unknown;
  readonly apiId?: unknown;
}

type Verdict = readonly [fault: Fault, detail: string];

/** What the broker has refused, if that is what went wrong. */
function deniedIn(chain: readonly Linked[]): Verdict | undefined {
  const named = (...names: string[]) => chain.some(({ apiId }) => names.includes(String(apiId)));
  if (named("TOPIC_AUTHORIZATION_FAILED")) {
    return ["denied", "this user may not use the topic; grant Write and Describe on it"];
  }
  if (named("CLUSTER_AUTHORIZATION_FAILED")) return ["denied", topicAdvice("", code.clusterDenied)];
  const login = chain.findIndex((one) => one.code === "PLT_KFK_AUTHENTICATION");
  // A login that broke off for want of a connection says nothing about the password.
  const isBroken = login >= 0 &&
    chain.slice(login + 1).some((one) => one.code === "PLT_KFK_NETWORK");
  if (named("UNSUPPORTED_SASL_MECHANISM")) {
    return ["denied", "the broker does not offer this --sasl-mechanism on this port"];
  }
  if (named("SASL_AUTHENTICATION_FAILED", "ILLEGAL_SASL_STATE") || (login >= 0 && !isBroken)) {
    return ["denied", "the broker refuses the login; check mechanism, user name and password"];
  }
  return undefined;
}

/** What to try about errors of TLS, by the code that node:tls and OpenSSL have for them. */
const tlsAdvice: readonly [code: RegExp, advice: string][] = [
  [
    /^(UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|CERT_UNTRUSTED)/,
    "the broker's certificate is not signed by an authority that we trust; give --kafka-ca",
  ],
  [/ALTNAME_INVALID|HOSTNAME_MISMATCH/, "the broker's certificate is for another host name"],
  [/^CERT_HAS_EXPIRED/, "the broker's certificate has expired"],
  [/WRONG_VERSION_NUMBER/, "this port does not speak TLS"],
  [/ALERT/, "the broker turns us away; check --kafka-cert and --kafka-key"],
];

function tlsIn(chain: readonly Linked[]): Verdict | undefined {
  if (chain.some((one) => one.code === "ECONNRESET")) {
    // Also what a broker does that is just going down; so it is worth another try.
    return chain.some((one) => one.code === "PLT_KFK_USER")
      ? ["transient", "the connection was cut during the TLS handshake; does this port speak TLS?"]
      : undefined;
  }
  // So the library tells that a port without TLS answered in TLS.
  const wanted = chain.find((one) => one.code === "PLT_KFK_USER");
  if (wanted !== undefined) return ["permanent", `TLS: ${textOf(wanted)}`];
  const tls = chain.find((one) =>
    /^(ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_)/.test(
      String(one.code),
    )
  );
  if (tls === undefined) return undefined;
  const advice = tlsAdvice.find(([pattern]) => pattern.test(String(tls.code)))?.[1];
  return ["permanent", `TLS: ${textOf(tls)}${advice ? `; ${advice}` : ""}`];
}

function textOf(one: Linked | undefined): string {
  return one?.message ? String(one.message) : "";
}

/** The error, its causes and the errors that it gathers. */
function causesOf(thrown: unknown): Linked[] {
  if (typeof thrown !== "object" || thrown === null) return [];
  const { cause, errors } = thrown as { cause?: unknown; errors?: unknown[] };
  return [thrown as Linked, ...(errors ?? []).flatMap(causesOf), ...causesOf(cause)];
}
