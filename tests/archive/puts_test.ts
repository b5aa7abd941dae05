import assert from "node:assert/strict";
import { Commits } from "../../lib/archive/commits.ts";
import { Counts } from "../../lib/archive/counts.ts";
import type { Partition } from "../../lib/archive/partition.ts";
import { Puts } from "../../lib/archive/puts.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { Permits } from "../../lib/core/permits.ts";
import { gzipEnd, gzipHeader } from "../../lib/formats/gzip_parts.ts";
import { notesToExtra } from "../../lib/formats/object_notes.ts";
import { addRecord, Bench, notesOf } from "./makers.ts";
import { turn } from "./rig.ts";

class PutBench extends Bench {
  readonly counts = new Counts();
  readonly committed: bigint[] = [];
  readonly told: bigint[] = [];
  readonly one: Partition;
  readonly puts: Puts;
  isHeld = true;
  changes = 0;
  send: () => Promise<void> = () => Promise.resolve();
  notify: () => Promise<void> = () => Promise.resolve();
  readonly #stop = new AbortController();

  constructor() {
    super();
    const { world, counts } = this;
    const commits = new Commits(
      async (sent) => {
        await this.send();
        this.committed.push(...sent.map(({ offset }) => offset));
      },
      world,
      counts,
    );
    commits.run(this.#stop.signal);
    this.one = this.partition();
    this.puts = new Puts(this.one, {
      ...{ world, counts, commits, permits: new Permits(1) },
      holds: () => this.isHeld,
      notify: async (_partition, notes) => {
        this.told.push(notes.nextOffset);
        await this.notify();
      },
      timePut: () => {},
      changed: () => this.changes++,
    });
  }

  /** Cuts an object of so many records. */
  cut(...values: string[]): void {
    for (const value of values) addRecord(this.one.filling(), value);
    this.one.cut();
  }

  get keys(): string[] {
    return [...this.store.objects.keys()].map((key) => key.slice(key.lastIndexOf("/") + 1));
  }

  /** An object of another writer. */
  async foreign(firstOffset: bigint, nextOffset: bigint): Promise<void> {
    const notes = notesOf(firstOffset, nextOffset, { writer: "them" });
    const body = this.body();
    body.finish(gzipHeader(notesToExtra(notes)), gzipEnd(0, 0));
    await this.chain().put({ notes, body }, new AbortController().signal);
  }

  async idle(): Promise<void> {
    for (let i = 0; i < 100 && !this.puts.isIdle; i++) await this.world.time.pass(1_000);
    assert.ok(this.puts.isIdle, "it does not come to rest");
  }

  assertEmpty(): void {
    assert.deepEqual([this.memory.usedBytes, this.memory.fillers], [0, 0]);
    assert.equal(this.spoolUse.usedBytes, 0);
  }
}

const away = () => {
  throw new SluiceError("put", "transient", "the store is away");
};

Deno.test("objects are put in order, told of, committed, and held no more", async () => {
  const bench = new PutBench();
  bench.cut("a", "b");
  bench.cut("c");
  assert.equal(bench.puts.isIdle, false);
  bench.puts.wake();
  await bench.idle();
  assert.deepEqual(bench.keys, ["0000000000.baldr.gz", "0000000002.baldr.gz"]);
  assert.deepEqual([bench.told, bench.committed.at(-1)], [[2n, 3n], 3n]);
  assert.equal(bench.one.tip, 3n);
  const { counts } = bench;
  assert.deepEqual([counts.objects, counts.records, counts.rawBytes], [2, 3, 27]);
  assert.deepEqual(counts.topics.get("t")?.records, 3);
  bench.assertEmpty();
});

Deno.test("nothing is committed before it is in the store and told of", async () => {
  const bench = new PutBench();
  const gate = Promise.withResolvers<void>();
  bench.notify = () => gate.promise;
  bench.cut("a");
  bench.store.before = away;
  bench.puts.wake();
  await bench.world.time.pass(5_000);
  assert.deepEqual([bench.told, bench.committed], [[], []]);
  bench.store.before = () => {};
  await bench.world.time.pass(20_000);
  assert.deepEqual([bench.told, bench.committed], [[1n], []]);
  assert.equal(bench.puts.isIdle, false);
  gate.resolve();
  await bench.idle();
  assert.deepEqual(bench.committed, [1n]);
});

Deno.test("a store that is away is tried on, with one line at each end", async () => {
  const bench = new PutBench();
  bench.store.before = away;
  bench.cut("a");
  bench.puts.wake();
  await bench.world.time.pass(60_000);
  assert.match(bench.puts.trouble ?? "", /is away/);
  assert.ok(bench.counts.putErrors > 5 && bench.counts.putErrors < 30);
  bench.store.before = () => {};
  await bench.idle();
  assert.equal(bench.puts.trouble, null);
  assert.deepEqual(bench.world.said("warn"), ["Cannot put an object, trying on"]);
  assert.deepEqual(bench.world.said("info"), ["Objects are put again"]);
});

Deno.test("a lost reply makes no second object, and the counts are right", async () => {
  const bench = new PutBench();
  const { put } = bench.store;
  bench.store.put = async (...given) => {
    bench.store.put = put;
    await put.apply(bench.store, given);
    return away();
  };
  bench.cut("a");
  bench.puts.wake();
  await bench.idle();
  assert.deepEqual([bench.counts.objects, bench.counts.adopted], [1, 0]);
  assert.deepEqual(bench.committed, [1n]);
  bench.assertEmpty();
});

Deno.test("when another writer was first, the partition goes on after it with nothing kept", async () => {
  const bench = new PutBench();
  await bench.foreign(0n, 7n);
  bench.cut("a", "b");
  bench.cut("c");
  addRecord(bench.one.filling(), "d");
  bench.puts.wake();
  await bench.idle();
  assert.deepEqual([bench.one.tip, bench.one.fetchOffset], [7n, 7n]);
  assert.deepEqual([bench.keys.length, bench.counts.adopted, bench.counts.objects], [1, 1, 0]);
  assert.deepEqual([bench.committed, bench.told], [[7n], []]);
  bench.assertEmpty();
});

Deno.test("whoever waits for a partition to be finished hears of the last commit after a refusal", async () => {
  const bench = new PutBench();
  await bench.foreign(0n, 7n);
  const gate = Promise.withResolvers<void>();
  bench.send = () => gate.promise;
  bench.cut("a");
  bench.puts.wake();
  await turn();
  assert.equal(bench.puts.isIdle, false);
  const { changes } = bench;
  gate.resolve();
  await turn();
  assert.equal(bench.puts.isIdle, true);
  assert.ok(bench.changes > changes, "nobody is told");
});

Deno.test("while it may be another's nothing of a partition is put", async () => {
  const bench = new PutBench();
  bench.isHeld = false;
  bench.cut("a");
  bench.puts.wake();
  await bench.world.time.pass(30_000);
  assert.deepEqual(bench.keys, []);
  bench.isHeld = true;
  await bench.idle();
  assert.equal(bench.keys.length, 1);
});

Deno.test("a partition that is lost in the middle leaves nothing behind", async () => {
  const bench = new PutBench();
  bench.store.before = away;
  bench.cut("a");
  bench.cut("b");
  bench.puts.wake();
  await bench.world.time.pass(3_000);
  await bench.one.leave();
  await bench.world.time.pass(20_000);
  assert.deepEqual([bench.keys, bench.committed], [[], []]);
  bench.assertEmpty();
});

Deno.test("an object whose block was lost is fetched again", async () => {
  const bench = new PutBench();
  bench.deflater.before = away;
  bench.cut("a");
  bench.puts.wake();
  await turn();
  const { epoch, fetchOffset, waiting } = bench.one;
  assert.deepEqual([epoch, fetchOffset, waiting.length], [1, 0n, 0]);
  bench.assertEmpty();
});

Deno.test("an object whose spooled bytes are gone is fetched again", async () => {
  const bench = new PutBench();
  addRecord(bench.one.filling(), "a");
  bench.one.open?.seal();
  bench.one.open?.spoolNow();
  await turn();
  const [file] = bench.files;
  if (file) file.isRemoved = true;
  bench.one.cut();
  bench.puts.wake();
  await turn();
  const { epoch, fetchOffset } = bench.one;
  assert.deepEqual([epoch, fetchOffset, bench.keys], [1, 0n, []]);
  bench.assertEmpty();
});

Deno.test("what is cut while the last object is being put is put at once, too", async () => {
  const bench = new PutBench();
  bench.cut("a");
  bench.puts.wake();
  // In every turn in which it may be about to end.
  for (let i = 0; i < 40; i++) {
    await null;
    if (bench.one.waiting.length > 0) continue;
    bench.cut("b");
    bench.puts.wake();
  }
  await bench.idle();
  assert.equal(bench.one.waiting.length, 0);
  assert.equal(bench.one.tip, bench.one.takenOffset);
});

Deno.test("a gap is counted and told of, and what comes after does not overtake it", async () => {
  const bench = new PutBench();
  bench.store.before = (_act, key) => void (key.endsWith(".json") && away());
  bench.one.cutGap(9n);
  bench.cut("a");
  bench.puts.wake();
  await bench.world.time.pass(3_000);
  assert.deepEqual([bench.told, bench.committed.at(-1)], [[9n, 10n], 10n]);
  assert.equal(bench.puts.isIdle, false, "the note for people is still to be written");
  bench.store.before = () => {};
  await bench.idle();
  assert.deepEqual([bench.counts.gaps, bench.counts.gapOffsets], [1, 9n]);
  assert.ok(bench.keys.includes("gap-0000000000-0000000009.json"));
  assert.deepEqual(bench.committed, bench.committed.toSorted((a, b) => Number(a - b)));
});
