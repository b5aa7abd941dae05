import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import kafkajsCrc32c from "npm:kafkajs@2.2.4/src/protocol/recordBatch/crc32C/index.js";
import kafkajsDecode from "npm:kafkajs@2.2.4/src/protocol/recordBatch/v0/decoder.js";
import Decoder from "npm:kafkajs@2.2.4/src/protocol/decoder.js";
import Encoder from "npm:kafkajs@2.2.4/src/protocol/encoder.js";
import {
  batchHeaderBytes,
  batchOfTails,
  RecordBatch,
  recordBytes,
  recordsIn,
  restamp,
  sealBatch,
  sealCompressed,
  tailsIn,
} from "../../lib/formats/record_batch.ts";

interface Sample {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  readonly timestampMs: number;
  readonly headers: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[];
  /** How many bytes more than the value needs are asked for. */
  readonly slack: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const stamp = { producerId: 0x0102030405060708n, producerEpoch: 9, baseSequence: 2 ** 31 - 2 };

function sample(value: Uint8Array, more: Partial<Sample> = {}): Sample {
  return { key: null, value, timestampMs: 1_790_000_000_000, headers: [], slack: 0, ...more };
}

/** Adds a record as a writer of values does; false when there was no room. */
function add(batch: RecordBatch, { key, value, timestampMs, headers, slack }: Sample): boolean {
  const most = value.length + slack;
  const at = batch.begin(most, timestampMs, key, headers);
  if (at < 0) return false;
  // The writer may use all that it asked for before it knows how much it needs.
  batch.bytes.fill(0xdd, at, at + most);
  batch.bytes.set(value, at);
  batch.commit(at + value.length);
  return true;
}

/** A sealed batch as kafkajs reads it, in the terms of {@linkcode Sample}; its checksum is proven too. */
async function decoded(sealed: Uint8Array) {
  const bytes = Buffer.from(sealed);
  assert.equal(bytes.readInt32BE(8), sealed.length - 12, "length field");
  assert.equal(bytes[16], 2, "magic");
  assert.equal(bytes.readUInt32BE(17), kafkajsCrc32c(bytes.subarray(21)), "checksum");
  const batch = await kafkajsDecode(new Decoder(bytes));
  // deno-lint-ignore no-explicit-any -- kafkajs's decoder has no types
  batch.records.forEach((record: any, i: number) => assert.equal(record.offset, String(i)));
  assert.equal(batch.lastOffsetDelta, batch.records.length - 1);
  return batch;
}

// deno-lint-ignore no-explicit-any -- kafkajs's decoder has no types
function compare(records: any[], samples: readonly Sample[]): void {
  assert.equal(records.length, samples.length);
  samples.forEach(({ key, value, timestampMs, headers }, i) => {
    const read = records[i];
    assert.equal(read.timestamp, String(timestampMs));
    assert.deepEqual(read.key, key && Buffer.from(key));
    assert.ok(Buffer.from(value).equals(read.value), `value ${i}`);
    const wanted = headers.map((one) => [decoder.decode(one.key), Buffer.from(one.value)]);
    assert.deepEqual(Object.entries(read.headers), wanted);
  });
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const headers = fc.uniqueArray(
  fc.record({
    // kafkajs gives headers as an object: names that are numbers would come back in another order.
    key: fc.stringMatching(/^[a-z-]{1,12}$/).map((name) => encoder.encode(`h${name}`)),
    value: bytes(70),
  }, { noNullPrototype: true }),
  { selector: ({ key }) => decoder.decode(key), maxLength: 3 },
);
const samples = fc.array(
  fc.record({
    key: fc.option(bytes(70)),
    value: fc.oneof(bytes(80), fc.integer({ min: 0, max: 9000 }).map((n) => new Uint8Array(n))),
    timestampMs: fc.oneof(
      fc.integer({ min: 1_789_999_990_000, max: 1_790_000_010_000 }),
      fc.integer({ min: -1, max: 4_102_444_800_000 }),
    ),
    headers,
    slack: fc.integer({ min: 0, max: 300 }),
  }, { noNullPrototype: true }),
  { minLength: 1, maxLength: 12 },
);

Deno.test("a sealed batch is read by kafkajs as it was written, for any records", async () => {
  await fc.assert(fc.asyncProperty(samples, async (wanted) => {
    const batch = new RecordBatch(200_000);
    for (const one of wanted) assert.ok(add(batch, one));
    const read = await decoded(sealBatch(batch, stamp));
    compare(read.records, wanted);
    assert.equal(read.producerId, String(stamp.producerId));
    assert.equal(read.producerEpoch, stamp.producerEpoch);
    assert.equal(read.firstSequence, stamp.baseSequence);
    const times = wanted.map(({ timestampMs }) => timestampMs);
    assert.equal(read.firstTimestamp, String(times[0]));
    assert.equal(read.maxTimestamp, String(Math.max(...times)));
  }));
});

Deno.test("recordsIn() gives back what was written, for any records", () => {
  fc.assert(fc.property(samples, (wanted) => {
    const batch = new RecordBatch(200_000);
    for (const one of wanted) assert.ok(add(batch, one));
    const read = [...recordsIn(batch)];
    assert.deepEqual(read, wanted.map(({ slack: _, ...record }) => record));
  }));
});

Deno.test("a batch never grows over its limit, and says that it is full only when it is", async () => {
  const limits = fc.integer({ min: batchHeaderBytes, max: 2_000 });
  await fc.assert(fc.asyncProperty(samples, limits, async (wanted, limit) => {
    const batch = new RecordBatch(limit);
    const taken: Sample[] = [];
    for (const one of wanted) {
      const before = batch.sizeBytes;
      if (add(batch, one)) taken.push(one);
      else {
        // Every length as long as a length can be, and the header fields.
        const headersMost = one.headers.reduce(
          (sum, { key, value }) => sum + 10 + key.length + value.length,
          0,
        );
        const recordMost = 36 + (one.key?.length ?? 0) + one.value.length + one.slack + headersMost;
        assert.ok(before + recordMost > limit, "there was room");
        assert.equal(batch.sizeBytes, before, "a refused record leaves no trace");
      }
      assert.ok(batch.sizeBytes <= limit);
      assert.equal(batch.count, taken.length);
    }
    if (taken.length > 0) compare((await decoded(sealBatch(batch, stamp))).records, taken);
  }));
});

/** Values whose own length, or whose record's length, needs one byte more than that before. */
const lengths = [0, 1, 40, 56, 57, 58, 63, 64, 65, 127, 128, 8_180, 8_191, 8_192, 8_193, 16_384];

Deno.test("lengths that need more or fewer bytes than those before move their record", async () => {
  for (const keyLength of [null, 0, 5, 70]) {
    const key = keyLength === null ? null : new Uint8Array(keyLength).fill(0x6b);
    for (const first of lengths) {
      const wanted = lengths.flatMap((second) =>
        [first, second].map((length, i) =>
          sample(new Uint8Array(length).fill(65 + i), { key, slack: 7 })
        )
      );
      const batch = new RecordBatch(1_000_000);
      for (const one of wanted) assert.ok(add(batch, one));
      compare((await decoded(sealBatch(batch, stamp))).records, wanted);
    }
  }
});

Deno.test("a value of a megabyte has lengths of four bytes; the next small one has short ones again", async () => {
  const wanted = [2 ** 20 - 1, 3, 2 ** 20, 0, 2 ** 20 + 1, 64].map((length, i) =>
    sample(new Uint8Array(length).fill(97 + i), {
      headers: [{ key: encoder.encode("h"), value: Uint8Array.of(i) }],
    })
  );
  const batch = new RecordBatch(4 * 2 ** 20);
  for (const one of wanted) assert.ok(add(batch, one));
  compare((await decoded(sealBatch(batch, stamp))).records, wanted);
});

Deno.test("a batch holds as much as its limit says: 61 bytes and the records", () => {
  const batch = new RecordBatch(1_000);
  let added = 0;
  while (add(batch, sample(new Uint8Array(10)))) added++;
  // Length, attributes, two deltas, no key, value length, value, no headers.
  assert.equal(batch.sizeBytes, batchHeaderBytes + added * (1 + 1 + 1 + 1 + 1 + 1 + 10 + 1));
  assert.ok(1_000 - batch.sizeBytes < 36 + 10, "no room was wasted");
});

Deno.test("restamp() changes producer and sequence, the checksum, and nothing else", async () => {
  const batch = new RecordBatch(1_000);
  const wanted = [sample(encoder.encode("a")), sample(encoder.encode("b"))];
  for (const one of wanted) add(batch, one);
  const sealed = sealBatch(batch, stamp);
  const before = sealed.slice();
  restamp(sealed, { producerId: -1n, producerEpoch: -1, baseSequence: 0 });
  const read = await decoded(sealed);
  compare(read.records, wanted);
  assert.deepEqual([read.producerId, read.producerEpoch, read.firstSequence], ["-1", -1, 0]);
  restamp(sealed, stamp);
  assert.deepEqual(sealed, before);
});

Deno.test("sealCompressed() holds the records as the codec made them", async () => {
  await fc.assert(
    fc.asyncProperty(samples, async (wanted) => {
      const batch = new RecordBatch(200_000);
      for (const one of wanted) add(batch, one);
      const sealed = sealCompressed(batch, 1, gzipSync(recordBytes(batch)), stamp);
      assert.equal(new DataView(sealed.buffer).getInt16(21) & 7, 1, "gzip, by the attributes");
      const read = await decoded(sealed);
      compare(read.records, wanted);
      assert.equal(read.firstSequence, stamp.baseSequence);
    }),
    { numRuns: 30 },
  );
});

Deno.test("clear() makes a batch as good as new", async () => {
  const batch = new RecordBatch(10_000);
  add(batch, sample(new Uint8Array(9_000), { timestampMs: 4_000_000_000_000 }));
  batch.tag = "owner";
  batch.clear();
  assert.deepEqual([batch.count, batch.sizeBytes, batch.tag], [0, batchHeaderBytes, null]);
  const wanted = [sample(encoder.encode("anew"), { timestampMs: 5 })];
  for (const one of wanted) add(batch, one);
  const read = await decoded(sealBatch(batch, stamp));
  compare(read.records, wanted);
  assert.equal(read.maxTimestamp, "5");
});

/** A tail as kafkajs's own encoder writes one, null values and headers included. */
function tailOf(key: Uint8Array | null, value: Uint8Array | null, headers: [string, string][]) {
  const field = (bytes: Uint8Array | null) => [
    ...new Encoder().writeVarInt(bytes === null ? -1 : bytes.length).buffer,
    ...bytes ?? [],
  ];
  return Uint8Array.from([
    ...field(key),
    ...field(value),
    ...new Encoder().writeVarInt(headers.length).buffer,
    ...headers.flatMap((pair) => pair.flatMap((text) => field(encoder.encode(text)))),
  ]);
}

Deno.test("appendTail() takes any record over to the byte: null and empty, headers that are double", async () => {
  const tails = [
    tailOf(null, null, []),
    tailOf(new Uint8Array(0), new Uint8Array(0), [["h", "1"], ["h", "2"]]),
    tailOf(encoder.encode("k"), new Uint8Array(9_000).fill(7), []),
  ];
  const batch = new RecordBatch(20_000);
  const padding = 5;
  tails.forEach((tail, i) => {
    const bytes = new Uint8Array(padding + tail.length + 3).fill(0xee);
    bytes.set(tail, padding);
    assert.ok(batch.appendTail(bytes, padding, padding + tail.length, 1_000 - i));
  });
  const { records, maxTimestamp } = await decoded(sealBatch(batch, stamp));
  assert.deepEqual(records.map(({ timestamp }: { timestamp: string }) => timestamp), [
    "1000",
    "999",
    "998",
  ]);
  assert.equal(maxTimestamp, "1000");
  assert.deepEqual([records[0].key, records[0].value], [null, null]);
  assert.deepEqual([records[1].key.length, records[1].value.length], [0, 0]);
  assert.equal(records[2].value.length, 9_000);
  const read = tailsIn(batch).map(({ start, end }) => batch.bytes.slice(start, end));
  assert.deepEqual(read, tails);
});

Deno.test("appendTail() fills a batch to its last byte and leaves no trace when there is no room", () => {
  const tail = tailOf(null, new Uint8Array(10), []);
  const batch = new RecordBatch(batchHeaderBytes + 2 * (4 + tail.length));
  for (const isTaken of [true, true, false]) {
    assert.equal(batch.appendTail(tail, 0, tail.length, 5), isTaken);
  }
  assert.deepEqual([batch.count, batch.sizeBytes], [2, batch.limitBytes]);
});

Deno.test("batchOfTails() makes parts that hold the same records, whatever their times", async () => {
  const batch = new RecordBatch(1_000);
  const tails = [0, 1, 2].map((n) => tailOf(null, n === 1 ? null : Uint8Array.of(n), []));
  [9e12, 0, 9e12].forEach((timeMs, i) => {
    const tail = tails[i] as Uint8Array;
    assert.ok(batch.appendTail(tail, 0, tail.length, timeMs));
  });
  const found = tailsIn(batch);
  for (const chosen of [[0], [1, 2], [0, 1, 2]]) {
    const part = batchOfTails(batch.bytes, chosen.flatMap((index) => found[index] ?? []));
    const { records } = await decoded(sealBatch(part, stamp));
    assert.deepEqual(
      records.map(({ value }: { value: Uint8Array | null }) => value && value[0]),
      chosen.map((index) => index === 1 ? null : index),
    );
    assert.deepEqual(
      records.map(({ timestamp }: { timestamp: string }) => Number(timestamp)),
      chosen.map((index) => index === 1 ? 0 : 9e12),
    );
  }
});
