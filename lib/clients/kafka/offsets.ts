import { listOffsetsV6 } from "@platformatic/kafka";
import type { SluiceError } from "../../core/errors.ts";
import { kafkaError } from "./failures.ts";
import type { Isolation } from "./fetch.ts";
import { forgiving, type Link } from "./link.ts";
import { readVerdict } from "./read_verdict.ts";

/** Which offset of a partition is asked for. */
export interface OffsetWish {
  readonly topic: string;
  readonly partition: number;
  /**
   * `earliest`: where the log begins. `latest`: behind the last record that may be read, under
   * read-committed the last stable offset. A time in milliseconds since 1970: the first record of
   * that time or later.
   */
  readonly at: "earliest" | "latest" | bigint;
}

/** What a leader has answered about a partition. */
export interface OffsetFound {
  readonly topic: string;
  readonly partition: number;
  /** Null when no record is of the wanted time or later, or when there is an error. */
  readonly offset: bigint | null;
  /** `transient` where the leader has changed or is not there: list the topics and ask again. */
  readonly error: SluiceError | null;
}

type Response = ReturnType<typeof listOffsetsV6.parseResponse>;

const specials = { earliest: -2n, latest: -1n } as const;

/**
 * Asks the leader of each partition, all leaders at once.
 *
 * @param leaderOf the connection to a partition's leader; undefined when none is known.
 * @returns as many as there are wishes, in another order perhaps.
 */
export async function findOffsets(
  wishes: readonly OffsetWish[],
  isolation: Isolation,
  leaderOf: (wish: OffsetWish) => Link | undefined,
): Promise<OffsetFound[]> {
  const found = [...Map.groupBy(wishes, leaderOf)].map(async ([link, wanted]) => {
    if (link === undefined) {
      return wanted.map((wish) => failed(wish, (action) => readVerdict(action, noLeader).error));
    }
    try {
      return await askOffsets(link, wanted, isolation);
    } catch (thrown) {
      return wanted.map((wish) => failed(wish, (action) => kafkaError(action, thrown)));
    }
  });
  return (await Promise.all(found)).flat();
}

const noLeader = 5;

function actionOf(topic: string, partition: number): string {
  return `ask for an offset of partition ${partition} of ${topic}`;
}

function failed(
  { topic, partition }: OffsetWish,
  errorOf: (action: string) => SluiceError | null,
): OffsetFound {
  return { topic, partition, offset: null, error: errorOf(actionOf(topic, partition)) };
}

/** Asks one broker by ListOffsets version 6 (Kafka 2.8 and newer). */
async function askOffsets(
  link: Link,
  wishes: readonly OffsetWish[],
  isolation: Isolation,
): Promise<OffsetFound[]> {
  const byTopic = Map.groupBy(wishes, ({ topic }) => topic);
  const topics = [...byTopic].map(([name, wanted]) => ({
    name,
    partitions: wanted.map(({ partition, at }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: -1,
      timestamp: typeof at === "bigint" ? at : specials[at],
    })),
  }));
  const response = await link.ask<Response>(
    listOffsetsV6.api,
    () => listOffsetsV6.createRequest(-1, isolation === "read-committed" ? 1 : 0, topics),
    forgiving(listOffsetsV6.parseResponse),
  );
  return response.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, errorCode, offset }) => {
      const { error } = readVerdict(actionOf(name, partitionIndex), errorCode);
      return {
        topic: name,
        partition: partitionIndex,
        offset: error !== null || offset < 0n ? null : offset,
        error,
      };
    })
  );
}
