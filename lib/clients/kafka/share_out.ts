import { partitionKey, type Subscription, type TopicPartition } from "./group_protocol.ts";

/** A member of a group, to be given partitions. */
export interface Sharer extends Subscription {
  readonly id: string;
}

/** Who gets what, by member id; each member is in it. */
export type Shares = ReadonlyMap<string, readonly TopicPartition[]>;

/** `kept`: what a member had before and would lose; `added`: what is new to it. */
type Kind = "kept" | "added";

/** A member while partitions are being shared out. */
class Share {
  readonly topics: ReadonlySet<string>;
  readonly #byTopic = {
    kept: new Map<string, TopicPartition[]>(),
    added: new Map<string, TopicPartition[]>(),
  };
  load = 0;

  constructor(readonly id: string, topics: readonly string[]) {
    this.topics = new Set(topics);
  }

  get partitions(): TopicPartition[] {
    const { kept, added } = this.#byTopic;
    return [...kept.values(), ...added.values()].flat();
  }

  countOf(topic: string): number {
    const { kept, added } = this.#byTopic;
    return (kept.get(topic)?.length ?? 0) + (added.get(topic)?.length ?? 0);
  }

  put(kind: Kind, one: TopicPartition): void {
    const ofTopic = this.#byTopic[kind].get(one.topic);
    if (ofTopic === undefined) this.#byTopic[kind].set(one.topic, [one]);
    else ofTopic.push(one);
    this.load++;
  }

  /** Gives away a partition of the topic of which it has most; false if it has none for `to`. */
  giveTo(to: Share, kind: Kind): boolean {
    let fullest: TopicPartition[] = [];
    for (const [topic, ofTopic] of this.#byTopic[kind]) {
      if (ofTopic.length > fullest.length && to.topics.has(topic)) fullest = ofTopic;
    }
    const given = fullest.pop();
    if (given === undefined) return false;
    this.load--;
    to.put("added", given);
    return true;
  }

  mayGiveTo(other: Share, kind: Kind): boolean {
    for (const [topic, { length }] of this.#byTopic[kind]) {
      if (length > 0 && other.topics.has(topic)) return true;
    }
    return false;
  }
}

/**
 * Shares partitions out among the members of a group: as evenly as their topics allow (members of
 * the same topics differ by one at most), and every member keeps what it had as far as that leaves
 * the shares even. The same members and partitions in any order give the same shares.
 *
 * A partition of a topic that nobody wants goes to nobody.
 */
export function shareOut(
  members: readonly Sharer[],
  partitions: readonly TopicPartition[],
): Shares {
  const sorted = [...members].sort((a, b) => compare(a.id, b.id));
  const shares = sorted.map(({ id, topics }) => new Share(id, topics));
  const free = new Map(
    [...partitions].sort((a, b) => compare(a.topic, b.topic) || a.partition - b.partition)
      .map((one) => [partitionKey(one), one]),
  );
  keep(sorted, shares, free);
  for (const one of free.values()) lightest(shares, one.topic)?.put("added", one);
  // First with what is new to everyone. So if what everyone has fits into even shares, it stays, and
  // the second round of a cooperative group gives exactly what the first one held back.
  while (evenOut(shares, ["added"]));
  while (evenOut(shares, ["added", "kept"]));
  return new Map(shares.map(({ id, partitions }) => [id, partitions]));
}

/**
 * The part of `shares` that may be given out at once in a cooperative group: without the partitions
 * that another member still holds. Their holders see them missing, give them up and join again, and
 * then nothing is in the way (KIP-429).
 */
export function withoutHeld(members: readonly Sharer[], shares: Shares): Shares {
  const holders = new Map<string, Set<string>>();
  for (const { id, owned } of members) {
    for (const one of owned) {
      const key = partitionKey(one);
      holders.set(key, (holders.get(key) ?? new Set()).add(id));
    }
  }
  return new Map(
    [...shares].map(([id, share]) => {
      const isFree = (one: TopicPartition) =>
        [...holders.get(partitionKey(one)) ?? []].every((holder) => holder === id);
      return [id, share.filter(isFree)];
    }),
  );
}

/** Everyone keeps what it has; of two that claim the same, the one with the younger claim. */
function keep(
  members: readonly Sharer[],
  shares: readonly Share[],
  free: Map<string, TopicPartition>,
): void {
  const byAge = members.map((member, index) => ({ member, share: shares[index] }))
    .sort((a, b) => b.member.generation - a.member.generation);
  for (const { member, share } of byAge) {
    for (const one of member.owned) {
      const key = partitionKey(one);
      const known = free.get(key);
      if (share === undefined || known === undefined || !share.topics.has(one.topic)) continue;
      free.delete(key);
      share.put("kept", known);
    }
  }
}

/** Who has least of those that want the topic; of these who has least of the topic itself. */
function lightest(shares: readonly Share[], topic: string): Share | undefined {
  let best: Share | undefined;
  for (const share of shares) {
    if (!share.topics.has(topic)) continue;
    if (
      best === undefined || share.load < best.load ||
      (share.load === best.load && share.countOf(topic) < best.countOf(topic))
    ) best = share;
  }
  return best;
}

/**
 * Moves one partition from a member to one that has at least two less, over others where their
 * topics differ. False when there is none: then the shares are as even as can be
 * with partitions of these kinds.
 */
function evenOut(shares: readonly Share[], kinds: readonly Kind[]): boolean {
  const heaviestFirst = [...shares].sort((a, b) => b.load - a.load);
  const least = heaviestFirst.at(-1)?.load ?? 0;
  for (const heavy of heaviestFirst) {
    if (heavy.load < least + 2) return false;
    const path = pathToLighter(shares, heavy, kinds, least);
    if (path === null) continue;
    for (let to: Share = path.end;;) {
      const from = path.cameFrom.get(to);
      if (from === undefined) return true;
      kinds.some((kind) => from.giveTo(to, kind));
      to = from;
    }
  }
  return false;
}

/** The lightest member that can be reached, if it has at least two less. */
function pathToLighter(
  shares: readonly Share[],
  start: Share,
  kinds: readonly Kind[],
  least: number,
): { end: Share; cameFrom: ReadonlyMap<Share, Share> } | null {
  const cameFrom = new Map<Share, Share>();
  let end = start;
  const queue = [start];
  for (const from of queue) {
    for (const to of shares) {
      if (to === start || cameFrom.has(to)) continue;
      if (!kinds.some((kind) => from.mayGiveTo(to, kind))) continue;
      cameFrom.set(to, from);
      queue.push(to);
      if (to.load < end.load) end = to;
      if (end.load === least) return { end, cameFrom };
    }
  }
  return end.load + 2 <= start.load ? { end, cameFrom } : null;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
