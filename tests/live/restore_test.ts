import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { plainRecords, type SampleObject, writeArchive } from "../support/archive_objects.ts";
import { assertComplaint, runSluice } from "../support/command_line.ts";
import { countRecords, readAll, waitForRecords } from "../support/kafka_reader.ts";
import { kafkajsOf, type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { TempFiles } from "../support/temp_files.ts";
import { readExactly } from "./restoring.ts";

const decoder = new TextDecoder();

function restore(kafka: KafkaServer, url: string, ...args: string[]) {
  return runSluice(["archive", "restore", url, `--kafka=${kafka.bootstrap}`, ...args], {
    timeoutMs: 120_000,
  });
}

/** Every kind of record, in a topic of three partitions. */
async function produceNasty(kafka: KafkaServer, topic: string): Promise<void> {
  await kafka.createTopic(topic, { partitions: 3 });
  const producer = kafkajsOf(kafka.bootstrap).producer({ idempotent: true });
  await producer.connect();
  const messages = [
    { key: null, value: null },
    { key: "", value: "" },
    { key: "k", value: null, headers: { "a": "1", "b": ["2", "3"] } },
    { key: Buffer.from([0, 255, 128]), value: Buffer.from([255, 0, 10, 13]) },
    { key: null, value: "x", headers: { "bin": Buffer.from([0, 255]), "": "empty", "e": "" } },
    { key: "old", value: "é", timestamp: "1" },
    { key: "large", value: "L".repeat(900_000) },
  ];
  for (let partition = 0; partition < 3; partition++) {
    const many = Array.from(
      { length: 500 * partition },
      (_, n) => ({ key: `${n}`, value: `v${n}` }),
    );
    const all = [...messages, ...many].map((one) => ({ ...one, partition }));
    await producer.send({ topic, messages: all });
  }
  await producer.disconnect();
}

async function archiveTo(kafka: KafkaServer, folder: string, ...args: string[]): Promise<void> {
  const seen = await runSluice([
    "archive",
    `--kafka=${kafka.bootstrap}`,
    `--to=file://${folder}`,
    "--once",
    ...args,
  ]);
  assert.equal(seen.code, 0, seen.stderr);
}

async function roundTrip(kafka: KafkaServer): Promise<void> {
  await using files = await TempFiles.of();
  await produceNasty(kafka, "nasty");
  const args = ["--include=nasty", "--rotate-records=300", "--format=record", "--group=g"];
  await archiveTo(kafka, files.folder, ...args);
  const url = `file://${files.folder}`;
  const seen = await restore(kafka, url, "--topic-map=nasty=again", "--create-topics");
  assert.equal(seen.code, 0, seen.stderr);
  const wanted = await readExactly(kafka.bootstrap, "nasty");
  assert.equal(wanted.length, 3 * 7 + 500 + 1000);
  assert.deepEqual(await readExactly(kafka.bootstrap, "again"), wanted);
  // From the partition's own folder, compressed, a part of it.
  await kafka.createTopic("part", { partitions: 3 });
  const part = await restore(
    kafka,
    `${url}/g/nasty/partition=2`,
    ...["--topic-map=nasty=part", "--from-offset=100", "--to-offset=200", "--compression=gzip"],
  );
  assert.equal(part.code, 0, part.stderr);
  assert.match(part.stdout, /^nasty\/2 -> part\/2: 100 records written from 1 object\n/);
  const range = wanted.filter(({ partition, offset }) =>
    partition === 2 && Number(offset) >= 100 && Number(offset) < 200
  );
  const parted = await readExactly(kafka.bootstrap, "part");
  assert.deepEqual(parted.map(({ value }) => value), range.map(({ value }) => value));
}

async function valuesAlone(kafka: KafkaServer): Promise<void> {
  await using files = await TempFiles.of();
  await archiveTo(kafka, files.folder, "--include=nasty", "--group=values");
  const before = Date.now();
  const url = `file://${files.folder}`;
  const seen = await restore(kafka, url, "--topic-map=nasty=values", "--create-topics", "--json");
  assert.equal(seen.code, 0, seen.stderr);
  const wanted = await readExactly(kafka.bootstrap, "nasty");
  const restored = await readExactly(kafka.bootstrap, "values");
  assert.deepEqual(
    restored.map(({ partition, value }) => [partition, value]),
    wanted.map(({ partition, value }) => [partition, value ?? ""]),
  );
  for (const { key, headers, timestamp } of restored) {
    assert.deepEqual([key, headers], [null, "[]"]);
    assert.ok(Number(timestamp) >= before);
  }
  const lines = seen.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ records }) => records).sort((a, b) => a - b), [7, 507, 1007]);
  assert.deepEqual(lines[0].gaps, []);
  assert.deepEqual([lines[0].target, lines[0].error], ["values", null]);
}

/** Partition after partition in objects of a thousand records; the values are numbered. */
function largeArchive(topic: string, perPartition: number): SampleObject[] {
  return [0, 1].flatMap((partition) =>
    Array.from({ length: perPartition / 1_000 }, (_, n) => ({
      topic,
      partition,
      kind: n % 3 === 2 ? "values" as const : "records" as const,
      first: n * 1_000,
      records: plainRecords(n * 1_000, 1_000, 100),
    }))
  );
}

/** Every number once and in order, in both partitions. */
async function assertExact(kafka: KafkaServer, topic: string, perPartition: number) {
  const records = await readAll(kafka.bootstrap, topic);
  for (const partition of [0, 1]) {
    const numbers = records.filter((one) => one.partition === partition)
      .map(({ value }) => parseInt(decoder.decode(value)));
    const wrong = numbers.findIndex((number, n) => number !== n);
    assert.equal(wrong, -1, `partition ${partition}: ${numbers.slice(wrong - 2, wrong + 3)}`);
    assert.equal(numbers.length, perPartition);
  }
}

async function killed(kafka: KafkaServer, signal: Deno.Signal): Promise<void> {
  const topic = `killed-by-${signal.toLowerCase()}`;
  const perPartition = 60_000;
  await using files = await TempFiles.of();
  await writeArchive(files.folder, largeArchive(topic, perPartition));
  const args = [
    "archive",
    "restore",
    `file://${files.folder}/sluice`,
    `--kafka=${kafka.bootstrap}`,
    "--create-topics",
    `--state=${files.path("state")}`,
  ];
  const stops = [0, 1, 9_000, 30_000, 50_000, 90_000];
  for (const [n, records] of stops.entries()) {
    // Fast at times, so that the kill meets batches on their way, and slow enough to be caught.
    await using sluice = await SluiceProcess.start([...args, ...(n % 2 ? [] : ["--rate=40000"])]);
    await sluice.said(n === 0 ? `"Created a topic"` : `"Restoring"`);
    // A topic that was just made answers nobody yet.
    if (records > 0) await waitForRecords(kafka.bootstrap, topic, records);
    const code = await sluice.end(signal);
    if (signal === "SIGTERM" && code !== 0) {
      assert.equal(code, 130);
      assert.match(await sluice.log(), /stopped before all was restored; the same command goes on/);
    }
  }
  const left = 2 * perPartition - await countRecords(kafka.bootstrap, topic);
  const last = await runSluice([...args, "--json"]);
  assert.equal(last.code, 0, last.stderr);
  await assertExact(kafka, topic, perPartition);
  const lines = last.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const written = lines.reduce((sum, { records }) => sum + records, 0);
  // Of what a killed one had sent, Kafka may have taken some only after it was counted.
  assert.ok(signal === "SIGKILL" ? written <= left : written === left, `${written} of ${left}`);
  const again = await runSluice(args);
  assert.match(again.stdout, /\n0 records written from 0 objects of 2 partitions\n$/);
  // What is archived later is restored by the next run.
  await writeArchive(files.folder, [
    { topic, first: perPartition, records: plainRecords(perPartition, 5) },
  ]);
  assert.match((await runSluice(args)).stdout, /\n5 records written from 1 object of 2/);
}

async function foreign(kafka: KafkaServer): Promise<void> {
  await using files = await TempFiles.of();
  const topic = "foreign";
  await writeArchive(files.folder, [{ topic, first: 0, records: plainRecords(0, 1_000) }]);
  const args = ["--create-topics", `--state=${files.path("state")}`];
  const url = `file://${files.folder}/sluice`;
  assert.equal((await restore(kafka, url, ...args)).code, 0);
  const producer = kafkajsOf(kafka.bootstrap).producer({ idempotent: true });
  await producer.connect();
  await producer.send({ topic, messages: [{ value: "not ours" }] });
  await producer.disconnect();
  await writeArchive(files.folder, [{ topic, first: 1_000, records: plainRecords(1_000, 10) }]);
  const seen = await restore(kafka, url, ...args);
  assert.equal(seen.code, 1);
  assert.match(seen.stderr, /restore exactly into foreign\/0: .*somebody else writes to the topic/);
  assert.equal(await countRecords(kafka.bootstrap, topic), 1_001, "nothing more was written");
}

async function slowly(kafka: KafkaServer): Promise<void> {
  await using files = await TempFiles.of();
  await writeArchive(files.folder, largeArchive("slow", 2_000));
  const url = `file://${files.folder}`;
  const seen = await restore(kafka, url, "--create-topics", "--rate=1000/s");
  assert.equal(seen.code, 0, seen.stderr);
  // Much more than 4 s is what a busy machine takes to start it.
  assert.ok(seen.seconds > 3.8 && seen.seconds < 60, `4,000 at 1,000/s took ${seen.seconds} s`);
  await assertExact(kafka, "slow", 2_000);
}

async function refusedTargets(kafka: KafkaServer): Promise<void> {
  await using files = await TempFiles.of();
  await writeArchive(files.folder, [
    ...largeArchive("wide", 1_000),
    { topic: "narrow", first: 0, records: plainRecords(0, 5) },
  ]);
  const url = `file://${files.folder}`;
  await kafka.createTopic("narrow");
  const missing = /topics that do not exist: wide \(2 partitions\); create them, or give --create/;
  assertComplaint(await restore(kafka, url), 1, missing);
  const small = /too few partitions: topic narrow has 1, the archive 2; add partitions/;
  assertComplaint(
    await restore(kafka, url, "--topic=wide", "--topic-map=wide=narrow", "--create-topics"),
    1,
    small,
  );
  assert.equal(await countRecords(kafka.bootstrap, "narrow"), 0, "nothing was written");
  const dry = await restore(kafka, url, "--dry-run", "--to-offset=700");
  assert.equal(dry.code, 1);
  assert.match(dry.stderr, missing);
  assert.deepEqual(dry.stdout.trimEnd().split("\n").sort(), [
    "1405 records would be written from 3 objects of 3 partitions",
    "narrow/0 -> narrow/0: 5 records would be written from 1 object",
    "wide/0 -> wide/0: 700 records would be written from 1 object",
    "wide/1 -> wide/1: 700 records would be written from 1 object",
  ]);
  const possible = await restore(kafka, url, "--dry-run", "--create-topics");
  assert.deepEqual([possible.code, possible.stderr], [0, ""]);
  assert.equal(await countRecords(kafka.bootstrap, "narrow"), 0, "nor by the dry run");
  assertComplaint(await restore(kafka, url), 1, missing);
}

async function damaged(kafka: KafkaServer): Promise<void> {
  await using files = await TempFiles.of();
  const topic = "damaged";
  await writeArchive(files.folder, [
    ...largeArchive(topic, 3_000),
    { topic, partition: 1, first: 3_010, next: 3_100, records: plainRecords(3_010, 5) },
  ]);
  const path = `${files.folder}/sluice/${topic}/partition=0/0000001000.records.gz`;
  const bytes = await Deno.readFile(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await Deno.writeFile(path, bytes);
  const seen = await restore(kafka, `file://${files.folder}`, "--create-topics");
  assert.equal(seen.code, 12);
  assert.match(seen.stderr, /restore sluice\/damaged\/partition=0\/0000001000\.records\.gz: /);
  assert.match(seen.stdout, /damaged\/0 -> damaged\/0: 1000 records written .*NOT COMPLETE\n/);
  assert.match(seen.stdout, /damaged\/1: 3005 records .*the offsets 3000 to 3009 are missing\n/);
  const records = await readAll(kafka.bootstrap, topic);
  assert.equal(records.filter(({ partition }) => partition === 0).length, 1_000);
  assert.equal(records.filter(({ partition }) => partition === 1).length, 3_005);
}

async function gaps(kafka: KafkaServer): Promise<void> {
  await using files = await TempFiles.of();
  const url = `file://${files.folder}`;
  await writeArchive(files.folder, [
    { topic: "gone", first: 0, records: plainRecords(0, 5) },
    { topic: "gone", first: 5, next: 10, records: [], gap: "retention" },
    { topic: "gone", first: 10, records: plainRecords(10, 5) },
    { topic: "lacking", first: 0, records: plainRecords(0, 5) },
    { topic: "lacking", first: 9, records: plainRecords(9, 5) },
  ]);
  const known = await restore(kafka, url, "--create-topics", "--topic=gone");
  assert.equal(known.code, 0, known.stderr);
  assert.match(known.stdout, /the offsets 5 to 9 were deleted before they could be archived/);
  const unknown = await restore(kafka, url, "--create-topics", "--topic=lacking");
  assert.equal(unknown.code, 3, unknown.stderr);
  assert.match(unknown.stdout, /10 records written from 2 objects; the offsets 5 to 8 are missing/);
}

async function refusedRecords(kafka: KafkaServer): Promise<void> {
  await using files = await TempFiles.of();
  const url = `file://${files.folder}`;
  const tomorrowMs = Date.now() + 86_400_000;
  const [record] = plainRecords(100, 1);
  assert.ok(record);
  await writeArchive(files.folder, [
    { topic: "early", first: 0, records: plainRecords(0, 100) },
    { topic: "early", first: 100, records: [{ ...record, timestampMs: tomorrowMs }] },
    { topic: "early", first: 101, records: plainRecords(101, 5) },
    { topic: "tight", first: 0, records: [...plainRecords(0, 2), ...plainRecords(2, 1, 5_000)] },
    { topic: "tight", first: 3, records: plainRecords(3, 5) },
  ]);
  await kafka.createTopic("tight", { config: { "max.message.bytes": "2000" } });
  const early = await restore(kafka, url, "--topic=early", "--create-topics");
  assert.equal(early.code, 1);
  assert.match(early.stderr, /write to early\/0: .*refused as timestamp; raise the topic's/);
  assert.ok(await countRecords(kafka.bootstrap, "early") <= 100, "nothing overtakes it");
  const tight = await restore(kafka, url, "--topic=tight");
  assert.equal(tight.code, 1);
  assert.match(
    tight.stderr,
    /write to tight\/0: .*too-large; raise the topic's max\.message\.bytes/,
  );
  assert.ok(await countRecords(kafka.bootstrap, "tight") <= 2);
}

/** The topic takes small batches only, so that each of ours is divided again and again. */
async function divided(kafka: KafkaServer): Promise<void> {
  await using files = await TempFiles.of();
  const topic = "divided";
  const records = plainRecords(0, 3_000, 30).map((one, n) => ({
    ...one,
    value: n % 10 === 0 ? null : n % 10 === 1 ? "" : one.value,
    headers: n % 7 === 0 ? [["h", null], ["h", Uint8Array.of(0)]] as const : [],
  }));
  await writeArchive(files.folder, [{ topic, first: 0, records }]);
  await kafka.createTopic(topic, { config: { "max.message.bytes": "3000" } });
  const url = `file://${files.folder}`;
  const seen = await restore(kafka, url, `--state=${files.path("state")}`);
  assert.equal(seen.code, 0, seen.stderr);
  const restored = await readExactly(kafka.bootstrap, topic);
  const base64 = (text: unknown) =>
    typeof text === "string" ? Buffer.from(text).toString("base64") : null;
  assert.deepEqual(
    restored.map(({ value, timestamp }) => [value, timestamp]),
    records.map(({ value, timestampMs }) => [base64(value), String(timestampMs)]),
  );
  assert.equal(restored[0]?.headers, '[["h",[null,"AA=="]]]');
  assert.equal(restored[1]?.headers, "[]");
}

/** Somebody's clock counts nanoseconds. */
async function nanoseconds(kafka: KafkaServer): Promise<void> {
  await using files = await TempFiles.of();
  const topic = "nanoseconds";
  const times = [1n, 1_790_000_000_000_000_001n, 1_790_000_000_000_000_002n, 7n];
  const records = times.map((timestampMs, n) => {
    return { offset: n, timestampMs, key: `${n}`, value: `${n}` };
  });
  await writeArchive(files.folder, [{ topic, first: 0, records }]);
  await kafka.createTopic(topic, {
    config: { "message.timestamp.after.max.ms": String(2n ** 63n - 1n) },
  });
  const seen = await restore(kafka, `file://${files.folder}`, `--state=${files.path("state")}`);
  assert.equal(seen.code, 0, seen.stderr);
  const restored = await readExactly(kafka.bootstrap, topic);
  assert.deepEqual(restored.map(({ timestamp }) => timestamp), times.map(String));
}

Deno.test("a restore into a real Kafka", async (t) => {
  // The records are old: a broker that keeps them for a week would delete them before they are read.
  await using kafka = await startKafka({ properties: { "log.retention.ms": "-1" } });
  await t.step("gives whole records back to the byte", () => roundTrip(kafka));
  await t.step("gives values back without the rest", () => valuesAlone(kafka));
  await t.step("goes on exactly after SIGKILLs", () => killed(kafka, "SIGKILL"));
  await t.step(
    "goes on exactly after SIGTERMs, which end it with 130",
    () => killed(kafka, "SIGTERM"),
  );
  await t.step("notices that somebody else has written", () => foreign(kafka));
  await t.step("keeps to --rate", () => slowly(kafka));
  await t.step("writes nothing when a topic is missing or too small", () => refusedTargets(kafka));
  await t.step("ends a partition before a damaged object", () => damaged(kafka));
  await t.step("tells of gaps", () => gaps(kafka));
  await t.step("keeps times that no number can hold", () => nanoseconds(kafka));
  await t.step("divides batches that are too large", () => divided(kafka));
  await t.step("lets nothing overtake a record that is refused", () => refusedRecords(kafka));
});
