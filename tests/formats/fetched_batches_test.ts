import assert from "node:assert/strict";
import fc from "fast-check";
import { SluiceError } from "../../lib/core/errors.ts";
import { checkBatch, controlTypeOf, readBatchHead } from "../../lib/formats/fetched_batches.ts";
import { appendRecord, RecordBatch, sealBatch } from "../../lib/formats/record_batch.ts";
import { readFetched } from "../support/fetched_reading.ts";
import { joined, madeBatch, madeMarker, type MadeRecord } from "../support/made_batches.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);
const isFault = (fault: string) => (thrown: unknown) =>
  thrown instanceof SluiceError && thrown.fault === fault;

const values = (...texts: string[]): MadeRecord[] =>
  texts.map((text, offsetDelta) => ({ offsetDelta, value: bytesOf(text) }));

/** What a reader of one answer gets: offsets and values. */
function delivered(
  batches: readonly Uint8Array[],
  aborted: readonly (readonly [producerId: bigint, firstOffset: bigint])[] = [],
  wanted = 0n,
): string {
  const list = aborted.map(([producerId, firstOffset]) => ({ producerId, firstOffset }));
  const { records, nextOffset } = readFetched({ records: joined(batches), aborted: list }, wanted);
  const seen = records.map(({ offset, value }) => `${offset}${textOf(value)}`);
  return `${seen.join(" ")} -> ${nextOffset}`;
}

Deno.test("readBatchHead() tells what the header says", () => {
  const bytes = madeBatch({
    ...{ baseOffset: 2n ** 40n, records: values("a", "b"), lastOffsetDelta: 6, producerId: 77n },
    ...{ codec: 4, isTransactional: true, isLogAppendTime: true },
    ...{ baseTimestampMs: -5n, maxTimestampMs: 2n ** 62n },
  });
  assert.deepEqual(readBatchHead(joined([Uint8Array.of(1, 2, 3), bytes]), 3), {
    ...{ baseOffset: 2n ** 40n, nextOffset: 2n ** 40n + 7n, sizeBytes: bytes.length, codec: 4 },
    ...{ isControl: false, isTransactional: true, isLogAppendTime: true, producerId: 77n },
    ...{ baseTimestampMs: -5n, maxTimestampMs: 2n ** 62n, count: 2 },
  });
});

Deno.test("a batch cut anywhere is no batch yet; the ones before it are read", () => {
  const first = madeBatch({ records: values("a", "b") });
  const second = madeBatch({ baseOffset: 2n, records: values("c") });
  for (let length = 0; length < second.length; length++) {
    assert.equal(readBatchHead(second.subarray(0, length), 0), null, `${length} bytes`);
    assert.equal(delivered([first, second.subarray(0, length)]), "0a 1b -> 2");
  }
  assert.equal(delivered([first, second]), "0a 1b 2c -> 3");
});

Deno.test("a flipped bit anywhere behind the version makes a batch corrupt", () => {
  const sound = madeBatch({ records: values("a", "b") });
  for (let at = 17; at < sound.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const bytes = sound.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 1 << bit;
      assert.throws(
        () => {
          const head = readBatchHead(bytes, 0);
          assert.ok(head, "its length is as it was");
          checkBatch(bytes, 0, head);
        },
        isFault("corrupt"),
        `bit ${bit} of byte ${at}`,
      );
    }
  }
});

Deno.test("batches of Kafka before 0.11 are refused by their version", () => {
  for (const magic of [0, 1]) {
    const bytes = madeBatch({ records: values("a"), magic });
    assert.throws(() => readBatchHead(bytes, 0), isFault("permanent"));
    assert.throws(() => readBatchHead(bytes, 0), new RegExp(`version ${magic}`));
  }
  const newer = madeBatch({ records: values("a"), magic: 3 });
  assert.throws(() => readBatchHead(newer, 0), isFault("corrupt"));
});

Deno.test("a head that cannot be is corrupt", () => {
  const sizes: [at: number, value: number][] = [[8, 48], [8, -1], [23, -1], [57, -1], [57, 3]];
  for (const [at, value] of sizes) {
    const bytes = madeBatch({ records: values("a", "b") });
    new DataView(bytes.buffer).setInt32(at, value);
    assert.throws(() => readBatchHead(bytes, 0), isFault("corrupt"), `${value} at ${at}`);
  }
});

Deno.test("what our own producer writes is read", () => {
  const batch = new RecordBatch(100_000);
  const headers = [{ key: bytesOf("h"), value: bytesOf("v") }];
  appendRecord(batch, { value: bytesOf("one"), timestampMs: 5_000, key: null, headers });
  appendRecord(batch, {
    value: bytesOf("two"),
    timestampMs: 4_000,
    key: bytesOf("k"),
    headers: [],
  });
  const records = sealBatch(batch, { producerId: 9n, producerEpoch: 1, baseSequence: 0 });
  const read = readFetched({ records, aborted: [] }, 0n);
  assert.deepEqual(
    read.records.map((one) => [one.timestampMs, textOf(one.key), textOf(one.value), one.headers]),
    [[5_000n, null, "one", headers], [4_000n, "k", "two", []]],
  );
});

Deno.test("compaction leaves holes in a batch, behind its records, and whole batches empty", () => {
  const holes = madeBatch({
    ...{ baseOffset: 10n, lastOffsetDelta: 9 },
    records: [{ offsetDelta: 3, value: bytesOf("a") }, { offsetDelta: 7, value: bytesOf("b") }],
  });
  const empty = madeBatch({ baseOffset: 20n, lastOffsetDelta: 4, records: [] });
  assert.equal(delivered([holes, empty]), "13a 17b -> 25");
});

Deno.test("a fetch that begins inside a batch gets nothing from before", () => {
  const batch = madeBatch({ baseOffset: 10n, records: values("a", "b", "c") });
  for (const [wanted, found] of [[9, "10a 11b 12c"], [11, "11b 12c"], [12, "12c"], [13, ""]]) {
    assert.equal(delivered([batch], [], BigInt(wanted ?? 0)), `${found} -> 13`);
  }
});

Deno.test("control batches deliver nothing and move on", () => {
  const marker = madeMarker("commit", 1n, 2n);
  const after = madeBatch({ baseOffset: 3n, records: values("z") });
  assert.equal(
    delivered([madeBatch({ records: values("a", "b") }), marker, after]),
    "0a 1b 3z -> 4",
  );
});

Deno.test("controlTypeOf() knows the ends of transactions, however long the fields before the key", () => {
  for (const type of ["abort", "commit"] as const) {
    const marker = madeMarker(type, 1n, 0n);
    const head = readBatchHead(marker, 0);
    assert.ok(head);
    assert.equal(controlTypeOf(marker, 0, head), type);
  }
  const key = Uint8Array.of(0, 0, 0, 1);
  const records = [{ offsetDelta: 0, timestampDelta: 2n ** 45n, key, value: new Uint8Array(200) }];
  const long = madeBatch({ records, isControl: true });
  const head = readBatchHead(long, 0);
  assert.ok(head);
  assert.equal(controlTypeOf(long, 0, head), "commit");
  const none = madeBatch({ records: [], isControl: true });
  const noneHead = readBatchHead(none, 0);
  assert.ok(noneHead);
  assert.throws(() => controlTypeOf(none, 0, noneHead), isFault("corrupt"));
});

const inTransaction = (producerId: bigint, baseOffset: bigint, text: string) =>
  madeBatch({ baseOffset, producerId, isTransactional: true, records: values(text) });

Deno.test("aborted transactions are left out, from their first offset to their marker", () => {
  const answer = [
    inTransaction(1n, 0n, "a"), // committed
    inTransaction(2n, 1n, "b"), // aborted
    madeMarker("commit", 1n, 2n),
    inTransaction(1n, 3n, "c"), // aborted
    madeBatch({ baseOffset: 4n, producerId: 1n, records: values("d") }), // in no transaction
    inTransaction(2n, 5n, "e"),
    madeMarker("abort", 2n, 6n),
    inTransaction(2n, 7n, "f"), // committed
    inTransaction(3n, 8n, "g"), // committed
    madeMarker("abort", 1n, 9n),
    inTransaction(1n, 10n, "h"), // aborted
    inTransaction(2n, 11n, "i"),
    madeMarker("commit", 2n, 12n),
    madeMarker("abort", 1n, 13n),
    madeMarker("commit", 3n, 14n),
  ];
  const aborted = [[2n, 1n], [1n, 3n], [1n, 10n]] as const;
  assert.equal(delivered(answer, aborted), "0a 4d 7f 8g 11i -> 15");
  // Under read-uncommitted no answer names any.
  assert.equal(delivered(answer), "0a 1b 3c 4d 5e 7f 8g 10h 11i -> 15");
});

Deno.test("a transaction whose marker lies in a later answer is aborted in both", () => {
  const first = [inTransaction(1n, 5n, "a"), inTransaction(2n, 6n, "b")];
  const second = [
    inTransaction(1n, 7n, "c"),
    madeMarker("abort", 1n, 8n),
    inTransaction(1n, 9n, "d"),
  ];
  // Each answer names all that overlap its range, with where they began.
  assert.equal(delivered(first, [[1n, 5n]], 5n), "6b -> 7");
  assert.equal(delivered(second, [[1n, 5n]], 7n), "9d -> 10");
});

Deno.test("an aborted transaction inside a batch's range counts from that batch on", () => {
  // The first offset of the transaction is in the middle of the range: compaction has put it there.
  const batch = madeBatch({
    ...{ baseOffset: 0n, producerId: 1n, isTransactional: true, lastOffsetDelta: 5 },
    records: [{ offsetDelta: 5, value: bytesOf("a") }],
  });
  assert.equal(delivered([batch], [[1n, 5n]]), " -> 6");
  assert.equal(delivered([batch], [[1n, 6n]]), "5a -> 6");
});

/** A history of transactions by several producers, with what a reader of it must get. */
const histories = fc.array(
  fc.record({ producer: fc.integer({ min: 0, max: 3 }), act: fc.integer({ min: 0, max: 5 }) }),
  { maxLength: 60 },
).map((acts) => {
  const batches: Uint8Array<ArrayBuffer>[] = [];
  const open = new Map<number, { first: bigint; texts: string[] }>();
  const aborted: { producerId: bigint; firstOffset: bigint; end: bigint }[] = [];
  const wanted: string[] = [];
  let offset = 0n;
  const end = (producer: number, type: "abort" | "commit") => {
    const one = open.get(producer);
    if (one === undefined) return;
    open.delete(producer);
    batches.push(madeMarker(type, BigInt(producer), offset));
    if (type === "commit") wanted.push(...one.texts);
    else aborted.push({ producerId: BigInt(producer), firstOffset: one.first, end: offset });
    offset++;
  };
  for (const { producer, act } of acts) {
    if (act === 4) end(producer, "commit");
    else if (act === 5) end(producer, "abort");
    else {
      const one = open.get(producer) ?? { first: offset, texts: [] };
      open.set(producer, one);
      one.texts.push(`${offset}v`);
      batches.push(inTransaction(BigInt(producer), offset, "v"));
      offset++;
    }
  }
  for (const producer of [...open.keys()]) end(producer, producer % 2 ? "abort" : "commit");
  return { batches, aborted, wanted: wanted.sort((a, b) => parseInt(a) - parseInt(b)) };
});

Deno.test("whatever producers do, what they committed comes out, cut into answers anywhere", () => {
  fc.assert(fc.property(
    histories,
    fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 }),
    ({ batches, aborted, wanted }, sizes) => {
      const seen: string[] = [];
      for (let at = 0, n = 0; at < batches.length; n++) {
        const part = batches.slice(at, at + (sizes[n % sizes.length] ?? 1));
        const [from, to] = [BigInt(at), BigInt(at + part.length)];
        // As a broker tells it: all that overlap the range.
        const list = aborted
          .filter(({ firstOffset, end }) => firstOffset < to && end >= from)
          .sort((a, b) => Number(a.firstOffset - b.firstOffset))
          .map(({ producerId, firstOffset }) => [producerId, firstOffset] as const);
        const text = delivered(part, list, from).replace(/ ?-> .*/, "");
        if (text !== "") seen.push(...text.split(" "));
        at += part.length;
      }
      assert.deepEqual(seen, wanted);
    },
  ));
});
