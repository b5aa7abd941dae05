import assert from "node:assert/strict";
import { s3Place } from "../support/archive_run.ts";
import { runSluice } from "../support/command_line.ts";
import { kafkajsOf, startKafka } from "../support/kafka_server.ts";
import { startS3 } from "../support/s3_server.ts";
import { readExactly } from "./restoring.ts";

/** Archives and restores within S3 and Kafka of a version; the topic is made by the restore. */
async function throughS3(version: "4.1.0" | "3.9.1"): Promise<void> {
  await using server = await startS3();
  await using place = await s3Place(server);
  await using kafka = await startKafka({ version });
  const topic = "to.and-fro";
  await kafka.createTopic(topic, { partitions: 4 });
  // Asked again after an answer that was late, a plain producer writes twice.
  const producer = kafkajsOf(kafka.bootstrap).producer({ idempotent: true });
  await producer.connect();
  const messages = Array.from({ length: 2_000 }, (_, n) => ({
    key: n % 5 === 0 ? null : `k${n}`,
    value: n % 11 === 0 ? null : `v${n}`,
    headers: { n: `${n}` },
  }));
  await producer.send({ topic, messages });
  await producer.disconnect();
  const sluice = async (...args: string[]) => {
    const seen = await runSluice([...args, `--kafka=${kafka.bootstrap}`, ...place.args], {
      env: place.env,
    });
    assert.equal(seen.code, 0, seen.stderr);
    return seen;
  };
  const archiving = ["--include=to.*", "--format=record", "--rotate-records=150", "--once"];
  await sluice("archive", `--to=${place.url}`, ...archiving);
  const mapped = [`--topic-map=${topic}=back`, "--create-topics", "--compression=gzip"];
  await sluice("archive", "restore", place.url, ...mapped);
  const wanted = await readExactly(kafka.bootstrap, topic);
  assert.equal(wanted.length, 2_000);
  assert.deepEqual(await readExactly(kafka.bootstrap, "back"), wanted);
}

for (const version of ["4.1.0", "3.9.1"] as const) {
  Deno.test(`an archive in a real S3 goes back into Kafka ${version} to the byte`, () =>
    throughS3(version));
}
