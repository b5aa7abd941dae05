import assert from "node:assert/strict";
import fc from "fast-check";
import Encoder from "npm:kafkajs@2.2.4/src/protocol/encoder.js";
import { SluiceError } from "../../lib/core/errors.ts";
import {
  archivedHeadBytesMost,
  type ArchivedRecord,
  decodeArchivedRecord,
  encodeArchivedRecord,
  putArchivedHead,
} from "../../lib/formats/archived_record.ts";
import { appendRecord, batchHeaderBytes, RecordBatch } from "../../lib/formats/record_batch.ts";
import { VarintCursor } from "../../lib/formats/varint.ts";
import { bytesOf, joined } from "../support/baldr.ts";

const plain: ArchivedRecord = {
  offset: 1n,
  timestampMs: -1n,
  isLogAppendTime: false,
  key: null,
  value: bytesOf("ab"),
  headers: [],
};

const examples: [what: string, record: ArchivedRecord, bytes: number[]][] = [
  ["a value alone", plain, [1, 0, 1, 2, 1, 4, 97, 98, 0]],
  ["a tombstone", { ...plain, key: bytesOf("k"), value: null }, [1, 0, 1, 2, 2, 107, 1, 0]],
  ["empty fields", { ...plain, key: bytesOf(""), value: bytesOf("") }, [1, 0, 1, 2, 0, 0, 0]],
  [
    "the broker's time and an offset over 2^53",
    { ...plain, isLogAppendTime: true, timestampMs: 64n, offset: 2n ** 63n - 1n },
    [1, 1, 128, 1, 254, 255, 255, 255, 255, 255, 255, 255, 255, 1, 1, 4, 97, 98, 0],
  ],
  [
    "headers",
    {
      ...plain,
      headers: [
        { key: bytesOf("h"), value: bytesOf("v") },
        { key: bytesOf("h"), value: null },
        { key: bytesOf(""), value: bytesOf("") },
      ],
    },
    [1, 0, 1, 2, 1, 4, 97, 98, 6, 2, 104, 2, 118, 2, 104, 1, 0, 0],
  ],
];

for (const [what, record, bytes] of examples) {
  Deno.test(`A record with ${what} has the bytes of the format, both ways`, () => {
    assert.deepEqual(encodeArchivedRecord(record), Uint8Array.from(bytes));
    assert.deepEqual(decodeArchivedRecord(Uint8Array.from(bytes)), record);
  });
}

const field = fc.uint8Array({ maxLength: 300 });
const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const headers = fc.array(
  fc.record({ key: field, value: fc.option(field) }, { noNullPrototype: true }),
  { maxLength: 5 },
);
const records: fc.Arbitrary<ArchivedRecord> = fc.record({
  offset: fc.bigInt(0n, 2n ** 63n - 1n),
  timestampMs: fc.oneof(int64, fc.bigInt(-1n, 2n ** 50n)),
  isLogAppendTime: fc.boolean(),
  key: fc.option(field),
  value: fc.option(field),
  headers,
}, { noNullPrototype: true });

Deno.test("Any record is read back as it was, also from the middle of other bytes", () => {
  fc.assert(fc.property(records, (record) => {
    const bytes = encodeArchivedRecord(record);
    const around = joined([bytesOf("x"), bytes, bytesOf("y")]);
    assert.deepEqual(decodeArchivedRecord(bytes), record);
    assert.deepEqual(decodeArchivedRecord(around.subarray(1, -1)), record);
  }));
});

Deno.test("The numbers are Kafka's varints, as an independent client writes them", () => {
  fc.assert(fc.property(int64, (value) => {
    const { buffer } = new Encoder().writeVarLong(value) as { buffer: Uint8Array };
    const out = new Uint8Array(archivedHeadBytesMost);
    const end = putArchivedHead(out, 0, false, value, 0n);
    assert.deepEqual(out.slice(2, end - 1), new Uint8Array(buffer));
  }));
});

Deno.test("From the key on, the bytes are those of a record in Kafka's batch", () => {
  fc.assert(fc.property(records, (record) => {
    // Our own batches hold no nulls but keys.
    const value = record.value ?? new Uint8Array(0);
    const headers = record.headers.map(({ key, value }) => ({ key, value: value ?? key }));
    const batch = new RecordBatch(20_000);
    assert.ok(appendRecord(batch, { timestampMs: 5, key: record.key, value, headers }));
    const cursor = new VarintCursor(batch.bytes, batchHeaderBytes);
    const end = cursor.read() + cursor.at;
    cursor.at++; // attributes
    cursor.read(); // time
    cursor.read(); // offset
    const out = new Uint8Array(20_000);
    const { isLogAppendTime, timestampMs, offset } = record;
    const at = putArchivedHead(out, 0, isLogAppendTime, timestampMs, offset);
    out.set(batch.bytes.subarray(cursor.at, end), at);
    const bytes = out.subarray(0, at + end - cursor.at);
    assert.deepEqual(decodeArchivedRecord(bytes), { ...record, value, headers });
  }));
});

function assertCorrupt(bytes: Uint8Array, detail = /./): void {
  assert.throws(() => decodeArchivedRecord(bytes), (thrown) => {
    assert.ok(thrown instanceof SluiceError, String(thrown));
    assert.equal(thrown.fault, "corrupt");
    assert.match(thrown.detail, detail);
    return true;
  });
}

Deno.test("A record cut anywhere, or with a byte behind it, is refused", () => {
  fc.assert(fc.property(records, (record) => {
    const bytes = encodeArchivedRecord(record);
    for (let cut = 0; cut < bytes.length; cut++) assertCorrupt(bytes.subarray(0, cut));
    assertCorrupt(joined([bytes, Uint8Array.of(0)]), /^1 bytes follow its end$/);
  }));
});

Deno.test("Altered bytes are refused or read as a record that has these bytes, never anything else", () => {
  fc.assert(fc.property(records, fc.nat(), fc.nat(255), (record, place, byte) => {
    const bytes = encodeArchivedRecord(record);
    bytes[place % bytes.length] = byte;
    try {
      decodeArchivedRecord(bytes);
    } catch (thrown) {
      assert.ok(thrown instanceof SluiceError && thrown.fault === "corrupt", String(thrown));
    }
  }));
});

const tenBytes = [255, 255, 255, 255, 255, 255, 255, 255, 255];
const damaged: [what: string, bytes: number[], detail: RegExp][] = [
  ["nothing", [], /is cut/],
  ["another version", [2, 0, 1, 2, 1, 4, 97, 98, 0], /begins with 2: .* newer sluice/],
  ["unknown attributes", [1, 2, 1, 2, 1, 4, 97, 98, 0], /attributes 2/],
  ["a negative offset", [1, 0, 1, 3, 1, 4, 97, 98, 0], /offset is -2/],
  ["a key of -2 bytes", [1, 0, 1, 2, 3, 4, 97, 98, 0], /the key cannot have -2/],
  ["a key of 2^31 bytes", [1, 0, 1, 2, 128, 128, 128, 128, 16, 0], /cannot have 2147483648/],
  ["a value that is cut", [1, 0, 1, 2, 1, 8, 97, 98, 0], /the value is cut/],
  ["-1 headers", [1, 0, 1, 2, 1, 4, 97, 98, 1], /cannot have -1 headers/],
  ["headers without end", [1, 0, 1, 2, 1, 1, 254, 255, 255, 255, 15, 0], /2147483647 headers/],
  ["a header without a key", [1, 0, 1, 2, 1, 1, 2, 1, 0], /header has no key/],
  ["a number over 64 bits", [1, 0, ...tenBytes, 2, 2, 1, 1, 0], /does not fit 64 bits/],
  ["a number without end", [1, 0, ...tenBytes, 255, 1, 2, 1, 1, 0], /does not fit 64 bits/],
];

for (const [what, bytes, detail] of damaged) {
  Deno.test(`A record with ${what} is refused`, () =>
    assertCorrupt(Uint8Array.from(bytes), detail));
}

Deno.test("A record with a number over 64 bits is not written", () => {
  for (const wrong of [{ timestampMs: 2n ** 63n }, { offset: -(2n ** 63n) - 1n }]) {
    assert.throws(() => encodeArchivedRecord({ ...plain, ...wrong }), /does not fit 64 bits/);
  }
});
