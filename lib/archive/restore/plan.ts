import type { Store } from "../../clients/store/store.ts";
import { SluiceError, usageError } from "../../core/errors.ts";
import { type ArchiveFilter, listArchive, type ListedPartition } from "../listing.ts";

/** A partition of the archive and where it goes: the same number of another topic, or of its own. */
export interface PartitionPlan {
  readonly from: ListedPartition;
  readonly topic: string;
}

/** What is to be restored. */
export interface RestorePlan {
  readonly partitions: readonly PartitionPlan[];
  /** How many partitions each topic of Kafka needs for it. */
  readonly targets: ReadonlyMap<string, number>;
}

/**
 * Finds what the archive holds and settles where it goes.
 *
 * @param topicMap topics that go to another one.
 * @throws {SluiceError} `usage` for a map that does not fit the archive, `permanent` when there is
 * nothing to restore; of the store.
 */
export async function planRestore(
  store: Store,
  filter: ArchiveFilter,
  topicMap: ReadonlyMap<string, string>,
): Promise<RestorePlan> {
  const { partitions, foreign } = await listArchive(store, filter);
  if (partitions.length === 0) {
    const others = foreign > 0 ? `; ${foreign} objects are there that are none of an archive` : "";
    const isFiltered = filter.group !== undefined || filter.topic !== undefined;
    const detail = `no archived partition ${isFiltered ? "as wanted " : ""}is there${others}`;
    throw new SluiceError(`restore ${store.url}`, "permanent", detail);
  }
  for (const [from, to] of topicMap) {
    if (partitions.some(({ topic }) => topic === from)) continue;
    throw usageError(
      `use --topic-map ${from}=${to}`,
      `the archive has no topic ${from} to restore`,
    );
  }
  const sources = new Map<string, ListedPartition>();
  const targets = new Map<string, number>();
  const planned = partitions.map((from) => {
    const topic = topicMap.get(from.topic) ?? from.topic;
    const target = `${topic}/${from.partition}`;
    const other = sources.get(target);
    if (other !== undefined) throw twoForOne(target, other, from);
    sources.set(target, from);
    targets.set(topic, Math.max(targets.get(topic) ?? 0, from.partition + 1));
    return { from, topic };
  });
  return { partitions: planned, targets };
}

function twoForOne(target: string, one: ListedPartition, other: ListedPartition): SluiceError {
  const advice = one.group === other.group
    ? "give --topic to choose, or --topic-map to part them"
    : `groups ${one.group} and ${other.group}: give --group`;
  return usageError(`restore two partitions of the archive into ${target}`, advice);
}

/**
 * Reads `--topic-map FROM=TO`.
 *
 * @throws {SluiceError} `usage` for what is no such pair, and for a topic that comes twice.
 */
export function parseTopicMap(pairs: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (const pair of pairs) {
    const [, from = "", to = ""] = /^([a-zA-Z0-9._-]{1,249})=([a-zA-Z0-9._-]{1,249})$/.exec(pair) ??
      [];
    if (from === "") throw usageError(`use --topic-map "${pair}"`, "write FROM=TO, two topics");
    if (map.has(from)) throw usageError(`use --topic-map "${pair}"`, `${from} is mapped twice`);
    map.set(from, to);
  }
  return map;
}
