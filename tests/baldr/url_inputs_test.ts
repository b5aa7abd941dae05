import assert from "node:assert/strict";
import { byPlace, UrlInputs } from "../../lib/baldr/url_inputs.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { MemoryStore } from "../support/memory_store.ts";

/** Stores by URL; each holds what the one bucket has below it. */
async function inputsOf(keys: readonly string[], operands: readonly string[]) {
  const opened: string[] = [];
  const inputs = await UrlInputs.of(operands, async (url) => {
    opened.push(url);
    const store = new MemoryStore(url);
    const prefix = url.replace(/^(s3:\/\/bucket|file:\/\/)\/?/, "");
    const above = prefix === "" ? "" : `${decodeURIComponent(prefix)}/`;
    for (const key of keys) {
      if (key.startsWith(above)) await store.put(key.slice(above.length), new Uint8Array([1]));
    }
    return store;
  });
  return { inputs, names: inputs.names, opened };
}

const archive = [
  "sluice/b/partition=0/0000000000.baldr.gz",
  "sluice/a/partition=10/0000000000.baldr.gz",
  "sluice/a/partition=9/10000000000.baldr.gz",
  "sluice/a/partition=9/9999999999.records.gz",
  "sluice/a/partition=9/gap-0000000000-0000000005.json",
  "sluice/a/note.txt",
  "old/x.baldr",
];

Deno.test("a folder stands for its objects: topics by name, partitions and offsets by number", async () => {
  for (const url of ["s3://bucket/sluice", "s3://bucket/sluice/"]) {
    const { names } = await inputsOf(archive, [url]);
    assert.deepEqual(names, [
      "s3://bucket/sluice/a/partition=9/9999999999.records.gz",
      "s3://bucket/sluice/a/partition=9/10000000000.baldr.gz",
      "s3://bucket/sluice/a/partition=10/0000000000.baldr.gz",
      "s3://bucket/sluice/b/partition=0/0000000000.baldr.gz",
    ]);
  }
  assert.equal((await inputsOf(archive, ["s3://bucket"])).names[0], "s3://bucket/old/x.baldr");
  assert.equal((await inputsOf(archive, ["s3://bucket/"])).names.length, 5);
});

Deno.test("an object stands for itself, whatever it is called", async () => {
  const { names, inputs } = await inputsOf(archive, ["s3://bucket/sluice/a/note.txt", "file", "-"]);
  assert.deepEqual(names, ["s3://bucket/sluice/a/note.txt", "file", "-"]);
  const source = await inputs.open("s3://bucket/sluice/a/note.txt");
  assert.deepEqual(await source.next(), Uint8Array.of(1));
});

Deno.test("the beginning of names stands for all that begin so, when no folder is called so", async () => {
  const keys = ["logs/2026-01.baldr", "logs/2026-02.baldr", "logs/2025-12.baldr"];
  assert.deepEqual((await inputsOf(keys, ["s3://bucket/logs/2026-"])).names, [
    "s3://bucket/logs/2026-01.baldr",
    "s3://bucket/logs/2026-02.baldr",
  ]);
  assert.deepEqual((await inputsOf(["lo/a.baldr", ...keys], ["s3://bucket/lo"])).names, [
    "s3://bucket/lo/a.baldr",
  ]);
});

Deno.test("names in file URLs are encoded, in keys of S3 they are not", async () => {
  const keys = ["a b/100%.baldr"];
  assert.deepEqual((await inputsOf(keys, ["s3://bucket/a b/100%.baldr"])).names, [
    "s3://bucket/a b/100%.baldr",
  ]);
  const { names, inputs } = await inputsOf(keys, ["file:///a%20b/"]);
  assert.deepEqual(names, ["file:///a%20b/100%25.baldr"]);
  assert.ok(await (await inputs.open(names[0] ?? "")).next());
  assert.equal((await inputsOf(keys, ["file:///a%20b/100%25.baldr"])).names.length, 1);
});

Deno.test("what stands for nothing says so when it is opened; each store is opened once", async () => {
  const { inputs, names, opened } = await inputsOf(archive, [
    "s3://bucket/nothing",
    "s3://bucket/sluice/a/partition=9/9999999999.records.gz",
    "s3://bucket/sluice/a/partition=9/10000000000.baldr.gz",
  ]);
  assert.equal(names.length, 3);
  assert.equal(opened.length, 2);
  await assert.rejects(() => inputs.open("s3://bucket/nothing"), {
    fault: "permanent",
    message: /read s3:\/\/bucket\/nothing: no object has this name, and none below it ends in/,
  });
});

Deno.test("what is wrong with a store is told of its operand alone", async () => {
  const inputs = await UrlInputs.of(["s3://bucket/a", "b"], (url) => {
    const store = new MemoryStore(url);
    store.before = () => {
      throw new SluiceError("list", "denied", "no");
    };
    return Promise.resolve(store);
  });
  assert.deepEqual(inputs.names, ["s3://bucket/a", "b"]);
  await assert.rejects(() => inputs.open("s3://bucket/a"), { fault: "denied" });
});

Deno.test("byPlace() puts names that are no offsets behind those that are", () => {
  const wanted = ["a/2.baldr", "a/10.baldr.gz", "a/b.baldr", "a/partition=2/1.baldr", "b/1.baldr"];
  assert.deepEqual([...wanted].reverse().sort(byPlace), wanted);
});
