import { metadataV10 } from "@platformatic/kafka";
import { forgiving, type Link } from "./link.ts";

/** A topic of the cluster. */
export interface ListedTopic {
  readonly name: string;
  /** What tells a topic from one of the same name that was there before: a UUID, in hex. */
  readonly id: string;
  /** Kafka's own, such as `__consumer_offsets`. */
  readonly isInternal: boolean;
  /** How many; their numbers are 0 to `partitions` - 1. */
  readonly partitions: number;
}

/** All topics that this user may see, and who leads their partitions. */
export interface TopicListing {
  readonly brokers: readonly {
    readonly nodeId: number;
    readonly host: string;
    readonly port: number;
  }[];
  readonly topics: readonly ListedTopic[];
  /** By topic: the leader of each partition by its number; -1 where there is none. */
  readonly leaders: ReadonlyMap<string, readonly number[]>;
}

type Response = ReturnType<typeof metadataV10.parseResponse>;

/**
 * Asks a broker for all topics: Metadata, version 10 (Kafka 2.8 and newer), the first with topic ids.
 * None is made by it. A topic in the middle of its making or deletion is left out.
 */
export async function askTopics(link: Link): Promise<TopicListing> {
  const { brokers, topics } = await link.ask<Response>(
    metadataV10.api,
    () => metadataV10.createRequest(null, false, false, false),
    forgiving(metadataV10.parseResponse),
  );
  const listed: ListedTopic[] = [];
  const leaders = new Map<string, readonly number[]>();
  for (const { name, topicId, isInternal, partitions } of topics) {
    if (!name || partitions.length === 0) continue;
    const ofTopic: number[] = new Array(partitions.length).fill(-1);
    for (const { partitionIndex, leaderId } of partitions) ofTopic[partitionIndex] = leaderId;
    listed.push({ name, id: topicId, isInternal, partitions: partitions.length });
    leaders.set(name, ofTopic);
  }
  return { brokers, topics: listed, leaders };
}
