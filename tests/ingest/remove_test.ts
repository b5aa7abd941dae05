import assert from "node:assert/strict";
import { SluiceError } from "../../lib/core/errors.ts";
import { Counts } from "../../lib/ingest/counts.ts";
import { remove } from "../../lib/ingest/remove.ts";
import { MemoryStore } from "../support/memory_store.ts";

Deno.test("remove() goes on after a delete that fails, and tells of it", async () => {
  const store = new MemoryStore();
  for (const key of ["a", "b", "c"]) await store.put(key, new Uint8Array(1));
  const files = await Array.fromAsync(store.list(""));
  store.before = (act, key) => {
    if (act === "delete" && key === "b") throw new SluiceError("delete b", "transient", "busy");
  };
  const counts = new Counts();
  assert.match(await remove(store, files, counts) ?? "", /busy/);
  assert.deepEqual([...store.objects.keys()], ["b"]);
  assert.equal(counts.deleteErrors, 1);
});
