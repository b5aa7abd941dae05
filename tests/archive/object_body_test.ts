import assert from "node:assert/strict";
import fc from "fast-check";
import { Memory } from "../../lib/archive/memory.ts";
import { ObjectBody } from "../../lib/archive/object_body.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { bytesOf, textOf } from "../support/syslog_reading.ts";
import { MemoryFile } from "./rig.ts";

const head = Uint8Array.from(bytesOf("<head>"));
const end = Uint8Array.from(bytesOf("<end>"));

function made(memory = new Memory(1_000_000)) {
  const file = new MemoryFile();
  const use = { usedBytes: 0 };
  return { memory, file, use, body: new ObjectBody(memory, use, file) };
}

async function textIn(body: ObjectBody): Promise<string> {
  return textOf(await body.read(0, body.sizeBytes));
}

Deno.test("any window of a body is what stands there, wherever its blocks are", async () => {
  const blocks = fc.array(fc.string({ unit: "grapheme-ascii", minLength: 1 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(
      blocks,
      blocks,
      fc.nat(40),
      fc.nat(40),
      async (onDisk, inMemory, at, length) => {
        const { body } = made();
        for (const one of onDisk) body.add(bytesOf(one));
        await body.toDisk();
        for (const one of inMemory) body.add(bytesOf(one));
        body.finish(head, end);
        const whole = `<head>${[...onDisk, ...inMemory].join("")}<end>`;
        assert.equal(await textIn(body), whole);
        const from = Math.min(at, whole.length);
        const size = Math.min(length, whole.length - from);
        assert.equal(textOf(await body.read(from, size)), whole.slice(from, from + size));
      },
    ),
  );
});

Deno.test("bytes count as memory or as spool, and as nothing when the body is removed", async () => {
  const { memory, file, use, body } = made();
  body.add(new Uint8Array(100));
  assert.deepEqual([memory.usedBytes, use.usedBytes, body.memoryBytes], [100, 0, 100]);
  await body.toDisk();
  assert.deepEqual([memory.usedBytes, use.usedBytes, body.memoryBytes], [0, 100, 0]);
  body.add(new Uint8Array(7));
  assert.equal(body.blockBytes, 107);
  await body.remove();
  await body.remove();
  assert.deepEqual([memory.usedBytes, use.usedBytes, file.isRemoved], [0, 0, true]);
});

Deno.test("a body wants the disk when it is large, or when memory is short", () => {
  const { body } = made();
  body.add(new Uint8Array(64 * 1024));
  assert.equal(body.wantsDisk, false);
  body.add(new Uint8Array(1));
  assert.equal(body.wantsDisk, true);
  const short = made(new Memory(100));
  assert.equal(short.body.wantsDisk, false);
  short.memory.take(70);
  assert.equal(short.body.wantsDisk, false, "it has nothing to give");
  short.body.add(new Uint8Array(1));
  assert.equal(short.body.wantsDisk, true);
});

Deno.test("what cannot be written to the disk stays in memory, in its place", async () => {
  const { memory, file, use, body } = made();
  body.finish(head, end);
  body.add(bytesOf("one"));
  file.before = () => {
    throw new SluiceError("write", "transient", "the disk is full");
  };
  await assert.rejects(body.toDisk(), /the disk is full/);
  assert.deepEqual([memory.usedBytes, use.usedBytes], [3, 0]);
  file.before = () => {};
  body.add(bytesOf("two"));
  await body.toDisk();
  assert.equal(await textIn(body), "<head>onetwo<end>");
});

Deno.test("a block that comes while others are written to the disk goes behind them", async () => {
  const { memory, file, body } = made();
  body.finish(head, end);
  body.add(bytesOf("one"));
  const writing = Promise.withResolvers<void>();
  file.before = () => writing.promise;
  const moved = body.toDisk();
  body.add(bytesOf("two"));
  writing.resolve();
  await moved;
  assert.deepEqual([file.sizeBytes, body.memoryBytes, memory.usedBytes], [3, 3, 3]);
  assert.equal(await textIn(body), "<head>onetwo<end>");
});

Deno.test("a body that is removed while it is written to the disk leaves nothing there", async () => {
  const { memory, file, use, body } = made();
  body.add(bytesOf("one"));
  const writing = Promise.withResolvers<void>();
  file.before = () => writing.promise;
  const moved = body.toDisk();
  await body.remove();
  writing.resolve();
  await moved;
  assert.deepEqual([memory.usedBytes, use.usedBytes, file.isRemoved], [0, 0, true]);
});

Deno.test("of a body that was removed nothing is read: no object with a hole is ever put", async () => {
  const { body } = made();
  body.finish(head, end);
  body.add(bytesOf("one"));
  const { sizeBytes } = body;
  await body.remove();
  await assert.rejects(body.read(0, sizeBytes), { fault: "transient" });

  const late = made();
  late.body.add(bytesOf("one"));
  await late.body.toDisk();
  late.body.add(bytesOf("two"));
  const reading = Promise.withResolvers<void>();
  late.file.before = () => reading.promise;
  const read = late.body.read(0, 6);
  await late.body.remove();
  reading.resolve();
  await assert.rejects(read, SluiceError);
});

Deno.test("a body that cannot be read back from the disk is broken", async () => {
  const { file, body } = made();
  body.add(bytesOf("one"));
  await body.toDisk();
  assert.equal(body.isBroken, false);
  file.before = () => {
    throw new SluiceError("read the spool", "permanent", "it is gone");
  };
  await assert.rejects(textIn(body), /it is gone/);
  assert.equal(body.isBroken, true);
});
