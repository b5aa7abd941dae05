import assert from "node:assert/strict";
import fc from "fast-check";
import { pack, type PackPlan } from "../../lib/baldr/pack.ts";
import { baldrOf, gzipped, joined, lengthBytes, MemorySink } from "../support/baldr.ts";
import { TempFiles } from "../support/temp_files.ts";

async function run(inputs: string[], input: PackPlan["input"], recordBytesMost = 2 ** 30) {
  const sink = new MemorySink();
  const records = await pack({ inputs, input, recordBytesMost }, sink);
  return { bytes: sink.bytes, records };
}

Deno.test("pack() makes a record of every line, and ends the last one of each input", async () => {
  await using files = await TempFiles.of({ "a": "one\n\ntwo", "b": "three\r\n", "c": "" });
  const inputs = ["a", "c", "b"].map((name) => files.path(name));
  assert.deepEqual(await run(inputs, "lines"), {
    bytes: baldrOf(["one", "", "two", "three\r"]),
    records: 4,
  });
});

Deno.test("pack() makes a record of what ends with NUL", async () => {
  await using files = await TempFiles.of({ "a": "one\nline\0\0two" });
  assert.deepEqual((await run([files.path("a")], "nul")).bytes, baldrOf(["one\nline", "", "two"]));
});

Deno.test("pack() verifies and joins Baldr, compressed or not", async () => {
  await using files = await TempFiles.of({
    "a": baldrOf(["one", ""]),
    "b": gzipped(baldrOf(["two", "x".repeat(900_000)])),
  });
  const { bytes, records } = await run([files.path("a"), files.path("b")], "length");
  assert.deepEqual(bytes, baldrOf(["one", "", "two", "x".repeat(900_000)]));
  assert.equal(records, 4);
});

Deno.test("pack() inflates compressed lines", async () => {
  await using files = await TempFiles.of({
    "a.log.gz": gzipped(new TextEncoder().encode("x\ny\n")),
  });
  assert.deepEqual((await run([files.path("a.log.gz")], "lines")).bytes, baldrOf(["x", "y"]));
});

const refused: [name: string, bytes: Uint8Array, input: PackPlan["input"], error: object][] = [
  [
    "cut Baldr",
    baldrOf(["one", "two"]).slice(0, -1),
    "length",
    { fault: "corrupt", detail: /^damaged at byte 11: only 2 of its 3 bytes/ },
  ],
  [
    "a wrong length",
    lengthBytes(-1),
    "length",
    { fault: "corrupt", detail: /its length is negative, -1/ },
  ],
  [
    "cut gzip",
    gzipped(new TextEncoder().encode("one\ntwo\n")).slice(0, -1),
    "lines",
    { fault: "corrupt", message: /^Cannot pack .*x: damaged at byte \d+ \(byte \d+ of the gzip\)/ },
  ],
  [
    "a line that is too long",
    new TextEncoder().encode("one\nseven77\n"),
    "lines",
    {
      fault: "permanent",
      message: /^Cannot pack .*x: record 1 is longer than the allowed 6 bytes/,
    },
  ],
];

for (const [name, bytes, input, error] of refused) {
  Deno.test(`pack() refuses ${name}`, async () => {
    await using files = await TempFiles.of({ "x": bytes });
    await assert.rejects(run([files.path("x")], input, 6), error);
  });
}

Deno.test("pack() says which input is missing", async () => {
  await using files = await TempFiles.of();
  await assert.rejects(run([files.path("nowhere")], "lines"), {
    fault: "permanent",
    message: `Cannot pack ${files.path("nowhere")}: there is no such file or folder`,
  });
});

Deno.test("pack() keeps every byte of records that hold no separator", async () => {
  await using files = await TempFiles.of();
  const separators = { lines: 10, nul: 0 } as const;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("lines" as const, "nul" as const),
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }),
      async (input, some) => {
        const separator = separators[input];
        const records = some.map((one) => one.map((byte) => byte === separator ? 7 : byte));
        // A file that begins as gzip would be inflated: true archives of that are for --input length.
        if (records[0]?.[0] === 0x1f) records[0][0] = 0x1e;
        const text = joined(records.flatMap((one) => [one, Uint8Array.of(separator)]));
        const path = await files.write("x", text);
        assert.deepEqual((await run([path], input)).bytes, baldrOf(records));
      },
    ),
    { numRuns: 300 },
  );
});
