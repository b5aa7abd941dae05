import assert from "node:assert/strict";
import { droppedFolder } from "../support/ingest_load.ts";
import { dropDirectories, type Poll } from "../support/ingest_load_polls.ts";

const program = new URL("../support/ingest_polls_program.ts", import.meta.url).pathname;

/** Test files that run beside this one share its process, and their memory would count. */
async function pollsOf(url: string, times: number): Promise<Poll[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", program, url, String(times)],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout)) as Poll[];
}

Deno.test("10,000 directories: each manifest is read once, later polls only list, memory stays", async () => {
  await using folder = await droppedFolder();
  await dropDirectories(folder, 10_000);
  const [first, ...later] = await pollsOf(folder.url, 8);
  assert.equal(first?.watched, 10_000);
  assert.equal(first?.calls.get, 10_000);
  for (const { calls, watched } of later) assert.deepEqual([calls, watched], [{ list: 1 }, 10_000]);
  const resident = later.map(({ residentBytes }) => residentBytes);
  const growth = Math.max(...resident.slice(3)) - Math.max(...resident.slice(0, 3));
  assert.ok(growth < 16_000_000, `${growth} bytes more after three polls: ${resident}`);
});
