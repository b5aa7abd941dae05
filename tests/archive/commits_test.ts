import assert from "node:assert/strict";
import { type Commit, Commits, metadataOf, topicIdOf } from "../../lib/archive/commits.ts";
import { Counts } from "../../lib/archive/counts.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { Bench } from "./makers.ts";
import { turn } from "./rig.ts";

class CommitBench extends Bench {
  readonly counts = new Counts();
  readonly sent: Commit[][] = [];
  readonly stop = new AbortController();
  send: () => Promise<void> = () => Promise.resolve();
  readonly commits = new Commits(
    (commits) => {
      this.sent.push([...commits]);
      return this.send();
    },
    this.world,
    this.counts,
  );
  readonly running = this.commits.run(this.stop.signal);

  async end(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  get offsets(): bigint[][] {
    return this.sent.map((one) => one.map(({ offset }) => offset));
  }
}

const busy = () => Promise.reject(new SluiceError("commit offsets", "transient", "rebalance"));

Deno.test("all partitions are committed in one request, with the topic's id", async () => {
  const bench = new CommitBench();
  const [one, two] = [bench.partition(0n, 0), bench.partition(0n, 1)];
  one.topicId = "abc";
  const done = [bench.commits.commit(one, 5n), bench.commits.commit(two, 7n)];
  assert.deepEqual(await Promise.all(done), [true, true]);
  assert.deepEqual(bench.sent, [[
    { topic: "t", partition: 0, offset: 5n, metadata: "topic-id=abc" },
    { topic: "t", partition: 1, offset: 7n, metadata: "" },
  ]]);
  assert.equal(bench.counts.commits, 1);
  await bench.end();
});

Deno.test("what comes while a request is under way goes with the next one", async () => {
  const bench = new CommitBench();
  const partition = bench.partition();
  const reply = Promise.withResolvers<void>();
  bench.send = () => reply.promise;
  const first = bench.commits.commit(partition, 5n);
  await turn();
  const others = [bench.commits.commit(partition, 6n), bench.commits.commit(partition, 7n)];
  await turn();
  assert.deepEqual(bench.offsets, [[5n]]);
  reply.resolve();
  assert.deepEqual(await Promise.all([first, ...others]), [true, true, true]);
  assert.deepEqual(bench.offsets, [[5n], [7n]]);
  await bench.end();
});

Deno.test("the highest offset is committed, whatever order they come in", async () => {
  const bench = new CommitBench();
  const partition = bench.partition();
  bench.send = busy;
  const done = [bench.commits.commit(partition, 9n)];
  await turn();
  done.push(bench.commits.commit(partition, 5n));
  bench.send = () => Promise.resolve();
  await bench.world.time.pass(200);
  assert.deepEqual(await Promise.all(done), [true, true]);
  assert.deepEqual(bench.offsets, [[9n], [9n]]);
  await bench.end();
});

Deno.test("what fails is tried on, without a word while the group is being shared out", async () => {
  const bench = new CommitBench();
  bench.send = busy;
  const done = bench.commits.commit(bench.partition(), 5n);
  await bench.world.time.pass(60_000);
  assert.ok(bench.sent.length > 5 && bench.sent.length < 30, `${bench.sent.length} tries`);
  assert.deepEqual([bench.world.said("error"), bench.commits.trouble], [[], null]);
  bench.send = () => Promise.reject(new SluiceError("commit offsets", "denied", "no right"));
  await bench.world.time.pass(60_000);
  assert.deepEqual(bench.world.said("error"), ["Cannot commit offsets, trying on"]);
  assert.match(bench.commits.trouble ?? "", /no right/);
  bench.send = () => Promise.resolve();
  await bench.world.time.pass(10_000);
  assert.equal(await done, true);
  assert.equal(bench.commits.trouble, null);
  await bench.end();
});

Deno.test("a partition that was lost is committed no more, and does not hold the others", async () => {
  const bench = new CommitBench();
  const [lost, kept] = [bench.partition(0n, 0), bench.partition(0n, 1)];
  bench.send = busy;
  const done = [bench.commits.commit(lost, 5n), bench.commits.commit(kept, 7n)];
  await turn();
  await lost.leave();
  bench.send = () => Promise.resolve();
  await bench.world.time.pass(1_000);
  assert.deepEqual(await Promise.all(done), [false, true]);
  assert.deepEqual(bench.offsets.at(-1), [7n]);
  await bench.end();
});

Deno.test("at the end what is still ours is committed first", async () => {
  const bench = new CommitBench();
  bench.send = busy;
  const done = bench.commits.commit(bench.partition(), 5n);
  await turn();
  bench.stop.abort();
  bench.send = () => Promise.resolve();
  await bench.world.time.pass(1_000);
  await bench.running;
  assert.equal(await done, true);
});

Deno.test("the topic's id is read back from what was committed beside the offset", () => {
  assert.equal(topicIdOf(metadataOf("abc")), "abc");
  for (const other of [null, "", "something else", metadataOf("")]) {
    assert.equal(topicIdOf(other), "");
  }
});
