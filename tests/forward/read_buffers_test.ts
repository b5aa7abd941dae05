import assert from "node:assert/strict";
import fc from "fast-check";
import { ReadBuffers, readBytesLeast, readBytesMost } from "../../lib/forward/read_buffers.ts";

Deno.test("a buffer grows fourfold while reads fill it, and no further than the largest", () => {
  const buffers = new ReadBuffers(10_000_000);
  let buffer = buffers.first();
  assert.equal(buffer.length, readBytesLeast);
  const sizes: number[] = [];
  for (let n = 0; n < 5; n++) {
    buffer = buffers.next(buffer, buffer.length);
    sizes.push(buffer.length);
  }
  assert.deepEqual(sizes, [16_384, 65_536, readBytesMost, readBytesMost, readBytesMost]);
  assert.equal(buffers.totalBytes, readBytesMost);
  buffers.release(buffer);
  assert.equal(buffers.totalBytes, 0);
});

Deno.test("a buffer that was not filled stays as it is", () => {
  const buffers = new ReadBuffers(10_000_000);
  const buffer = buffers.first();
  assert.equal(buffers.next(buffer, buffer.length - 1), buffer);
});

Deno.test("when all buffers together are too large, one that is hardly used becomes small", () => {
  const buffers = new ReadBuffers(40_000);
  let large = buffers.next(buffers.first(), readBytesLeast);
  assert.equal(large.length, 16_384);
  for (let n = 0; n < 10; n++) buffers.first();
  assert.ok(buffers.totalBytes > 40_000);
  assert.equal(buffers.next(large, 10_000), large);
  large = buffers.next(large, 100);
  assert.equal(large.length, readBytesLeast);
});

Deno.test("all buffers keep within their limit, but for the smallest of each connection", () => {
  const limit = 300_000;
  const lengths = fc.array(fc.tuple(fc.nat(19), fc.boolean()), { maxLength: 300, size: "max" });
  fc.assert(fc.property(lengths, (reads) => {
    const buffers = new ReadBuffers(limit);
    const all = Array.from({ length: 20 }, () => buffers.first());
    for (const [which, isFull] of reads) {
      const buffer = all[which];
      if (buffer === undefined) continue;
      all[which] = buffers.next(buffer, isFull ? buffer.length : 10);
      assert.equal(buffers.totalBytes, all.reduce((sum, { length }) => sum + length, 0));
      assert.ok(buffers.totalBytes <= limit);
    }
  }));
});
