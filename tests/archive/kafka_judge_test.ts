import assert from "node:assert/strict";
import { ChainCheck, type OpenLink } from "../../lib/archive/verify/chain_check.ts";
import type { Finding } from "../../lib/archive/verify/facts.ts";
import {
  isSameTopic,
  judgeEnds,
  judgeGap,
  judgeOpenLink,
} from "../../lib/archive/verify/kafka_judge.ts";
import type { KafkaView, PartitionState } from "../../lib/archive/verify/kafka_view.ts";
import { lookAtObject } from "../../lib/archive/verify/look_at_object.ts";
import { realWorld } from "../../lib/core/world.ts";
import { listArchive, listObjects } from "../../lib/archive/listing.ts";
import { group, putObject } from "../support/archive_maker.ts";
import { MemoryStore } from "../support/memory_store.ts";

const of = { group, topic: "web", partition: 0 };
const encoder = new TextEncoder();

/** A Kafka with these records, by offset. */
class MadeKafka implements KafkaView {
  visited: bigint[] = [];

  constructor(
    readonly records: ReadonlyMap<bigint, string>,
    readonly state: Partial<PartitionState> = {},
  ) {}

  partitionsOf(): number {
    return 1;
  }

  stateOf(): Promise<PartitionState> {
    const end = 1_000n;
    const state = { topicId: "", logStart: 0n, lastStable: end, highWatermark: end };
    return Promise.resolve({ ...state, ...this.state });
  }

  async visit(
    _: unknown,
    from: bigint,
    to: bigint,
    visitor: Parameters<KafkaView["visit"]>[3],
  ): Promise<bigint> {
    const { logStart } = await this.stateOf();
    const began = from > logStart ? from : logStart;
    for (const [offset, value] of this.records) {
      if (offset < from || offset < logStart || offset >= to) continue;
      this.visited.push(offset);
      const bytes = encoder.encode(`<${value}>`);
      if (!visitor(offset, bytes, 1, bytes.length - 1)) break;
    }
    return began;
  }
}

function kafkaOf(
  records: readonly (readonly [offset: number, value: string])[],
  state: Partial<PartitionState> = {},
): MadeKafka {
  return new MadeKafka(new Map(records.map(([at, value]) => [BigInt(at), value])), state);
}

/** An archive of the predecessor: values a..e from offset 10, and then an object at 20. */
async function openLink(): Promise<{ store: MemoryStore; link: OpenLink }> {
  const store = new MemoryStore();
  const records = ["a", "b", "c", "d", "e"];
  await putObject(store, { first: 10n, next: 20n, records, plain: true });
  await putObject(store, { first: 20n, next: 21n, records: ["x"] });
  const { partitions: [partition] } = await listArchive(store);
  assert.ok(partition);
  const chain = new ChainCheck();
  for await (const object of listObjects(store, partition)) {
    const tools = { store, world: realWorld(() => {}), shallow: false };
    const { open, findings } = chain.add(await lookAtObject(tools, object));
    assert.deepEqual(findings, []);
    if (open !== undefined) return { store, link: open };
  }
  throw new Error("no link is open");
}

const all = [[10, "a"], [11, "b"], [13, "c"], [16, "d"], [19, "e"]] as const;

const links: [what: string, kafka: MadeKafka, kind: string | undefined, from?: bigint][] = [
  ["all records are in the object: the rest are holes", kafkaOf(all), undefined],
  ["compaction has removed some since", kafkaOf([[11, "b"], [19, "e"]]), undefined],
  ["compaction has removed all since", kafkaOf([]), undefined],
  ["the next object's record is none of it", kafkaOf([...all, [20, "x"]]), undefined],
  ["a record in a hole is in no object", kafkaOf([[10, "a"], [12, "lost"], [13, "c"]]), "gap", 12n],
  ["a record is there once and archived never", kafkaOf([[10, "a"], [19, "f"]]), "gap", 19n],
  ["records in another order", kafkaOf([[10, "b"], [11, "a"]]), "gap", 11n],
  ["Kafka begins inside and has what is archived", kafkaOf(all, { logStart: 12n }), "unknown", 15n],
  [
    "Kafka begins inside and has what is not archived",
    kafkaOf([[14, "z"]], { logStart: 12n }),
    "gap",
    14n,
  ],
  ["Kafka has deleted it all", kafkaOf(all, { logStart: 20n }), "unknown", 15n],
];

for (const [what, kafka, kind, from] of links) {
  Deno.test(`an object that does not tell its end, Kafka: ${what}`, async () => {
    const { store, link } = await openLink();
    assert.deepEqual([link.from, link.to], [15n, 20n]);
    const finding = await judgeOpenLink(kafka, store, of, link);
    assert.deepEqual([finding?.kind, finding?.from], [kind, from]);
    if (finding !== undefined) assert.equal(finding.to, 20n);
  });
}

Deno.test("of very many lost records only some are looked for", async () => {
  const { store, link } = await openLink();
  const kafka = kafkaOf(Array.from({ length: 150 }, (_, i) => [10 + i, `lost ${i}`] as const));
  const finding = await judgeOpenLink(kafka, store, of, { ...link, to: 160n });
  assert.match(finding?.what ?? "", /^Kafka has at least 100 records there/);
  assert.equal(kafka.visited.length, 100);
  const few = await judgeOpenLink(kafka, store, of, link);
  assert.match(few?.what ?? "", /^Kafka has 10 records there that no object holds$/);
});

const gap: Finding = { kind: "gap", what: "Nobody has them", from: 30n, to: 40n };

const gaps: [what: string, kafka: MadeKafka, expected: RegExp][] = [
  ["has records", kafkaOf([[34, "a"], [35, "b"]]), /; Kafka still has .*the first is 34$/],
  ["has none", kafkaOf([[29, "a"], [40, "b"]]), /; Kafka has no record there$/],
  ["has deleted them", kafkaOf([], { logStart: 40n }), /; Kafka has deleted them$/],
];

for (const [what, kafka, expected] of gaps) {
  Deno.test(`a gap where Kafka ${what}`, async () => {
    const told = await judgeGap(kafka, of, gap);
    assert.match(told.what, expected);
    assert.deepEqual({ ...told, what: "" }, { ...gap, what: "" });
    assert.ok(kafka.visited.length <= 1, "one record is enough");
  });
}

Deno.test("records before the archive begins are missing, if there are any", async () => {
  const end = { next: 100n, isExact: true, topicId: "" };
  const endsOf = async (kafka: MadeKafka) =>
    (await judgeEnds(kafka, of, await kafka.stateOf(), 50n, end))
      .map(({ kind, from, to }) => [kind, from, to]);
  assert.deepEqual(await endsOf(kafkaOf([[50, "a"]])), []);
  assert.deepEqual(await endsOf(kafkaOf([[44, "a"]])), [["gap", 44n, 50n]]);
  assert.deepEqual(await endsOf(kafkaOf([[44, "a"]], { logStart: 50n })), []);
});

Deno.test("a log that ends before the archive is told", async () => {
  const kafka = kafkaOf([], { highWatermark: 90n });
  const end = { next: 100n, isExact: true, topicId: "" };
  const [told] = await judgeEnds(kafka, of, await kafka.stateOf(), 0n, end);
  assert.deepEqual([told?.kind, told?.from], ["notice", 100n]);
});

Deno.test("topics are told apart by their ids where there are ids", () => {
  const state = { topicId: "a", logStart: 0n, lastStable: 0n, highWatermark: 0n };
  assert.equal(isSameTopic(state, { topicId: "a" }), true);
  assert.equal(isSameTopic(state, { topicId: "b" }), false);
  assert.equal(isSameTopic(state, { topicId: "" }), true);
  assert.equal(isSameTopic({ ...state, topicId: "" }, { topicId: "b" }), true);
});
