import assert from "node:assert/strict";
import { Commits } from "../../lib/archive/commits.ts";
import { Counts } from "../../lib/archive/counts.ts";
import type { Partition } from "../../lib/archive/partition.ts";
import { type Committed, Starts } from "../../lib/archive/starts.ts";
import type { Cluster, OffsetWish } from "../../lib/clients/kafka/kafka.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { Permits } from "../../lib/core/permits.ts";
import { gzipEnd, gzipHeader } from "../../lib/formats/gzip_parts.ts";
import { notesToExtra, type ObjectNotes } from "../../lib/formats/object_notes.ts";
import { Bench, notesOf } from "./makers.ts";
import { turn } from "./rig.ts";

interface Given {
  readonly committed?: bigint;
  readonly committedId?: string;
  readonly topicId?: string;
  readonly log?: readonly [earliest: bigint, latest: bigint];
  readonly resume?: "group" | "store";
}

class StartBench extends Bench {
  readonly counts = new Counts();
  readonly sent: bigint[] = [];
  readonly told: bigint[] = [];
  readonly one: Partition;
  started = 0;
  committed: () => Promise<Committed | null>;
  send: () => Promise<void> = () => Promise.resolve();
  log: readonly [bigint, bigint];
  /** What is wrong with the next answers of the cluster. */
  readonly problems: SluiceError[] = [];
  readonly #starts: Starts;

  constructor(given: Given = {}) {
    super();
    const { world, counts } = this;
    const { committed, committedId = "", topicId = "", resume = "group" } = given;
    this.log = given.log ?? [0n, 100n];
    this.committed = () =>
      Promise.resolve(
        committed === undefined ? null : { offset: committed, topicId: committedId },
      );
    const commits = new Commits(
      async (all) => {
        await this.send();
        this.sent.push(...all.map(({ offset }) => offset));
      },
      world,
      counts,
    );
    commits.run(new AbortController().signal);
    this.one = this.partition();
    this.one.state = "starting";
    this.#starts = new Starts({
      ...{ world, counts, commits, permits: new Permits(1) },
      cluster: {
        listOffsets: (wishes: OffsetWish[]) => this.#offsets(wishes),
      } as unknown as Cluster,
      settings: { resume, isolation: "read-committed" },
      committed: () => this.committed(),
      topicIdOf: () => topicId,
      notify: (_partition, { nextOffset }) => Promise.resolve(void this.told.push(nextOffset)),
      started: () => this.started++,
    });
  }

  #offsets(wishes: OffsetWish[]) {
    const error = this.problems.shift() ?? null;
    const offset = this.log[wishes[0]?.at === "earliest" ? 0 : 1];
    return Promise.resolve(
      wishes.map((wish) => ({ ...wish, offset: error ? null : offset, error })),
    );
  }

  async put(notes: ObjectNotes): Promise<void> {
    const body = this.body();
    body.finish(gzipHeader(notesToExtra(notes)), gzipEnd(0, 0));
    await this.chain().put({ notes, body }, new AbortController().signal);
  }

  start(): Promise<void> {
    return this.#starts.start(this.one);
  }
}

Deno.test("a partition nobody has begun with begins where its log does, which is committed first", async () => {
  const bench = new StartBench({ log: [7n, 100n] });
  const gate = Promise.withResolvers<void>();
  bench.send = () => gate.promise;
  const starting = bench.start();
  await turn();
  // Else another writer, for whom the log begins later, would begin another chain.
  assert.deepEqual([bench.one.state, bench.started], ["starting", 0]);
  gate.resolve();
  await starting;
  const { one } = bench;
  assert.deepEqual([one.state, one.tip, one.fetchOffset, one.endAtStart], [
    "reading",
    7n,
    7n,
    100n,
  ]);
  assert.deepEqual([bench.sent, bench.started, one.waiting.length], [[7n], 1, 0]);
});

Deno.test("a partition goes on where the group was, behind objects that are there already", async () => {
  const bench = new StartBench({ committed: 4n });
  await bench.put(notesOf(0n, 4n));
  await bench.put(notesOf(4n, 9n, { writer: "them" }));
  await bench.put(notesOf(9n, 11n));
  await bench.start();
  assert.deepEqual([bench.one.tip, bench.sent], [11n, [11n]]);
  assert.deepEqual([bench.told, bench.counts.adopted], [[9n, 11n], 2]);
});

Deno.test("what is committed already is not committed again", async () => {
  const bench = new StartBench({ committed: 4n });
  await bench.start();
  assert.deepEqual([bench.one.tip, bench.sent], [4n, []]);
});

Deno.test("when the group has forgotten where it was, the store remembers", async () => {
  const bench = new StartBench();
  await bench.put(notesOf(0n, 4n));
  await bench.put(notesOf(4n, 9n));
  await bench.start();
  assert.deepEqual([bench.one.tip, bench.sent, bench.told], [9n, [9n], []]);
});

Deno.test("--resume store goes on after the newest object, whatever was committed", async () => {
  const bench = new StartBench({ committed: 50n, resume: "store" });
  await bench.put(notesOf(0n, 4n));
  await bench.start();
  assert.deepEqual([bench.one.tip, bench.sent], [4n, [4n]]);
});

Deno.test("--resume store does not begin a second chain while the first object is on its way", async () => {
  const bench = new StartBench({ committed: 0n, resume: "store", log: [17n, 100n] });
  await bench.start();
  const [gap] = bench.one.waiting;
  assert.deepEqual([gap?.firstOffset, gap?.nextOffset], [0n, 17n]);
});

Deno.test("what retention has removed is closed by an object for the gap", async () => {
  const bench = new StartBench({ committed: 4n, log: [30n, 100n] });
  await bench.start();
  const [gap] = bench.one.waiting;
  assert.deepEqual([gap?.firstOffset, gap?.nextOffset, bench.one.fetchOffset], [4n, 30n, 30n]);
  const notes = (await gap?.object)?.notes;
  assert.deepEqual([notes?.gap, notes?.records], ["retention", 0]);
  assert.deepEqual(bench.world.said("error"), ["Kafka has deleted records that were not archived"]);
});

for (
  const [from, given, notes] of [
    ["the objects that are gone over", { committed: 0n }, notesOf(0n, 4n, { topicId: "old" })],
    ["what was committed", { committed: 4n, committedId: "old" }, null],
    ["the newest object", {}, notesOf(0n, 4n, { topicId: "old" })],
    [
      "the newest object, with --resume store",
      { resume: "store" },
      notesOf(0n, 4n, { topicId: "old" }),
    ],
  ] as const
) {
  Deno.test(`a topic that was made anew is refused, as ${from} tells`, async () => {
    const bench = new StartBench({ ...given, topicId: "new" });
    if (notes !== null) await bench.put(notes);
    const starting = bench.start();
    await bench.world.time.pass(100);
    assert.deepEqual([bench.one.state, bench.started, bench.sent], ["refused", 0, []]);
    assert.match(bench.one.trouble ?? "", /made anew \(id new, archived was old\)/);
    await bench.one.leave();
    await bench.world.time.pass(1);
    await starting;
  });
}

Deno.test("a log that ends before the chain is refused, and looked at again later", async () => {
  const bench = new StartBench({ committed: 101n });
  const starting = bench.start();
  await bench.world.time.pass(100);
  assert.deepEqual([bench.one.state, bench.sent], ["refused", []]);
  assert.match(bench.one.trouble ?? "", /up to offset 101, but Kafka has it up to 100 only/);
  bench.log = [0n, 200n];
  await bench.world.time.pass(60_000);
  await starting;
  assert.deepEqual([bench.one.state, bench.one.trouble], ["reading", null]);
  assert.deepEqual(bench.world.said("error"), ["Cannot begin with a partition, trying on"]);
});

Deno.test("a log that has grown while the chain was gone along is not refused", async () => {
  const bench = new StartBench({ committed: 90n });
  await bench.put(notesOf(90n, 120n));
  bench.store.before = () => void (bench.log = [0n, 130n]);
  await bench.start();
  assert.deepEqual([bench.one.tip, bench.one.endAtStart], [120n, 130n]);
});

Deno.test("what passes is tried on with one line at each end", async () => {
  const bench = new StartBench();
  for (let i = 0; i < 12; i++) {
    bench.problems.push(new SluiceError("ask", "transient", "no leader"));
  }
  const starting = bench.start();
  await bench.world.time.pass(60_000);
  await starting;
  assert.equal(bench.one.state, "reading");
  assert.deepEqual(bench.world.said("warn"), ["Cannot begin with a partition, trying on"]);
  assert.deepEqual(bench.world.said("info"), ["A partition can be archived now"]);
});

for (const leave of ["leave", "finish"] as const) {
  Deno.test(`a partition that is to ${leave} while it looks for its beginning is not begun with`, async () => {
    const bench = new StartBench({ committed: 4n, log: [30n, 100n] });
    const answer = Promise.withResolvers<Committed | null>();
    bench.committed = () => answer.promise;
    const starting = bench.start();
    await turn();
    await bench.one[leave]();
    answer.resolve({ offset: 4n, topicId: "" });
    await starting;
    assert.equal(bench.one.state, leave === "leave" ? "gone" : "leaving");
    assert.deepEqual([bench.started, bench.sent, bench.one.waiting.length], [0, [], 0]);
    assert.deepEqual(bench.world.said("error"), []);
  });
}
