import assert from "node:assert/strict";
import fc from "fast-check";
import { RecordScan } from "../../lib/archive/verify/record_scan.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { decodeArchivedRecord, encodeArchivedRecord } from "../../lib/formats/archived_record.ts";

const bytesOrNull = fc.option(fc.uint8Array({ maxLength: 300 }));
const records = fc.record({
  offset: fc.oneof(
    fc.bigInt({ min: 0n, max: 1_000n }),
    fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  ),
  timestampMs: fc.oneof(
    fc.bigInt({ min: 0n, max: 4_000_000_000_000n }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  ),
  isLogAppendTime: fc.boolean(),
  key: bytesOrNull,
  value: bytesOrNull,
  headers: fc.array(fc.record({ key: fc.uint8Array({ maxLength: 9 }), value: bytesOrNull }), {
    maxLength: 4,
  }),
});

/** What the decoder of the format says of bytes, in the words of the scan; or why it refuses them. */
function decoded(bytes: Uint8Array): unknown[] | string {
  try {
    const { offset, timestampMs, value } = decodeArchivedRecord(bytes);
    return [offset, Number(timestampMs), value !== null];
  } catch (thrown) {
    assert.ok(thrown instanceof SluiceError);
    return thrown.detail;
  }
}

/** The same by the scan, in the middle of other bytes. */
function scanned(scan: RecordScan, bytes: Uint8Array): unknown[] | string {
  const around = new Uint8Array(bytes.length + 20).fill(1);
  around.set(bytes, 10);
  try {
    scan.read(around, 10, 10 + bytes.length);
    return [BigInt(scan.offset), scan.timestampMs, scan.hasValue];
  } catch (thrown) {
    assert.ok(thrown instanceof SluiceError);
    return thrown.detail;
  }
}

Deno.test("property: the scan reads of a record what the decoder reads", () => {
  const scan = new RecordScan();
  fc.assert(
    fc.property(records, (record) => {
      const bytes = encodeArchivedRecord(record);
      const expected = [record.offset, Number(record.timestampMs), record.value !== null];
      assert.deepEqual(scanned(scan, bytes), expected);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("property: the scan refuses what the decoder refuses, cut or altered anywhere", () => {
  const scan = new RecordScan();
  const harms = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(records, harms, fc.nat(40), (record, harms, cut) => {
      const bytes = encodeArchivedRecord(record);
      for (const [at, byte] of harms) bytes[at % bytes.length] = byte;
      assert.deepEqual(scanned(scan, bytes), decoded(bytes));
      const shorter = bytes.subarray(0, Math.max(0, bytes.length - cut));
      assert.deepEqual(scanned(scan, shorter), decoded(shorter));
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("property: the scan and the decoder agree about any bytes", () => {
  const scan = new RecordScan();
  const any = fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.of(1, 0, ...bytes));
  fc.assert(
    fc.property(any, (bytes) => assert.deepEqual(scanned(scan, bytes), decoded(bytes))),
    { numRuns: 5_000 },
  );
});
