import assert from "node:assert/strict";
import { Catalogue } from "../../lib/archive/catalogue.ts";
import type { Cluster, ListedTopic } from "../../lib/clients/kafka/kafka.ts";
import { VirtualWorld } from "./rig.ts";

class CatalogueBench {
  readonly world = new VirtualWorld();
  topics: ListedTopic[] = [topic("orders", "id-1", 2), topic("__consumer_offsets", "id-2", 50)];
  asked = 0;
  problem: Error | null = null;
  readonly catalogue = new Catalogue(
    { listTopics: () => this.#list() } as unknown as Cluster,
    { wants: (_name, isInternal) => !isInternal, discoverMs: 10_000 },
    this.world,
  );

  /** How long an answer takes. */
  answerMs = 0;

  async #list(): Promise<ListedTopic[]> {
    this.asked++;
    if (this.answerMs > 0) await this.world.sleep(this.answerMs);
    if (this.problem !== null) throw this.problem;
    return this.topics;
  }
}

function topic(name: string, id: string, partitions: number): ListedTopic {
  return { name, id, partitions, isInternal: name.startsWith("__") };
}

Deno.test("the catalogue has what is wanted of the cluster, with ids", async () => {
  const { catalogue } = new CatalogueBench();
  assert.equal(await catalogue.refresh(), true);
  assert.deepEqual(catalogue.topics, ["orders"]);
  assert.deepEqual(catalogue.partitions, [
    { topic: "orders", partition: 0 },
    { topic: "orders", partition: 1 },
  ]);
  assert.equal(catalogue.idOf("orders"), "id-1");
  assert.equal(catalogue.idOf("unknown"), "");
});

Deno.test("a cluster without topic ids has none", async () => {
  const bench = new CatalogueBench();
  bench.topics = [topic("a", "00000000-0000-0000-0000-000000000000", 1), topic("b", "", 1)];
  await bench.catalogue.refresh();
  assert.deepEqual([bench.catalogue.idOf("a"), bench.catalogue.idOf("b")], ["", ""]);
});

for (
  const [what, topics, isChange] of [
    ["a topic more", [topic("orders", "id-1", 2), topic("other", "id-3", 1)], true],
    ["a partition more", [topic("orders", "id-1", 3)], true],
    ["a topic made anew", [topic("orders", "id-9", 2)], true],
    ["no topic any more", [], true],
    ["a topic more that is not wanted", [topic("orders", "id-1", 2), topic("__x", "id", 1)], false],
    ["nothing new", [topic("orders", "id-1", 2)], false],
  ] as const
) {
  Deno.test(`${what} is ${isChange ? "a" : "no"} change`, async () => {
    const bench = new CatalogueBench();
    await bench.catalogue.refresh();
    bench.topics = [...topics];
    assert.equal(await bench.catalogue.refresh(), isChange);
  });
}

Deno.test("a cluster that is away leaves the catalogue as it was, with one line at each end", async () => {
  const bench = new CatalogueBench();
  await bench.catalogue.refresh();
  bench.problem = new Error("no broker");
  for (let i = 0; i < 3; i++) assert.equal(await bench.catalogue.refresh(), false);
  assert.deepEqual([bench.catalogue.trouble, bench.catalogue.topics], ["no broker", ["orders"]]);
  bench.problem = null;
  await bench.catalogue.refresh();
  assert.equal(bench.catalogue.trouble, null);
  assert.deepEqual(bench.world.said("warn"), ["Cannot list the topics, trying on"]);
  assert.deepEqual(bench.world.said("info"), ["Topics to archive", "Topics can be listed again"]);
});

Deno.test("many who want to look soon make one request, and not at once after the last", async () => {
  const bench = new CatalogueBench();
  await bench.catalogue.refresh();
  const all = Array.from({ length: 50 }, () => bench.catalogue.refreshSoon());
  await bench.world.time.pass(499);
  assert.equal(bench.asked, 1);
  bench.answerMs = 5;
  await bench.world.time.pass(10);
  await Promise.all(all);
  assert.equal(bench.asked, 2);
});

Deno.test("the cluster is looked at from time to time until the stop", async () => {
  const bench = new CatalogueBench();
  const stop = new AbortController();
  const seen: string[] = [];
  const watching = bench.catalogue.watch(
    stop.signal,
    () => seen.push("changed"),
    () => seen.push("refreshed"),
  );
  await bench.world.time.pass(25_000);
  assert.deepEqual(seen, ["changed", "refreshed", "refreshed"]);
  stop.abort();
  await watching;
  await bench.world.time.pass(60_000);
  assert.equal(bench.asked, 2);
});
