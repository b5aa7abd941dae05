import assert from "node:assert/strict";
import { droppedFolder } from "../support/ingest_load.ts";
import { dropDirectories, growthOf, pollsOf } from "../support/ingest_load_polls.ts";

Deno.test("10,000 directories: each manifest is read once, later polls only list, memory stays", async () => {
  await using folder = await droppedFolder();
  await dropDirectories(folder, 10_000);
  const polls = await pollsOf(folder, 8);
  const [first, ...later] = polls;
  assert.equal(first?.watched, 10_000);
  assert.equal(first?.calls.get, 10_000);
  for (const { calls, watched } of later) assert.deepEqual([calls, watched], [{ list: 1 }, 10_000]);
  // 100 bytes for each of the directories in five polls would be more.
  assert.ok(growthOf(polls) < 1_000_000, `${growthOf(polls)} bytes more are alive`);
  const most = Math.max(...polls.map(({ residentBytes }) => residentBytes));
  assert.ok(most < 400_000_000, `${most} bytes resident`);
});
