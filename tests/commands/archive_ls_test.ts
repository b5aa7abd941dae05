import assert from "node:assert/strict";
import { openStore } from "../../lib/clients/store/store.ts";
import { realWorld } from "../../lib/core/world.ts";
import { putChain, putObject } from "../support/archive_maker.ts";
import { assertComplaint, runSluice } from "../support/command_line.ts";
import { TempFiles } from "../support/temp_files.ts";

/** A folder with two topics, and one object without notes at the end of one. */
async function archive() {
  const files = await TempFiles.of();
  const url = `file://${files.folder}`;
  const store = await openStore(url, { world: realWorld(() => {}) });
  await putChain(store, [0n, 5n, 6n, 20n]);
  await putChain(store, [100n, 107n], { topic: "app", partition: 12 });
  await putObject(store, { topic: "app", partition: 12, first: 107n, next: 108n, plain: true });
  return { files, url, store, [Symbol.asyncDispose]: () => files[Symbol.asyncDispose]() };
}

function list(...args: readonly string[]) {
  return runSluice(["archive", "ls", ...args]);
}

/** The words of each line, without sizes and times. */
function wordsOf(stdout: string): string[] {
  return stdout.trimEnd().split("\n").map((line) =>
    line.replace(/ {2,}/g, " ").replace(/ [\d.]+ k?B/, " SIZE").replace(/20\S+Z/, "TIME")
  );
}

Deno.test("archive ls prints a line a partition, by the listing alone", async () => {
  await using made = await archive();
  const { code, stdout, stderr } = await list(made.url);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.deepEqual(wordsOf(stdout), [
    "PARTITION OBJECTS SIZE FROM TO NEWEST",
    "sluice/app/12 2 SIZE 100 107.. TIME",
    "sluice/web/0 3 SIZE 0 6.. TIME",
    "2 partitions, 5 objects, SIZE",
  ]);
});

Deno.test("archive ls --long asks the notes for records and ends", async () => {
  await using made = await archive();
  const { code, stdout } = await list("--long", made.url);
  assert.equal(code, 0);
  assert.deepEqual(wordsOf(stdout), [
    "PARTITION OBJECTS SIZE RECORDS FROM TO NEWEST",
    "sluice/app/12 2 SIZE 7.. 100 107.. TIME",
    "sluice/web/0 3 SIZE 20 0 20 TIME",
    "2 partitions, 5 objects, SIZE",
  ]);
});

Deno.test("archive ls --json is one document of this shape", async () => {
  await using made = await archive();
  await Deno.writeTextFile(`${made.files.folder}/README`, "notes");
  const { code, stdout, stderr } = await list("--json", made.url);
  assert.deepEqual([code, stderr], [0, ""]);
  const { partitions: [, { newest_object, bytes, ...web }], totals, ...rest } = JSON.parse(stdout);
  assert.match(newest_object, /^20\d\d-.*Z$/);
  assert.ok(bytes > 100 && totals.bytes > bytes);
  assert.deepEqual(web, {
    group: "sluice",
    topic: "web",
    partition: 0,
    objects: 3,
    first_offset: "0",
    newest_object_first_offset: "6",
    gap_notes: 0,
  });
  assert.deepEqual([totals.partitions, totals.objects], [2, 5]);
  assert.deepEqual(rest, { archive: made.url, foreign: { objects: 1, keys: ["README"] } });
});

Deno.test("archive ls --json --long has what the notes say, too", async () => {
  await using made = await archive();
  const { stdout } = await list("--json", "--long", "--topic=web", `${made.url}/sluice`);
  const { partitions: [web, ...more] } = JSON.parse(stdout);
  assert.deepEqual(more, []);
  const { next_offset, next_offset_exact, records, null_values, objects_without_notes } = web;
  assert.deepEqual(
    [next_offset, next_offset_exact, records, null_values, objects_without_notes],
    ["20", true, 20, 0, 0],
  );
  assert.equal(web.last_timestamp, "2023-11-14T22:13:29.000Z");
});

Deno.test("archive ls of nothing is an error that tells what to do", async () => {
  await using made = await TempFiles.of({ "a": "x" });
  assertComplaint(
    await list(`file://${made.folder}`),
    1,
    `Cannot find an archive at file://${made.folder}: ` +
      "no object there is of an archive; there is a",
  );
  assertComplaint(await list("--topic=x", `file://${made.folder}`), 1, /: no partition is of that/);
});
