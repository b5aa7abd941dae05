import assert from "node:assert/strict";
import { baldrOf, gzipped, lengthBytes } from "../support/baldr.ts";
import { runShell } from "../support/shell.ts";
import { TempFiles } from "../support/temp_files.ts";

const files = {
  "good.baldr.gz": gzipped(baldrOf(["one", "two"])),
  "cut.baldr": baldrOf(["one", "two"]).slice(0, -1),
  "empty.baldr": "",
};

Deno.test("sluice baldr check exits 0 when all is whole", async () => {
  await using made = await TempFiles.of(files);
  const seen = await runShell("sluice baldr check good.baldr.gz - empty.baldr <good.baldr.gz", {
    cwd: made.folder,
  });
  const size = files["good.baldr.gz"].length;
  const whole = `ok, 2 records, 22 bytes, ${size} compressed`;
  assert.deepEqual(seen, {
    code: 0,
    stdout:
      `good.baldr.gz: ${whole}\nstandard input: ${whole}\nempty.baldr: ok, 0 records, 0 bytes\n`,
    stderr: "",
  });
});

Deno.test("sluice baldr check exits 12 at damage, told once, and checks the other files", async () => {
  await using made = await TempFiles.of(files);
  const seen = await runShell("sluice baldr check cut.baldr good.baldr.gz | cut -c 1-29", {
    cwd: made.folder,
  });
  assert.deepEqual(seen, {
    code: 12,
    stdout: "cut.baldr: damaged at byte 11\ngood.baldr.gz: ok, 2 records,\n",
    stderr: "",
  });
});

Deno.test("sluice baldr check --json gives an object a line", async () => {
  await using made = await TempFiles.of(files);
  const seen = await runShell("sluice baldr check --json cut.baldr nowhere", { cwd: made.folder });
  const [cut, nowhere] = seen.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(cut, {
    file: "cut.baldr",
    ok: false,
    records: 1,
    bytes: 21,
    compressed_bytes: null,
    damage: {
      what: "only 2 of its 3 bytes are there",
      offset: 11,
      compressed_offset: null,
      last_whole_record: 0,
    },
  });
  assert.deepEqual([nowhere.file, nowhere.ok], ["nowhere", false]);
  assert.equal(seen.stderr, "sluice: Cannot read nowhere: there is no such file or folder\n");
  assert.equal(seen.code, 12);
});

Deno.test("sluice baldr check exits 1 when a file is missing", async () => {
  await using made = await TempFiles.of(files);
  const seen = await runShell("sluice baldr check nowhere good.baldr.gz", { cwd: made.folder });
  assert.match(seen.stdout, /^good\.baldr\.gz: ok/);
  assert.equal(seen.code, 1);
});

Deno.test("sluice baldr check finds damage though nobody reads what it says", async () => {
  await using made = await TempFiles.of(files);
  const seen = await runShell("sluice baldr check good.baldr.gz good.baldr.gz cut.baldr | true", {
    cwd: made.folder,
  });
  assert.deepEqual(seen, { code: 12, stdout: "", stderr: "" });
});

Deno.test("sluice baldr check takes lengths over --max-record for damage", async () => {
  await using made = await TempFiles.of({ ...files, "long": lengthBytes(2 ** 30 + 1) });
  const seen = await runShell("sluice baldr check long; sluice baldr check --max-record 2 good*", {
    cwd: made.folder,
  });
  assert.match(
    seen.stdout,
    /^long: .*its length is 1073741825, where at most 1073741824 is allowed/,
  );
  assert.match(seen.stdout, /\ngood.*its length is 3, where at most 2 is allowed/);
  assert.equal(seen.code, 12);
});
