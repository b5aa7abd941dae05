import assert from "node:assert/strict";
import { listArchive } from "../../lib/archive/listing.ts";
import { PartitionReader } from "../../lib/archive/restore/partition_reader.ts";
import type { RestoreRange } from "../../lib/archive/restore/range.ts";
import type { RecordTaker } from "../../lib/archive/restore/target_writer.ts";
import { Throttle } from "../../lib/archive/restore/throttle.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { realWorld } from "../../lib/core/world.ts";
import {
  archivedObject,
  plainRecords,
  type SampleObject,
  type SampleRecord,
} from "../support/archive_objects.ts";
import { MemoryStore } from "../support/memory_store.ts";

/** Keeps the numbers in the values of what it gets. */
class Taken implements RecordTaker {
  hasRoom = true;
  readonly numbers: number[] = [];
  readonly timesMs: number[] = [];
  room = () => Promise.resolve();
  flush = () => {};

  tail(bytes: Uint8Array, start: number, end: number, timestampMs: number | bigint): void {
    const text = new TextDecoder().decode(bytes.subarray(start, end));
    this.numbers.push(Number(/(\d+):/.exec(text)?.[1]));
    this.timesMs.push(Number(timestampMs));
  }

  value(bytes: Uint8Array, start: number, end: number): void {
    this.tail(bytes, start, end, 0);
  }
}

async function storeOf(objects: readonly SampleObject[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const object of objects) {
    const { key, bytes } = archivedObject(object);
    await store.put(key, bytes);
  }
  return store;
}

interface Wish {
  readonly range?: RestoreRange;
  readonly source?: bigint;
  readonly skip?: number;
}

async function readFrom(store: MemoryStore, { range = {}, source, skip = 0 }: Wish = {}) {
  const world = { ...realWorld(() => {}), sleep: () => Promise.resolve(), nowMs: () => 5 };
  const { partitions: [partition] } = await listArchive(store);
  assert.ok(partition);
  const tools = {
    store,
    world,
    range,
    throttle: new Throttle(world, Infinity),
    signal: new AbortController().signal,
  };
  const reader = new PartitionReader(tools, partition);
  const taken = new Taken();
  const marks: string[] = [];
  const error = await reader.read(
    taken,
    { source: source ?? null, skip },
    (at) => marks.push(`${at}/${taken.numbers.length}`),
  ).then(() => undefined, (thrown: SluiceError) => thrown);
  const counting = new PartitionReader(tools, partition);
  if (error === undefined && source === undefined) {
    await counting.count(new Taken());
    assert.equal(counting.records, reader.records, "what a dry run tells");
    assert.equal(counting.objects, reader.objects);
    assert.deepEqual(counting.gaps, reader.gaps);
  }
  const gaps = reader.gaps.map(({ from, to, isRetention }) =>
    `${from}..${to}${isRetention ? " retention" : ""}`
  );
  return { ...taken, reader, marks, gaps, error };
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, n) => from + n);
}

const topic = "orders";
const chain: SampleObject[] = [
  { topic, first: 0, records: plainRecords(0, 100) },
  { topic, first: 100, next: 250, records: plainRecords(120, 100) },
  { topic, first: 250, records: plainRecords(250, 50) },
];
const everything = [...numbers(0, 100), ...numbers(120, 220), ...numbers(250, 300)];

Deno.test("a chain is read in order, holes within objects are no gaps", async () => {
  const seen = await readFrom(await storeOf(chain));
  assert.deepEqual(seen.numbers, everything);
  assert.equal(seen.timesMs[100], 1_790_000_000_120);
  assert.deepEqual(seen.marks, ["100/100", "250/200", "300/250"]);
  assert.deepEqual([seen.gaps, seen.error, seen.reader.objects], [[], undefined, 3]);
});

Deno.test("offsets of ten and of eleven digits come in the order of numbers", async () => {
  const at = 9_999_999_990;
  const store = await storeOf([
    { topic, first: at, records: plainRecords(at, 10) },
    { topic, first: at + 10, records: plainRecords(at + 10, 10) },
  ]);
  assert.deepEqual((await readFrom(store)).numbers, numbers(at, at + 20));
});

const ranges: [name: string, range: RestoreRange, wanted: number[]][] = [
  ["from an offset within an object", { fromOffset: 130n }, everything.filter((n) => n >= 130)],
  ["from an offset that is in no record", { fromOffset: 230n }, numbers(250, 300)],
  ["to an offset", { toOffset: 121n }, [...numbers(0, 100), 120]],
  ["between offsets", { fromOffset: 99n, toOffset: 122n }, [99, 120, 121]],
  ["beyond the end", { fromOffset: 300n }, []],
  ["from a time", { fromTimeMs: 1_790_000_000_290 }, numbers(290, 300)],
  ["to a time", { toTimeMs: 1_790_000_000_003 }, [0, 1, 2]],
  [
    "between times and offsets",
    { fromTimeMs: 1_790_000_000_090, toTimeMs: 1_790_000_000_125, toOffset: 122n },
    [...numbers(90, 100), 120, 121],
  ],
];
for (const [name, range, wanted] of ranges) {
  Deno.test(`whole records are chosen ${name}`, async () => {
    assert.deepEqual((await readFrom(await storeOf(chain), { range })).numbers, wanted);
  });
}

const values = chain.map((one) => ({ ...one, kind: "values" as const }));
const valueRanges: [name: string, range: RestoreRange, wanted: number[] | RegExp][] = [
  ["without a range", {}, everything],
  ["at the borders of objects", { fromOffset: 100n, toOffset: 250n }, numbers(120, 220)],
  ["by counting where none is missing", { fromOffset: 260n, toOffset: 262n }, [260, 261]],
  ["not where offsets are missing", { fromOffset: 110n }, /begin and end at 100 or 250/],
  ["by time as whole objects", { fromTimeMs: 1_790_000_000_210 }, [
    ...numbers(120, 220),
    ...numbers(250, 300),
  ]],
];
for (const [name, range, wanted] of valueRanges) {
  Deno.test(`values are chosen ${name}`, async () => {
    const seen = await readFrom(await storeOf(values), { range });
    if (wanted instanceof RegExp) assert.match(seen.error?.message ?? "", wanted);
    else assert.deepEqual(seen.numbers, wanted);
  });
}

Deno.test("values without notes are restored, and cannot be chosen by time", async () => {
  const store = await storeOf(values.map((one) => ({ ...one, bare: true })));
  assert.deepEqual((await readFrom(store)).numbers, everything);
  const seen = await readFrom(store, { range: { fromTimeMs: 1 } });
  assert.match(seen.error?.message ?? "", /by time: it holds values without their times/);
});

Deno.test("both kinds of objects may follow each other", async () => {
  const mixed = chain.map((one, i) => i === 1 ? { ...one, kind: "values" as const } : one);
  assert.deepEqual((await readFrom(await storeOf(mixed))).numbers, everything);
});

Deno.test("gaps are told, as far as they are in the range, and reading goes on", async () => {
  const store = await storeOf([
    ...chain,
    { topic, first: 310, records: plainRecords(310, 5) },
    { topic, first: 315, next: 400, records: [], gap: "retention" },
    { topic, first: 400, records: plainRecords(400, 1) },
  ]);
  const seen = await readFrom(store);
  assert.deepEqual(seen.gaps, ["300..310", "315..400 retention"]);
  assert.deepEqual(seen.numbers, [...everything, ...numbers(310, 315), 400]);
  const part = await readFrom(store, { range: { fromOffset: 299n, toOffset: 330n } });
  assert.deepEqual(part.gaps, ["300..310", "315..330 retention"]);
});

Deno.test("an object that overlaps the one before ends the partition", async () => {
  for (const bare of [false, true]) {
    const second = { topic, first: 50, records: plainRecords(50, 60), bare };
    const seen = await readFrom(await storeOf([chain[0] as SampleObject, second]));
    assert.deepEqual(seen.numbers, numbers(0, 100));
    assert.equal(seen.error?.fault, "corrupt");
    assert.match(seen.error?.message ?? "", /0000000050\.records\.gz: it overlaps/);
  }
  const twins = [chain[0] as SampleObject, values[0] as SampleObject];
  assert.match((await readFrom(await storeOf(twins))).error?.message ?? "", /overlaps/);
});

Deno.test("a damaged object ends the partition before its first record, whatever bit it is", async () => {
  const first = { topic, first: 0, records: plainRecords(0, 3) };
  const { key, bytes } = archivedObject({ topic, first: 3, records: plainRecords(3, 4, 5) });
  const flipped: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const copy = bytes.slice();
    copy[at] = (copy[at] ?? 0) ^ 1 << at % 8;
    flipped.push(copy);
  }
  const cut = [0, 1, 30, bytes.length - 9, bytes.length - 1].map((end) => bytes.slice(0, end));
  let noticed = 0;
  for (const damaged of [...flipped, ...cut]) {
    const store = await storeOf([first]);
    await store.put(key, damaged);
    const seen = await readFrom(store);
    if (seen.error === undefined) {
      // Bytes of the header that mean nothing: its flags, its time, its system; a word of the notes.
      assert.deepEqual(seen.numbers, numbers(0, 7));
      continue;
    }
    noticed++;
    assert.equal(seen.error.fault, "corrupt");
    assert.deepEqual(seen.numbers, numbers(0, 3), "nothing of a damaged object is handed on");
  }
  assert.ok(noticed > flipped.length / 2, `${noticed} of ${flipped.length} were noticed`);
});

Deno.test("an object whose notes say otherwise is refused", async () => {
  const lies: [lie: SampleObject["notes"], complaint: RegExp][] = [
    [{ records: 2 }, /it holds 3 records in .* and its notes say 2/],
    [{ uncompressedBytes: 1 }, /its notes say 3 in 1/],
    [{ firstOffset: 1n, records: 1 }, /its notes are of another object/],
    [{ format: "value" }, /its notes are of another object/],
  ];
  for (const [notes, complaint] of lies) {
    const seen = await readFrom(
      await storeOf([{
        topic,
        first: 0,
        next: 9,
        records: plainRecords(0, 3),
        notes: notes ?? {},
      }]),
    );
    assert.match(seen.error?.message ?? "", complaint);
    assert.deepEqual([seen.error?.fault, seen.numbers], ["corrupt", []]);
  }
});

Deno.test("a restore goes on behind a checkpoint, without the records that are written already", async () => {
  const store = await storeOf(chain);
  for (const skip of [0, 1, 99, 100, 101, 150]) {
    const seen = await readFrom(store, { source: 100n, skip });
    assert.deepEqual(seen.numbers, everything.slice(100 + skip), `skipping ${skip}`);
    assert.equal(seen.reader.notSkipped, 0);
  }
  const seen = await readFrom(store, { source: 250n, skip: 60 });
  assert.deepEqual([seen.numbers, seen.reader.notSkipped], [[], 10]);
  assert.deepEqual((await readFrom(store, { source: 300n })).numbers, []);
});

Deno.test("a skip counts wanted records alone", async () => {
  const range = { fromOffset: 150n, toTimeMs: 1_790_000_000_260 };
  const wanted = everything.filter((n) => n >= 150 && n < 260);
  const seen = await readFrom(await storeOf(chain), { range, skip: 7 });
  assert.deepEqual(seen.numbers, wanted.slice(7));
});

Deno.test("a gap at the seam is told by the run that finds it", async () => {
  const seen = await readFrom(await storeOf(chain.slice(2)), { source: 200n });
  assert.deepEqual([seen.gaps, seen.numbers], [["200..250"], numbers(250, 300)]);
});

Deno.test("a store that breaks off in the middle of an object is asked again; nothing comes twice", async () => {
  const large: SampleRecord[] = plainRecords(0, 20_000, 700);
  const store = await storeOf([{ topic, first: 0, records: large }]);
  const get = store.get.bind(store);
  let breaks = 0;
  store.pieceBytes = 64 * 1024;
  // Larger than what is kept in memory, so that it is read twice: to be proven and to be written.
  store.list = async function* () {
    const [key] = store.objects.keys();
    yield await Promise.resolve({
      key: key ?? "",
      sizeBytes: 9 * 1024 * 1024,
      etag: "",
      modifiedMs: 0,
    });
  };
  store.get = async (key, range) => {
    const source = await get(key, range);
    let pieces = 0;
    return {
      next: () => {
        if (++pieces === 3 && breaks < 5) {
          breaks++;
          throw new SluiceError(`get ${key}`, "transient", "connection reset");
        }
        return source.next();
      },
      close: () => source.close(),
    };
  };
  const seen = await readFrom(store);
  assert.deepEqual(seen.numbers, numbers(0, 20_000));
  assert.equal(breaks, 5);
});
