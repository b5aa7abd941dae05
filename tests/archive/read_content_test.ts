import assert from "node:assert/strict";
import { readContent } from "../../lib/archive/verify/read_content.ts";
import { judgeObject } from "../../lib/archive/verify/judge_object.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { recordSuffix } from "../../lib/formats/archive_key.ts";
import { crc32c } from "../../lib/formats/crc32c.ts";
import { gzipHeader } from "../../lib/formats/gzip_parts.ts";
import { notesToExtra } from "../../lib/formats/object_notes.ts";
import { bytesOf, keyOf, notesOf, recordOf, type Wanted } from "../support/archive_maker.ts";
import { baldrOf, gzipped, sourceOf } from "../support/baldr.ts";

const values: Wanted = { first: 100n, next: 110n, records: ["one", "", "three", "four"] };
const records: Wanted = {
  first: 100n,
  next: 110n,
  suffix: recordSuffix,
  records: [
    recordOf({ offset: 101n, timestampMs: 2_000n, value: "one" }),
    recordOf({ offset: 104n, timestampMs: 1_000n, value: null }),
    recordOf({ offset: 109n, timestampMs: 9_000n, value: "three", key: "k" }),
  ],
  notes: { nullValues: 1, firstTimestampMs: 1_000, lastTimestampMs: 9_000 },
};

/** The object in pieces of so many bytes. */
function read(bytes: Uint8Array, kind: "values" | "records", pieceBytes = 1_000) {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    pieces.push(bytes.subarray(at, at + pieceBytes));
  }
  return readContent(sourceOf(pieces), kind);
}

/** What verify says of an object of a folder with these bytes. */
async function judge(wanted: Wanted, bytes: Uint8Array): Promise<string[]> {
  const kind = wanted.suffix === recordSuffix ? "records" : "values";
  const listed = { key: keyOf(wanted), kind, first: wanted.first } as const;
  const object = { ...listed, sizeBytes: bytes.length, etag: "", modifiedMs: 0 };
  const seen = { metadata: undefined, ...await read(bytes, kind) };
  return judgeObject(object, seen).findings.map(({ kind }) => kind);
}

Deno.test("an object of values is counted, however its bytes are cut", async () => {
  const bytes = bytesOf(values);
  const raw = baldrOf(values.records ?? []);
  for (const pieceBytes of [1, 2, 7, 64, 1_000]) {
    const { header, content } = await read(bytes, "values", pieceBytes);
    assert.deepEqual(header, notesOf(values));
    assert.deepEqual(content, {
      records: 4,
      emptyRecords: 1,
      bytes: raw.length,
      crc32c: crc32c(raw),
      whole: undefined,
      damage: undefined,
    });
  }
});

Deno.test("whole records tell offsets, the least and greatest time, and which have no value", async () => {
  const { content } = await read(bytesOf(records), "records");
  assert.deepEqual(content.whole, {
    nullValues: 1,
    firstOffset: 101n,
    lastOffset: 109n,
    firstTimestampMs: 1_000,
    lastTimestampMs: 9_000,
    disorder: undefined,
  });
  assert.equal(content.damage, undefined);
});

Deno.test("a record larger than many blocks is put together", async () => {
  const value = "x".repeat(3_000_000);
  const wanted = {
    ...records,
    records: [recordOf({ offset: 100n, value: "a" }), recordOf({ offset: 105n, value })],
  };
  const { content } = await read(bytesOf(wanted), "records", 50_000);
  assert.deepEqual([content.records, content.whole?.lastOffset], [2, 105n]);
});

Deno.test("an offset that is not behind the one before is told with the record's index", async () => {
  const offsets = [101n, 103n, 103n, 102n, 109n];
  const wanted = { ...records, records: offsets.map((offset) => recordOf({ offset, value: "" })) };
  const { content } = await read(bytesOf(wanted), "records");
  assert.deepEqual(content.whole?.disorder, { index: 2, offset: 103n });
});

Deno.test("a record that cannot be is damage at its byte", async () => {
  const good = recordOf({ offset: 101n, value: "one" });
  const wrong: [what: string, record: Uint8Array][] = [
    ["empty", new Uint8Array(0)],
    ["cut", good.slice(0, -1)],
    ["with something behind", Uint8Array.from([...good, 0])],
    ["of another version", Uint8Array.from([9, ...good.slice(1)])],
  ];
  for (const [what, record] of wrong) {
    const { content } = await read(bytesOf({ ...records, records: [good, record] }), "records");
    assert.equal(content.records, 1, what);
    assert.equal(content.damage?.atByte, 8 + good.length, what);
  }
});

Deno.test("an object of the predecessor, and one whose header is of another program", async () => {
  const plain = await read(bytesOf({ ...values, plain: true }), "values");
  assert.deepEqual([plain.header, plain.content.records], [null, 4]);
  const joinedMembers = await read(
    Uint8Array.from([...gzipped(baldrOf(["a"])), ...gzipped(baldrOf(["b"]))]),
    "values",
  );
  assert.deepEqual([joinedMembers.content.records, joinedMembers.content.damage], [2, undefined]);
});

Deno.test("what is no gzip, and what is nothing at all, is damaged", async () => {
  for (const bytes of [new Uint8Array(0), baldrOf(["a"]), Uint8Array.of(0x1f, 0x8b)]) {
    const { content } = await read(bytes, "values");
    assert.ok(content.damage, `${bytes.length} bytes`);
    assert.equal(content.records, 0);
  }
});

for (const [what, wanted] of [["values", values], ["whole records", records]] as const) {
  const bytes = bytesOf(wanted);
  const headerBytes = gzipHeader(notesToExtra(notesOf(wanted))).length;

  Deno.test(`cut at every byte, an object of ${what} is damaged there or before`, async () => {
    assert.deepEqual(await judge(wanted, bytes), []);
    for (let length = 0; length < bytes.length; length++) {
      const { content } = await read(
        bytes.subarray(0, length),
        what === "values" ? what : "records",
      );
      assert.ok(content.damage, `${length} bytes`);
      assert.ok(content.damage.atCompressedByte <= length);
      assert.ok(content.records <= (wanted.records?.length ?? 0));
      assert.ok((await judge(wanted, bytes.subarray(0, length))).includes("damaged"));
    }
  });

  Deno.test(`with any bit of body or trailer flipped, an object of ${what} is not sound`, async () => {
    for (let at = headerBytes; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = bytes.slice();
        flipped[at] = (flipped[at] ?? 0) ^ 1 << bit;
        const kinds = await judge(wanted, flipped);
        // The end of a flush is padded to a whole byte: what stands there means nothing.
        if (kinds.length > 0) continue;
        const { content } = await read(flipped, what === "values" ? what : "records");
        assert.deepEqual(
          content,
          (await read(bytes, what === "values" ? what : "records")).content,
        );
      }
    }
  });

  Deno.test(`with a bit of the counted notes flipped, an object of ${what} is not sound`, async () => {
    const text = new TextDecoder("latin1").decode(bytes.subarray(0, headerBytes));
    const counted = ["first-offset", "records", "uncompressed-bytes", "crc32c", "format"];
    for (const name of counted) {
      const begin = text.indexOf(`"${name}":"`) + name.length + 4;
      const end = text.indexOf('"', begin);
      assert.ok(begin > name.length + 3 && end > begin, name);
      for (let at = begin; at < end; at++) {
        const flipped = bytes.slice();
        flipped[at] = (flipped[at] ?? 0) ^ 1;
        assert.ok((await judge(wanted, flipped)).length > 0, `${name} at byte ${at}`);
      }
    }
  });
}

Deno.test("a source that breaks off is no damage", async () => {
  const bytes = bytesOf(values);
  let given = false;
  const source = {
    next: () => {
      if (given) return Promise.reject(new SluiceError("read", "transient", "reset by peer"));
      given = true;
      return Promise.resolve(bytes.subarray(0, bytes.length - 3));
    },
    close: () => {},
  };
  await assert.rejects(readContent(source, "values"), { fault: "transient" });
});
