import assert from "node:assert/strict";
import { HistoryFile } from "../../lib/clients/history_file.ts";
import { TempFiles } from "../support/temp_files.ts";

async function modeOf(path: string): Promise<number> {
  return ((await Deno.stat(path)).mode ?? 0) & 0o777;
}

Deno.test("history comes back the last one first, and is for nobody else", async () => {
  await using files = await TempFiles.of();
  const path = files.path("state/sluice/history");
  const history = new HistoryFile(path);
  assert.deepEqual(await history.read(), []);
  await history.add("one");
  await new HistoryFile(path).add("two");
  assert.deepEqual(await history.read(), ["two", "one"]);
  assert.equal(await modeOf(path), 0o600);
});

Deno.test("a history that others could read is taken away from them", async () => {
  await using files = await TempFiles.of({ history: "SELECT 1\n" });
  await Deno.chmod(files.path("history"), 0o644);
  assert.deepEqual(await new HistoryFile(files.path("history")).read(), ["SELECT 1"]);
  assert.equal(await modeOf(files.path("history")), 0o600);
});

Deno.test("a history that has grown long is cut to its last thousand", async () => {
  const lines = Array.from({ length: 2_500 }, (_, i) => `SELECT ${i}`);
  await using files = await TempFiles.of({ history: `${lines.join("\n")}\n` });
  const history = new HistoryFile(files.path("history"));
  const entries = await history.read();
  assert.deepEqual([entries.length, entries[0], entries[999]], [
    1_000,
    "SELECT 2499",
    "SELECT 1500",
  ]);
  assert.deepEqual(await files.names(), ["history"]);
  assert.equal(await modeOf(files.path("history")), 0o600);
  assert.deepEqual(await history.read(), entries);
});

Deno.test("what is no ordinary file, as /dev/null, keeps nothing and its mode", async () => {
  await using files = await TempFiles.of();
  // Not the real one: a mistake here would be one of the whole machine.
  const path = files.path("pipe");
  assert.ok((await new Deno.Command("mkfifo", { args: ["-m", "666", path] }).output()).success);
  const before = await modeOf(path);
  using reader = await Deno.open(path, { read: true, write: true });
  const history = new HistoryFile(path);
  await history.add("SELECT 1");
  assert.equal(await reader.read(new Uint8Array(20)), 9);
  assert.deepEqual(await history.read(), []);
  assert.equal(await modeOf(path), before);
});

Deno.test("a history that is a folder is told with what to do", async () => {
  await using files = await TempFiles.of();
  await assert.rejects(new HistoryFile(files.folder).add("x"), /Cannot write history .*--history/);
});
