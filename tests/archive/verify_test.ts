import assert from "node:assert/strict";
import type { PartitionReport } from "../../lib/archive/verify/partition_report.ts";
import { partitionJson } from "../../lib/archive/verify/report_json.ts";
import { partitionLines, restLines } from "../../lib/archive/verify/report_text.ts";
import { TotalsBuilder } from "../../lib/archive/verify/verdict.ts";
import {
  verifyArchive,
  type VerifyPlan,
  type VerifyRest,
} from "../../lib/archive/verify/verify.ts";
import type { KafkaView, PartitionState } from "../../lib/archive/verify/kafka_view.ts";
import { type Fault, SluiceError } from "../../lib/core/errors.ts";
import { realWorld } from "../../lib/core/world.ts";
import { gapKey } from "../../lib/formats/archive_key.ts";
import { bytesOf, group, keyOf, putChain, putObject } from "../support/archive_maker.ts";
import { MemoryStore } from "../support/memory_store.ts";

/** A world in which nobody waits. */
const world = { ...realWorld(() => {}), sleep: () => Promise.resolve() };

interface Verified {
  readonly reports: readonly PartitionReport[];
  readonly rest: VerifyRest;
  readonly verdict: (strict?: boolean) => string;
  /** Every finding as `kind key from..to`, the key without its folders. */
  readonly found: readonly string[];
  readonly lines: readonly string[];
}

async function verify(store: MemoryStore, options: Partial<VerifyPlan> = {}): Promise<Verified> {
  const plan = { store, world, filter: {}, shallow: false, parallel: 3, kafka: undefined };
  const progress = { objects: 0, bytes: 0, totalObjects: 0, totalBytes: 0 };
  const reports: PartitionReport[] = [];
  const totals = new TotalsBuilder();
  const rest = await verifyArchive({ ...plan, ...options }, progress, (report) => {
    reports.push(report);
    totals.add(report);
    return Promise.resolve();
  });
  assert.deepEqual(
    [progress.objects, progress.bytes],
    [progress.totalObjects, progress.totalBytes],
    "progress ends where it said that it would",
  );
  const found = reports.flatMap(({ findings }) => findings).map(({ kind, key = "", from, to }) =>
    [kind, key.slice(key.lastIndexOf("/") + 1), from === undefined ? "" : `${from}..${to}`]
      .join(" ").trim()
  );
  return {
    reports,
    rest,
    verdict: (strict = false) => totals.verdict(strict),
    found,
    lines: [...reports.flatMap(partitionLines), ...restLines(rest, totals.totals)],
  };
}

const ends = [0n, 5n, 6n, 20n];

Deno.test("a sound archive is ok, with what is in it", async () => {
  const store = new MemoryStore();
  await putChain(store, ends);
  await putChain(store, [10n, 12n], { topic: "app", partition: 3 });
  const { reports, verdict, found, lines } = await verify(store);
  assert.deepEqual([found, verdict(true)], [[], "ok"]);
  assert.deepEqual(
    reports.map(({ topic, partition, objects, records, first, next }) => [
      `${topic}/${partition}`,
      objects,
      records,
      first,
      next,
    ]),
    [["app/3", 1, 2, 10n, 12n], ["web/0", 3, 20, 0n, 20n]],
  );
  assert.deepEqual(lines, [
    "sluice/app/3: ok, 1 object, 2 records, offsets 10 to 12",
    "sluice/web/0: ok, 3 objects, 20 records, offsets 0 to 20",
    "2 partitions, 4 objects, 22 records, all sound",
  ]);
});

Deno.test("a missing object is a gap, a doubled one an overlap, and damage outweighs both", async () => {
  const store = new MemoryStore();
  const [, second = ""] = await putChain(store, ends);
  await store.delete(second);
  assert.deepEqual(await verify(store).then(({ found, verdict }) => [...found, verdict()]), [
    "gap 0000000006.baldr.gz 5..6",
    "partial",
  ]);
  await putObject(store, { first: 3n, next: 6n, records: ["a"] });
  assert.deepEqual(await verify(store).then(({ found, verdict }) => [...found, verdict()]), [
    "overlap 0000000003.baldr.gz 3..5",
    "partial",
  ]);
  const wanted = { first: 20n, next: 21n, records: ["a"] };
  await putObject(store, wanted, bytesOf(wanted).subarray(0, -4));
  const { found, verdict, lines } = await verify(store);
  assert.deepEqual(found, [
    "overlap 0000000003.baldr.gz 3..5",
    "damaged 0000000020.baldr.gz",
  ]);
  assert.equal(verdict(), "corrupt");
  const line = lines.find((one) => one.includes("damaged at")) ?? "";
  assert.match(
    line,
    /^ {2}sluice\/web\/.*\.gz: damaged at byte 9 \(byte \d+ of the gzip\): the gzip/,
  );
});

Deno.test("a damaged object whose notes are sound leaves no gap, and the others are looked at", async () => {
  const store = new MemoryStore();
  const [first = ""] = await putChain(store, ends);
  const bytes = store.objects.get(first)?.bytes.slice() ?? new Uint8Array(0);
  bytes.set([0xff, 0xff], bytes.length - 20);
  await store.put(first, bytes, { metadata: store.objects.get(first)?.metadata ?? {} });
  const { found, reports: [report] } = await verify(store);
  assert.deepEqual(found, ["damaged 0000000000.baldr.gz"]);
  assert.equal(report?.objects, 3);
});

Deno.test("known gaps are told and are no error unless they are asked for", async () => {
  const store = new MemoryStore();
  await putChain(store, [0n, 5n]);
  await putObject(store, { first: 5n, next: 50n, notes: { gap: "retention" } });
  await store.put(
    gapKey({ group, topic: "web", partition: 0, first: 5n, next: 50n }),
    new Uint8Array(2),
  );
  await putChain(store, [50n, 52n]);
  const { found, verdict, lines } = await verify(store);
  assert.deepEqual(found, ["retention 0000000005.baldr.gz 5..50"]);
  assert.deepEqual([verdict(), verdict(true)], ["ok", "partial"]);
  assert.match(lines[0] ?? "", /^sluice\/web\/0: ok, 3 objects, 7 records, offsets 0 to 52$/);
});

Deno.test("notes about gaps that do not go with the objects are told", async () => {
  const store = new MemoryStore();
  await putChain(store, [0n, 5n]);
  await store.put(
    gapKey({ group, topic: "web", partition: 0, first: 5n, next: 50n }),
    new Uint8Array(2),
  );
  const { found, verdict } = await verify(store);
  assert.deepEqual([found, verdict(true)], [["notice"], "ok"]);
});

Deno.test("metadata that says something else than the header is a contradiction", async () => {
  const store = new MemoryStore();
  await putObject(store, { first: 0n, next: 5n, metadata: { "next-offset": "6" } });
  const { found, verdict } = await verify(store);
  assert.deepEqual([found, verdict()], [["contradiction 0000000000.baldr.gz"], "corrupt"]);
});

Deno.test("the predecessor's archive: counted by reading, holes are possible gaps", async () => {
  const store = new MemoryStore();
  await putChain(store, [0n, 5n, 6n], { plain: true });
  await putObject(store, { first: 9n, next: 10n, records: ["a"], plain: true });
  const { found, verdict, reports: [report], lines } = await verify(store);
  assert.deepEqual(found, ["unknown 0000000009.baldr.gz 6..9"]);
  assert.deepEqual([verdict(), verdict(true)], ["ok", "partial"]);
  assert.deepEqual([report?.withoutNotes, report?.isEndExact, report?.next], [3, false, 10n]);
  assert.match(lines[0] ?? "", /^sluice\/web\/0: not certain, .* offsets 0 to 10 at least$/);
  const shallow = await verify(store, { shallow: true });
  assert.deepEqual([shallow.found, shallow.verdict(true)], [["notice"], "ok"]);
});

Deno.test("shallow sees gaps and contradictions of notes, and asks for no body", async () => {
  const store = new MemoryStore();
  const [, second = ""] = await putChain(store, ends);
  const wanted = { first: 20n, next: 25n, records: ["a"] };
  await putObject(store, wanted, bytesOf(wanted).subarray(0, -4));
  await store.delete(second);
  const gets: string[] = [];
  store.before = (act, key) => void (act === "get" && gets.push(key));
  const { found, reports: [report] } = await verify(store, { shallow: true });
  assert.deepEqual(found, ["gap 0000000006.baldr.gz 5..6"]);
  assert.deepEqual(gets, []);
  assert.equal(report?.records, 20, "by the notes");
});

Deno.test("a folder has no metadata: shallow reads the beginnings of files", async () => {
  const store = new MemoryStore("file:///archive");
  await putChain(store, ends);
  let heads = 0;
  store.before = (act) => void (act === "head" && heads++);
  const { found, reports: [report] } = await verify(store, { shallow: true });
  assert.deepEqual([found, report?.next, heads], [[], 20n, 0]);
});

const faults: [fault: Fault, tries: number, verdict: string][] = [
  ["transient", 4, "transient"],
  ["denied", 1, "denied"],
  ["permanent", 1, "permanent"],
];

for (const [fault, tries, expected] of faults) {
  Deno.test(`an object that the store does not give (${fault}) is told, the others are looked at`, async () => {
    const store = new MemoryStore();
    const keys = await putChain(store, ends);
    let tried = 0;
    store.before = (act, key) => {
      if (act !== "get" || key !== keys[1]) return;
      tried++;
      throw new SluiceError(`get ${key}`, fault, "no");
    };
    const { found, verdict, reports: [report] } = await verify(store);
    assert.deepEqual(found, ["unreadable 0000000005.baldr.gz", "unknown 0000000006.baldr.gz 5..6"]);
    assert.deepEqual([tried, verdict(), report?.objects], [tries, expected, 3]);
  });
}

Deno.test("an object that the store gives at last is sound", async () => {
  const store = new MemoryStore();
  const keys = await putChain(store, ends);
  let left = 3;
  store.before = (act, key) => {
    if (act === "get" && key === keys[1] && left-- > 0) {
      throw new SluiceError("get", "transient", "no");
    }
  };
  assert.deepEqual((await verify(store)).found, []);
});

Deno.test("an object that goes while it is verified is told", async () => {
  const store = new MemoryStore();
  const keys = await putChain(store, ends);
  store.before = (act, key) =>
    void (act === "head" && key === keys[2] && store.objects.delete(key));
  const { found, verdict } = await verify(store);
  assert.deepEqual([found, verdict()], [["unreadable 0000000006.baldr.gz"], "permanent"]);
});

Deno.test("never more objects are read at once than asked for", async () => {
  const store = new MemoryStore();
  for (let partition = 0; partition < 5; partition++) await putChain(store, ends, { partition });
  let [now, most] = [0, 0];
  const get = store.get.bind(store);
  store.get = async (key, range) => {
    most = Math.max(most, ++now);
    const source = await get(key, range);
    await Promise.resolve();
    return { next: () => source.next(), close: () => void now-- };
  };
  const { reports } = await verify(store, { parallel: 2 });
  assert.deepEqual(reports.map(({ partition }) => partition), [0, 1, 2, 3, 4]);
  assert.deepEqual([now, most], [0, 2]);
});

Deno.test("of very many findings the first are kept, and all are counted", async () => {
  const store = new MemoryStore();
  for (let i = 0; i < 1_200; i++) {
    await putObject(store, { first: BigInt(2 * i), next: BigInt(2 * i + 1), records: ["a"] });
  }
  const { reports: [report], lines } = await verify(store, { shallow: true });
  assert.ok(report);
  assert.deepEqual([report.counts.gap, report.findings.length], [1_199, 1_000]);
  assert.equal(partitionJson(report)["findings_left_out"], 199);
  assert.equal(lines.at(-2), "  and 1149 more");
});

Deno.test("where nothing is archived, that is an error", async () => {
  await assert.rejects(verify(new MemoryStore()), { fault: "permanent" });
});

/** A Kafka that has these offsets of topic `web`, each with a record. */
function kafkaOf(state: Partial<PartitionState>, partitions = 1): KafkaView {
  const all = { topicId: "", logStart: 0n, lastStable: 20n, highWatermark: 20n, ...state };
  return {
    partitionsOf: (topic) => topic === "web" ? partitions : 0,
    stateOf: ({ topic, partition }) =>
      Promise.resolve(topic === "web" && partition < partitions ? all : undefined),
    visit: (_, from, to, visitor) => {
      const begin = from > all.logStart ? from : all.logStart;
      for (let at = begin; at < to && at < all.lastStable; at++) {
        if (!visitor(at, new Uint8Array(1), 0, 1)) break;
      }
      return Promise.resolve(begin);
    },
  };
}

Deno.test("with Kafka: what is not archived yet is counted and no error", async () => {
  const store = new MemoryStore();
  await putChain(store, ends);
  const kafka = kafkaOf({ lastStable: 31n, highWatermark: 33n }, 2);
  const { found, verdict, reports: [report], rest, lines } = await verify(store, { kafka });
  assert.deepEqual([found, verdict(true), report?.kafka?.notArchived], [[], "ok", 11n]);
  assert.deepEqual(rest.unarchived, [
    { group, topic: "web", partition: 1, logStart: 0n, lastStable: 31n },
  ]);
  assert.deepEqual(lines, [
    "sluice/web/0: ok, 3 objects, 20 records, offsets 0 to 20, 11 not archived yet",
    "sluice/web/1: nothing is archived, Kafka has offsets 0 to 31",
    "1 partition, 3 objects, 20 records, 11 offsets not archived yet, all sound",
  ]);
});

Deno.test("with Kafka: records before the archive, in gaps, and of another topic", async () => {
  const store = new MemoryStore();
  await putChain(store, [5n, 6n]);
  await putChain(store, [10n, 20n]);
  const { found } = await verify(store, { kafka: kafkaOf({ logStart: 2n }) });
  assert.deepEqual(found, ["gap 0000000010.baldr.gz 6..10", "gap  2..5"]);
  await putObject(store, { first: 20n, next: 21n, records: ["a"], notes: { topicId: "aa" } });
  const other = await verify(store, { kafka: kafkaOf({ topicId: "bb" }) });
  assert.deepEqual(other.found, ["gap 0000000010.baldr.gz 6..10", "notice"]);
  assert.equal(other.reports[0]?.kafka, undefined);
});

Deno.test("with Kafka: a partition that cannot be asked about is told with its fault", async () => {
  const store = new MemoryStore();
  await putChain(store, ends);
  const denied = () => Promise.reject(new SluiceError("ask", "denied", "may not"));
  const kafka = { ...kafkaOf({}), stateOf: denied };
  const { found, verdict } = await verify(store, { kafka });
  assert.deepEqual([found, verdict()], [["unreadable"], "denied"]);
});

Deno.test("text commands no terminal, whatever a group or a foreign key is called", async () => {
  const store = new MemoryStore();
  await putChain(store, ends);
  await store.put("\x1b[2J", new Uint8Array(1));
  const { lines } = await verify(store);
  // deno-lint-ignore no-control-regex -- that there are none is the point
  assert.ok(lines.every((line) => !/[\x00-\x1f]/.test(line)));
  assert.ok(lines.includes("1 object not of this archive: \\u001b[2J"), lines.join());
});

Deno.test("an object at an offset of eleven digits comes behind one of ten", async () => {
  const store = new MemoryStore();
  const border = 10_000_000_000n;
  await putChain(store, [border - 2n, border, border + 3n]);
  assert.equal(keyOf({ first: border, next: 0n }).endsWith("/10000000000.baldr.gz"), true);
  const { found, reports: [report] } = await verify(store);
  assert.deepEqual([found, report?.next], [[], border + 3n]);
});
