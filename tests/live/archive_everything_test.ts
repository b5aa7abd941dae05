import assert from "node:assert/strict";
import { assertExact, compareArchive, totalsOf } from "../support/archive_comparison.ts";
import { readByKafkajs } from "../support/archive_kafkajs.ts";
import {
  archiveOnce,
  type ArchivePlace,
  folderPlace,
  s3Place,
  startArchive,
  stopArchive,
} from "../support/archive_run.ts";
import { kafkajsOf, type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { type Codec, produceBulk, produceTransactions, startLoad } from "../support/produce_mix.ts";
import { startS3 } from "../support/s3_server.ts";
import { TempFiles } from "../support/temp_files.ts";
import { delay, eventually } from "../support/waiting.ts";

/** With every format on every store there is so much to compare that CI takes fewer records. */
const isFull = Deno.env.get("SLUICE_TEST_FULL") === "1";
const codecs: readonly Codec[] = ["gzip", "snappy", "lz4", "zstd"];
const compacted = {
  "cleanup.policy": "compact",
  "segment.ms": "200",
  "min.cleanable.dirty.ratio": "0.01",
  "delete.retention.ms": "0",
};
/** So that compaction is to be seen within seconds. */
const properties = { "log.cleaner.backoff.ms": "200" };

/** Topics of every codec, of two partitions each. */
async function fillCodecs(kafka: KafkaServer, count: number, whole: boolean): Promise<string[]> {
  const topics = codecs.map((codec) => `by-${codec}`);
  for (const [i, codec] of codecs.entries()) {
    const topic = topics[i] ?? "";
    await kafka.createTopic(topic, { partitions: 2 });
    await produceBulk({
      bootstrap: kafka.bootstrap,
      topic,
      count: count / codecs.length,
      codec,
      whole,
    });
  }
  return topics;
}

/** Transactions of which most are aborted, by one producer. Gives the committed records. */
async function fillTransactions({ bootstrap }: KafkaServer, topic: string): Promise<number> {
  const { committed } = await produceTransactions({
    ...{ bootstrap, topic, transactions: 60, records: 25 },
    isAborted: (i) => i % 4 !== 1,
  });
  return committed;
}

/**
 * Two aborted transactions that are longer than any fetch, and small ones of another producer between
 * their requests. Not for kafkajs, which takes aborted records of such for committed ones.
 */
async function fillLongTransactions(
  { bootstrap }: KafkaServer,
  topic: string,
  requests: number,
): Promise<number> {
  const small = { bootstrap, topic, transactions: 30, records: 25 };
  const large = { bootstrap, topic, transactions: 3, records: 2_000, requests, bytes: 400 };
  const counts = await Promise.all([
    produceTransactions({ ...large, isAborted: (i) => i < 2 }),
    produceTransactions({ ...small, isAborted: (i) => i % 2 === 0 }),
  ]);
  return counts.reduce((sum, { committed }) => sum + committed, 0);
}

/** Many versions of few keys and some deletions, and the log cleaned: there are holes in its offsets. */
async function fillCompacted(kafka: KafkaServer, topic: string): Promise<void> {
  await kafka.createTopic(topic, { config: compacted });
  const producer = kafkajsOf(kafka.bootstrap).producer({ idempotent: true });
  await producer.connect();
  for (let round = 0; round < 8; round++) {
    const messages = Array.from({ length: 500 }, (_, i) => ({
      key: `key-${i % 100}`,
      value: round % 3 === 2 && i % 10 === 0 ? null : `round ${round}, ${i}`,
    }));
    await producer.send({ topic, messages });
    await delay(250); // another segment
  }
  await producer.disconnect();
  // The last round is in the segment that is written to, and no other key comes twice in the rest: there
  // is nothing left to be compacted while it is archived and compared.
  await eventually("a log that is compacted to its end", async () => {
    return (await readOffsets(kafka.bootstrap, topic)).length === 100 + 500;
  }, { everyMs: 1_000, timeoutMs: 120_000 });
}

async function readOffsets(bootstrap: string, topic: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("kcat", {
    args: ["-C", "-e", "-q", "-o", "beginning", "-b", bootstrap, "-t", topic, "-f", "%o\\n"],
  }).output();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

/** Keys, values and headers of every awkward kind. */
async function fillAwkward(kafka: KafkaServer, topic: string): Promise<number> {
  await kafka.createTopic(topic);
  const producer = kafkajsOf(kafka.bootstrap).producer({ idempotent: true });
  await producer.connect();
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const messages = [
    { key: null, value: null },
    { key: "", value: "" },
    { key: "k", value: null, headers: { none: "" } },
    { key: new TextDecoder().decode(new Uint8Array([0, 10, 13])), value: "\n\0\n" },
    { value: "headers", headers: { b: "1", a: ["x", "y"], "ü": "ö", bytes: bytesAsText(bytes) } },
    { value: "x".repeat(700_000), key: "large" },
    ...Array.from({ length: 300 }, (_, i) => ({ value: `${i}`.repeat(i % 40), timestamp: `${i}` })),
  ];
  for (const message of messages) {
    // Each as a batch of its own.
    await producer.send({ topic, messages: [message as { value: string | null }] });
  }
  await producer.disconnect();
  return messages.length;
}

function bytesAsText(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

interface Topics {
  readonly bulk: readonly string[];
  readonly transactions: string;
  readonly committed: number;
  readonly long: string;
  readonly longCommitted: number;
  readonly awkward: string;
  readonly awkwardCount: number;
  readonly compacted: string;
}

async function fill(kafka: KafkaServer, count: number, whole: boolean): Promise<Topics> {
  for (const topic of ["transactions", "long"]) await kafka.createTopic(topic, { partitions: 2 });
  const bulk = await fillCodecs(kafka, count, whole);
  const committed = await fillTransactions(kafka, "transactions");
  const longCommitted = await fillLongTransactions(kafka, "long", Math.min(25, count / 8_000));
  const awkwardCount = await fillAwkward(kafka, "awkward");
  await fillCompacted(kafka, "compacted");
  return {
    bulk,
    transactions: "transactions",
    committed,
    long: "long",
    longCommitted,
    awkward: "awkward",
    awkwardCount,
    compacted: "compacted",
  };
}

/** Every record is in one object, by kcat's reading, and by that of kafkajs where it can read. */
async function assertEverything(
  kafka: KafkaServer,
  place: ArchivePlace,
  group: string,
  topics: Topics,
  count: number,
): Promise<void> {
  const all = [...topics.bulk, topics.transactions, topics.long, topics.compacted];
  const report = await compareArchive(place, { kafka: kafka.bootstrap, topics: all, group });
  assertExact(report);
  assert.equal(totalsOf(report, topics.bulk).records, count);
  assert.equal(totalsOf(report, [topics.transactions]).records, topics.committed);
  assert.equal(totalsOf(report, [topics.long]).records, topics.longCommitted);
  await using files = await TempFiles.of();
  const recordsFile = files.path("read.jsonl");
  const some = [topics.transactions, topics.awkward];
  const expect = topics.committed + topics.awkwardCount;
  await readByKafkajs(kafka.bootstrap, some, recordsFile, { expect });
  const second = await compareArchive(place, { kafka: "", topics: some, group, recordsFile });
  assertExact(second);
  assert.equal(totalsOf(second).records, expect);
}

Deno.test("2,000,000 records of every codec, transactions and a compacted topic are archived by --once, each in one object", async () => {
  const count = 2_000_000;
  await using kafka = await startKafka({ properties });
  await using s3 = await startS3();
  await using place = await s3Place(s3);
  const topics = await fill(kafka, count, false);
  await archiveOnce(place, kafka.bootstrap, ["--group=all", "--rotate-bytes=4MiB"]);
  await assertEverything(kafka, place, "all", topics, count);
});

for (const version of ["4.1.0", "3.9.1"] as const) {
  Deno.test(`each format on each store holds every record of Kafka ${version}`, async (t) => {
    const count = isFull ? 200_000 : 40_000;
    await using kafka = await startKafka({ version, properties });
    await using s3 = await startS3();
    await using bucket = await s3Place(s3);
    await using folder = await folderPlace();
    const topics = await fill(kafka, count, true);
    const cases = [["value", folder], ["record", bucket], ["record", folder]] as const;
    for (const [format, place] of cases) {
      const store = place.url.split(":")[0];
      const group = `${format}s-${store}`;
      await t.step(`${format}s in ${store}, by --once`, async () => {
        const args = [`--group=${group}`, `--format=${format}`, "--rotate-records=9000"];
        await archiveOnce(place, kafka.bootstrap, args);
        await assertEverything(kafka, place, group, topics, count);
      });
    }
    await t.step(
      "a daemon goes on where --once ended, with records that come meanwhile",
      async () => {
        await using sluice = await startArchive(bucket, kafka.bootstrap, [
          ...["--group=records-s3", "--format=record", "--rotate-interval=1s"],
        ]);
        const load = startLoad(kafka.bootstrap, ["by-gzip", "transactions"], { perSecond: 2_000 });
        await delay(6_000);
        await load.stop();
        const all = ["by-gzip", "transactions"];
        await eventually("all of the load in the archive", async () => {
          const isOpen = true;
          const options = { kafka: kafka.bootstrap, topics: all, group: "records-s3", isOpen };
          const { kafkaRecords } = totalsOf(await compareArchive(bucket, options));
          const whole = await compareArchive(bucket, { ...options, isOpen: false });
          return totalsOf(whole).kafkaRecords === kafkaRecords;
        }, { everyMs: 1_000, timeoutMs: 120_000 });
        await stopArchive(sluice);
        const options = { kafka: kafka.bootstrap, topics: all, group: "records-s3" };
        assertExact(await compareArchive(bucket, options));
      },
    );
  });
}
