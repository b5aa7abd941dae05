import assert from "node:assert/strict";
import {
  listArchive,
  type ListedPartition,
  listObjects,
  nothingArchived,
} from "../../lib/archive/listing.ts";
import { gapKey, objectKey } from "../../lib/formats/archive_key.ts";
import { MemoryStore } from "../support/memory_store.ts";

const group = "night/shift 100%";
const suffix = ".baldr.gz";

/** A store with objects of these many bytes, opened `depth` folders below the root. */
async function storeOf(keys: readonly string[], url?: string): Promise<MemoryStore> {
  const store = new MemoryStore(url);
  for (const key of keys) await store.put(key, new Uint8Array(10));
  return store;
}

function keyOf(topic: string, partition: number, offset: bigint): string {
  return objectKey({ group, topic, partition, offset, suffix });
}

async function firstsOf(store: MemoryStore, partition: ListedPartition): Promise<bigint[]> {
  return (await Array.fromAsync(listObjects(store, partition))).map(({ first }) => first);
}

const keys = [
  keyOf("web", 0, 0n),
  keyOf("web", 0, 300n),
  keyOf("web", 10, 5n),
  keyOf("web", 2, 7n),
  keyOf("app", 0, 1n),
];

Deno.test("partitions come by group, topic and number with what the listing tells", async () => {
  const { partitions, foreign } = await listArchive(await storeOf(keys));
  assert.deepEqual(
    partitions.map(({ group: of, topic, partition, objects, sizeBytes, first, last }) => [
      of,
      `${topic}/${partition}`,
      objects,
      sizeBytes,
      first,
      last,
    ]),
    [
      [group, "app/0", 1, 10, 1n, 1n],
      [group, "web/0", 2, 20, 0n, 300n],
      [group, "web/2", 1, 10, 7n, 7n],
      [group, "web/10", 1, 10, 5n, 5n],
    ],
  );
  assert.equal(foreign, 0);
  assert.deepEqual(partitions.map(({ newestMs }) => newestMs), [5_000, 2_000, 4_000, 3_000]);
});

Deno.test("the same is found from the folder of a group, a topic or a partition", async () => {
  const steps = keyOf("web", 0, 0n).split("/").slice(0, -1);
  for (let depth = 0; depth <= steps.length; depth++) {
    const above = [...steps.slice(0, depth), ""].join("/");
    const inside = keys.filter((key) => key.startsWith(above));
    const store = await storeOf(
      inside.map((key) => key.slice(above.length)),
      `s3://bucket/any/prefix/${above}`,
    );
    const { partitions, foreign } = await listArchive(store);
    assert.equal(foreign, 0);
    const web = partitions.find(({ topic, partition }) => topic === "web" && partition === 0);
    assert.ok(web, above);
    assert.deepEqual([web.group, web.objects], [group, 2]);
    assert.deepEqual(await firstsOf(store, web), [0n, 300n]);
    assert.equal(partitions.length, new Set(inside.map((key) => key.replace(/\d+\..*/, ""))).size);
  }
});

Deno.test("a folder's URL has its steps percent-encoded, a bucket's has its keys as they are", async () => {
  for (
    const url of [
      "file:///srv/night%252Fshift%20100%2525/web/partition=3",
      "s3://bucket/night%2Fshift 100%25/web/partition=3/",
    ]
  ) {
    const { partitions } = await listArchive(await storeOf(["0000000009.records.gz"], url));
    assert.deepEqual(
      partitions.map(({ group, topic, partition, first }) => [group, topic, partition, first]),
      [[group, "web", 3, 9n]],
    );
  }
});

Deno.test("objects come in the order of their numbers however many digits those have", async () => {
  const offsets = [0n, 9_999_999_999n, 10_000_000_000n, 10_000_000_001n, 99_999_999_999n];
  offsets.push(100_000_000_000n, 2n ** 63n - 1n);
  const store = await storeOf(offsets.toReversed().map((offset) => keyOf("web", 0, offset)));
  const { partitions: [partition] } = await listArchive(store);
  assert.ok(partition);
  assert.deepEqual(partition.digits, [10, 11, 12, 19]);
  assert.deepEqual(await firstsOf(store, partition), offsets);
  assert.deepEqual([partition.first, partition.last], [0n, 2n ** 63n - 1n]);
});

Deno.test("objects that come while the listing is used are among them", async () => {
  const store = await storeOf([keyOf("web", 0, 0n)]);
  const { partitions: [partition] } = await listArchive(store);
  assert.ok(partition);
  await store.put(keyOf("web", 0, 10_000_000_000n), new Uint8Array(1));
  await store.put(keyOf("web", 0, 20n), new Uint8Array(1));
  assert.deepEqual(await firstsOf(store, partition), [0n, 20n, 10_000_000_000n]);
});

Deno.test("both formats at one offset are two objects", async () => {
  const store = await storeOf([]);
  for (const suffix of [".records.gz", ".baldr.gz"] as const) {
    const key = objectKey({ group, topic: "web", partition: 0, offset: 4n, suffix });
    await store.put(key, new Uint8Array(1));
  }
  const { partitions: [partition] } = await listArchive(store);
  assert.ok(partition);
  const kinds = (await Array.fromAsync(listObjects(store, partition))).map(({ kind }) => kind);
  assert.deepEqual(kinds, ["values", "records"]);
});

Deno.test("a group and topics by regular expression narrow it, whole names only", async () => {
  const store = await storeOf(keys);
  const topicsOf = async (filter: Parameters<typeof listArchive>[1]) =>
    (await listArchive(store, filter)).partitions.map(({ topic }) => topic);
  assert.deepEqual(await topicsOf({ topic: /^(?:ap.)$/ }), ["app"]);
  assert.deepEqual(await topicsOf({ group, topic: /^(?:web)$/ }), ["web", "web", "web"]);
  assert.deepEqual(await topicsOf({ group: "another" }), []);
});

Deno.test("what is not of the archive is counted and named, and notes about gaps are told apart", async () => {
  const gap = gapKey({ group, topic: "web", partition: 0, first: 3n, next: 5n });
  const strange = ["a", "a/b", "a/b/c", "a/b/c/d", "a/b/c/d/e", ".sluice-probe-1"];
  const lone = gapKey({ group, topic: "alone", partition: 0, first: 3n, next: 5n });
  const store = await storeOf([keyOf("web", 0, 0n), gap, lone, ...strange]);
  for (let i = 0; i < 200; i++) await store.put(`more-${i}`, new Uint8Array(1));
  const { partitions, foreign, foreignKeys } = await listArchive(store);
  assert.deepEqual(partitions.map(({ topic, gapNotes }) => [topic, gapNotes]), [["web", 1]]);
  assert.equal(foreign, strange.length + 200);
  assert.equal(foreignKeys.length, 100);
  assert.deepEqual(foreignKeys.slice(0, strange.length), strange.toSorted());
});

Deno.test("where nothing is archived the error tells where something is", async () => {
  const told = async (keys: readonly string[], filter = {}, url?: string) => {
    const store = await storeOf(keys, url);
    return nothingArchived(store.url, await listArchive(store, filter), filter);
  };
  const deeper = await told([`any/kafka/${keyOf("web", 0, 0n)}`], {}, "s3://bucket/");
  assert.equal(
    deeper.message,
    "Cannot find an archive at s3://bucket/: it begins further below; give s3://bucket/any/kafka",
  );
  assert.match((await told([])).detail, /^there are no objects; give the URL/);
  assert.equal((await told(["x"])).detail, "no object there is of an archive; there is x");
  assert.match((await told(["x", "y"])).detail, /; there are 2, such as x$/);
  assert.match((await told(keys, { group: "g" })).detail, /^no partition is of that group/);
  assert.equal(deeper.fault, "permanent");
});
