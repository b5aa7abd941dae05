import assert from "node:assert/strict";
import { Partitioners, type Producer } from "kafkajs";
import { Cluster, type FetchOptions, type OffsetWish } from "../../lib/clients/kafka/kafka.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";
import { type CertificateSet, makeCertificates } from "../support/certificates.ts";
import { fetchAll, type FetchedRecord } from "../support/fetched_reading.ts";
import { kafkajsOf, type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { readAllKcat } from "../support/kcat_reader.ts";
import { type Codec, numberedValue, produceBulk } from "../support/produce_mix.ts";
import { TempFiles } from "../support/temp_files.ts";
import { eventually, within } from "../support/waiting.ts";

const world = realWorld(() => {});
const wait: FetchOptions = {
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 1_048_576,
  isolation: "read-committed",
};

function clusterOf(
  bootstrap: string,
  { user, ca }: { readonly user?: string; readonly ca?: string } = {},
): Cluster & AsyncDisposable {
  const cluster = new Cluster({
    bootstrap: () => Promise.resolve([bootstrap]),
    ...(user === undefined
      ? {}
      : { sasl: { mechanism: "PLAIN", username: user, password: new Secret(user) } }),
    ...(ca === undefined ? {} : { tls: { ca } }),
    clientId: "sluice-tests",
    world,
  });
  return Object.assign(cluster, { [Symbol.asyncDispose]: () => cluster.close() });
}

const text = (bytes: Uint8Array | null) => bytes === null ? null : new TextDecoder().decode(bytes);

/** A record as JSON, to be compared. */
function plain({ offset, timestampMs, key, value, headers }: FetchedRecord) {
  return [
    Number(offset),
    Number(timestampMs),
    key && [...key],
    text(value) ?? "",
    Object.fromEntries(headers.map((one) => [text(one.key), text(one.value)])),
  ];
}

async function byKcat(kafka: KafkaServer, topic: string) {
  return (await readAllKcat(kafka.bootstrap, topic)).map((one) => [
    Number(one.offset),
    one.timestamp,
    one.key && [...one.key],
    text(one.value),
    { ...one.headers },
  ]);
}

async function listsTopics(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("listed", { partitions: 3 });
  await using cluster = clusterOf(kafka.bootstrap);
  assert.equal(cluster.leaderId("listed", 0), undefined);
  const find = async () => (await cluster.listTopics()).find(({ name }) => name === "listed");
  const first = await find();
  assert.deepEqual([first?.partitions, first?.isInternal], [3, false]);
  assert.match(first?.id ?? "", /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
  for (const partition of [0, 1, 2]) assert.equal(cluster.leaderId("listed", partition), 1);
  assert.equal(cluster.leaderId("listed", 3), undefined);
  await kafka.deleteTopic("listed");
  // Both take a moment to be known to the broker itself.
  await eventually("no leader of a deleted topic", async () => {
    await cluster.listTopics();
    return cluster.leaderId("listed", 0) === undefined;
  });
  const admin = kafkajsOf(kafka.bootstrap).admin();
  await admin.connect();
  // With ZooKeeper the old one may still be about to go away, and no other is made then.
  const again = { topics: [{ topic: "listed" }], waitForLeaders: false, timeout: 30_000 };
  await eventually("the topic is made again", () => admin.createTopics(again));
  await admin.disconnect();
  const second = await eventually("the topic is there again", find);
  assert.notEqual(second?.id, first?.id, "another topic of the same name");
}

async function readsCodec(kafka: KafkaServer, codec: Codec): Promise<void> {
  const topic = `codec-${codec}`;
  await kafka.createTopic(topic);
  // By four runs of kcat, so that there are some batches of every compression.
  for (const from of [0, 1_000, 2_000, 3_000]) {
    await produceBulk({
      ...{ bootstrap: kafka.bootstrap, topic, codec, whole: true },
      ...{ from, count: 1_000, bytes: 200 },
    });
  }
  await using cluster = clusterOf(kafka.bootstrap);
  const { records, answers } = await fetchAll(cluster, topic, { maxBytes: 10_000 });
  assert.equal(records.length, 4_000);
  assert.ok(answers > 1, `${answers} answers`);
  const wanted = await byKcat(kafka, topic);
  assert.deepEqual(records.map(plain), wanted);
  // Most likely inside a batch.
  const { records: last } = await fetchAll(cluster, topic, { from: 1_234n });
  assert.deepEqual(last.map(plain), wanted.slice(1_234));
}

async function broughtTimes(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("append", { config: { "message.timestamp.type": "LogAppendTime" } });
  await produceBulk({ bootstrap: kafka.bootstrap, topic: "append", count: 50, codec: "gzip" });
  await using cluster = clusterOf(kafka.bootstrap);
  const { records } = await fetchAll(cluster, "append");
  assert.deepEqual(records.map(plain), await byKcat(kafka, "append"));
}

/** What kafkajs gives under read committed, up to the record `last`. */
async function byKafkajs(kafka: KafkaServer, topic: string) {
  const consumer = kafkajsOf(kafka.bootstrap).consumer({ groupId: `r-${crypto.randomUUID()}` });
  // By offset: a consumer that joins its group anew begins again.
  const found = new Map<number, readonly [number, string]>();
  const { promise, resolve } = Promise.withResolvers<void>();
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: ({ message }) => {
        const value = String(message.value);
        found.set(Number(message.offset), [Number(message.offset), value]);
        if (value === "last") resolve();
        return Promise.resolve();
      },
    });
    assert.ok(await within(promise, 120_000), "kafkajs reads to the end");
  } finally {
    await consumer.disconnect();
  }
  return [...found.values()].sort(([a], [b]) => a - b);
}

async function transactional(kafka: KafkaServer, id: string): Promise<Producer> {
  const producer = kafkajsOf(kafka.bootstrap).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    transactionalId: id,
    transactionTimeout: 600_000,
    idempotent: true,
    maxInFlightRequests: 1,
    // The end of one transaction is often not known at once to the next.
    retry: { retries: 12, initialRetryTime: 5, maxRetryTime: 2_000 },
  });
  await producer.connect();
  return producer;
}

const messages = (name: string, count: number, bytes = 40) =>
  Array.from({ length: count }, (_, n) => ({ value: `${name} ${n} `.padEnd(bytes, "x") }));

async function readsTransactions(kafka: KafkaServer, topic: string): Promise<void> {
  await kafka.createTopic(topic);
  const producers = [
    await transactional(kafka, `${topic}-a`),
    await transactional(kafka, `${topic}-b`),
  ];
  const loose = kafkajsOf(kafka.bootstrap).producer({
    idempotent: true,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await loose.connect();
  try {
    // The two are under way at once, and others write between their batches. Of producer a three
    // transactions of four are aborted.
    for (let round = 0; round < 24; round++) {
      const open = await Promise.all(producers.map((one) => one.transaction()));
      for (let batch = 0; batch < 3; batch++) {
        for (const [n, one] of open.entries()) {
          await one.send({ topic, messages: messages(`${round}/${batch} of ${n}`, 5) });
        }
        await loose.send({ topic, messages: messages(`${round}/${batch} loose`, 2) });
      }
      const [a, b] = open;
      await (round % 4 === 0 ? a?.commit() : a?.abort());
      await (round % 3 === 0 ? b?.abort() : b?.commit());
    }
    // So long that its marker comes many answers later.
    const long = await producers[0]?.transaction();
    for (let batch = 0; batch < 20; batch++) {
      await long?.send({ topic, messages: messages(`long ${batch}`, 50, 200) });
      await loose.send({ topic, messages: messages(`beside ${batch}`, 2) });
    }
    await long?.abort();
    await loose.send({ topic, messages: [{ value: "last" }] });
  } finally {
    await Promise.all([...producers, loose].map((one) => one.disconnect()));
  }
  const wanted = await byKafkajs(kafka, topic);
  await using cluster = clusterOf(kafka.bootstrap);
  for (const maxBytes of [1, 5_000, 1_048_576]) {
    const { records, answers } = await fetchAll(cluster, topic, { maxBytes });
    const found = records.map(({ offset, value }) => [Number(offset), text(value)]);
    assert.deepEqual(found, wanted, `${maxBytes} bytes at a time, ${answers} answers`);
    if (maxBytes === 5_000) assert.ok(answers > 20, `${answers} answers`);
  }
  // Beginning in the middle: the answer tells of the transactions that began before.
  const from = BigInt(wanted.at(-30)?.[0] ?? 0) + 1n;
  const { records } = await fetchAll(cluster, topic, { from, maxBytes: 5_000 });
  assert.equal(records.length, 29);
  const uncommitted = await fetchAll(cluster, topic, { isolation: "read-uncommitted" });
  assert.equal(uncommitted.records.length, 24 * 3 * 12 + 20 * 52 + 1);
}

async function findsOffsets(kafka: KafkaServer): Promise<void> {
  const topic = "offsets";
  await kafka.createTopic(topic, { partitions: 2 });
  const producer = await transactional(kafka, "offsets");
  const at = 1_700_000_000_000;
  const stamped = [0, 1, 2].map((n) => ({
    ...{ value: `${n}`, partition: 0, timestamp: String(at + 1_000 * n) },
  }));
  await producer.send({ topic, messages: stamped });
  const open = await producer.transaction();
  await open.send({ topic, messages: stamped });
  await using cluster = clusterOf(kafka.bootstrap);
  await cluster.listTopics();
  const ask = async (
    where: "earliest" | "latest" | bigint,
    isolation: FetchOptions["isolation"] = "read-committed",
    partition = 0,
  ) => {
    const [found] = await cluster.listOffsets([{ topic, partition, at: where }], isolation);
    return found?.error ?? found?.offset;
  };
  assert.equal(await ask("earliest"), 0n);
  assert.equal(await ask("latest"), 3n);
  assert.equal(await ask("latest", "read-uncommitted"), 6n);
  assert.equal(await ask(BigInt(at + 500)), 1n);
  assert.equal(await ask(BigInt(at + 5_000)), null);
  assert.equal(await ask("latest", "read-committed", 1), 0n);
  await open.abort();
  await producer.disconnect();
  const missing: OffsetWish[] = [
    { topic: "nowhere", partition: 0, at: "latest" },
    { topic, partition: 1, at: "earliest" },
  ];
  const found = await cluster.listOffsets(missing, "read-committed");
  assert.deepEqual(found.map(({ offset, error }) => [offset, error?.fault]), [
    [null, "transient"],
    [0n, undefined],
  ]);
}

async function saysWhatIsWrong(kafka: KafkaServer): Promise<void> {
  const topic = "cut";
  await kafka.createTopic(topic);
  await produceBulk({ bootstrap: kafka.bootstrap, topic, count: 100 });
  const admin = kafkajsOf(kafka.bootstrap).admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic); // or kafkajs does not know the topic
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "40" }] });
  await admin.disconnect();
  await using cluster = clusterOf(kafka.bootstrap);
  await cluster.listTopics();
  const fetched = await cluster.fetch(1, [
    { topic, partition: 0, offset: 10n, maxBytes: 10_000 },
    { topic: "nowhere", partition: 0, offset: 0n, maxBytes: 10_000 },
    { topic, partition: 9, offset: 0n, maxBytes: 10_000 },
  ], wait);
  const by = (name: string, partition: number) =>
    fetched.find((one) => one.topic === name && one.partition === partition);
  assert.equal(by(topic, 0)?.outcome, "out-of-range");
  assert.equal(by("nowhere", 0)?.outcome, "moved");
  assert.equal(by(topic, 9)?.outcome, "moved");
  assert.equal(by(topic, 9)?.error?.fault, "transient");
  const [start] = await cluster.listOffsets(
    [{ topic, partition: 0, at: "earliest" }],
    "read-committed",
  );
  assert.equal(start?.offset, 40n);
  const [rest] = await cluster.fetch(
    1,
    [{ topic, partition: 0, offset: 40n, maxBytes: 10_000 }],
    wait,
  );
  assert.deepEqual(
    [rest?.outcome, rest?.error, rest?.logStartOffset, rest?.highWatermark, rest?.lastStableOffset],
    ["ok", null, 40n, 100n, 100n],
  );
  await assert.rejects(cluster.fetch(7, [], wait), { fault: "transient" });
}

async function holdsNobodyUp(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("empty");
  await using cluster = clusterOf(kafka.bootstrap);
  await cluster.listTopics();
  const stop = new AbortController();
  const waiting = cluster.fetch(1, [
    { topic: "empty", partition: 0, offset: 0n, maxBytes: 1_000 },
  ], { ...wait, maxWaitMs: 20_000, signal: stop.signal });
  const outcome = waiting.then(() => "an answer", (thrown) => thrown);
  const asked = cluster.listOffsets(
    [{ topic: "empty", partition: 0, at: "latest" }],
    wait.isolation,
  );
  const first = await Promise.race([asked.then(() => "offsets"), outcome.then(() => "the fetch")]);
  assert.equal(first, "offsets", "are told while a fetch waits");
  stop.abort("enough");
  assert.ok(await within(outcome, 30_000), "an aborted fetch ends at once");
  assert.equal(await outcome, "enough");
  await produceBulk({ bootstrap: kafka.bootstrap, topic: "empty", count: 10 });
  const { records } = await fetchAll(cluster, "empty");
  assert.equal(records.length, 10);
}

/** Answers of many pieces of the network, some fetches at once, and over TLS if it is there. */
async function readsMuch(kafka: KafkaServer, certificates?: CertificateSet): Promise<void> {
  const topic = "much";
  await kafka.createTopic(topic, { partitions: 2 });
  const count = 40_000;
  for (const partition of [0, 1]) {
    await produceBulk({ bootstrap: kafka.bootstrap, topic, count, partition, bytes: 150 });
  }
  const [even = [], odd = []] = [0, 1].map((partition) =>
    Array.from({ length: count }, (_, n) => [partition, n, numberedValue(topic, n, 150)])
  );
  const ca = certificates && await Deno.readTextFile(certificates.ca);
  await using cluster = ca === undefined
    ? clusterOf(kafka.bootstrap)
    : clusterOf(kafka.sslBootstrap, { ca });
  const read = async (partition: number, maxBytes: number) => {
    const { records } = await fetchAll(cluster, topic, { partition, maxBytes });
    return records.map(({ offset, value }) => [partition, Number(offset), text(value)]);
  };
  // All by the one connection that the broker's fetches have.
  const found = await Promise.all([read(0, 700_000), read(1, 90_000), read(0, 3_000_000)]);
  for (const [n, wanted] of [even, odd, even].entries()) assert.deepEqual(found[n], wanted);
}

async function needsRights(kafka: KafkaServer): Promise<void> {
  for (const topic of ["secret", "open"]) await kafka.createTopic(topic);
  await produceBulk({ bootstrap: kafka.bootstrap, topic: "open", count: 5 });
  await kafka.allow("reader", "open", "read");
  await kafka.allow("reader", "secret", "describe");
  await using cluster = clusterOf(kafka.saslBootstrap, { user: "reader" });
  const names = await eventually("both topics are seen", async () => {
    const seen = (await cluster.listTopics()).map(({ name }) => name).sort();
    return seen.length >= 2 && seen;
  });
  assert.deepEqual(names, ["open", "secret"], "and no others");
  const fetched = await cluster.fetch(1, [
    { topic: "secret", partition: 0, offset: 0n, maxBytes: 10_000 },
    { topic: "open", partition: 0, offset: 0n, maxBytes: 10_000 },
  ], wait);
  const outcomes = fetched.map(({ topic, outcome, error, records }) =>
    `${topic} ${outcome} ${error?.fault} ${records.length > 0}`
  );
  assert.deepEqual(outcomes.sort(), ["open ok undefined true", "secret failed denied false"]);
}

for (const version of ["4.1.0", "3.9.1"] as const) {
  const acl = version === "4.1.0";
  Deno.test(`fetching from Kafka ${version}`, async (t) => {
    await using files = await TempFiles.of();
    const certificates = acl ? await makeCertificates(files.folder) : undefined;
    await using kafka = await startKafka({
      version,
      acl,
      ...(certificates ? { ssl: certificates } : {}),
      ...(acl ? { sasl: { mechanism: "PLAIN", users: { reader: "reader" } } } : {}),
    });
    await t.step("knows topics, their ids and leaders", () => listsTopics(kafka));
    for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"] as const) {
      await t.step(`reads what kcat wrote, compression ${codec}`, () => readsCodec(kafka, codec));
    }
    await t.step("gives the broker's time where it counts", () => broughtTimes(kafka));
    await t.step("gives what was committed, as kafkajs does", () => readsTransactions(kafka, "tx"));
    await t.step("finds offsets", () => findsOffsets(kafka));
    await t.step("tells what is wrong with a partition", () => saysWhatIsWrong(kafka));
    await t.step("reads much at once", () => readsMuch(kafka, certificates));
    await t.step("waits without holding others up", () => holdsNobodyUp(kafka));
    if (acl) await t.step("is denied where there is no right", () => needsRights(kafka));
  });
}
