import assert from "node:assert/strict";
import fc from "fast-check";
import Encoder from "npm:kafkajs@2.2.4/src/protocol/encoder.js";
import { putVarint, VarintCursor, varintSize } from "../../lib/formats/varint.ts";

function written(value: number): Uint8Array {
  const out = new Uint8Array(12).fill(0xee);
  const end = putVarint(out, 1, value);
  assert.equal(out[0], 0xee, "nothing is written before the position");
  assert.ok(out.subarray(end).every((byte) => byte === 0xee), "nothing is written behind");
  return out.slice(1, end);
}

const examples: [value: number, bytes: number[]][] = [
  [0, [0]],
  [-1, [1]],
  [1, [2]],
  [-2, [3]],
  [63, [126]],
  [64, [128, 1]],
  [-64, [127]],
  [-65, [129, 1]],
  [8191, [254, 127]],
  [8192, [128, 128, 1]],
  [-8192, [255, 127]],
  [2 ** 31 - 1, [254, 255, 255, 255, 15]],
  [-(2 ** 31), [255, 255, 255, 255, 15]],
  // A time delta between 1970 and now: more than 32 bits.
  [1_790_000_000_000, [128, 176, 131, 197, 152, 104]],
];

for (const [value, bytes] of examples) {
  Deno.test(`putVarint() writes ${value} as ${bytes}, and it reads back`, () => {
    assert.deepEqual([...written(value)], bytes);
    assert.equal(varintSize(value), bytes.length);
    assert.equal(new VarintCursor(Uint8Array.from(bytes), 0).read(), value);
  });
}

const values = fc.oneof(
  fc.integer(),
  fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
  // The borders where one more byte is needed.
  fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: -2, max: 2 })).map(([sevens, off]) =>
    2 ** (7 * sevens) / 2 + off
  ).filter(Number.isInteger),
);

Deno.test("what putVarint() writes reads back, has the size foretold, and is what kafkajs writes", () => {
  fc.assert(fc.property(values, (value) => {
    const bytes = written(value);
    assert.equal(bytes.length, varintSize(value));
    const cursor = new VarintCursor(bytes, 0);
    assert.equal(cursor.read(), value);
    assert.equal(cursor.at, bytes.length);
    assert.deepEqual([...bytes], [...new Encoder().writeVarLong(String(value)).buffer]);
  }));
});

Deno.test("read() refuses a varint that is cut at any byte", () => {
  const bytes = written(1_790_000_000_000);
  for (let cut = 0; cut < bytes.length; cut++) {
    assert.throws(() => new VarintCursor(bytes.subarray(0, cut), 0).read(), RangeError);
  }
});

Deno.test("readBytes() tells an absent field from an empty one and refuses a cut one", () => {
  const cursor = new VarintCursor(Uint8Array.of(1, 0, 4, 7, 8, 6, 9), 0);
  assert.equal(cursor.readBytes(), null);
  assert.deepEqual(cursor.readBytes(), new Uint8Array(0));
  assert.deepEqual(cursor.readBytes(), Uint8Array.of(7, 8));
  assert.throws(() => cursor.readBytes(), RangeError, "three bytes are promised, one is there");
});
