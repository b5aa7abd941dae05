import assert from "node:assert/strict";
import { parseTopicMap, planRestore } from "../../lib/archive/restore/plan.ts";
import { offsetCover, timeCover, wantedGap } from "../../lib/archive/restore/range.ts";
import { archivedObject, plainRecords } from "../support/archive_objects.ts";
import { MemoryStore } from "../support/memory_store.ts";

async function storeOf(names: readonly [group: string, topic: string, partition: number][]) {
  const store = new MemoryStore();
  for (const [group, topic, partition] of names) {
    const { key, bytes } = archivedObject({
      group,
      topic,
      partition,
      first: 0,
      records: plainRecords(0, 1),
    });
    await store.put(key, bytes);
  }
  return store;
}

const archive = [["g", "a", 0], ["g", "a", 2], ["g", "b", 0]] as [string, string, number][];

Deno.test("every partition goes to the same number; topics need as many as the highest", async () => {
  const plan = await planRestore(await storeOf(archive), {}, parseTopicMap(["a=c"]));
  assert.deepEqual(
    plan.partitions.map(({ from, topic }) => `${from.topic}/${from.partition} ${topic}`),
    ["a/0 c", "a/2 c", "b/0 b"],
  );
  assert.deepEqual([...plan.targets], [["c", 3], ["b", 1]]);
});

const contradictions: [names: [string, string, number][], map: string[], complaint: RegExp][] = [
  [archive, ["a=b"], /two partitions of the archive into b\/0: give --topic to choose/],
  [[...archive, ["h", "a", 0]], [], /into a\/0: groups g and h: give --group/],
  [archive, ["x=y"], /use --topic-map x=y: the archive has no topic x/],
];
for (const [names, map, complaint] of contradictions) {
  Deno.test(`a plan is refused: ${complaint.source}`, async () => {
    const store = await storeOf(names);
    await assert.rejects(() => planRestore(store, {}, parseTopicMap(map)), {
      fault: "usage",
      message: complaint,
    });
  });
}

Deno.test("an archive with nothing to restore is no success", async () => {
  const store = await storeOf(archive);
  await store.put("else", new Uint8Array(1));
  await assert.rejects(() => planRestore(store, { topic: /^z$/ }, new Map()), {
    fault: "permanent",
    message: /no archived partition as wanted is there; 1 objects are there that are none/,
  });
});

Deno.test("parseTopicMap() takes pairs of topics and nothing else", () => {
  assert.deepEqual([...parseTopicMap(["a.b_c-d=e", "f=a.b_c-d"])], [
    ["a.b_c-d", "e"],
    ["f", "a.b_c-d"],
  ]);
  for (const wrong of ["", "a", "=a", "a=", "a=b=c", "ä=b", "a =b"]) {
    assert.throws(() => parseTopicMap([wrong]), { fault: "usage", message: /write FROM=TO/ });
  }
  assert.throws(() => parseTopicMap(["a=b", "a=c"]), /a is mapped twice/);
});

Deno.test("offsetCover() and timeCover() tell all, part or none at their borders", () => {
  const offsets = (fromOffset?: bigint, toOffset?: bigint, next: bigint | null = 20n) =>
    offsetCover(10n, next, {
      ...(fromOffset === undefined ? {} : { fromOffset }),
      ...(toOffset === undefined ? {} : { toOffset }),
    });
  assert.equal(offsets(), "all");
  assert.equal(offsets(10n, 20n), "all");
  assert.equal(offsets(11n), "part");
  assert.equal(offsets(undefined, 19n), "part");
  assert.equal(offsets(20n), "none");
  assert.equal(offsets(19n), "part");
  assert.equal(offsets(undefined, 10n), "none");
  assert.equal(offsets(undefined, 11n), "part");
  assert.equal(offsets(undefined, undefined, null), "all");
  assert.equal(offsets(99n, undefined, null), "part", "it may reach so far");
  const notes = { firstTimestampMs: 10, lastTimestampMs: 20 };
  assert.equal(timeCover(notes, { fromTimeMs: 10, toTimeMs: 21 }), "all");
  assert.equal(timeCover(notes, { toTimeMs: 20 }), "part");
  assert.equal(timeCover(notes, { fromTimeMs: 20 }), "part");
  assert.equal(timeCover(notes, { fromTimeMs: 21 }), "none");
  assert.equal(timeCover(notes, { toTimeMs: 10 }), "none");
});

Deno.test("wantedGap() is the part within the range", () => {
  assert.deepEqual(wantedGap([5n, 9n], {}), [5n, 9n]);
  assert.deepEqual(wantedGap([5n, 9n], { fromOffset: 6n, toOffset: 7n }), [6n, 7n]);
  assert.equal(wantedGap([5n, 9n], { fromOffset: 9n }), null);
  assert.equal(wantedGap([5n, 9n], { toOffset: 5n }), null);
});
