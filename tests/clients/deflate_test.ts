import assert from "node:assert/strict";
import { crc32, gunzipSync } from "node:zlib";
import fc from "fast-check";
import { type DeflatedBlock, Deflater } from "../../lib/clients/deflate/deflate.ts";
import { BlockDeflater } from "../../lib/clients/deflate/block_deflater.ts";
import { Engine } from "../../lib/clients/deflate/engine.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { crc32c } from "../../lib/formats/crc32c.ts";
import { combineCrc32, combineCrc32c, gzipEnd, gzipHeader } from "../../lib/formats/gzip_parts.ts";
import { joined } from "../support/baldr.ts";
import { TempFiles } from "../support/temp_files.ts";

const workersFolder = new URL("./deflate_workers/", import.meta.url);

/** Bytes that compress like text, or not at all. */
function someBytes(length: number, seed: number, isNoise = false): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed | 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = isNoise ? state >>> 24 : 97 + (state >>> 28) % 5;
  }
  return bytes;
}

/** Puts a file together from its blocks, which are in order. */
function fileOf(blocks: readonly DeflatedBlock[]): { file: Uint8Array; crc32c: number } {
  let [sum, castagnoli, size] = [0, 0, 0];
  for (const { crc32, crc32c, rawBytes } of blocks) {
    sum = combineCrc32(sum, crc32, rawBytes);
    castagnoli = combineCrc32c(castagnoli, crc32c, rawBytes);
    size += rawBytes;
  }
  const parts = blocks.map(({ bytes }) => bytes);
  return {
    file: joined([gzipHeader(null), ...parts, gzipEnd(sum, size)]),
    crc32c: castagnoli,
  };
}

async function assertFault(job: Promise<unknown>, fault: string, detail: RegExp): Promise<void> {
  await assert.rejects(job, (thrown) => {
    assert.ok(thrown instanceof SluiceError, String(thrown));
    assert.equal(thrown.fault, fault);
    assert.match(thrown.message, /^Cannot compress a block: /);
    assert.match(thrown.detail, detail);
    return true;
  });
}

Deno.test("Blocks of many streams, deflated side by side, make files that inflate to their input", async () => {
  const deflater = new Deflater({ level: 6, workers: 3 });
  const sizes = fc.array(
    fc.oneof(fc.nat(3), fc.nat(70_000), fc.constant(200_000)),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(sizes, { maxLength: 8 }), fc.boolean(), async (streams, isNoise) => {
      const inputs = streams.map((sizes, s) =>
        sizes.map((size, i) => someBytes(size, 1000 * s + i, isNoise))
      );
      const jobs: Promise<DeflatedBlock>[][] = inputs.map(() => []);
      const order: number[] = [];
      // The streams' blocks in turn, as they come in from Kafka.
      for (let i = 0; i < 6; i++) {
        inputs.forEach((blocks, s) => {
          const block = blocks[i];
          if (block === undefined) return;
          const job = deflater.deflate(block.slice().buffer, block.length);
          jobs[s]?.push(job);
          void job.then(() => order.push(s));
        });
      }
      for (const [s, blocks] of inputs.entries()) {
        const { file, crc32c: sum } = fileOf(await Promise.all(jobs[s] ?? []));
        const wanted = joined(blocks);
        assert.ok(new Uint8Array(gunzipSync(file)).every((byte, at) => byte === wanted[at]));
        assert.equal(sum, crc32c(wanted));
      }
      assert.equal(deflater.waiting, 0);
      assert.equal(order.length, inputs.flat().length);
    }),
    { numRuns: 10 },
  );
  deflater.close();
});

for (const level of [0, 1, 6, 9]) {
  Deno.test(`Blocks at level ${level} come with their checksums and with their buffer`, async () => {
    const deflater = new Deflater({ level, workers: 1 });
    for (const length of [0, 1, 65_535, 65_536, 65_537, 300_000]) {
      for (const isNoise of [false, true]) {
        const input = someBytes(length, length, isNoise);
        const buffer = new ArrayBuffer(length + 100);
        new Uint8Array(buffer).set(input);
        new Uint8Array(buffer).fill(255, length);
        const job = deflater.deflate(buffer, length);
        await Promise.resolve();
        assert.equal(buffer.byteLength, 0, "the buffer is handed over");
        const block = await job;
        assert.equal(block.rawBytes, length);
        assert.equal(block.crc32, crc32(input));
        assert.equal(block.crc32c, crc32c(input));
        assert.equal(block.spare.byteLength, length + 100);
        assert.deepEqual(
          new Uint8Array(gunzipSync(fileOf([block, block]).file)),
          joined([input, input]),
        );
        assert.equal(block.bytes.buffer.byteLength, block.bytes.length, "no room is carried about");
      }
    }
    deflater.close();
  });
}

Deno.test("The same block gives the same bytes, whatever was before it and whichever worker does it", async () => {
  const deflater = new Deflater({ level: 6, workers: 2 });
  const input = someBytes(100_000, 5);
  const again = () => deflater.deflate(input.slice().buffer, input.length);
  const other = () => deflater.deflate(someBytes(50_000, 9).buffer, 50_000);
  const blocks = await Promise.all([again(), other(), again(), again(), other(), again()]);
  for (const i of [2, 3, 5]) assert.deepEqual(blocks[i]?.bytes, blocks[0]?.bytes);
  assert.deepEqual(new BlockDeflater(6).deflate(input), blocks[0]?.bytes);
  deflater.close();
});

Deno.test("Blocks are deflated while the main thread is busy", async () => {
  await using folder = await TempFiles.of();
  const path = folder.path("done");
  const script = new URL("telling.ts", workersFolder);
  script.search = String(new URLSearchParams({ path, count: "5" }));
  const deflater = new Deflater({ level: 6, workers: 1, script });
  const deflate = () => deflater.deflate(someBytes(1 << 20, 3).buffer, 1 << 20);
  await deflate(); // the worker is there now
  const jobs = Array.from({ length: 4 }, deflate);
  await Promise.resolve();
  // No event comes through here until the file is there: made by the worker, behind its last block.
  const clock = new Int32Array(new SharedArrayBuffer(4));
  const isThere = () => Array.from(Deno.readDirSync(folder.folder)).length > 0;
  for (let tries = 0; !isThere(); tries++) {
    assert.ok(tries < 3000, "nothing happens in 30 s");
    Atomics.wait(clock, 0, 0, 10);
  }
  assert.equal(deflater.waiting, 4, "no answer was heard yet");
  await Promise.all(jobs);
  assert.equal(deflater.waiting, 0);
  deflater.close();
});

Deno.test("A worker that dies takes its own jobs with it, and the next job gets another", async () => {
  const script = new URL("leaving.ts", workersFolder);
  const deflater = new Deflater({ level: 1, workers: 2, script });
  const sound = () => deflater.deflate(someBytes(1000, 1).buffer, 1000);
  const deadly = () => deflater.deflate(Uint8Array.of(0xde, 0xad).buffer, 2);
  await Promise.all([sound(), sound()]);
  const [first, second, third, fourth] = [deadly(), sound(), sound(), sound()];
  // By turns: the first and the third to one worker, the second and the fourth to the other.
  await Promise.all([
    assertFault(first, "transient", /has died, and the block with it: .*by itself, with code 7/),
    assertFault(third, "transient", /has died/),
    second,
    fourth,
  ]);
  assert.equal(deflater.waiting, 0);
  for (let i = 0; i < 3; i++) assert.equal((await sound()).rawBytes, 1000);
  deflater.close();
});

Deno.test("A worker that dies of its first block is no passing trouble", async () => {
  const script = new URL("leaving.ts", workersFolder);
  const deflater = new Deflater({ level: 1, workers: 1, script });
  for (let i = 0; i < 2; i++) {
    const job = deflater.deflate(Uint8Array.of(0xde, 0xad).buffer, 2);
    await assertFault(job, "permanent", /with code 7/);
  }
  deflater.close();
});

Deno.test("A block that cannot be deflated ends its worker with the reason", async () => {
  let ends = 0;
  const script = new URL("../../lib/clients/deflate/deflate_worker.ts", import.meta.url);
  const engine = new Engine(script, { level: 6 }, () => ends++);
  assert.equal((await engine.run({ raw: new ArrayBuffer(9), length: 9 })).rawBytes, 9);
  const bad = engine.run({ raw: new ArrayBuffer(9), length: 10 });
  await assertFault(bad, "transient", /and the block with it: .*length/i);
  assert.equal(ends, 1);
});

Deno.test("A worker that cannot even start fails its jobs for good", async () => {
  // In a process of its own, as the runtime prints what a worker does not catch.
  const answer = await evaluate(`
    const script = new URL(${JSON.stringify(new URL("unable.ts", workersFolder).href)});
    const deflater = new Deflater({ level: 6, workers: 2, script });
    for (let i = 0; i < 2; i++) {
      await deflater.deflate(new ArrayBuffer(8), 8).catch((thrown) =>
        console.log(thrown.fault, thrown.message)
      );
    }`);
  const line =
    "permanent Cannot compress a block: the worker that did it has died, and the block " +
    "with it: not today\n";
  assert.equal(answer, line.repeat(2));
});

/** Runs a program that uses a deflater; what it prints. */
async function evaluate(program: string): Promise<string> {
  const door = new URL("../../lib/clients/deflate/deflate.ts", import.meta.url);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", `import { Deflater } from ${JSON.stringify(door.href)};${program}`],
    signal: AbortSignal.timeout(60_000),
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("close() fails what is under way and refuses what comes", async () => {
  const deflater = new Deflater({ level: 9, workers: 2 });
  const jobs = [1, 2, 3].map((seed) => deflater.deflate(someBytes(1 << 20, seed).buffer, 1 << 20));
  const failed = Promise.all(jobs.map((job) => assertFault(job, "permanent", /has been closed/)));
  await Promise.resolve();
  assert.equal(deflater.waiting, 3);
  deflater.close();
  assert.equal(deflater.waiting, 0);
  await failed;
  await assertFault(deflater.deflate(new ArrayBuffer(1), 1), "permanent", /has been closed/);
});

Deno.test("A program ends while its workers idle, and not while they work", async () => {
  const answer = await evaluate(`
    const deflater = new Deflater({ level: 6, workers: 2 });
    for (let i = 0; i < 3; i++) {
      deflater.deflate(new ArrayBuffer(1 << 20), 1 << 20).then(() => console.log("done"));
    }`);
  assert.equal(answer, "done\n".repeat(3));
});

Deno.test("A deflater is not made with a level or number of workers that cannot be", async () => {
  for (const level of [-1, 10, 1.5, NaN]) {
    assert.throws(() => new Deflater({ level, workers: 1 }), /Cannot compress at level .*0 to 9/);
  }
  for (const workers of [0, -1, 0.5]) {
    assert.throws(() => new Deflater({ level: 6, workers }), /give 1 or more/);
  }
  const deflater = new Deflater({ level: 6, workers: 1 });
  for (const length of [-1, 9, 0.5]) {
    await assert.rejects(deflater.deflate(new ArrayBuffer(8), length), RangeError);
  }
  deflater.close();
});
