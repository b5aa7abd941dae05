import assert from "node:assert/strict";
import { constants, crc32, deflateRawSync, gunzipSync } from "node:zlib";
import fc from "fast-check";
import { Gunzip } from "../../lib/clients/gzip.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { crc32c } from "../../lib/formats/crc32c.ts";
import {
  combineCrc32,
  combineCrc32c,
  gzipEnd,
  gzipExtra,
  gzipHeadBytes,
  gzipHeader,
} from "../../lib/formats/gzip_parts.ts";
import { bytesOf, joined, sourceOf } from "../support/baldr.ts";
import { TempFiles } from "../support/temp_files.ts";

const extra = bytesOf('{"first-offset":"0"}');

/** A file of these blocks, each deflated apart. */
function composed(blocks: readonly Uint8Array[], note: Uint8Array | null = extra) {
  let [crc, size] = [0, 0];
  for (const block of blocks) {
    crc = combineCrc32(crc, crc32(block), block.length);
    size += block.length;
  }
  const deflated = blocks.map((block) =>
    deflateRawSync(block, { finishFlush: constants.Z_SYNC_FLUSH })
  );
  return joined([gzipHeader(note), ...deflated, gzipEnd(crc, size)]);
}

const long = bytesOf("a line of text that comes again and again\n".repeat(5000));
const files: [name: string, blocks: Uint8Array[]][] = [
  ["nothing", []],
  ["an empty block", [new Uint8Array(0)]],
  ["one byte", [bytesOf("x")]],
  ["one block", [long]],
  ["several blocks, an empty one among them", [long, bytesOf("x"), bytesOf(""), long, long]],
];

async function output(command: string, args: readonly string[]): Promise<Uint8Array> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return stdout;
}

for (const [name, blocks] of files) {
  for (const note of [null, new Uint8Array(0), extra, new Uint8Array(65_531).fill(65)]) {
    const what = note === null ? "without notes" : `with ${note.length} bytes of notes`;
    Deno.test(`A file of ${name}, ${what}, is read by gzip, Python, Node and us`, async () => {
      const file = composed(blocks, note);
      const wanted = joined(blocks);
      assert.deepEqual(new Uint8Array(gunzipSync(file)), wanted);
      await using folder = await TempFiles.of({ "x.gz": file });
      const path = folder.path("x.gz");
      await output("gzip", ["-t", path]);
      assert.deepEqual(await output("zcat", [path]), wanted);
      const script = "import gzip,sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())";
      assert.deepEqual(await output("python3", ["-c", script, path]), wanted);
      const gunzip = new Gunzip(sourceOf([file]));
      const pieces: Uint8Array[] = [];
      for (let piece; (piece = await gunzip.next()) !== undefined;) pieces.push(piece.slice());
      gunzip.close();
      assert.deepEqual(joined(pieces), wanted);
      assert.deepEqual(gzipExtra(file.subarray(0, gzipHeadBytes)), note);
    });
  }
}

Deno.test("A file cut in its end is seen as cut", () => {
  const file = composed([long]);
  for (let cut = 1; cut <= 10; cut++) {
    assert.throws(() => gunzipSync(file.subarray(0, file.length - cut)), `cut by ${cut}`);
  }
});

Deno.test("gzipEnd() keeps the size modulo 2^32", () => {
  const sizeOf = (bytes: number) => new DataView(gzipEnd(0, bytes).buffer).getUint32(6, true);
  assert.equal(sizeOf(2 ** 32 - 1), 2 ** 32 - 1);
  assert.equal(sizeOf(2 ** 32), 0);
  assert.equal(sizeOf(5 * 2 ** 40 + 7), 7);
  assert.deepEqual([...gzipEnd(0x89abcdef, 1)], [3, 0, 0xef, 0xcd, 0xab, 0x89, 1, 0, 0, 0]);
});

const bytes = fc.uint8Array({ maxLength: 300 });

Deno.test("combineCrc32() and combineCrc32c() give the checksum of both parts together", () => {
  fc.assert(fc.property(bytes, bytes, (a, b) => {
    const both = joined([a, b]);
    assert.equal(combineCrc32(crc32(a), crc32(b), b.length), crc32(both));
    assert.equal(combineCrc32c(crc32c(a), crc32c(b), b.length), crc32c(both));
  }));
});

Deno.test("Checksums of parts over 4 GiB are combined", () => {
  // Many times 1 MiB of zeros, put together in two different orders.
  const [zeros, end] = [new Uint8Array(2 ** 20), bytesOf("the end")];
  for (const [combine, of] of [[combineCrc32, crc32], [combineCrc32c, crc32c]] as const) {
    let doubled = of(zeros);
    for (let size = 2 ** 20; size < 2 ** 43; size *= 2) doubled = combine(doubled, doubled, size);
    const start = of(bytesOf("x"));
    const left = combine(combine(start, doubled, 2 ** 43), of(end), end.length);
    const right = combine(start, combine(doubled, of(end), end.length), 2 ** 43 + end.length);
    assert.equal(left, right);
    // (Another power of two whose bits differ by 31 or 32 doublings would truly be the same.)
    assert.notEqual(combine(start, doubled, 2 ** 43), combine(start, doubled, 2 ** 10));
  }
});

const refusedHeads: [what: string, bytes: Uint8Array][] = [
  ["is cut in its fixed part", gzipHeader(extra).subarray(0, 9)],
  ["is cut in the length of the extra field", gzipHeader(extra).subarray(0, 11)],
  ["is cut in the extra field", gzipHeader(extra).subarray(0, -1)],
  ["has a subfield longer than the field", withByte(gzipHeader(extra), 14, 255)],
  ["has a subfield without a length", withByte(gzipHeader(new Uint8Array(0)), 10, 3)],
];

function withByte(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const changed = bytes.slice();
  changed[at] = byte;
  return changed;
}

for (const [what, bytes] of refusedHeads) {
  Deno.test(`gzipExtra() refuses a header that ${what}`, () => {
    assert.throws(
      () => gzipExtra(bytes),
      (thrown) => thrown instanceof SluiceError && thrown.fault === "corrupt",
    );
  });
}

Deno.test("gzipExtra() finds no notes where there are none", () => {
  for (const bytes of [new Uint8Array(0), bytesOf("{}"), Uint8Array.of(0x1f, 0x8b)]) {
    assert.equal(gzipExtra(bytes), null);
  }
  const foreign = gzipHeader(extra);
  foreign.set(bytesOf("BC"), 12);
  assert.equal(gzipExtra(foreign), null);
});

Deno.test("gzipExtra() finds our subfield behind others", () => {
  const others = bytesOf("BC\x03\0abcXY\0\0SL\x02\0okZZ\0\0");
  const header = joined([
    Uint8Array.of(0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, others.length, 0),
    others,
  ]);
  assert.deepEqual(gzipExtra(header), bytesOf("ok"));
  assert.deepEqual(new Uint8Array(gunzipSync(joined([header, gzipEnd(0, 0)]))), new Uint8Array(0));
});

Deno.test("gzipHeader() takes no notes over the extra field's 64 KiB", () => {
  assert.equal(gzipHeader(new Uint8Array(65_531)).length, gzipHeadBytes);
  assert.throws(
    () => gzipHeader(new Uint8Array(65_532)),
    (thrown) =>
      thrown instanceof SluiceError && thrown.fault === "usage" && /65531/.test(thrown.message),
  );
});
