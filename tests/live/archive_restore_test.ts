import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { dumpArchive } from "../support/archive_comparison.ts";
import { archiveOnce, type ArchivePlace, folderPlace, s3Place } from "../support/archive_run.ts";
import { runSluice } from "../support/command_line.ts";
import { kafkajsOf, type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { produceBulk, produceTransactions } from "../support/produce_mix.ts";
import { startS3 } from "../support/s3_server.ts";

const topic = "there.and-back";
const partitions = 3;

/** Keys, nulls, empty and binary values, headers that come twice, times of all kinds. */
async function fill(kafka: KafkaServer): Promise<void> {
  const { bootstrap } = kafka;
  await kafka.createTopic(topic, { partitions, config: { "retention.ms": "-1" } });
  await produceBulk({ bootstrap, topic, count: 6_000, codec: "zstd", whole: true });
  await produceBulk({ bootstrap, topic, from: 6_000, count: 3_000, codec: "lz4" });
  await produceTransactions({
    bootstrap,
    topic,
    transactions: 20,
    isAborted: (n) => n % 3 === 0,
  });
  const producer = kafkajsOf(bootstrap).producer({ idempotent: true });
  await producer.connect();
  const messages = [
    { key: null, value: null },
    { key: "", value: "" },
    { key: new Uint8Array([0, 255]), value: new Uint8Array([255, 0, 10]) },
    { key: "k", value: "v", headers: { twice: ["1", "2", "1"], empty: "", "": "nameless" } },
    { key: "binary", value: "v", headers: { bytes: "\0\u{ff}" } },
    { key: "old", value: "v", timestamp: "1" },
  ];
  for (let partition = 0; partition < partitions; partition++) {
    const some = messages.map((one) => ({
      ...one,
      partition,
      key: bufferOf(one.key),
      value: bufferOf(one.value),
    }));
    await producer.send({ topic, messages: some });
  }
  await producer.disconnect();
}

function bufferOf(one: string | Uint8Array | null) {
  return one instanceof Uint8Array ? Buffer.from(one) : one;
}

/** What an independent reader finds in the archive, in its order; offsets are the cluster's own. */
async function contentOf(place: ArchivePlace) {
  const records = await dumpArchive(place);
  return records.map(({ partition, key, value, headers, timestamp }) =>
    JSON.stringify([partition, key, value, headers, timestamp])
  );
}

/** From one cluster through an archive into an empty one, and from there into another archive. */
async function thereAndBack(from: KafkaServer, to: KafkaServer, places: readonly ArchivePlace[]) {
  const [first, second] = places;
  assert.ok(first && second);
  await fill(from);
  const args = [
    "--format=record",
    `--include=${topic.replace(".", "\\.")}`,
    "--rotate-records=700",
  ];
  await archiveOnce(first, from.bootstrap, args);
  const restored = await runSluice(
    ["archive", "restore", first.url, `--kafka=${to.bootstrap}`, ...first.args, "--create-topics"],
    { env: first.env },
  );
  assert.equal(restored.code, 0, restored.stderr);
  await to.configureTopic(topic, { "retention.ms": "-1" });
  await archiveOnce(second, to.bootstrap, args);
  const wanted = await contentOf(first);
  assert.equal(wanted.length, 9_000 + 13 * 10 + 6 * partitions);
  assert.deepEqual(await contentOf(second), wanted);
}

Deno.test("an archive restored into an empty cluster and archived again is the same, in a folder and in S3", async () => {
  await using old = await startKafka({ version: "3.9.1" });
  await using fresh = await startKafka();
  await using server = await startS3();
  await using first = await s3Place(server);
  await using second = await folderPlace();
  await thereAndBack(old, fresh, [first, second]);
});
