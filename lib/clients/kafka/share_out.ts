import { partitionKey, type Subscription, type TopicPartition } from "./group_protocol.ts";

/** A member of a group, to be given partitions. */
export interface Sharer extends Subscription {
  readonly id: string;
}

/** Who gets what, by member id; each member is in it. */
export type Shares = ReadonlyMap<string, readonly TopicPartition[]>;

interface Piece {
  readonly one: TopicPartition;
  /** Who had it before, and would lose it if it moved. */
  readonly keeper: Share | null;
}

/** A member while partitions are being shared out. */
class Share {
  readonly topics: ReadonlySet<string>;
  readonly #byTopic = new Map<string, Piece[]>();
  load = 0;

  constructor(readonly id: string, topics: readonly string[]) {
    this.topics = new Set(topics);
  }

  get partitions(): TopicPartition[] {
    return [...this.#byTopic.values()].flat().map(({ one }) => one);
  }

  countOf(topic: string): number {
    return this.#byTopic.get(topic)?.length ?? 0;
  }

  add(piece: Piece): void {
    const ofTopic = this.#byTopic.get(piece.one.topic);
    if (ofTopic === undefined) this.#byTopic.set(piece.one.topic, [piece]);
    else ofTopic.push(piece);
    this.load++;
  }

  /** Gives a partition that `to` may have: one that is new here if there is one, else of its fullest topic. */
  giveTo(to: Share): void {
    let best: { from: Piece[]; at: number; isKept: boolean } | null = null;
    for (const [topic, from] of this.#byTopic) {
      if (!to.topics.has(topic) || from.length === 0) continue;
      const newest = from.findLastIndex(({ keeper }) => keeper !== this);
      const isKept = newest < 0;
      const isBetter = best === null ||
        (isKept === best.isKept ? from.length > best.from.length : !isKept);
      if (isBetter) best = { from, at: isKept ? from.length - 1 : newest, isKept };
    }
    const [given] = best?.from.splice(best.at, 1) ?? [];
    if (given === undefined) return;
    this.load--;
    to.add(given);
  }

  mayGiveTo(other: Share): boolean {
    for (const [topic, { length }] of this.#byTopic) {
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
  for (const one of free.values()) lightest(shares, one.topic)?.add({ one, keeper: null });
  while (evenOut(shares));
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
      share.add({ one: known, keeper: share });
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
 * topics differ. False when there is none: then the shares are as even as can be.
 */
function evenOut(shares: readonly Share[]): boolean {
  const heaviestFirst = [...shares].sort((a, b) => b.load - a.load);
  const least = heaviestFirst.at(-1)?.load ?? 0;
  for (const heavy of heaviestFirst) {
    if (heavy.load < least + 2) return false;
    const path = pathToLighter(shares, heavy);
    if (path === null) continue;
    for (let to: Share = path.end;;) {
      const from = path.cameFrom.get(to);
      if (from === undefined) return true;
      from.giveTo(to);
      to = from;
    }
  }
  return false;
}

/** The lightest member that can be reached, if it has at least two less. */
function pathToLighter(
  shares: readonly Share[],
  start: Share,
): { end: Share; cameFrom: ReadonlyMap<Share, Share> } | null {
  const cameFrom = new Map<Share, Share>();
  let end = start;
  const queue = [start];
  for (const from of queue) {
    for (const to of shares) {
      if (to === start || cameFrom.has(to) || !from.mayGiveTo(to)) continue;
      cameFrom.set(to, from);
      queue.push(to);
      if (to.load < end.load) end = to;
    }
  }
  return end.load <= start.load - 2 ? { end, cameFrom } : null;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
