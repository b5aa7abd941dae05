import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { compressionsAlgorithms } from "@platformatic/kafka";
import fc from "fast-check";
import { decompress } from "../../../lib/clients/kafka/codecs.ts";
import { SluiceError } from "../../../lib/core/errors.ts";

const { snappy, lz4 } = compressionsAlgorithms;

/** As snappy-java frames: a header of 16 bytes, then pieces with their lengths. */
function xerial(bytes: Uint8Array, pieceBytes: number): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from("82534e41505059000000000100000001", "hex")];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = snappy.compressSync(Buffer.from(bytes.subarray(at, at + pieceBytes)));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(piece.length);
    parts.push(length, piece);
  }
  return Buffer.concat(parts);
}

const kinds: [name: string, codec: number, compress: (bytes: Uint8Array) => Uint8Array][] = [
  ["gzip", 1, (bytes) => gzipSync(bytes)],
  ["bare snappy", 2, (bytes) => snappy.compressSync(Buffer.from(bytes))],
  ["framed snappy", 2, (bytes) => xerial(bytes, 100)],
  ["lz4", 3, (bytes) => lz4.compressSync(Buffer.from(bytes))],
  ["zstd", 4, (bytes) => zstdCompressSync(bytes)],
];

for (const [name, codec, compress] of kinds) {
  Deno.test(`decompress() gives back what ${name} took`, () => {
    const records = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 2_000 }),
      // Larger than zlib's pieces and lz4's blocks.
      fc.integer({ min: 1, max: 700_000 }).map((length) => new Uint8Array(length).fill(length)),
    );
    fc.assert(
      fc.property(records, (bytes) => {
        // A view into something larger, as a fetched batch is.
        const compressed = Buffer.concat([Buffer.of(1, 2), compress(bytes), Buffer.of(3)]);
        const found = decompress(codec, compressed.subarray(2, compressed.length - 1));
        assert.ok(Buffer.from(bytes).equals(found));
      }),
      { numRuns: 30 },
    );
  });

  Deno.test(`decompress() calls what ${name} cannot have made corrupt, and works on`, () => {
    const bytes = new TextEncoder().encode("to be or not to be ".repeat(50));
    const damaged = compress(bytes).slice().fill(0xee, 0, 30);
    assert.throws(
      () => decompress(codec, damaged),
      (thrown) => thrown instanceof SluiceError && thrown.fault === "corrupt",
    );
    assert.deepEqual(decompress(codec, compress(bytes)), bytes);
  });
}

Deno.test("decompress() knows no codec 5", () => {
  assert.throws(
    () => decompress(5, Uint8Array.of(1)),
    (thrown) => thrown instanceof SluiceError && thrown.fault === "permanent",
  );
});
