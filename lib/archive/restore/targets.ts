import { type Cluster, createTopic } from "../../clients/kafka/kafka.ts";
import { SluiceError } from "../../core/errors.ts";
import { backoffMs } from "../../core/retry.ts";
import type { World } from "../../core/world.ts";

/** What is wrong with the topics that a restore goes to. */
export interface TargetTrouble {
  /** Topics that are not there, with the partitions that they need. */
  readonly missing: readonly (readonly [topic: string, partitions: number])[];
  /** Topics with fewer partitions than the archive, in words. */
  readonly tooSmall: readonly string[];
}

/** Compares what is needed with what the cluster has; makes nothing. @throws of the cluster. */
export async function targetTrouble(
  cluster: Cluster,
  targets: ReadonlyMap<string, number>,
): Promise<TargetTrouble> {
  const listed = await cluster.listTopics();
  const partitionsOf = new Map(listed.map(({ name, partitions }) => [name, partitions]));
  const missing = [...targets].filter(([topic]) => !partitionsOf.has(topic));
  const tooSmall = [...targets].flatMap(([topic, needed]) => {
    const has = partitionsOf.get(topic) ?? needed;
    return has >= needed ? [] : [`topic ${topic} has ${has}, the archive ${needed}`];
  });
  return { missing, tooSmall };
}

/**
 * Makes sure, before anything is written, that every target is there and has enough partitions.
 *
 * @param options.create makes those that are missing.
 * @throws {SluiceError} `permanent` with what to do; of the cluster.
 */
export async function prepareTargets(
  cluster: Cluster,
  targets: ReadonlyMap<string, number>,
  world: World,
  { create }: { readonly create: boolean },
): Promise<void> {
  const { missing, tooSmall } = await targetTrouble(cluster, targets);
  if (tooSmall.length > 0) throw tooFewPartitions(tooSmall);
  if (missing.length === 0) return;
  if (!create) throw missingTopics(missing);
  for (const [topic, partitions] of missing) {
    await createTopic(cluster, topic, partitions);
    world.log("info", "Created a topic", { topic, partitions });
  }
  await waitForLeaders(cluster, new Map(missing), world);
}

/** The complaint about topics that are not there. */
export function missingTopics(missing: TargetTrouble["missing"]): SluiceError {
  const names = missing.map(([topic, partitions]) => `${topic} (${partitions} partitions)`);
  return new SluiceError(
    "restore into topics that do not exist",
    "permanent",
    `${names.join(", ")}; create them, or give --create-topics`,
  );
}

/** The complaint about topics that are too small: records would change their partition. */
export function tooFewPartitions(tooSmall: readonly string[]): SluiceError {
  return new SluiceError(
    "restore into topics with too few partitions",
    "permanent",
    `${tooSmall.join("; ")}; add partitions, or give --topic-map to another topic`,
  );
}

const createdTries = 20;

/** A topic that was just made is not known to every broker at once, and has no leader yet. */
async function waitForLeaders(
  cluster: Cluster,
  targets: ReadonlyMap<string, number>,
  world: World,
): Promise<void> {
  for (let attempt = 1; attempt <= createdTries; attempt++) {
    await cluster.listTopics();
    const isReady = [...targets].every(([topic, partitions]) =>
      Array.from({ length: partitions }, (_, n) => cluster.leaderId(topic, n))
        .every((leader) => leader !== undefined)
    );
    if (isReady) return;
    await world.sleep(backoffMs({ firstMs: 50, mostMs: 1_000 }, attempt, world.random()));
  }
  throw new SluiceError("use the topics just created", "transient", "they have no leaders yet");
}

/**
 * Where the partitions end.
 *
 * @throws {SluiceError} when a leader does not tell.
 */
export async function endsOf(
  cluster: Cluster,
  partitions: readonly { readonly topic: string; readonly partition: number }[],
): Promise<Map<string, bigint>> {
  const wishes = partitions.map(({ topic, partition }) => {
    return { topic, partition, at: "latest" as const };
  });
  const found = await cluster.listOffsets(wishes, "read-uncommitted");
  return new Map(found.map(({ topic, partition, offset, error }) => {
    if (error !== null) throw error;
    if (offset === null) {
      throw new SluiceError(`find the end of ${topic}/${partition}`, "transient", "it has none");
    }
    return [`${topic}/${partition}`, offset];
  }));
}
