import assert from "node:assert/strict";
import { openStore, type Store } from "../../lib/clients/store/store.ts";
import { realWorld } from "../../lib/core/world.ts";
import { bytesOf, keyOf, putChain, putObject } from "../support/archive_maker.ts";
import { archiveOnce, type ArchivePlace, folderPlace, s3Place } from "../support/archive_run.ts";
import { runSluice } from "../support/command_line.ts";
import { readAll, type ReadRecord } from "../support/kafka_reader.ts";
import { kafkajsOf, type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { readAllKcat } from "../support/kcat_reader.ts";
import { produceBulk, produceTransactions } from "../support/produce_mix.ts";
import { openedWith } from "../support/own_environment.ts";
import { startS3 } from "../support/s3_server.ts";
import { StoreFaults } from "../support/store_faults.ts";
import { eventually } from "../support/waiting.ts";

/** Runs one of archive's commands on a place. */
function run(command: "verify" | "ls", place: ArchivePlace, ...args: readonly string[]) {
  return runSluice(["archive", command, ...place.args, ...args, place.url], { env: place.env });
}

/** The JSON document of verify, with its exit code. */
async function verified(place: ArchivePlace, ...args: readonly string[]) {
  const { code, stdout, stderr } = await run("verify", place, "--json", ...args);
  assert.equal(stderr, "");
  const document = JSON.parse(stdout);
  assert.equal(document.exit, code);
  const [partition] = document.partitions;
  const found = partition.findings.map((
    { kind, from_offset, to_offset }: Record<string, string>,
  ) => `${kind} ${from_offset}..${to_offset}`);
  return { code, document, partition, found: found as string[] };
}

/** A store at a place, with the place's credentials. */
function storeAt(place: ArchivePlace, endpoint: string): Promise<Store> {
  const world = realWorld(() => {});
  const options = { world, endpoint, region: "us-east-1", pathStyle: true };
  return openedWith(place.env, () => openStore(place.url, options));
}

/** Puts what the predecessor would have made of these records: files of values, by first offset. */
async function putPlain(
  store: Store,
  topic: string,
  records: readonly ReadRecord[],
  sizes: readonly number[],
): Promise<void> {
  let at = 0;
  for (const size of sizes) {
    const some = records.slice(at, at + size);
    const first = some[0]?.offset ?? 0n;
    await putObject(store, {
      topic,
      first,
      next: first + 1n,
      records: some.map(({ value }) => value),
      plain: true,
    });
    at += size;
  }
  assert.equal(at, records.length, "all records are in files");
}

async function produce(kafka: KafkaServer, topic: string, count: number, keys = 0): Promise<void> {
  const producer = kafkajsOf(kafka.bootstrap).producer({ idempotent: true });
  await producer.connect();
  const messages = Array.from({ length: count }, (_, i) => ({
    ...(keys > 0 ? { key: `key ${i % keys}` } : {}),
    value: `${topic} ${i} ${crypto.randomUUID()}`,
  }));
  await producer.send({ topic, messages });
  await producer.disconnect();
}

Deno.test("archive verify and ls on S3: notes, metadata, damage", async (t) => {
  await using server = await startS3();
  await using place = await s3Place(server);
  const store = await storeAt(place, server.endpoint);

  await t.step("a sound archive, also from the folder of a partition", async () => {
    await putChain(store, [0n, 5n, 6n, 20n]);
    assert.deepEqual((await verified(place)).found, []);
    assert.equal((await run("verify", place, "--shallow", "--strict-gaps")).code, 0);
    const inside = { ...place, url: `${place.url}/sluice/web/partition=0` };
    assert.equal((await verified(inside)).partition.next_offset, "20");
    const { stdout } = await run("ls", inside, "--long");
    assert.match(stdout, /\nsluice\/web\/0 +3 +[\d.]+ k?B +20 +0 +20 +20/);
  });

  await t.step("metadata that differs from the header", async () => {
    await putObject(store, { first: 20n, next: 25n, metadata: { writer: "somebody" } });
    const { code, found } = await verified(place);
    assert.deepEqual([code, found], [12, ["contradiction null..null"]]);
    assert.equal((await run("verify", place, "--shallow")).code, 0, "the header is not read");
  });

  await t.step("an object without metadata is told, and its header's notes are used", async () => {
    const wanted = { first: 20n, next: 25n };
    await store.delete(keyOf(wanted)); // this server would leave the metadata as it was
    await store.put(keyOf(wanted), bytesOf(wanted));
    const { code, found, partition } = await verified(place);
    assert.deepEqual([code, found, partition.next_offset], [0, ["notice null..null"], "25"]);
  });

  await t.step(
    "a cut object is named, with the byte; the others are read all the same",
    async () => {
      const wanted = { first: 25n, next: 27n, records: ["one", "two"] };
      await putObject(store, wanted, bytesOf(wanted).subarray(0, -9));
      await putObject(store, { first: 27n, next: 28n, records: ["three"] });
      const { code, stdout } = await run("verify", place);
      assert.equal(code, 12);
      assert.match(stdout, /0000000025\.baldr\.gz: damaged at byte 22 \(byte \d+ of the gzip\)/);
      assert.match(stdout, / 6 objects, 23 records, /);
    },
  );

  await t.step("wrong credentials and a bucket that is not there", async () => {
    const env = { ...place.env, AWS_SECRET_ACCESS_KEY: "wrong" };
    assert.equal((await run("verify", { ...place, env })).code, 11);
    const other = await run("verify", { ...place, url: "s3://nothing-of-that-name" });
    assert.match(other.stderr, /^sluice: Cannot [^\n]*nothing-of-that-name[^\n]*\n$/);
    assert.ok([1, 11].includes(other.code));
  });
  await store.close();
});

Deno.test("archive verify through a store that fails: every object is looked at all the same", async (t) => {
  await using server = await startS3();
  await using faults = new StoreFaults(server.endpoint.replace("http://", ""));
  await using place = await s3Place(server, { through: faults.address });
  const store = await storeAt(place, server.endpoint);
  const ends = Array.from({ length: 41 }, (_, i) => BigInt(i * 10));
  const keys = await putChain(store, ends);
  await store.close();

  await t.step("errors, cut and lost answers are asked for again", async () => {
    faults.shares = { error: 10, cutReply: 10, lostReply: 5 };
    const { code, found, partition } = await verified(place);
    assert.deepEqual([code, found, partition.records], [0, [], 400]);
    const { error, cutReply, lostReply } = faults.counts;
    assert.ok(error > 0 && cutReply > 0 && lostReply > 0);
  });

  await t.step("an object that may not be read is named, and the exit code is 11", async () => {
    faults.shares = {};
    faults.refused = new RegExp(`/${keys[7]?.split("/").at(-1)}`);
    const { code, found, partition } = await verified(place);
    assert.deepEqual([code, found], [11, ["unreadable null..null", "unknown 70..80"]]);
    assert.deepEqual([partition.records, partition.findings[0].fault], [390, "denied"]);
  });
});

/** Kafka, and an archive beside it. */
interface Rig {
  readonly kafka: KafkaServer;
  readonly place: ArchivePlace;
  readonly store: Store;
}

/** Verifies one topic with Kafka's help. */
function withKafka({ kafka, place }: Rig, topic: string, ...args: readonly string[]) {
  return verified(place, `--kafka=${kafka.bootstrap}`, `--topic=${topic}`, ...args);
}

async function transactionsLeaveHoles(rig: Rig): Promise<void> {
  const { kafka, place, store } = rig;
  const topic = "paid";
  await kafka.createTopic(topic);
  await produce(kafka, topic, 10);
  const isAborted = (n: number) => n % 2 === 0;
  await produceTransactions({ bootstrap: kafka.bootstrap, topic, transactions: 6, isAborted });
  await produce(kafka, topic, 10);
  const records = await readAll(kafka.bootstrap, topic, { expect: 50 });
  assert.equal(records.length, 50, "committed ones only");
  await putPlain(store, topic, records, [15, 20, 15]);
  const alone = await verified(place, `--topic=${topic}`);
  assert.ok(alone.found.length > 0 && alone.found.every((one) => one.startsWith("unknown ")));
  const { code, found, partition } = await withKafka(rig, topic, "--strict-gaps");
  assert.deepEqual([code, found], [0, []]);
  assert.equal(partition.kafka.high_watermark, String(10 + 60 + 6 + 10));
}

async function lostRecordIsFound(rig: Rig): Promise<void> {
  const topic = "paid";
  const records = await readAll(rig.kafka.bootstrap, topic, { expect: 50 });
  const lost = records[7];
  await putPlain(rig.store, topic, records.filter((one) => one !== lost), [14, 20, 15]);
  const { code, found } = await withKafka(rig, topic);
  assert.equal(code, 3);
  assert.ok(found.some((one) => one.startsWith(`gap ${lost?.offset}..`)), found.join());
}

async function compactionLeavesHoles(rig: Rig): Promise<void> {
  const { kafka, place, store } = rig;
  const topic = "latest";
  await kafka.createTopic(topic, {
    config: {
      "cleanup.policy": "compact",
      "segment.ms": "200",
      "min.cleanable.dirty.ratio": "0.01",
      "min.compaction.lag.ms": "0",
    },
  });
  const compactedBelow = (count: number) =>
    eventually("compaction", async () => {
      // The segment that is written to is never compacted: something has to come behind it.
      await produce(kafka, topic, 1, 1);
      return (await readAllKcat(kafka.bootstrap, topic)).length < count;
    }, { timeoutMs: 60_000, everyMs: 500 });
  await produce(kafka, topic, 100, 7);
  await compactedBelow(50);
  const records = await readAll(kafka.bootstrap, topic);
  const half = Math.floor(records.length / 2);
  await putPlain(store, topic, records, [half, records.length - half]);
  const alone = await verified(place, `--topic=${topic}`);
  const told = await withKafka(rig, topic);
  assert.deepEqual(told.found.filter((one) => !one.startsWith("unknown ")), []);
  assert.equal(told.code, 0);
  assert.ok(alone.found.length >= told.found.length);
  await produce(kafka, topic, 100, 7);
  await compactedBelow(records.length + 20);
  assert.equal((await withKafka(rig, topic)).code, 0, "what is gone since was archived");
}

async function deletedIsNotJudged(rig: Rig): Promise<void> {
  const { bootstrap } = rig.kafka;
  const topic = "old";
  await rig.kafka.createTopic(topic);
  await produceTransactions({ bootstrap, topic, transactions: 3, isAborted: () => false });
  const records = await readAll(bootstrap, topic, { expect: 30 });
  await putPlain(rig.store, topic, records, [10, 10, 10]);
  assert.equal((await withKafka(rig, topic, "--strict-gaps")).code, 0);
  await deleteRecords(rig.kafka, topic, 12n);
  const { code, found } = await withKafka(rig, topic);
  assert.deepEqual([code, found], [0, ["unknown 10..11", "unknown 21..22"]]);
}

async function bothEndsAndTheMiddle(rig: Rig): Promise<void> {
  const topic = "web";
  await rig.kafka.createTopic(topic, { partitions: 2 });
  await produce(rig.kafka, topic, 200);
  const all = await readAll(rig.kafka.bootstrap, topic, { expect: 200 });
  const partition = all[0]?.partition ?? 0;
  const mine = all.filter((one) => one.partition === partition);
  const put = async (from: number, to: number) => {
    const records = mine.slice(from, to).map(({ value }) => value);
    await putObject(rig.store, {
      topic,
      partition,
      first: BigInt(from),
      next: BigInt(to),
      records,
    });
  };
  await put(5, 10);
  await put(20, mine.length - 3);
  const told = await withKafka(rig, topic);
  assert.deepEqual([told.code, told.found], [3, ["gap 10..20", "gap 0..5"]]);
  assert.equal(told.partition.kafka.not_archived, "3");
  assert.equal(told.partition.kafka.last_stable, String(mine.length));
  await put(0, 5);
  await put(10, 20);
  assert.equal((await withKafka(rig, topic)).code, 0);
}

/** Archives by the real daemon, twice, with retention in between. */
async function ownArchiveIsSound({ kafka }: Rig, format: "value" | "record"): Promise<void> {
  const { bootstrap } = kafka;
  const topic = `own-${format}`;
  await using place = await folderPlace();
  await kafka.createTopic(topic, { partitions: 2 });
  const archive = () =>
    archiveOnce(place, bootstrap, [`--include=${topic}`, `--format=${format}`, `--group=${topic}`]);
  await produceBulk({ bootstrap, topic, count: 3_000, whole: true, codec: "zstd" });
  const isAborted = (n: number) => n % 2 === 0;
  await produceTransactions({ bootstrap, topic, transactions: 6, isAborted });
  await archive();
  const before = await verified(place, `--kafka=${bootstrap}`, "--strict-gaps");
  assert.deepEqual([before.code, before.found], [0, []]);
  assert.equal(before.document.totals.not_archived, "0");
  const { records } = before.document.totals;
  assert.ok(records >= 3_030, `${records} records`);
  await produceBulk({ bootstrap, topic, count: 50, from: 3_000, partition: 0 });
  await deleteRecords(kafka, topic, -1n);
  await produceBulk({ bootstrap, topic, count: 50, from: 3_050, partition: 0 });
  assert.equal((await verified(place, `--kafka=${bootstrap}`)).document.totals.not_archived, "100");
  await archive();
  const { code, found, document } = await verified(place, `--kafka=${bootstrap}`);
  assert.equal(code, 0);
  assert.ok(found.length === 1 && found[0]?.startsWith("retention "), found.join());
  assert.equal(document.totals.records, records + 50);
  assert.equal((await run("verify", place, "--strict-gaps")).code, 3);
  assert.equal((await run("verify", place, "--shallow")).code, 0);
  const { stdout } = await run("ls", place, "--json", "--long");
  const noted = JSON.parse(stdout).partitions.map((one: { records: number }) => one.records);
  assert.equal(noted.reduce((sum: number, one: number) => sum + one, 0), records + 50);
}

/** Deletes the records of partition 0 before an offset; -1: all. */
async function deleteRecords(kafka: KafkaServer, topic: string, before: bigint): Promise<void> {
  const admin = kafkajsOf(kafka.bootstrap).admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic); // this client has to know the topic first
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: `${before}` }] });
  await admin.disconnect();
}

Deno.test("archive verify --kafka tells holes of the predecessor's archive from loss", async (t) => {
  await using kafka = await startKafka({ properties: { "log.cleaner.backoff.ms": "200" } });
  await using server = await startS3();
  await using place = await s3Place(server);
  const store = await storeAt(place, server.endpoint);
  const rig = { kafka, place, store };
  const steps: [what: string, step: (rig: Rig) => Promise<void>][] = [
    ["transactions leave holes: aborted records, and their ends", transactionsLeaveHoles],
    ["a lost record is found, and where", lostRecordIsFound],
    ["compaction leaves holes, before and after archiving", compactionLeavesHoles],
    ["what Kafka has deleted cannot be judged any more", deletedIsNotJudged],
    ["an archive with notes: missing at both ends and in the middle", bothEndsAndTheMiddle],
    ["what archive writes is sound: values", (rig) => ownArchiveIsSound(rig, "value")],
    ["what archive writes is sound: whole records", (rig) => ownArchiveIsSound(rig, "record")],
  ];
  for (const [what, step] of steps) await t.step(what, () => step(rig));

  await t.step("a Kafka that is away is code 10", async () => {
    await kafka.kill();
    const { code, stderr } = await run("verify", place, `--kafka=${kafka.bootstrap}`);
    assert.equal(code, 10);
    assert.match(stderr, /^sluice: Cannot [^\n]*Kafka[^\n]*\n$/);
  });
  await store.close();
});
