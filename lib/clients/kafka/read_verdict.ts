import { type Fault, SluiceError } from "../../core/errors.ts";
import { code } from "./failures.ts";

/** What a partition's answer means for who reads it. */
export type ReadOutcome = "ok" | "out-of-range" | "moved" | "failed";

/** What an error code of a fetch or of offsets means, and its words. */
export interface ReadVerdict {
  readonly outcome: ReadOutcome;
  /** Null when all is well. */
  readonly error: SluiceError | null;
}

const fine: ReadVerdict = { outcome: "ok", error: null };

const readDenied = "this user may not read the topic; grant Read and Describe on it";

/** What is not listed here will pass with time. */
const meanings: Readonly<Record<number, readonly [ReadOutcome, Fault, detail: string]>> = {
  1: ["out-of-range", "permanent", "the log has no such offset (OFFSET_OUT_OF_RANGE)"],
  2: ["failed", "corrupt", "the broker finds its log damaged (CORRUPT_MESSAGE)"],
  3: ["moved", "transient", "the broker knows no such partition (UNKNOWN_TOPIC_OR_PARTITION)"],
  5: ["moved", "transient", "it has no leader now (LEADER_NOT_AVAILABLE)"],
  6: ["moved", "transient", "the broker does not lead it any more (NOT_LEADER_OR_FOLLOWER)"],
  9: ["moved", "transient", "the broker has no replica of it now (REPLICA_NOT_AVAILABLE)"],
  [code.topicDenied]: ["failed", "denied", readDenied],
  [code.clusterDenied]: ["failed", "denied", "this user may not read from the cluster"],
  35: ["failed", "permanent", "the broker is too old or too new (UNSUPPORTED_VERSION)"],
  42: ["failed", "permanent", "the broker does not take the request (INVALID_REQUEST)"],
  43: ["failed", "permanent", "its log is too old a format (UNSUPPORTED_FOR_MESSAGE_FORMAT)"],
  56: ["moved", "transient", "the broker cannot reach its disk (KAFKA_STORAGE_ERROR)"],
  74: ["moved", "transient", "its leader has changed (FENCED_LEADER_EPOCH)"],
  75: ["moved", "transient", "its leader has changed (UNKNOWN_LEADER_EPOCH)"],
  76: ["failed", "permanent", "its compression is not supported (UNSUPPORTED_COMPRESSION_TYPE)"],
  78: ["moved", "transient", "its new leader knows no offsets yet (OFFSET_NOT_AVAILABLE)"],
  100: ["moved", "transient", "the broker knows no such topic (UNKNOWN_TOPIC_ID)"],
};

/** @param action what was tried, in the infinitive, with topic and partition. */
export function readVerdict(action: string, errorCode: number): ReadVerdict {
  if (errorCode === code.none) return fine;
  const [outcome, fault, detail] = meanings[errorCode] ??
    (["failed", "transient", `the broker answers with Kafka error ${errorCode}`] as const);
  return { outcome, error: new SluiceError(action, fault, detail) };
}
