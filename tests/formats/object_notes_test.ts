import assert from "node:assert/strict";
import fc from "fast-check";
import { SluiceError } from "../../lib/core/errors.ts";
import { gzipHeader } from "../../lib/formats/gzip_parts.ts";
import {
  notesFromGzip,
  notesFromMetadata,
  notesToExtra,
  notesToMetadata,
  type ObjectNotes,
} from "../../lib/formats/object_notes.ts";
import { bytesOf, gzipped } from "../support/baldr.ts";

const usual: ObjectNotes = {
  firstOffset: 100n,
  nextOffset: 250n,
  records: 120,
  nullValues: 3,
  firstTimestampMs: 1_790_000_000_000,
  lastTimestampMs: 1_790_000_060_000,
  uncompressedBytes: 33_000,
  crc32c: 0xabc,
  version: "0.1.0",
  highWatermark: 260n,
  format: "value",
  topicId: "",
  writer: "web 1/über%",
  gap: null,
};

const usualMetadata = {
  "first-offset": "100",
  "next-offset": "250",
  "records": "120",
  "null-values": "3",
  "first-timestamp": "1790000000000",
  "last-timestamp": "1790000060000",
  "uncompressed-bytes": "33000",
  "crc32c": "00000abc",
  "sluice-version": "0.1.0",
  "high-watermark": "260",
  "format": "value",
  "writer": "web%201/%c3%bcber%25",
};

const empty: ObjectNotes = {
  ...usual,
  records: 0,
  nullValues: 0,
  firstTimestampMs: null,
  lastTimestampMs: null,
  uncompressedBytes: 0,
  crc32c: 0,
  topicId: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
  gap: "retention",
};

Deno.test("Notes become metadata in ASCII", () => {
  assert.deepEqual(notesToMetadata(usual), usualMetadata);
  assert.deepEqual(notesFromMetadata(usualMetadata), usual);
});

Deno.test("Notes about a gap go through both forms", () => {
  assert.equal(notesToMetadata(empty)["gap"], "retention");
  assert.deepEqual(notesFromMetadata(notesToMetadata(empty)), empty);
  assert.deepEqual(notesFromGzip(gzipHeader(notesToExtra(empty))), empty);
});

const offsets = fc.bigInt(0n, 2n ** 63n - 2n);
const counts = fc.nat(Number.MAX_SAFE_INTEGER);
const timestamps = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const texts = fc.string({ unit: "binary", maxLength: 30 });

Deno.test("Any notes are read back as they were written, from metadata and from the file", () => {
  fc.assert(fc.property(
    fc.record({
      ...{ firstOffset: offsets, length: fc.bigInt(1n, 2n ** 63n), share: fc.nat(1000) },
      ...{ times: fc.option(fc.tuple(timestamps, timestamps)), crc32c: fc.nat(2 ** 32 - 1) },
      ...{ uncompressedBytes: counts, highWatermark: offsets, topicId: texts, writer: texts },
      ...{ version: fc.string({ unit: "binary", minLength: 1, maxLength: 30 }) },
      format: fc.constantFrom("value" as const, "record" as const),
    }),
    ({ length, share, times, ...rest }) => {
      const most = 2n ** 63n - 1n - rest.firstOffset;
      const nextOffset = rest.firstOffset + (length < most ? length : most);
      const records = Math.min(Number(nextOffset - rest.firstOffset), share);
      const [firstTimestampMs, lastTimestampMs] = times ?? [null, null];
      const nullValues = Math.floor(records / 2);
      const notes: ObjectNotes = {
        ...rest,
        ...{ nextOffset, records, nullValues, firstTimestampMs, lastTimestampMs, gap: null },
      };
      const metadata = notesToMetadata(notes);
      for (const [name, value] of Object.entries(metadata)) {
        assert.match(name, /^[a-z0-9-]+$/);
        assert.match(value, /^[!-~]+$/);
      }
      assert.deepEqual(notesFromMetadata(metadata), notes);
      assert.deepEqual(notesFromGzip(gzipHeader(notesToExtra(notes))), notes);
    },
  ));
});

Deno.test("Metadata and files of others have no notes", () => {
  for (const foreign of [{}, { format: "value", writer: "x", records: "1" }, { "a": "b" }]) {
    assert.equal(notesFromMetadata(foreign), null);
  }
  assert.equal(notesFromMetadata(Object.create(usualMetadata)), null);
  for (const bytes of [new Uint8Array(0), bytesOf("plain"), gzipped(bytesOf("x"))]) {
    assert.equal(notesFromGzip(bytes), null);
  }
  assert.equal(notesFromGzip(gzipHeader(bytesOf("{}"))), null);
});

Deno.test("Names that a later sluice or somebody else adds are left alone", () => {
  const more = { ...usualMetadata, "colour": "blue", "__proto__": "x" };
  assert.deepEqual(notesFromMetadata(more), usual);
});

function assertCorrupt(act: () => unknown, detail: RegExp): void {
  assert.throws(act, (thrown) => {
    assert.ok(thrown instanceof SluiceError, String(thrown));
    assert.equal(thrown.fault, "corrupt");
    assert.match(thrown.detail, detail);
    return true;
  });
}

const needed = Object.keys(usualMetadata).filter((name) => !/^writer$|timestamp/.test(name));
for (const name of needed) {
  Deno.test(`Metadata without ${name} is damaged`, () => {
    const { [name]: _, ...rest } = usualMetadata as Record<string, string>;
    assertCorrupt(() => notesFromMetadata(rest), new RegExp(`^${name} is missing$`));
  });
}

const wrong: [name: string, value: string, detail: RegExp][] = [
  ["first-offset", "-1", /cannot be "-1"/],
  ["first-offset", "0100", /cannot be "0100"/],
  ["first-offset", "0x64", /cannot be/],
  ["first-offset", " 100", /cannot be/],
  ["first-offset", "9223372036854775808", /end at 2\^63/],
  ["next-offset", "100", /not behind/],
  ["next-offset", "219", /120 records cannot be/],
  ["records", "1e2", /cannot be/],
  ["records", "9007199254740993", /cannot be/],
  ["null-values", "121", /121 of 120/],
  ["first-timestamp", "", /without the other/],
  ["last-timestamp", "yesterday", /cannot be/],
  ["last-timestamp", "-0", /cannot be/],
  ["uncompressed-bytes", "1.5", /cannot be/],
  ["crc32c", "abc", /cannot be/],
  ["crc32c", "00000ABC", /cannot be/],
  ["format", "values", /cannot be "values"/],
  ["gap", "retention", /cannot hold 120 records/],
  ["gap", "none", /cannot be "none"/],
  ["gap", "", /gap is missing/],
  ["writer", "%zz", /cannot be/],
  ["writer", "ü", /cannot be/],
];

for (const [name, value, detail] of wrong) {
  Deno.test(`Metadata with the ${name} ${JSON.stringify(value)} is damaged`, () => {
    assertCorrupt(() => notesFromMetadata({ ...usualMetadata, [name]: value }), detail);
  });
}

for (
  const [what, extra, detail] of [
    ["no JSON", bytesOf("{"), /no JSON$/],
    ["no UTF-8", Uint8Array.of(34, 255, 34), /no JSON$/],
    ["a list", bytesOf("[]"), /no JSON object/],
    ["a number", bytesOf('{"first-offset":1}'), /first-offset is no text: 1/],
    ["a half", bytesOf('{"first-offset":"1"}'), /next-offset is missing/],
  ] as const
) {
  Deno.test(`A file whose notes are ${what} is damaged`, () => {
    assertCorrupt(() => notesFromGzip(gzipHeader(extra)), detail);
  });
}

Deno.test("Notes that could not be read again, or that no store keeps, are not written", () => {
  for (
    const [notes, detail] of [
      [{ ...usual, nextOffset: 100n }, /not behind/],
      [{ ...usual, records: 151 }, /151 records/],
      [{ ...usual, crc32c: -1 }, /crc32c/],
      [{ ...usual, uncompressedBytes: 0.5 }, /uncompressed-bytes/],
      [{ ...usual, version: "" }, /sluice-version is missing/],
      [{ ...usual, writer: "ü".repeat(400) }, /shorten the writer/],
    ] as const
  ) {
    for (const write of [notesToMetadata, notesToExtra]) {
      assert.throws(() => write(notes), (thrown) => {
        assert.ok(thrown instanceof SluiceError);
        assert.equal(thrown.fault, "usage");
        assert.match(thrown.detail, detail);
        return true;
      });
    }
  }
});
