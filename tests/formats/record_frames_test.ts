import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { SluiceError } from "../../lib/core/errors.ts";
import { type BatchHead, readBatchHead, recordsAt } from "../../lib/formats/fetched_batches.ts";
import { frameRecords, frameValues } from "../../lib/formats/record_frames.ts";
import { RecordWalk } from "../../lib/formats/record_walk.ts";
import { recordOf } from "../support/fetched_reading.ts";
import {
  type MadeBatch,
  madeBatch,
  type MadeRecord,
  tailOf,
  varint,
} from "../support/made_batches.ts";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const field = fc.oneof(
  fc.constant(null),
  bytes(80),
  // Around the lengths where a length takes another byte.
  fc.constantFrom(63, 64, 127, 128, 8_191, 8_192, 20_000).map((n) => new Uint8Array(n).fill(n)),
);
const record = fc.record({
  gap: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 20_000 })),
  timestampDelta: fc.oneof(
    fc.integer({ min: -100, max: 100_000 }).map(BigInt),
    fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  ),
  key: field,
  value: field,
  // Names may come twice and need not be text.
  headers: fc.array(
    fc.record({ key: bytes(3), value: fc.option(bytes(70)) }, { noNullPrototype: true }),
    { maxLength: 3 },
  ),
}, { noNullPrototype: true });

const batches: fc.Arbitrary<MadeBatch & { readonly records: readonly MadeRecord[] }> = fc.record({
  baseOffset: fc.oneof(
    fc.integer({ min: 0, max: 100_000 }).map(BigInt),
    fc.bigInt({ min: 0n, max: 2n ** 62n }),
  ),
  baseTimestampMs: fc.oneof(
    fc.integer({ min: 0, max: 4_102_444_800_000 }).map(BigInt),
    fc.bigInt({ min: -(2n ** 61n), max: 2n ** 61n }),
  ),
  maxTimestampMs: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  isLogAppendTime: fc.boolean(),
  records: fc.array(record, { maxLength: 12 }).map((records) => {
    let offsetDelta = -1;
    return records.map(({ gap, ...rest }) => ({ ...rest, offsetDelta: offsetDelta += gap }));
  }),
}, { noNullPrototype: true });

/** What the record has in the end. */
function timeOf(batch: MadeBatch, { timestampDelta = 0n }: MadeRecord): bigint {
  if (batch.isLogAppendTime) return batch.maxTimestampMs ?? 0n;
  return BigInt.asIntN(64, (batch.baseTimestampMs ?? 0n) + timestampDelta);
}

function offsetOf({ baseOffset = 0n }: MadeBatch, { offsetDelta }: MadeRecord): bigint {
  return baseOffset + BigInt(offsetDelta);
}

function framed(bytes: ArrayLike<number>): number[] {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length));
  return [...length, ...Array.from(bytes)];
}

/** The record encoding, by its definition. */
function encoded(batch: MadeBatch, record: MadeRecord): number[] {
  return [
    1,
    batch.isLogAppendTime ? 1 : 0,
    ...varint(timeOf(batch, record)),
    ...varint(offsetOf(batch, record)),
    ...tailOf(record),
  ];
}

/** A walk at the begin of a batch that stands in the middle of other bytes. */
function walkOver(batch: MadeBatch, wanted = 0n, walk = new RecordWalk()): RecordWalk {
  const made = madeBatch(batch);
  const around = new Uint8Array(made.length + 20).fill(0xff);
  around.set(made, 7);
  const head = headOf(around, 7);
  walk.begin(head, around, recordsAt(7), 7 + head.sizeBytes, wanted);
  return walk;
}

function headOf(bytes: Uint8Array, at: number): BatchHead {
  const head = readBatchHead(bytes, at);
  assert.ok(head);
  return head;
}

/** Everything that comes out in blocks of these sizes, and how many blocks that took. */
function inBlocks(walk: RecordWalk, frame: typeof frameValues, sizes: readonly number[]): number[] {
  const all: number[] = [];
  for (let n = 0; !walk.isDone; n++) {
    // Room before and behind that must stay as it is.
    const size = sizes[n % sizes.length] ?? 1;
    const block = new Uint8Array(size + 8).fill(0xdd);
    const end = frame(walk, block, 4, 4 + size);
    assert.ok(walk.isDone || end === 4 + size, "a block is filled as long as there are records");
    assert.ok(block.subarray(0, 4).every((byte) => byte === 0xdd));
    assert.ok(block.subarray(4 + size).every((byte) => byte === 0xdd));
    all.push(...block.subarray(4, end));
  }
  return all;
}

const blockSizes = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 30_000 })),
  { minLength: 1, maxLength: 5 },
);

Deno.test("RecordWalk reads what is in a batch, for any records", () => {
  const walk = new RecordWalk(); // One for all, as in use.
  fc.assert(fc.property(batches, (batch) => {
    walkOver(batch, 0n, walk);
    const found = [];
    while (walk.next()) found.push(recordOf(walk));
    const wanted = batch.records.map((one) => ({
      offset: offsetOf(batch, one),
      timestampMs: timeOf(batch, one),
      key: one.key ?? null,
      value: one.value ?? null,
      headers: one.headers ?? [],
    }));
    assert.deepEqual(found, wanted);
    assert.equal(walk.records, wanted.length);
    assert.equal(walk.nullValues, wanted.filter(({ value }) => value === null).length);
    assert.ok(walk.isDone);
    assert.equal(walk.next(), false, "and stays at the end");
  }));
});

Deno.test("RecordWalk tells the least and the greatest timestamp of its records", () => {
  const times = fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 9 });
  fc.assert(fc.property(times, (deltas) => {
    const records = deltas.map((delta, n) => ({ offsetDelta: n, timestampDelta: BigInt(delta) }));
    const walk = walkOver({ records, baseTimestampMs: 1_790_000_000_000n });
    while (walk.next());
    assert.equal(walk.firstTimestampMs, 1_790_000_000_000 + Math.min(...deltas));
    assert.equal(walk.lastTimestampMs, 1_790_000_000_000 + Math.max(...deltas));
  }));
  const walk = walkOver({ records: [] });
  assert.deepEqual([walk.firstTimestampMs, walk.lastTimestampMs], [null, null]);
  const appended = walkOver({
    ...{ records: [{ offsetDelta: 0, timestampDelta: 5n }], baseTimestampMs: 1n },
    ...{ isLogAppendTime: true, maxTimestampMs: 99n },
  });
  appended.next();
  assert.deepEqual([appended.firstTimestampMs, appended.lastTimestampMs], [99, 99]);
});

Deno.test("frameValues() gives the values as baldr records, in blocks of any size", () => {
  fc.assert(fc.property(batches, blockSizes, (batch, sizes) => {
    const wanted = batch.records.flatMap(({ value }) => framed(value ?? []));
    const found = inBlocks(walkOver(batch), frameValues, sizes);
    assert.ok(Buffer.from(found).equals(Buffer.from(wanted)));
  }));
});

Deno.test("frameRecords() gives whole records as they are defined, in blocks of any size", () => {
  fc.assert(fc.property(batches, blockSizes, (batch, sizes) => {
    const wanted = batch.records.flatMap((one) => framed(encoded(batch, one)));
    const found = inBlocks(walkOver(batch), frameRecords, sizes);
    assert.ok(Buffer.from(found).equals(Buffer.from(wanted)));
  }));
});

Deno.test("what is below the wanted offset is in no frame and not counted", () => {
  fc.assert(fc.property(batches, fc.nat(), blockSizes, (batch, pick, sizes) => {
    const offsets = batch.records.map((one) => offsetOf(batch, one));
    const wanted = (offsets[pick % (offsets.length || 1)] ?? 0n) + BigInt(pick % 3);
    const kept = batch.records.filter((one) => offsetOf(batch, one) >= wanted);
    const walk = walkOver(batch, wanted);
    const found = inBlocks(walk, frameValues, sizes);
    assert.deepEqual(found, kept.flatMap(({ value }) => framed(value ?? [])));
    assert.equal(walk.records, kept.length);
    assert.equal(walk.nullValues, kept.filter(({ value }) => value === null).length);
  }));
});

Deno.test("frames of two batches follow each other in one block", () => {
  const walk = new RecordWalk();
  const block = new Uint8Array(1_000);
  let at = 0;
  for (const text of ["first", "second"]) {
    const value = new TextEncoder().encode(text);
    walkOver({ records: [{ offsetDelta: 0, value }] }, 0n, walk);
    at = frameValues(walk, block, at);
  }
  const wanted = ["first", "second"].flatMap((text) => framed(new TextEncoder().encode(text)));
  assert.deepEqual([...block.subarray(0, at)], wanted);
});

/** Goes over all; true when the bytes are called corrupt. */
function isRefused(head: BatchHead, records: Uint8Array, start: number, end: number): boolean {
  const walk = new RecordWalk();
  walk.begin(head, records, start, end, 0n);
  try {
    while (walk.next());
    return false;
  } catch (thrown) {
    assert.ok(thrown instanceof SluiceError && thrown.fault === "corrupt", String(thrown));
    return true;
  }
}

Deno.test("records that end too early, or have something behind them, are corrupt", () => {
  fc.assert(fc.property(batches.filter(({ records }) => records.length > 0), (batch) => {
    const made = madeBatch(batch);
    const head = headOf(made, 0);
    const records = made.subarray(recordsAt(0));
    const step = Math.max(1, Math.floor(records.length / 200));
    for (let end = 0; end < records.length; end += step) {
      // As bytes that end there, and inside of more.
      assert.ok(isRefused(head, records.subarray(0, end), 0, end), `cut at ${end}`);
      assert.ok(isRefused(head, records, 0, end), `end at ${end}`);
    }
    const longer = new Uint8Array(records.length + 1);
    longer.set(records);
    assert.ok(isRefused(head, longer, 0, longer.length));
    assert.ok(isRefused({ ...head, count: head.count + 1 }, records, 0, records.length));
  }));
});

Deno.test("any bytes are records or corrupt; no others are touched and none loops for ever", () => {
  const head = headOf(madeBatch({ records: [{ offsetDelta: 0 }] }), 0);
  fc.assert(
    fc.property(bytes(60), fc.integer({ min: 1, max: 6 }), (noise, count) => {
      const walk = new RecordWalk();
      walk.begin({ ...head, count }, noise, 0, noise.length, 0n);
      try {
        while (walk.next()) {
          assert.ok(walk.tailStart <= walk.keyStart && walk.keyStart <= walk.keyEnd);
          assert.ok(walk.keyEnd < walk.valueStart && walk.valueStart <= walk.valueEnd);
          assert.ok(walk.valueEnd < walk.recordEnd && walk.recordEnd <= noise.length);
        }
      } catch (thrown) {
        assert.ok(thrown instanceof SluiceError && thrown.fault === "corrupt", String(thrown));
      }
    }),
    { numRuns: 2_000 },
  );
});
