import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { SluiceError } from "../../lib/core/errors.ts";
import { notesFromGzip } from "../../lib/formats/object_notes.ts";
import { crc32c } from "../../lib/formats/crc32c.ts";
import { textOf } from "../support/syslog_reading.ts";
import { addRecord, baseNotes, Bench, fileOf } from "./makers.ts";
import { turn } from "./rig.ts";

const kibibyte = 1024;

function valuesIn(plain: Uint8Array): string[] {
  const values: string[] = [];
  for (let at = 0; at < plain.length;) {
    const length = (plain[at + 6] ?? 0) << 8 | (plain[at + 7] ?? 0);
    values.push(textOf(plain.subarray(at + 8, at + 8 + length)));
    at += 8 + length;
  }
  return values;
}

Deno.test("an object is one gzip member of its records, with its notes in front", async () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 9_000 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(lengths, fc.array(fc.nat(11)), async (sizes, seals) => {
      const bench = new Bench({ memoryBytes: 200 * kibibyte });
      const open = bench.object(40n);
      const values = sizes.map((size, i) => String.fromCharCode(97 + i).repeat(size));
      for (const [i, value] of values.entries()) {
        addRecord(open, value);
        if (seals.includes(i)) open.seal();
      }
      open.widen(7, 9);
      const object = await open.finish(baseNotes);
      const file = await fileOf(object);
      const plain = new Uint8Array(gunzipSync(file));
      assert.deepEqual(valuesIn(plain), values);
      const { notes } = object;
      assert.deepEqual(notesFromGzip(file), notes);
      assert.deepEqual(
        [notes.firstOffset, notes.nextOffset, notes.records, notes.uncompressedBytes, notes.crc32c],
        [
          40n,
          40n + BigInt(values.length),
          values.length,
          plain.length,
          crc32c(plain, 0, plain.length),
        ],
      );
      await object.body.remove();
      assert.deepEqual([bench.memory.usedBytes, bench.memory.fillers], [0, 0]);
      assert.equal(bench.spoolUse.usedBytes, 0);
    }),
    { numRuns: 30 },
  );
});

Deno.test("blocks keep their order, in whatever order they are compressed", async () => {
  const bench = new Bench();
  const gates: PromiseWithResolvers<void>[] = [];
  bench.deflater.gate = () => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    return gate.promise;
  };
  const open = bench.object();
  for (const value of ["one", "two", "three"]) {
    addRecord(open, value);
    open.seal();
  }
  const finished = open.finish(baseNotes);
  for (const gate of gates.reverse()) {
    gate.resolve();
    await turn();
  }
  const plain = new Uint8Array(gunzipSync(await fileOf(await finished)));
  assert.deepEqual(valuesIn(plain), ["one", "two", "three"]);
});

Deno.test("a block is given back when it is compressed, not in its turn", async () => {
  const bench = new Bench();
  const first = Promise.withResolvers<void>();
  bench.deflater.gate = () => first.promise;
  const open = bench.object();
  addRecord(open, "one");
  open.seal();
  bench.deflater.gate = () => Promise.resolve();
  addRecord(open, "two");
  open.seal();
  await turn();
  assert.equal(bench.memory.usedBytes, 16 * kibibyte, "the first one's block only");
  first.resolve();
  await turn();
  await open.discard();
  assert.equal(bench.memory.usedBytes, 0);
});

Deno.test("an object without records is an empty file that tells its offsets", async () => {
  const open = new Bench().object(3n);
  open.nextOffset = 9n;
  const object = await open.finish({ ...baseNotes, gap: "retention" });
  const file = await fileOf(object);
  assert.equal(gunzipSync(file).length, 0);
  assert.equal(notesFromGzip(file)?.nextOffset, 9n);
});

Deno.test("times that are none are not noted; others widen the range", () => {
  const open = new Bench().object();
  open.widen(null, null);
  open.widen(2 ** 60, 5);
  assert.deepEqual([open.firstTimestampMs, open.lastTimestampMs], [null, null]);
  open.widen(10, 20);
  open.widen(5, 12);
  assert.deepEqual([open.firstTimestampMs, open.lastTimestampMs], [5, 20]);
});

for (const failing of [1, 2, 3]) {
  Deno.test(`when the worker dies over block ${failing} of 3 nothing is held any more`, async () => {
    const bench = new Bench();
    let blocks = 0;
    bench.deflater.before = () => {
      if (++blocks === failing) throw new SluiceError("compress a block", "transient", "it died");
    };
    const open = bench.object();
    for (const value of ["one", "two", "three"]) {
      addRecord(open, value);
      open.seal();
      open.spoolNow();
    }
    await assert.rejects(open.finish(baseNotes), /it died/);
    await turn();
    assert.deepEqual([bench.memory.usedBytes, bench.memory.fillers], [0, 0]);
    assert.equal(bench.spoolUse.usedBytes, 0);
  });
}

Deno.test("an object that is thrown away holds nothing, whatever is still under way", async () => {
  const bench = new Bench();
  const gate = Promise.withResolvers<void>();
  bench.deflater.gate = () => gate.promise;
  const open = bench.object();
  addRecord(open, "one");
  open.seal();
  addRecord(open, "two");
  await open.discard();
  await open.discard();
  gate.resolve();
  await turn();
  assert.deepEqual([bench.memory.usedBytes, bench.memory.fillers], [0, 0]);
});

Deno.test("a full disk is told of, and tried again while the object is filled", async () => {
  const bench = new Bench();
  let isFull = true;
  bench.isDiskFull = () => isFull;
  const open = bench.object();
  addRecord(open, "one");
  open.seal();
  open.spoolNow();
  await bench.world.time.pass(1_000);
  assert.equal(bench.spoolTrouble, "the disk is full");
  assert.ok(open.memoryBytes > 0);
  isFull = false;
  await bench.world.time.pass(10_000);
  assert.deepEqual([bench.spoolTrouble, open.memoryBytes], [null, 0]);
  await open.discard();
});

Deno.test("a full disk does not keep a finished object from being put out of memory", async () => {
  const bench = new Bench();
  bench.isDiskFull = () => true;
  const open = bench.object();
  addRecord(open, "one");
  open.seal();
  open.spoolNow();
  await bench.world.time.pass(1_000);
  const finished = open.finish(baseNotes);
  await bench.world.time.pass(10_000);
  const plain = new Uint8Array(gunzipSync(await fileOf(await finished)));
  assert.deepEqual(valuesIn(plain), ["one"]);
});

Deno.test("an object whose spooled bytes are gone is given up, not waited for", async () => {
  const bench = new Bench();
  const open = bench.object();
  addRecord(open, "one");
  open.seal();
  open.spoolNow();
  await turn();
  const [file] = bench.files;
  if (file) {
    file.before = () => {
      throw new SluiceError("write to the spool", "corrupt", "it is gone");
    };
  }
  addRecord(open, "two");
  open.seal();
  open.spoolNow();
  await assert.rejects(open.finish(baseNotes), /it is gone/);
  assert.deepEqual([bench.memory.usedBytes, bench.spoolUse.usedBytes], [0, 0]);
});

Deno.test("a block grows with what comes, up to the object's share of memory", () => {
  const bench = new Bench({ memoryBytes: 1024 * kibibyte });
  const open = bench.object();
  open.makeRoom(64, 10);
  assert.equal(open.block.length, 16 * kibibyte);
  open.filled = 16 * kibibyte;
  open.makeRoom(64, 20 * kibibyte);
  assert.equal(open.block.length, 64 * kibibyte);
  assert.equal(open.filled, 16 * kibibyte, "what was there is there");
  open.filled = 64 * kibibyte;
  open.makeRoom(64, 1024 * kibibyte);
  assert.equal(open.block.length, 128 * kibibyte);
  open.filled = 128 * kibibyte;
  open.makeRoom(64, 1024 * kibibyte);
  assert.equal(open.filled, 0, "it went to be compressed");
  assert.equal(open.rawBytes, 128 * kibibyte);
});

Deno.test("the size of the file is estimated by what was compressed so far", async () => {
  const bench = new Bench();
  const open = bench.object();
  addRecord(open, "x".repeat(992));
  assert.equal(open.estimatedBytes, 500, "by half, as long as nothing is known");
  open.seal();
  await turn();
  addRecord(open, "x".repeat(992));
  assert.equal(Math.round(open.estimatedBytes), 2 * 1_005);
  assert.equal(open.heldBytes, 1_005 + 1_000);
  await open.discard();
});
