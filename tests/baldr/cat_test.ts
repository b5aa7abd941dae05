import assert from "node:assert/strict";
import fc from "fast-check";
import { cat, catFormats, type CatPlan, count } from "../../lib/baldr/cat.ts";
import type { SluiceError } from "../../lib/core/errors.ts";
import { baldrOf, bytesOf, gzipped, joined, lengthBytes, MemorySink } from "../support/baldr.ts";
import { TempFiles } from "../support/temp_files.ts";

/** Runs cat; gives what was printed, and what was reported with how much had been printed then. */
async function run(inputs: string[], plan: Partial<CatPlan> = {}) {
  const sink = new MemorySink();
  const reports: { message: string; fault: string; after: number }[] = [];
  await cat(
    {
      inputs,
      format: "lines",
      colours: false,
      skip: 0,
      limit: undefined,
      recordBytesMost: 2 ** 30,
      ...plan,
    },
    sink,
    ({ message, fault }: SluiceError) => reports.push({ message, fault, after: sink.bytes.length }),
  );
  return { bytes: sink.bytes, text: new TextDecoder().decode(sink.bytes), reports };
}

const records = [
  '{"a":1}',
  "",
  "text\nof two lines",
  '{\n  "b" : [1.0, "x y"]\n}',
  Uint8Array.of(0xff, 0x00, 0x22),
  "é\0",
];

const forms: [format: CatPlan["format"], printed: Uint8Array | string][] = [
  ["lines", joined(records.flatMap((record) => [bytesOf(record), Uint8Array.of(10)]))],
  ["raw", joined(records.map(bytesOf))],
  [
    "jsonl",
    '{"a":1}\n""\n"text\\nof two lines"\n{"b":[1.0,"x y"]}\n' +
    '{"content":"ÿ\\u0000\\"","charset":"iso-8859-1"}\n"é\\u0000"\n',
  ],
  [
    "hex",
    "7b2261223a317d\n\n746578740a6f662074776f206c696e6573\n" +
    "7b0a2020226222203a205b312e302c202278207922" + "5d0a7d\nff0022\nc3a900\n",
  ],
  ["baldr", baldrOf(records)],
];

for (const [format, printed] of forms) {
  Deno.test(`cat() prints every kind of record as ${format}, compressed or not`, async () => {
    await using files = await TempFiles.of({
      "plain": baldrOf(records),
      "gzip": gzipped(baldrOf(records)),
    });
    for (const name of ["plain", "gzip"]) {
      const seen = await run([files.path(name)], { format });
      assert.deepEqual(seen.bytes, joined([bytesOf(printed)]));
      assert.deepEqual(seen.reports, []);
    }
  });
}

Deno.test("cat() prints JSON for people over several lines, and other records as they are", async () => {
  await using files = await TempFiles.of({ "x": baldrOf(['{"a":[1]}', "[not json", "7"]) });
  const plain = await run([files.path("x")], { format: "pretty" });
  assert.equal(plain.text, '{\n  "a": [\n    1\n  ]\n}\n[not json\n7\n');
  const coloured = await run([files.path("x")], { format: "pretty", colours: true });
  assert.ok(coloured.text.startsWith('{\n  \x1b[34;1m"a"\x1b[0m: ['));
});

Deno.test("cat() skips and limits over all inputs together", async () => {
  await using files = await TempFiles.of({
    "1": baldrOf(["a", "b", "c"]),
    "2": gzipped(baldrOf([])),
    "3": gzipped(baldrOf(["d", "e"])),
    "4": baldrOf(["f"]),
  });
  const all = ["a", "b", "c", "d", "e", "f"];
  const inputs = ["1", "2", "3", "4"].map((name) => files.path(name));
  for (let skip = 0; skip <= 7; skip++) {
    for (let limit = 0; limit <= 7; limit++) {
      const { text } = await run(inputs, { skip, limit });
      assert.equal(text, all.slice(skip, skip + limit).map((one) => `${one}\n`).join(""));
    }
    assert.equal((await run(inputs, { skip, format: "raw" })).text, all.slice(skip).join(""));
  }
});

Deno.test("cat() reads nothing behind its limit: neither damage nor the next input", async () => {
  await using files = await TempFiles.of({
    "x": joined([baldrOf(["a", "b"]), lengthBytes(-1)]),
  });
  const seen = await run([files.path("x"), files.path("nowhere")], { limit: 2 });
  assert.equal(seen.text, "a\nb\n");
  assert.deepEqual(seen.reports, []);
});

Deno.test("cat() stops reading when nobody reads what it prints", async () => {
  await using files = await TempFiles.of({ "x": baldrOf(["a"]) });
  const sink = new MemorySink();
  sink.isClosed = true;
  const plan = { colours: false, skip: 0, limit: undefined, recordBytesMost: 9 } as const;
  const inputs = [files.path("x"), files.path("nowhere")];
  await cat({ ...plan, inputs, format: "lines" }, sink, (error) => assert.fail(error));
});

Deno.test("cat() goes on behind what is damaged or missing, and reports when all before is out", async () => {
  const four = gzipped(baldrOf(["four"]));
  const checksumEnd = four.length - 4;
  await using files = await TempFiles.of({
    "cut": baldrOf(["one", "two"]).slice(0, -1),
    "good": baldrOf(["three"]),
    "flipped": joined([four.slice(0, -8), new Uint8Array(8)]),
  });
  const paths = ["cut", "nowhere", "good", "flipped", "good"].map((name) => files.path(name));
  const seen = await run(paths);
  assert.equal(seen.text, "one\nthree\nfour\nthree\n");
  assert.deepEqual(seen.reports, [
    {
      message: `Cannot read all of ${paths[0]}: damaged at byte 11: only 2 of its 3 bytes are ` +
        "there; 1 whole record before it, the last has index 0",
      fault: "corrupt",
      after: 4,
    },
    {
      message: `Cannot read ${paths[1]}: there is no such file or folder`,
      fault: "permanent",
      after: 4,
    },
    {
      message: `Cannot read all of ${paths[3]}: damaged at byte 12 (byte ${checksumEnd} of ` +
        "the gzip): the gzip checksum is wrong: something before it was altered, perhaps inside records; " +
        "1 whole record before it, the last has index 0",
      fault: "corrupt",
      after: 15,
    },
  ]);
});

Deno.test("cat() prints nothing of a record that is cut, in any form", async () => {
  const stream = baldrOf(['{"a":1}', "x".repeat(400_000)]).slice(0, -1);
  await using files = await TempFiles.of({ "x": stream, "y": baldrOf(["[2]"]) });
  for (const format of [...catFormats, "pretty"] as const) {
    const seen = await run([files.path("x"), files.path("y")], { format });
    await using whole = await TempFiles.of({ "z": baldrOf(['{"a":1}', "[2]"]) });
    assert.deepEqual(seen.bytes, (await run([whole.path("z")], { format })).bytes, format);
    assert.equal(seen.reports.length, 1);
  }
});

Deno.test("cat() says what it printed of a large record that turned out to be cut", async () => {
  const large = new Uint8Array(3_000_000).fill(65);
  await using files = await TempFiles.of({
    "x": baldrOf([large]).slice(0, -1),
    "y": baldrOf(["next"]),
  });
  for (const format of ["lines", "raw", "hex"] as const) {
    const seen = await run([files.path("x"), files.path("y")], { format });
    const given = /; (\d+) bytes of what is damaged had been printed before that showed$/
      .exec(seen.reports[0]?.message ?? "")?.[1];
    const end = { lines: "\nnext\n", raw: "next", hex: "\n6e657874\n" }[format];
    assert.ok(Number(given) > 1_000_000);
    assert.equal(seen.bytes.length, Number(given) + end.length);
    assert.ok(seen.text.endsWith(`${format === "hex" ? "41" : "A"}${end}`));
  }
  const reframed = await run([files.path("x"), files.path("y")], { format: "baldr" });
  assert.deepEqual(reframed.bytes, baldrOf(["next"]), "no part of a record among framed ones");
});

Deno.test("cat() takes records over --max-record for damage", async () => {
  await using files = await TempFiles.of({ "x": baldrOf(["four", "five5"]) });
  const seen = await run([files.path("x")], { recordBytesMost: 4 });
  assert.equal(seen.text, "four\n");
  assert.match(seen.reports[0]?.message ?? "", /its length is 5, where at most 4 is allowed/);
});

/** What cat may print of a cut or altered file: records from the beginning on, each whole. */
async function tryEvery(
  originals: readonly string[],
  variants: Iterable<readonly [string, Uint8Array]>,
  judge: (variant: string, printed: string[], complaint: string | undefined) => void,
): Promise<void> {
  await using files = await TempFiles.of();
  for (const [variant, bytes] of variants) {
    const seen = await run([await files.write("x.baldr.gz", bytes)]);
    const printed = seen.text.split("\n").slice(0, -1);
    assert.ok(printed.length <= originals.length + 1);
    judge(variant, printed, seen.reports[0]?.message);
    const [report] = seen.reports;
    if (report !== undefined) {
      assert.equal(report.fault, "corrupt");
      assert.match(report.message, /damaged at byte \d+/);
    }
  }
}

const originals = Array.from({ length: 40 }, (_, n) => `record ${n * n * 7919} of this small file`);

Deno.test("cat() prints the records before a cut at any byte of a gzip file, and says so", async () => {
  const stream = gzipped(baldrOf(originals));
  let most = 0;
  await tryEvery(
    originals,
    Array.from(stream, (_, cut) => [`cut at ${cut}`, stream.subarray(0, cut)] as const),
    (variant, printed, complaint) => {
      assert.deepEqual(printed, originals.slice(0, printed.length), variant);
      assert.ok(complaint, variant);
      const last = printed.length === 0
        ? "no whole record"
        : `last has index ${printed.length - 1}`;
      assert.ok(complaint.includes(last), complaint);
      most = Math.max(most, printed.length);
    },
  );
  assert.equal(most, originals.length);
});

function flippedAt(stream: Uint8Array, bit: number): Uint8Array {
  const flipped = stream.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
  return flipped;
}

Deno.test("cat() says of every flipped bit in a gzip file that something is wrong, or nothing is", async () => {
  const stream = gzipped(baldrOf(originals));
  const variants = Array.from(
    { length: 8 * stream.length },
    (_, bit) => [`bit ${bit}`, flippedAt(stream, bit)] as const,
  );
  let unharmed = 0;
  await tryEvery(originals, variants, (variant, printed, complaint) => {
    if (complaint !== undefined) return;
    assert.deepEqual(printed, originals, variant);
    unharmed++;
  });
  assert.ok(unharmed <= 8 * 10, "only the gzip header has bits that mean nothing");
});

Deno.test("cat() sees every flipped bit in the lengths of a file without gzip", async () => {
  const few = originals.slice(0, 5);
  const stream = baldrOf(few);
  const lengthsAt = few.map((_, n) => baldrOf(few.slice(0, n)).length);
  const bits = lengthsAt.flatMap((at) => Array.from({ length: 64 }, (_, bit) => 8 * at + bit));
  // A flipped bit inside a record cannot be seen here: there is no checksum.
  const variants = bits.map((bit) => [`bit ${bit}`, flippedAt(stream, bit)] as const);
  await tryEvery(few, variants, (variant, _, complaint) => assert.ok(complaint, variant));
});

Deno.test("cat() of what was framed, whole or compressed in members, gives every record back", async () => {
  await using files = await TempFiles.of();
  const some = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(fc.array(some, { minLength: 1, maxLength: 4 }), async (members) => {
      const path = await files.write("x", joined(members.map((one) => gzipped(baldrOf(one)))));
      const seen = await run([path], { format: "baldr" });
      assert.deepEqual(seen.bytes, baldrOf(members.flat()));
    }),
    { numRuns: 300 },
  );
});

Deno.test("count() tells each input's number of records, and of a damaged one the whole ones", async () => {
  await using files = await TempFiles.of({
    "a": gzipped(baldrOf(["", "x", "y".repeat(600_000)])),
    "cut": baldrOf(["one", "two"]).slice(0, -1),
    "empty": "",
  });
  const told: [string, number][] = [];
  const faults: string[] = [];
  await count(
    {
      inputs: ["a", "cut", "nowhere", "empty"].map((name) => files.path(name)),
      recordBytesMost: 2 ** 30,
    },
    (operand, records) => Promise.resolve(void told.push([operand, records])),
    ({ fault }) => faults.push(fault),
  );
  assert.deepEqual(told, [[files.path("a"), 3], [files.path("cut"), 1], [files.path("empty"), 0]]);
  assert.deepEqual(faults, ["corrupt", "permanent"]);
});
