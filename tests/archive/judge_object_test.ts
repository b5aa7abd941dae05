import assert from "node:assert/strict";
import type { ListedObject } from "../../lib/archive/listing.ts";
import type { Content, WholeRecords } from "../../lib/archive/verify/facts.ts";
import { judgeObject, type ObjectSeen } from "../../lib/archive/verify/judge_object.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import type { ObjectNotes } from "../../lib/formats/object_notes.ts";

const values: ListedObject = {
  key: "g/t/partition=0/0000000100.baldr.gz",
  kind: "values",
  first: 100n,
  sizeBytes: 50,
  etag: "",
  modifiedMs: 0,
};
const records: ListedObject = {
  ...values,
  key: "g/t/partition=0/0000000100.records.gz",
  kind: "records",
};

const notes: ObjectNotes = {
  firstOffset: 100n,
  nextOffset: 110n,
  records: 5,
  nullValues: 1,
  firstTimestampMs: 1_000,
  lastTimestampMs: 2_000,
  uncompressedBytes: 77,
  crc32c: 0xabc,
  version: "0.1.0",
  highWatermark: 120n,
  format: "value",
  topicId: "aa",
  writer: "w",
  gap: null,
};
const recordNotes: ObjectNotes = { ...notes, format: "record" };

const content: Content = {
  records: 5,
  emptyRecords: 2,
  bytes: 77,
  crc32c: 0xabc,
  whole: undefined,
  damage: undefined,
};
const whole: WholeRecords = {
  nullValues: 1,
  firstOffset: 101n,
  lastOffset: 109n,
  firstTimestampMs: 1_000,
  lastTimestampMs: 2_000,
  disorder: undefined,
};
const wholeContent: Content = { ...content, whole };
const unreadable = new SluiceError("read an object's notes", "corrupt", "records is missing");

function judge(object: ListedObject, seen: Partial<ObjectSeen>): string[] {
  const all = { metadata: undefined, header: undefined, content: undefined, ...seen };
  const { findings } = judgeObject(object, all);
  assert.ok(findings.every(({ key }) => key === object.key), "each names the object");
  return findings.map(({ kind, what }) => `${kind}: ${what}`);
}

const cases: [what: string, object: ListedObject, seen: Partial<ObjectSeen>, found: string[]][] = [
  ["one that is sound", values, { metadata: notes, header: notes, content }, []],
  ["one in a folder", values, { header: notes, content }, []],
  ["one that was not read", values, { metadata: notes }, []],
  ["whole records", records, { header: recordNotes, content: wholeContent }, []],
  ["one of the predecessor", values, { metadata: null, header: null, content }, []],
  [
    "metadata that is none",
    values,
    { metadata: unreadable, header: notes, content },
    ["damaged: the notes in the store's metadata cannot be read: records is missing"],
  ],
  [
    "a header that is none",
    values,
    { metadata: notes, header: unreadable, content },
    ["damaged: the notes in the gzip header cannot be read: records is missing"],
  ],
  [
    "metadata and header that differ",
    values,
    { metadata: { ...notes, writer: "x", topicId: "" }, header: notes, content },
    [
      "contradiction: writer is x in the store's metadata, w in the gzip header",
      "contradiction: topic-id is missing in the store's metadata, aa in the gzip header",
    ],
  ],
  [
    "metadata that was lost",
    values,
    { metadata: null, header: notes, content },
    ["notice: the store's metadata has no notes, the gzip header has; was it copied?"],
  ],
  [
    "a header that was lost",
    values,
    { metadata: notes, header: null, content },
    ["notice: the gzip header has no notes, the store's metadata has; was it compressed anew?"],
  ],
  [
    "another key",
    { ...values, first: 90n },
    { header: notes, content },
    ["contradiction: the notes say that it begins at 100; was it renamed?"],
  ],
  [
    "another format",
    values,
    { header: recordNotes },
    ["contradiction: the notes say format record, its name says value"],
  ],
  [
    "damage",
    values,
    {
      header: notes,
      content: {
        ...content,
        records: 1,
        damage: { what: "it is cut", atByte: 12, atCompressedByte: 40 },
      },
    },
    ["damaged: it is cut; 1 whole record before it"],
  ],
  [
    "other counts",
    values,
    { header: notes, content: { ...content, records: 4, emptyRecords: 0, bytes: 7, crc32c: 1 } },
    [
      "contradiction: the notes say 5 records, found: 4",
      "contradiction: the notes say 77 bytes uncompressed, found: 7",
      "contradiction: the notes say 00000abc as CRC-32C, found: 00000001",
      "contradiction: the notes say 1 records without a value, found: 0 empty ones",
    ],
  ],
  [
    "other counts of whole records",
    records,
    {
      header: recordNotes,
      content: {
        ...content,
        whole: { ...whole, nullValues: 2, firstTimestampMs: null, lastTimestampMs: 5 },
      },
    },
    [
      "contradiction: the notes say 1 records without a value, found: 2",
      "contradiction: the notes say 1000 as first timestamp, found: null",
      "contradiction: the notes say 2000 as last timestamp, found: 5",
    ],
  ],
  [
    "offsets that are not its own",
    records,
    {
      header: recordNotes,
      content: { ...content, whole: { ...whole, firstOffset: 99n, lastOffset: 110n } },
    },
    [
      "contradiction: its first record has offset 99, before its own",
      "contradiction: its last record has offset 110, at or behind its end 110",
    ],
  ],
  [
    "offsets that do not ascend",
    records,
    {
      header: recordNotes,
      content: { ...content, whole: { ...whole, disorder: { index: 3, offset: 104n } } },
    },
    [
      "contradiction: record 3 has offset 104, which is not behind that of the record before it",
    ],
  ],
];

for (const [what, object, seen, found] of cases) {
  Deno.test(`judging ${what}`, () => assert.deepEqual(judge(object, seen), found));
}

Deno.test("damage is told with where it is", () => {
  const damage = { what: "it is cut", atByte: 12, atCompressedByte: 40 };
  const seen = { metadata: undefined, header: notes, content: { ...content, damage } };
  const { findings: [finding] } = judgeObject(values, seen);
  assert.deepEqual([finding?.atByte, finding?.atCompressedByte], [12, 40]);
});

Deno.test("the header's notes are taken, else the metadata's: the header travels with the bytes", () => {
  const other = { ...notes, nextOffset: 111n };
  const nextOf = (seen: Partial<ObjectSeen>) =>
    judgeObject(values, { metadata: undefined, header: undefined, content: undefined, ...seen })
      .notes?.nextOffset;
  assert.equal(nextOf({ metadata: other, header: notes }), 110n);
  assert.equal(nextOf({ metadata: other, header: unreadable }), 111n);
  assert.equal(nextOf({ metadata: other, header: null }), 111n);
  assert.equal(nextOf({ metadata: null, header: null }), undefined);
});
