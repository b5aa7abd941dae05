import { Reader, Writer } from "@platformatic/kafka";
import { Buffer } from "node:buffer";
import { SluiceError } from "../../core/errors.ts";

/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  /** Counted from 0. */
  readonly partition: number;
}

/** What a member tells of itself when it joins. */
export interface Subscription {
  /** Topics of which it would take partitions. */
  readonly topics: readonly string[];
  /** Partitions that it holds, or in an eager group held last, and would like to keep. */
  readonly owned: readonly TopicPartition[];
  /** The generation in which it got them; -1 for none. Of two claims the younger one counts. */
  readonly generation: number;
}

/** The protocol type of all consumer groups; Kafka's tools read the bytes of this type only. */
export const protocolType = "consumer";

/** Partitions are named so in maps: a topic's name holds no slash. */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/**
 * A ConsumerProtocolSubscription, version 2, as all of Kafka's clients write it (KIP-429, KIP-792;
 * clients/src/main/resources/common/message/ConsumerProtocolSubscription.json): topics, user data,
 * owned partitions, generation.
 */
export function encodeSubscription({ topics, owned, generation }: Subscription): Buffer {
  const writer = Writer.create().appendInt16(2);
  writer.appendArray([...topics], (to, topic) => to.appendString(topic, false), false, false);
  writer.appendInt32(-1); // no user data: what the cooperative assignors put there has a field now
  return putPartitions(writer, owned).appendInt32(generation).buffer;
}

/**
 * Reads a subscription of any version; what a version does not have is empty.
 *
 * @throws {SluiceError} `corrupt` when the bytes are none.
 */
export function decodeSubscription(bytes: Uint8Array): Subscription {
  return reading("a group member's subscription", bytes, (reader) => {
    const version = reader.readInt16();
    const topics = reader.readArray(() => reader.readString(false), false, false);
    reader.readNullableBytes(false);
    return {
      topics,
      owned: version >= 1 ? takePartitions(reader) : [],
      generation: version >= 2 ? reader.readInt32() : -1,
    };
  });
}

/** A ConsumerProtocolAssignment, version 0: the partitions of one member. */
export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  return putPartitions(Writer.create().appendInt16(0), partitions).appendInt32(-1).buffer;
}

/**
 * Reads an assignment of any version. No bytes at all are no partitions: so a leader answers that
 * gives a member nothing.
 *
 * @throws {SluiceError} `corrupt` when the bytes are none.
 */
export function decodeAssignment(bytes: Uint8Array): TopicPartition[] {
  if (bytes.length === 0) return [];
  return reading("this member's share", bytes, (reader) => {
    reader.readInt16();
    return takePartitions(reader);
  });
}

/** Both messages hold partitions by topic. */
function putPartitions(writer: Writer, partitions: readonly TopicPartition[]): Writer {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
  return writer.appendArray(
    [...byTopic],
    (to, [topic, ofTopic]) => {
      const numbers = ofTopic.map(({ partition }) => partition);
      to.appendString(topic, false);
      to.appendArray(numbers, (into, number) => into.appendInt32(number), false, false);
    },
    false,
    false,
  );
}

function takePartitions(reader: Reader): TopicPartition[] {
  return reader.readArray(
    () => {
      const topic = reader.readString(false);
      const numbers = reader.readArray(() => reader.readInt32(), false, false);
      return numbers.map((partition) => ({ topic, partition }));
    },
    false,
    false,
  ).flat();
}

/** The library's reader throws a RangeError behind the end, but gives cut strings silently. */
function reading<T>(what: string, bytes: Uint8Array, read: (reader: Reader) => T): T {
  const reader = Reader.from(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  try {
    const result = read(reader);
    if (reader.position > bytes.length) throw new RangeError("it is cut");
    return result;
  } catch (thrown) {
    throw new SluiceError(`read ${what}`, "corrupt", String(thrown), { cause: thrown });
  }
}
