import assert from "node:assert/strict";
import { type Checkpoint, StateFile } from "../../lib/archive/restore/state.ts";
import { TempFiles } from "../support/temp_files.ts";

const request = { "URL": "s3://b/p", "--topic": ["a"], "--from-offset": "" };
const checkpoint: Checkpoint = {
  source: 2n ** 62n,
  target: 3n,
  producerId: 7_000n,
  producerEpoch: 2,
  since: 1n,
  gaps: [[5n, 2n ** 60n, true], [1n, 2n, false]],
};
const fresh = { ...checkpoint, source: null, gaps: [] };
let nowMs = 0;
const open = (path: string, wanted: typeof request = request) =>
  StateFile.open(path, wanted, () => nowMs);

Deno.test("a state file gives back what was saved, and nothing that was not", async () => {
  await using files = await TempFiles.of();
  const path = files.path("state");
  const state = await open(path);
  assert.equal(state.get("g/t/0"), undefined);
  state.set("g/t/0", checkpoint);
  state.set("g/t/1", fresh);
  assert.deepEqual(await files.names(), []);
  await state.save();
  assert.deepEqual(await files.names(), ["state"], "no draft is left");
  state.set("g/t/1", checkpoint);
  const read = await open(path);
  assert.deepEqual(read.get("g/t/0"), checkpoint);
  assert.deepEqual(read.get("g/t/1"), fresh);
});

Deno.test("a state file is written now and then, and wholly at the end", async () => {
  await using files = await TempFiles.of();
  const path = files.path("state");
  const state = await open(path);
  const onDisk = async () => (await open(path)).get("g/t/0")?.target;
  const set = (target: bigint) => state.set("g/t/0", { ...checkpoint, target });
  set(1n);
  await state.saveNowAndThen();
  assert.equal(await onDisk(), 1n);
  nowMs += 999;
  set(2n);
  await state.saveNowAndThen();
  assert.equal(await onDisk(), 1n);
  nowMs += 1;
  await state.saveNowAndThen();
  assert.equal(await onDisk(), 2n);
  set(3n);
  const saved = Promise.all([state.save(), state.save()]);
  set(4n);
  await saved;
  await state.save();
  assert.equal(await onDisk(), 4n);
});

Deno.test("a state file of another restore, or none at all, is refused", async () => {
  await using files = await TempFiles.of({ "text": "hello", "json": "{}", "array": "[1]" });
  const path = files.path("state");
  const state = await open(path);
  state.set("g/t/0", checkpoint);
  await state.save();
  await assert.rejects(() => open(path, { ...request, "--topic": ["b"] }), {
    fault: "usage",
    message: /it is of a restore with --topic \["a"\], not \["b"\]; repeat that, or give another/,
  });
  for (const name of ["text", "json", "array"]) {
    await assert.rejects(() => open(files.path(name)), { fault: "usage" });
  }
  const text = await Deno.readTextFile(path);
  await files.write("newer", text.replace('"version": 1', '"version": 2'));
  await assert.rejects(() => open(files.path("newer")), /its version is 2, not 1/);
  for (const [from, to] of [['"3"', '"x"'], ['"3"', "3"], ['"producerEpoch": 2', '"e": 2']]) {
    await files.write("bad", text.replace(from ?? "", to ?? ""));
    await assert.rejects(() => open(files.path("bad")), { fault: "corrupt" });
  }
});
