import assert from "node:assert/strict";
import { droppedFolder } from "../support/ingest_load.ts";
import { dropDirectories, pollsOf } from "../support/ingest_load_polls.ts";

Deno.test("10,000 directories: each manifest is read once, later polls only list, memory stays", async () => {
  await using folder = await droppedFolder();
  await dropDirectories(folder, 10_000);
  const [first, ...later] = await pollsOf(folder, 8);
  assert.equal(first?.watched, 10_000);
  assert.equal(first?.calls.get, 10_000);
  for (const { calls, watched } of later) assert.deepEqual([calls, watched], [{ list: 1 }, 10_000]);
  const resident = later.map(({ residentBytes }) => residentBytes);
  const growth = Math.max(...resident.slice(3)) - Math.max(...resident.slice(0, 3));
  assert.ok(growth < 16_000_000, `${growth} bytes more after three polls: ${resident}`);
});
