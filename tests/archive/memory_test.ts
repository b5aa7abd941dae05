import assert from "node:assert/strict";
import { Memory } from "../../lib/archive/memory.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

Deno.test("memory is full when its bytes are taken, and tells when some are given back", async () => {
  const memory = new Memory(100);
  memory.take(60);
  assert.deepEqual([memory.isFull, memory.hasPlenty(0), memory.hasPlenty(1)], [false, true, false]);
  memory.take(40);
  assert.equal(memory.isFull, true);
  const freed = memory.freed();
  memory.give(1);
  await freed;
  assert.deepEqual([memory.isFull, memory.usedBytes], [false, 99]);
});

Deno.test("blocks are of few sizes, and count as large as they are", () => {
  const memory = new Memory(mebibyte);
  for (const [wanted, got] of [[1, 16], [16, 16], [17, 32], [33, 64]] as const) {
    const before = memory.usedBytes;
    const block = memory.takeBlock(wanted * kibibyte);
    assert.equal(block.byteLength, got * kibibyte);
    assert.equal(memory.usedBytes - before, got * kibibyte);
    memory.giveBlock(block);
    assert.equal(memory.usedBytes, before);
  }
});

Deno.test("blocks of those who fill at once leave half of the memory for what is compressed", () => {
  const memory = new Memory(48 * mebibyte);
  assert.equal(memory.blockBytes, mebibyte);
  for (const fillers of [1, 10, 50, 100, 700]) {
    memory.fillers = fillers;
    const { blockBytes } = memory;
    assert.equal(blockBytes & (blockBytes - 1), 0, "a power of two");
    assert.ok(fillers * blockBytes <= memory.limitBytes / 2, `${fillers} of ${blockBytes} bytes`);
  }
  memory.fillers = 100_000;
  assert.equal(memory.blockBytes, 16 * kibibyte, "never less");
});

Deno.test("blocks given back are used again, and freed where the limit has no room for them", () => {
  const memory = new Memory(4 * mebibyte);
  const large = Array.from({ length: 4 }, () => memory.takeBlock(mebibyte));
  large.forEach((block) => memory.giveBlock(block));
  assert.equal(memory.takeBlock(mebibyte), large[3], "used again");
  const small = memory.takeBlock(512 * kibibyte);
  const left = () => large.filter(({ byteLength }) => byteLength > 0).length;
  assert.deepEqual([small.byteLength, left()], [512 * kibibyte, 3], "one makes room");
  memory.take(2 * mebibyte);
  assert.equal(left(), 1, "what is in use, and no spare");
  memory.giveBlock(small);
  assert.equal(memory.takeBlock(512 * kibibyte), small);
});
