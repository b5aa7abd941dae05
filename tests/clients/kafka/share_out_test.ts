import assert from "node:assert/strict";
import fc from "fast-check";
import { partitionKey, type TopicPartition } from "../../../lib/clients/kafka/group_protocol.ts";
import {
  shareOut,
  type Sharer,
  type Shares,
  withoutHeld,
} from "../../../lib/clients/kafka/share_out.ts";

function partitionsOf(topics: Readonly<Record<string, number>>): TopicPartition[] {
  return Object.entries(topics).flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition }))
  );
}

function sharer(id: string, topics: readonly string[], owned: Sharer["owned"] = []): Sharer {
  return { id, topics, owned, generation: owned.length > 0 ? 1 : -1 };
}

/** The members as they are after they took their shares. */
function after(members: readonly Sharer[], shares: Shares, generation = 2): Sharer[] {
  return members.map((one) => ({ ...one, owned: shares.get(one.id) ?? [], generation }));
}

function keysOf(shares: Shares, id: string): Set<string> {
  return new Set((shares.get(id) ?? []).map(partitionKey));
}

function counts(shares: Shares): number[] {
  return [...shares.values()].map(({ length }) => length);
}

function spread(shares: Shares): number {
  return Math.max(...counts(shares)) - Math.min(...counts(shares));
}

/** How many partitions have another holder than before. */
function moved(members: readonly Sharer[], shares: Shares): number {
  return members.flatMap(({ id, owned }) =>
    owned.filter((one) => !keysOf(shares, id).has(partitionKey(one)))
  ).length;
}

const topicNames = ["a", "b", "c"];
const topicCounts = fc.dictionary(fc.constantFrom(...topicNames), fc.nat(20));
const someIds = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 8,
});
/** Members that claim whatever they like, also the same and what is not there. */
const anyMembers = someIds.chain((ids) =>
  fc.tuple(...ids.map((id) =>
    fc.record({
      id: fc.constant(id),
      topics: fc.subarray(topicNames),
      generation: fc.integer({ min: -1, max: 3 }),
      owned: fc.array(fc.record({ topic: fc.constantFrom(...topicNames), partition: fc.nat(25) })),
    })
  ))
);

Deno.test("shareOut() gives each partition to one member that wants it, whatever is claimed", () => {
  fc.assert(fc.property(anyMembers, topicCounts, (members, topics) => {
    const partitions = partitionsOf(topics);
    const shares = shareOut(members, partitions);
    assert.deepEqual([...shares.keys()].sort(), members.map(({ id }) => id).sort());
    const wanted = partitions.filter(({ topic }) =>
      members.some((one) => one.topics.includes(topic))
    );
    const given = [...shares.values()].flat().map(partitionKey);
    assert.deepEqual(given.sort(), wanted.map(partitionKey).sort());
    for (const { id, topics } of members) {
      for (const { topic } of shares.get(id) ?? []) assert.ok(topics.includes(topic));
    }
  }));
});

Deno.test("shareOut() leaves no member two behind one whose partitions it could take", () => {
  fc.assert(fc.property(anyMembers, topicCounts, (members, topics) => {
    const shares = shareOut(members, partitionsOf(topics));
    for (const poor of members) {
      for (const rich of members) {
        const could = (shares.get(rich.id) ?? []).some(({ topic }) => poor.topics.includes(topic));
        const behind = keysOf(shares, rich.id).size - keysOf(shares, poor.id).size;
        assert.ok(!could || behind <= 1, `${poor.id} is ${behind} behind ${rich.id}`);
      }
    }
  }));
});

Deno.test("shareOut() differs by one at most among members of the same topics", () => {
  fc.assert(fc.property(anyMembers, topicCounts, (members, topics) => {
    const same = members.map((one) => ({ ...one, topics: topicNames }));
    assert.ok(spread(shareOut(same, partitionsOf(topics))) <= 1);
  }));
});

Deno.test("shareOut() moves nothing when nothing has changed, in whatever order it is told", () => {
  fc.assert(fc.property(anyMembers, topicCounts, (members, topics) => {
    const partitions = partitionsOf(topics);
    const now = after(members, shareOut(members, partitions));
    const again = shareOut(now.toReversed(), partitions.toReversed());
    assert.equal(moved(now, again), 0);
  }));
});

Deno.test("shareOut() moves from those that stay only what a newcomer needs", () => {
  fc.assert(fc.property(someIds, topicCounts, (ids, topics) => {
    const partitions = partitionsOf(topics);
    const members = ids.map((id) => sharer(id, topicNames));
    const now = after(members, shareOut(members, partitions));
    const shares = shareOut([...now, sharer("newcomer", topicNames)], partitions);
    assert.equal(moved(now, shares), keysOf(shares, "newcomer").size);
    assert.equal(keysOf(shares, "newcomer").size, Math.min(...counts(shares)));
  }));
});

Deno.test("shareOut() moves nothing from those that stay when one goes", () => {
  fc.assert(fc.property(someIds, topicCounts, (ids, topics) => {
    const partitions = partitionsOf(topics);
    const members = ids.map((id) => sharer(id, topicNames));
    const stay = after(members, shareOut(members, partitions)).slice(1);
    if (stay.length === 0) return;
    assert.equal(moved(stay, shareOut(stay, partitions)), 0);
  }));
});

Deno.test("shareOut() evens out over a third member where topics differ", () => {
  // b wants nothing of what a has; only by way of c it gets its part.
  const members = [
    sharer("a", ["x", "y"], partitionsOf({ x: 4 })),
    sharer("b", ["z"]),
    sharer("c", ["x", "z"], partitionsOf({ z: 3 })),
  ];
  assert.deepEqual(counts(shareOut(members, partitionsOf({ x: 4, z: 3 }))).sort(), [2, 2, 3]);
});

Deno.test("shareOut() spreads each topic", () => {
  const members = ["a", "b"].map((id) => sharer(id, ["x", "y"]));
  for (const share of shareOut(members, partitionsOf({ x: 4, y: 4 })).values()) {
    assert.equal(share.filter(({ topic }) => topic === "x").length, 2);
  }
});

Deno.test("shareOut() believes the younger of two claims", () => {
  const owned = partitionsOf({ x: 1 });
  const old = { id: "a", topics: ["x"], owned, generation: 4 };
  const young = { id: "b", topics: ["x"], owned, generation: 5 };
  assert.deepEqual(counts(shareOut([old, young], owned)), [0, 1]);
});

Deno.test("withoutHeld() gives a partition to its new member when the old one has let it go", () => {
  fc.assert(fc.property(anyMembers, topicCounts, (members, topics) => {
    const partitions = partitionsOf(topics);
    let now: Sharer[] = members;
    let given: Shares = new Map();
    // One round in which everyone takes what is free and lets go what it lost, one in which that is taken.
    for (const generation of [4, 5]) {
      given = withoutHeld(now, shareOut(now, partitions));
      for (const { id } of now) {
        for (const other of now) {
          if (other.id === id) continue;
          const held = new Set(other.owned.map(partitionKey));
          for (const key of keysOf(given, id)) assert.ok(!held.has(key), `${key} is still held`);
        }
      }
      now = after(now, given, generation);
    }
    assert.deepEqual(
      [...given.values()].flat().map(partitionKey).sort(),
      [...shareOut(members, partitions).values()].flat().map(partitionKey).sort(),
    );
    assert.equal(moved(now, shareOut(now, partitions)), 0);
  }));
});

Deno.test("shareOut() is quick with as many partitions and members as a large cluster has", () => {
  const topics = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`t${i}`, 20]));
  const partitions = partitionsOf(topics);
  const members = Array.from(
    { length: 50 },
    (_, i) => sharer(`m${i}`, Object.keys(topics), i === 0 ? partitions : []),
  );
  // The machine may stand still, but not each time.
  let leastMs = Infinity;
  for (let round = 0; round < 3 && leastMs >= 5_000; round++) {
    const beganMs = performance.now();
    const shares = shareOut(members, partitions);
    leastMs = Math.min(leastMs, performance.now() - beganMs);
    assert.equal(spread(shares), 0);
  }
  assert.ok(leastMs < 5_000, `took ${leastMs} ms`);
});
