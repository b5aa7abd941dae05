import assert from "node:assert/strict";
import { type Fault, SluiceError } from "../../lib/core/errors.ts";
import { realWorld } from "../../lib/core/world.ts";
import { Counts } from "../../lib/ingest/counts.ts";
import { remove } from "../../lib/ingest/remove.ts";
import { MemoryStore } from "../support/memory_store.ts";

/** Removes a, b and c, the delete of b failing so many times. */
async function removed(fault: Fault, times: number) {
  const store = new MemoryStore();
  for (const key of ["a", "b", "c"]) await store.put(key, new Uint8Array(1));
  const files = await Array.fromAsync(store.list(""));
  let failed = 0;
  store.before = (act, key) => {
    if (act !== "delete" || key !== "b" || failed >= times) return;
    failed++;
    throw new SluiceError("delete b", fault, "busy");
  };
  const counts = new Counts();
  const world = { ...realWorld(() => {}), sleep: () => Promise.resolve() };
  const drain = new AbortController().signal;
  const left = await remove({ world, store, counts, drain }, files);
  return { left, keys: [...store.objects.keys()], counts, failed, store, files };
}

Deno.test("remove() goes on after a delete that fails, and tells of it and its kind", async () => {
  const { left, keys, counts } = await removed("denied", Infinity);
  assert.match(String(left.failure), /busy/);
  assert.equal((left.failure as SluiceError).fault, "denied");
  assert.deepEqual(left.files.map(({ key }) => key), ["b"]);
  assert.deepEqual(keys, ["b"]);
  assert.equal(counts.deleteErrors, 1);
});

Deno.test("remove() tries again what may be better in a moment, a few times", async () => {
  const soon = await removed("transient", 3);
  assert.deepEqual([soon.left.files, soon.keys], [[], []]);
  const never = await removed("transient", Infinity);
  assert.deepEqual([never.keys, never.failed], [["b"], 4]);
});

Deno.test("remove() leaves a file that was put anew", async () => {
  const store = new MemoryStore();
  await store.put("a", new Uint8Array(1));
  const files = await Array.fromAsync(store.list(""));
  await store.put("a", new Uint8Array(2));
  const drain = new AbortController().signal;
  const world = realWorld(() => {});
  const { files: left } = await remove({ world, store, counts: new Counts(), drain }, files);
  assert.deepEqual([left, [...store.objects.keys()]], [[], ["a"]]);
});
