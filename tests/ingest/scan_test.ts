import assert from "node:assert/strict";
import { scan } from "../../lib/ingest/scan.ts";
import { MemoryStore } from "../support/memory_store.ts";

async function scanned(keys: readonly string[], pattern = /^.*$/) {
  const store = new MemoryStore();
  for (const key of keys) await store.put(key, new Uint8Array(1));
  const found = await Array.fromAsync(scan(store, (directory) => pattern.test(directory)));
  return found.map((one) =>
    one.kind === "unit"
      ? [one.directory, ...one.files.map(({ key }) => key)]
      : [one.directory, one.reason]
  );
}

const cases: [what: string, keys: string[], units: string[][]][] = [
  ["nothing without a manifest", ["a/1.csv", "b/c/1.csv"], []],
  ["files around a deeper directory belong together", [
    "a/1.csv",
    "a/b/1.csv",
    "a/b/manifest.edn",
    "a/manifest.json",
    "a/z.csv",
  ], [["a/b", "a/b/1.csv"], ["a", "a/1.csv", "a/z.csv"]]],
  ["the root is a directory", ["1.csv", "a/2.csv", "manifest.yaml"], [["", "1.csv"]]],
  ["a name that begins like another directory's", [
    "a-b/x",
    "a-b/manifest.json",
    "a/manifest.json",
    "a/x",
  ], [
    ["a-b", "a-b/x"],
    ["a", "a/x"],
  ]],
  ["what was moved aside is not looked at", [
    "a/_rejected/L/1.csv",
    "a/_rejected/L/manifest.json",
    "a/manifest.json",
  ], [["a"]]],
  ["markers of folders and keys that are none are no files", [
    "/manifest.json",
    "a/",
    "a//1.csv",
    "a/../1.csv",
    "a/1.csv",
    "a/b/",
    "a/manifest.json",
    "a//manifest.edn",
  ], [["a", "a/1.csv"]]],
  ["two manifests are an error of that directory alone", [
    "a/manifest.edn",
    "a/manifest.json",
    "b/manifest.json",
  ], [
    ["a", "it holds manifest.edn, manifest.json: leave one of them"],
    ["b"],
  ]],
];

for (const [what, keys, units] of cases) {
  Deno.test(`scan(): ${what}`, async () => assert.deepEqual(await scanned(keys), units));
}

Deno.test("scan() takes an empty file for one, unless it is Hadoop's mark of a folder", async () => {
  const store = new MemoryStore();
  for (const key of ["a/b_$folder$", "a/empty.csv", "a/manifest.json"]) {
    await store.put(key, new Uint8Array(0));
  }
  const [found] = await Array.fromAsync(scan(store, () => true));
  assert.deepEqual(found?.kind === "unit" && found.files.map(({ key }) => key), ["a/empty.csv"]);
});

Deno.test("scan() leaves out directories that are not wanted, and looks below them", async () => {
  const keys = ["a/manifest.json", "a/b/manifest.json", "a/b/1.csv"];
  assert.deepEqual(await scanned(keys, /^a\/b$/), [["a/b", "a/b/1.csv"]]);
});

Deno.test("scan() goes over 10,000 directories", async () => {
  const keys = Array.from({ length: 10_000 }, (_, n) => `d${n}/manifest.json`);
  assert.equal((await scanned(keys)).length, 10_000);
});
