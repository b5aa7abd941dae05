import assert from "node:assert/strict";
import type { CutObject } from "../../lib/archive/cut_object.ts";
import { crc32c } from "../../lib/formats/crc32c.ts";
import { gzipEnd, gzipHeader } from "../../lib/formats/gzip_parts.ts";
import { notesToExtra, notesToMetadata, type ObjectNotes } from "../../lib/formats/object_notes.ts";
import { baldrOf, gzipped } from "../support/baldr.ts";
import { textOf } from "../support/syslog_reading.ts";
import { Bench, notesOf } from "./makers.ts";

const never = new AbortController().signal;

function objectOf(bench: Bench, notes: ObjectNotes): CutObject {
  const body = bench.body();
  body.finish(gzipHeader(notesToExtra(notes)), gzipEnd(0, 0));
  return { notes, body };
}

/** A store with objects of these limits behind each other. */
async function chained(...offsets: bigint[]): Promise<Bench> {
  const bench = new Bench();
  for (const [i, next] of offsets.slice(1).entries()) {
    const notes = notesOf(offsets[i] ?? 0n, next);
    assert.deepEqual(await bench.chain().put(objectOf(bench, notes), never), { kind: "put" });
  }
  return bench;
}

Deno.test("a chain is gone along to where the next object is missing", async () => {
  const bench = await chained(5n, 9n, 20n, 21n);
  const { tip, over } = await bench.chain().hop(9n);
  assert.equal(tip, 21n);
  assert.deepEqual(over.map(({ firstOffset }) => firstOffset), [9n, 20n]);
  assert.deepEqual(await bench.chain().hop(7n), { tip: 7n, over: [] }, "no object begins inside");
  assert.deepEqual(await bench.chain(1).hop(5n), { tip: 5n, over: [] }, "another partition");
});

Deno.test("the newest object is that of the highest offset, not that of the last key", async () => {
  const bench = await chained(9_999_999_998n, 9_999_999_999n, 10_000_000_000n, 10_000_000_007n);
  assert.equal((await bench.chain().newest())?.nextOffset, 10_000_000_007n);
  assert.equal(await bench.chain(1).newest(), undefined);
  await bench.chain(2).tellGap(notesOf(0n, 9n));
  assert.equal(await bench.chain(2).newest(), undefined, "a note for people is no object");
});

Deno.test("when the newest object is removed while it is looked for, the one before it is taken", async () => {
  const bench = await chained(0n, 4n, 8n);
  const key = bench.chain().keyOf(4n);
  bench.store.before = (act, what) => {
    if (act === "head" && what === key) bench.store.objects.delete(key);
  };
  assert.equal((await bench.chain().newest())?.nextOffset, 4n);
});

Deno.test("an object says what it is, outside and inside", async () => {
  const bench = await chained(0n, 4n);
  const [[key, kept] = ["", undefined]] = [...bench.store.objects];
  assert.equal(key, "g/t/partition=0/0000000000.baldr.gz");
  assert.equal(kept?.metadata["next-offset"], "4");
  // A folder, and many a tool that copies, keeps no metadata.
  bench.store.objects.set(key, { ...kept as NonNullable<typeof kept>, metadata: {} });
  assert.deepEqual(await bench.chain().at(0n), notesOf(0n, 4n));
});

Deno.test("objects of the other format belong to the chain as well", async () => {
  const bench = await chained(0n, 4n);
  const records = bench.chain(0, "record");
  const notes = notesOf(4n, 8n, { format: "record" });
  await records.put(objectOf(bench, notes), never);
  assert.equal((await bench.chain().hop(0n)).tip, 8n);
  assert.equal((await records.hop(0n)).tip, 8n);
});

Deno.test("of two writers at one offset the second is refused and told of the first", async () => {
  const bench = await chained(0n, 4n);
  const notes = notesOf(0n, 6n, { writer: "them" });
  const result = await bench.chain().put(objectOf(bench, notes), never);
  assert.deepEqual(result, { kind: "taken", notes: notesOf(0n, 4n) });
  assert.equal(bench.store.objects.size, 1);
});

for (
  const [what, writer, nextOffset, kind] of [
    ["our own, the reply to which was lost, counts as put", "us", 4n, "put"],
    ["ours that ends elsewhere is another one", "us", 3n, "taken"],
    ["another's of the same range is another's", "them", 4n, "taken"],
  ] as const
) {
  Deno.test(`an object in our object's place: ${what}`, async () => {
    const bench = await chained(0n, 4n);
    const notes = notesOf(0n, nextOffset, { writer });
    assert.equal((await bench.chain().put(objectOf(bench, notes), never)).kind, kind);
  });
}

Deno.test("refused for an object that is not there any more, a put is tried again", async () => {
  const bench = await chained(0n, 4n);
  bench.store.before = (act) => void (act === "head" && bench.store.objects.clear());
  const again = bench.chain().put(objectOf(bench, notesOf(0n, 4n)), never);
  await assert.rejects(again, { fault: "transient" });
});

const tellsNothing: [what: string, bytes: Uint8Array, fault: string][] = [
  ["is no gzip", new Uint8Array(100_000), "corrupt"],
  ["is cut", gzipped(baldrOf(["a", "b"])).subarray(0, -9), "corrupt"],
  ["holds no record", gzipped(baldrOf([])), "permanent"],
];

for (const [what, bytes, fault] of tellsNothing) {
  Deno.test(`a file without notes that ${what} stops the chain with advice`, async () => {
    const bench = new Bench();
    await bench.store.put(bench.chain().keyOf(0n), bytes);
    const detail = /no notes of sluice, .* choose another --group or prefix/;
    await assert.rejects(bench.chain().hop(0n), { fault, detail });
    await assert.rejects(bench.chain().newest(), { fault, detail });
  });
}

Deno.test("a file of the predecessor ends behind as many offsets as it has records", async () => {
  const bench = new Bench();
  const chain = bench.chain();
  await bench.store.put(chain.keyOf(7n), gzipped(baldrOf(["a", "", "c"])));
  assert.equal((await chain.newest())?.nextOffset, 10n);
  await bench.store.put(chain.keyOf(10n), gzipped(baldrOf(["d"])));
  const { tip, over } = await chain.hop(7n);
  assert.equal(tip, 11n);
  assert.deepEqual(over.map(({ records }) => records), [3, 1]);
  assert.equal(over[1]?.crc32c, crc32c(baldrOf(["d"])));
});

Deno.test("an object that was renamed is not taken for the one that belongs there", async () => {
  const bench = await chained(0n, 4n);
  const [kept] = bench.store.objects.values();
  assert.ok(kept);
  bench.store.objects.set(bench.chain().keyOf(4n), kept);
  await assert.rejects(bench.chain().hop(0n), { fault: "corrupt" });
});

Deno.test("a gap is told of beside the object that closes it", async () => {
  const bench = new Bench();
  const notes = notesOf(3n, 17n, { records: 0, gap: "retention" });
  await bench.chain().tellGap(notes);
  const [[key, kept] = ["", undefined]] = [...bench.store.objects];
  assert.equal(key, "g/t/partition=0/gap-0000000003-0000000017.json");
  const told = JSON.parse(textOf(kept?.bytes ?? new Uint8Array(0)));
  assert.deepEqual([told.topic, told.partition, told.from, told.to], ["t", 0, "3", "17"]);
  assert.equal((await bench.chain().hop(3n)).tip, 3n);
  assert.ok(notesToMetadata(notes)["gap"]);
});
