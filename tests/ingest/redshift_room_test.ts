import assert from "node:assert/strict";
import { realWorld } from "../../lib/core/world.ts";
import { RedshiftRoom, urlOf } from "../../lib/ingest/redshift_room.ts";
import { MemoryStore } from "../support/memory_store.ts";

const now = 100 * 86_400_000;

async function roomOf(store: MemoryStore, name: string, loadId: string, lines: string[] = []) {
  const world = { ...realWorld((_, message) => lines.push(message)), nowMs: () => now };
  const warehouse = { url: "redshift://h/d" } as Parameters<typeof RedshiftRoom.of>[0]["warehouse"];
  return await RedshiftRoom.of({ store, world, warehouse }, { schema: "s", name }, loadId);
}

Deno.test("the list of files names each by its full URL, and all of them have to be there", async () => {
  const store = new MemoryStore("s3://bucket/drops/");
  const room = await roomOf(store, "t", "L1");
  const urls = ["a b/é.csv", "c%20d.csv"].map((key) => urlOf(store, key));
  const url = await room.putManifest("1.manifest", urls);
  assert.match(url, /^s3:\/\/bucket\/drops\/\.sluice\/ingest\/[0-9a-f]{24}\/L1\/1\.manifest$/);
  const [key = ""] = store.objects.keys();
  assert.deepEqual(JSON.parse(new TextDecoder().decode(store.objects.get(key)?.bytes)), {
    entries: [
      { url: "s3://bucket/drops/a b/é.csv", mandatory: true },
      { url: "s3://bucket/drops/c%20d.csv", mandatory: true },
    ],
  });
  await room.putManifest("2.manifest", urls.slice(0, 1), [17]);
  assert.match(
    new TextDecoder().decode([...store.objects.values()].at(-1)?.bytes),
    /"mandatory":true,"meta":\{"content_length":17\}/,
  );
});

Deno.test("who has a table's lock removes what other loads of it have left, and what is very old", async () => {
  const store = new MemoryStore();
  const bytes = new Uint8Array(1);
  const dead = await roomOf(store, "t", "dead");
  const mine = await roomOf(store, "t", "mine");
  const other = await roomOf(store, "u", "other");
  await other.put("old", bytes, "");
  for (const room of [dead, mine, other]) await room.put("young", bytes, "");
  for (const key of store.objects.keys()) {
    const object = store.objects.get(key);
    if (object && key.endsWith("young")) store.objects.set(key, { ...object, modifiedMs: now });
  }
  await store.put(".sluice/else/x", bytes);
  await store.put("t/1.csv", bytes);
  await mine.sweep();
  const left = [...store.objects.keys()].map((key) => key.replace(/[0-9a-f]{24}/, "T")).sort();
  assert.deepEqual(left, [
    ".sluice/else/x",
    ".sluice/ingest/T/mine/young",
    ".sluice/ingest/T/other/young",
    "t/1.csv",
  ]);
  await mine.clear();
  assert.equal(store.objects.size, 3);
});

Deno.test("that nothing can be removed is told, and stops no load", async () => {
  const store = new MemoryStore();
  const lines: string[] = [];
  const room = await roomOf(store, "t", "L", lines);
  await room.put("x", new Uint8Array(1), "");
  store.before = (act) => {
    if (act === "delete") throw new Error("no rights");
  };
  await room.clear();
  assert.match(lines.join(), /Cannot clean up what COPY has read/);
});
