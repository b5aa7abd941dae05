import assert from "node:assert/strict";
import fc from "fast-check";
import { SluiceError } from "../../lib/core/errors.ts";
import { BaldrFramer, LENGTH_BYTES, putLength } from "../../lib/formats/baldr.ts";
import { baldrOf, Collected, joined, lengthBytes, pushAll } from "../support/baldr.ts";

const GIB = 2 ** 30;

function read(chunks: readonly Uint8Array[], recordBytesMost = GIB) {
  const sink = new Collected();
  const framer = new BaldrFramer(sink, { recordBytesMost });
  let damage: string | undefined;
  try {
    pushAll(framer, chunks);
    framer.finish();
  } catch (thrown) {
    assert.ok(thrown instanceof SluiceError);
    assert.equal(thrown.fault, "corrupt");
    damage = thrown.detail;
  }
  assert.equal(framer.records, sink.records.length);
  return { records: sink.texts, wholeBytes: framer.wholeBytes, bytes: framer.bytes, damage };
}

/** All ways to cut a stream in two, and the one into single bytes. */
function* cuts(stream: Uint8Array): Generator<Uint8Array[]> {
  yield Array.from(stream, (byte) => Uint8Array.of(byte));
  for (let cut = 0; cut <= stream.length; cut++) {
    yield [stream.subarray(0, cut), stream.subarray(cut)];
  }
}

const sound: [name: string, records: string[]][] = [
  ["nothing", []],
  ["one record", ["abc"]],
  ["an empty record", [""]],
  ["empty records among others", ["", "a", "", "", "bcd", ""]],
  ["records of NUL and LF bytes", ["\0\0\0\0\0\0\0\0", "\n", "\0"]],
  ["a record over 255 bytes", ["x".repeat(300), "y"]],
];

for (const [name, records] of sound) {
  Deno.test(`BaldrFramer reads ${name}, cut anywhere`, () => {
    const stream = baldrOf(records);
    for (const chunks of cuts(stream)) {
      assert.deepEqual(read(chunks), {
        records,
        wholeBytes: stream.length,
        bytes: stream.length,
        damage: undefined,
      });
    }
  });
}

const damaged: [name: string, tail: Uint8Array, damage: string][] = [
  ["a length of -1", lengthBytes(-1), "its length is negative, -1"],
  [
    "the most negative length",
    lengthBytes(-(2n ** 63n)),
    "its length is negative, -9223372036854775808",
  ],
  ["a length over the most", lengthBytes(101), "its length is 101, where at most 100 is allowed"],
  [
    "a length over 2^32 with a small low half",
    lengthBytes(2n ** 32n + 5n),
    "its length is 4294967301, where at most 100 is allowed",
  ],
  [
    "the largest length",
    lengthBytes(2n ** 63n - 1n),
    "its length is 9223372036854775807, where at most 100 is allowed",
  ],
  ["half a length", new Uint8Array(4), "only 4 of the 8 bytes of its length are there"],
  ["a length and no bytes", lengthBytes(7), "only 0 of its 7 bytes are there"],
  [
    "a record without its end",
    joined([lengthBytes(7), new Uint8Array(6)]),
    "only 6 of its 7 bytes are there",
  ],
];

for (const [name, tail, damage] of damaged) {
  Deno.test(`BaldrFramer refuses ${name} behind the whole records, cut anywhere`, () => {
    for (const records of [[], ["abc", ""]]) {
      const before = baldrOf(records);
      const stream = joined([before, tail]);
      for (const chunks of cuts(stream)) {
        const seen = read(chunks, 100);
        assert.deepEqual(seen.records, records);
        assert.equal(seen.wholeBytes, before.length);
        assert.equal(seen.damage, damage);
      }
    }
  });
}

Deno.test("BaldrFramer says at which byte the damaged record begins", () => {
  const framer = new BaldrFramer(new Collected(), { recordBytesMost: 100 });
  framer.push(baldrOf(["abc", "de"]));
  assert.throws(() => framer.push(lengthBytes(-5)), {
    message: "Cannot read the record at byte 21: its length is negative, -5",
  });
});

Deno.test("BaldrFramer hands on a record of more than 4 GiB in the parts that come", () => {
  const sink = new Collected();
  const framer = new BaldrFramer(sink, { recordBytesMost: 2 ** 40 });
  framer.push(lengthBytes(5 * GIB));
  framer.push(new Uint8Array(10));
  framer.push(new Uint8Array(20));
  assert.equal(sink.parts, 2);
  assert.throws(() => framer.finish(), /only 30 of its 5368709120 bytes are there/);
});

Deno.test("BaldrFramer allocates nothing for what a length announces", () => {
  const before = Deno.memoryUsage();
  for (let i = 0; i < 1_000; i++) {
    const framer = new BaldrFramer({ record: () => {} }, { recordBytesMost: GIB });
    framer.push(lengthBytes(GIB));
    framer.push(Uint8Array.of(1));
  }
  const after = Deno.memoryUsage();
  assert.ok(after.external - before.external < 16e6, `${after.external - before.external} bytes`);
});

Deno.test("BaldrFramer looks at nothing behind a stop", () => {
  for (let cut = 0; cut <= 40; cut++) {
    const seen: string[] = [];
    const framer: BaldrFramer = new BaldrFramer({
      record: (bytes, start, end) => {
        seen.push(String.fromCharCode(...bytes.subarray(start, end)));
        if (seen.join("") === "abcde") framer.stop();
      },
    }, { recordBytesMost: GIB });
    const stream = joined([baldrOf(["abc", "de"]), lengthBytes(-1), new Uint8Array(11)]);
    framer.push(stream.slice(0, cut));
    framer.push(stream.slice(cut));
    framer.finish();
    assert.equal(seen.join(""), "abcde");
    assert.equal(framer.records, 2);
  }
});

Deno.test("putLength() writes what the format says, and not more", () => {
  for (const length of [0, 1, 255, 256, 65_535, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]) {
    const out = new Uint8Array(LENGTH_BYTES + 2).fill(7);
    putLength(out, 1, length);
    assert.deepEqual(out.subarray(1, 9), lengthBytes(length));
    assert.deepEqual([out[0], out[9]], [7, 7]);
  }
});

const anyRecords = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });

/** A stream in chunks of these sizes, taken in turn. */
function inChunks(stream: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, i = 0; at < stream.length; i++) {
    const end = at + (sizes[i % sizes.length] ?? 1);
    chunks.push(stream.subarray(at, end));
    at = end;
  }
  return chunks;
}

Deno.test("BaldrFramer gives back any records in any chunks", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(anyRecords, sizes, (records, sizes) => {
      const seen = read(inChunks(baldrOf(records), sizes));
      assert.equal(seen.damage, undefined);
      assert.deepEqual(seen.records, records.map((record) => String.fromCharCode(...record)));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("BaldrFramer gives every whole record before any cut, and takes a cut for an end only between records", () => {
  fc.assert(
    fc.property(anyRecords, (records) => {
      const stream = baldrOf(records);
      const ends = [0];
      for (const record of records) ends.push((ends.at(-1) ?? 0) + LENGTH_BYTES + record.length);
      for (let cut = 0; cut <= stream.length; cut++) {
        const whole = ends.findLastIndex((end) => end <= cut);
        const seen = read([stream.subarray(0, cut)]);
        assert.equal(seen.records.length, whole);
        assert.equal(seen.wholeBytes, ends[whole]);
        assert.equal(seen.damage === undefined, ends[whole] === cut);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("BaldrFramer takes any bytes without another error than corrupt", () => {
  const lengthLike = fc.tuple(
    fc.integer({ min: -3, max: 40 }).map(lengthBytes),
    fc.uint8Array({ maxLength: 30 }),
  ).map(joined);
  fc.assert(
    fc.property(fc.array(lengthLike, { maxLength: 8 }), (pieces) => {
      const stream = joined(pieces);
      const whole = read([stream], 35);
      assert.deepEqual(
        read(Array.from(stream, (byte) => Uint8Array.of(byte)), 35).records,
        whole.records,
      );
      assert.ok(whole.wholeBytes <= stream.length);
    }),
    { numRuns: 3_000 },
  );
});
