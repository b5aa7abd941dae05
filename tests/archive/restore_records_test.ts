import assert from "node:assert/strict";
import { RecordBlocks } from "../../lib/archive/restore/record_blocks.ts";
import { RecordReader } from "../../lib/archive/restore/record_reader.ts";
import { archivedRecord, type SampleRecord } from "../support/archive_objects.ts";
import { baldrOf, joined, lengthBytes, sourceOf } from "../support/baldr.ts";

/** The records of all blocks, as text; each block is read wholly before the next is asked for. */
async function allOf(blocks: RecordBlocks): Promise<string[]> {
  const records: string[] = [];
  while (await blocks.next()) {
    for (let i = 0; i < blocks.count; i++) {
      const bytes = blocks.bytesOf(i).slice(blocks.startOf(i), blocks.endOf(i));
      records.push(new TextDecoder().decode(bytes));
    }
  }
  return records;
}

const records = ["first", "", "the third, a longer one", "4", "", "sixth and last"];

Deno.test("RecordBlocks give every record, wherever the pieces of the source are cut", async () => {
  const stream = baldrOf(records);
  for (let one = 0; one <= stream.length; one++) {
    for (const two of [one, one + 1, one + 9, stream.length]) {
      const pieces = [stream.slice(0, one), stream.slice(one, two), stream.slice(two)];
      const blocks = new RecordBlocks(sourceOf(pieces.filter(({ length }) => length > 0)));
      assert.deepEqual(await allOf(blocks), records, `cut at ${one} and ${two}`);
    }
  }
  const bytes = Array.from(stream, (byte) => Uint8Array.of(byte));
  assert.deepEqual(await allOf(new RecordBlocks(sourceOf(bytes))), records);
});

Deno.test("RecordBlocks give the whole records before a damage, then throw", async () => {
  for (
    const [tail, complaint] of [
      [lengthBytes(-1), /its length is negative/],
      [lengthBytes(9), /only 0 of its 9 bytes are there/],
      [Uint8Array.of(0, 0), /only 2 of the 8 bytes/],
    ] as const
  ) {
    const blocks = new RecordBlocks(sourceOf([joined([baldrOf(["a", "b"]), tail])]));
    assert.equal(await blocks.next(), true);
    assert.equal(blocks.count, 2);
    await assert.rejects(() => blocks.next(), { fault: "corrupt", message: complaint });
  }
});

const nasty: SampleRecord[] = [
  { offset: 0, timestampMs: 0, key: null, value: null },
  { offset: 2 ** 52, timestampMs: -1, key: "", value: "" },
  {
    offset: 10_000_000_000,
    timestampMs: 1_790_000_000_123,
    key: Uint8Array.of(0, 255),
    value: "x".repeat(300),
    headers: [["h", "1"], ["h", null], ["", ""], ["b", Uint8Array.of(0xff, 0x00)]],
  },
];

Deno.test("RecordReader finds offset, time and tail of any record, anywhere in the bytes", () => {
  const reader = new RecordReader();
  for (const record of nasty) {
    const encoded = archivedRecord(record);
    const bytes = joined([Uint8Array.of(9, 9, 9), encoded, Uint8Array.of(9)]);
    reader.read(bytes, 3, 3 + encoded.length);
    assert.equal(reader.offset, record.offset);
    assert.equal(reader.timestampMs, record.timestampMs);
    const tail = bytes.slice(reader.tailStart, 3 + encoded.length);
    const zero = archivedRecord({ ...record, offset: 0, timestampMs: 0 });
    assert.deepEqual(tail, zero.slice(4), "all but version, attributes, time and offset");
  }
});

Deno.test("RecordReader keeps times exactly that no number can hold", () => {
  const reader = new RecordReader();
  const record = { offset: 1, key: null, value: "v" };
  for (const exact of [2n ** 53n + 1n, 1_790_000_000_000_000_001n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    const encoded = archivedRecord({ ...record, timestampMs: exact });
    reader.read(encoded, 0, encoded.length);
    assert.deepEqual([reader.exactTimestampMs, reader.timestampMs], [exact, Number(exact)]);
  }
  const usual = archivedRecord({ ...record, timestampMs: 5 });
  reader.read(usual, 0, usual.length);
  assert.deepEqual([reader.exactTimestampMs, reader.timestampMs], [null, 5]);
});

Deno.test("RecordReader refuses records that are cut or too long at any byte", () => {
  const reader = new RecordReader();
  for (const record of nasty) {
    const encoded = archivedRecord(record);
    for (let end = 0; end < encoded.length; end++) {
      assert.throws(() => reader.read(encoded, 0, end), { fault: "corrupt" }, `cut at ${end}`);
    }
    const longer = joined([encoded, Uint8Array.of(0)]);
    assert.throws(() => reader.read(longer, 0, longer.length), /1 bytes follow its last header/);
    const other = Uint8Array.from(encoded);
    other[0] = 2;
    assert.throws(() => reader.read(other, 0, other.length), /begins with 2, not with version 1/);
  }
});
