import assert from "node:assert/strict";
import fc from "fast-check";
import kafkajsCrc32c from "npm:kafkajs@2.2.4/src/protocol/recordBatch/crc32C/index.js";
import { crc32c } from "../../lib/formats/crc32c.ts";

const encoder = new TextEncoder();

/** One bit at a time, as RFC 3720 describes it: slow, and plain to see. */
function bitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** RFC 3720 B.4 (its bytes are the least significant first), and the check value of the catalogues. */
const vectors: [name: string, bytes: Uint8Array, crc: number][] = [
  ["nothing", new Uint8Array(0), 0],
  ["32 bytes of zeroes", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 bytes counting up", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ["32 bytes counting down", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ["123456789", encoder.encode("123456789"), 0xe3069283],
];

for (const [name, bytes, crc] of vectors) {
  Deno.test(`crc32c() gives the known checksum of ${name}`, () => {
    assert.equal(crc32c(bytes), crc);
    assert.equal(bitwise(bytes), crc);
  });
}

Deno.test("crc32c() agrees with the definition and with kafkajs for any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    assert.equal(crc32c(bytes), bitwise(bytes));
    assert.equal(crc32c(bytes), kafkajsCrc32c(bytes));
  }));
});

Deno.test("crc32c() looks at the range it is given and at nothing else", () => {
  fc.assert(fc.property(
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 40 }),
    (before, bytes, behind) => {
      const all = Uint8Array.of(...before, ...bytes, ...behind);
      assert.equal(crc32c(all, before.length, before.length + bytes.length), bitwise(bytes));
      assert.equal(crc32c(all, before.length), bitwise(Uint8Array.of(...bytes, ...behind)));
    },
  ));
});

Deno.test("crc32c() puts the pieces of long bytes together", () => {
  const bytes = Uint8Array.from(
    { length: 200_003 },
    (_, at) => Math.imul(at, 2_654_435_761) >>> 24,
  );
  for (const length of [255, 256, 257, 65_535, 65_536, 65_537, 131_072, 131_073, 200_000]) {
    assert.equal(crc32c(bytes, 3, 3 + length), bitwise(bytes.subarray(3, 3 + length)), `${length}`);
  }
});
