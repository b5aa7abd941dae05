import assert from "node:assert/strict";
import { check } from "../../lib/baldr/check.ts";
import { baldrOf, gzipped, joined, lengthBytes } from "../support/baldr.ts";
import { TempFiles } from "../support/temp_files.ts";

async function run(inputs: string[], json = false) {
  const lines: string[] = [];
  const errors: [fault: string, message: string][] = [];
  await check(
    { inputs, recordBytesMost: 2 ** 30, json },
    (line) => Promise.resolve(void lines.push(line)),
    ({ fault, message }) => errors.push([fault, message]),
  );
  return { lines, errors };
}

const two = baldrOf(["one", "two"]);
const oneGzip = gzipped(baldrOf(["one"]));
const twoGzip = gzipped(two);
const negativeGzip = gzipped(joined([two, lengthBytes(-2)]));

const results: [name: string, bytes: Uint8Array, line: string, damage: object | null][] = [
  ["plain", two, "ok, 2 records, 22 bytes", null],
  ["nothing", new Uint8Array(0), "ok, 0 records, 0 bytes", null],
  ["one.gz", oneGzip, `ok, 1 record, 11 bytes, ${oneGzip.length} compressed`, null],
  [
    "members.gz",
    joined([twoGzip, twoGzip]),
    `ok, 4 records, 44 bytes, ${2 * twoGzip.length} compressed`,
    null,
  ],
  [
    "cut",
    two.slice(0, 15),
    "damaged at byte 11: only 4 of the 8 bytes of its length are there; " +
    "1 whole record before it, the last has index 0",
    {
      what: "only 4 of the 8 bytes of its length are there",
      offset: 11,
      compressed_offset: null,
      last_whole_record: 0,
    },
  ],
  [
    "negative.gz",
    negativeGzip,
    `damaged at byte 22 (byte ${negativeGzip.length} of the gzip): its length is negative, -2; ` +
    "2 whole records before it, the last has index 1",
    {
      what: "its length is negative, -2",
      offset: 22,
      compressed_offset: negativeGzip.length,
      last_whole_record: 1,
    },
  ],
  [
    "garbage.gz",
    joined([gzipped(baldrOf([])), new TextEncoder().encode("more")]),
    "damaged at byte 0 (byte 20 of the gzip): behind the gzip data is something that is neither " +
    "gzip nor zeros; no whole record before it",
    {
      what: "behind the gzip data is something that is neither gzip nor zeros",
      offset: 0,
      compressed_offset: 20,
      last_whole_record: null,
    },
  ],
];

for (const [name, bytes, line, damage] of results) {
  Deno.test(`check() says of ${name}: ${line}`, async () => {
    await using files = await TempFiles.of({ [name]: bytes });
    const path = files.path(name);
    const text = await run([path]);
    assert.deepEqual(text.lines, [`${path}: ${line}`]);
    assert.deepEqual(text.errors.map(([fault]) => fault), damage === null ? [] : ["corrupt"]);
    const json = JSON.parse((await run([path], true)).lines[0] ?? "");
    assert.equal(json.file, path);
    assert.equal(json.ok, damage === null);
    assert.deepEqual(json.damage ?? null, damage);
    assert.equal(json.compressed_bytes === null, !name.endsWith(".gz"));
  });
}

Deno.test("check() gives counts in JSON, and goes on behind what cannot be read", async () => {
  await using files = await TempFiles.of({ "a": two });
  const inputs = [files.path("nowhere"), files.path("a")];
  const json = await run(inputs, true);
  const error = `Cannot read ${inputs[0]}: there is no such file or folder`;
  assert.deepEqual(json.lines.map((line) => JSON.parse(line)), [
    { file: inputs[0], ok: false, error },
    { file: inputs[1], ok: true, records: 2, bytes: 22, compressed_bytes: null },
  ]);
  const text = await run(inputs);
  assert.deepEqual(text.lines, [`${inputs[1]}: ok, 2 records, 22 bytes`]);
  assert.deepEqual(text.errors, [["permanent", error]]);
});

Deno.test("check() sees every cut of a small gzip file", async () => {
  const stream = gzipped(baldrOf(["one", "two", "three"]));
  await using files = await TempFiles.of();
  for (let cut = 0; cut < stream.length; cut++) {
    const path = await files.write("x.baldr.gz", stream.subarray(0, cut));
    const { lines, errors } = await run([path]);
    assert.match(lines[0] ?? "", /: damaged at byte \d+/, `cut at ${cut}`);
    assert.deepEqual(errors.map(([fault]) => fault), ["corrupt"]);
  }
});
