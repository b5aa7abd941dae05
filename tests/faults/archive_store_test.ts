// deno-lint-ignore-file no-console -- the counts are what is published
import assert from "node:assert/strict";
import {
  assertExact,
  compareArchive,
  totalsOf,
  walkArchive,
} from "../support/archive_comparison.ts";
import {
  type ArchivePlace,
  metricSum,
  readinessOf,
  s3Place,
  startArchive,
  stopArchive,
} from "../support/archive_run.ts";
import { type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { produceBulk, startLoad } from "../support/produce_mix.ts";
import { startS3 } from "../support/s3_server.ts";
import type { SluiceProcess } from "../support/sluice_process.ts";
import { faultKinds, StoreFaults } from "../support/store_faults.ts";
import { delay, eventually } from "../support/waiting.ts";

const seconds = Number(Deno.env.get("SLUICE_TEST_SECONDS") ?? 40);
const topics = ["a", "b"];
const quick = ["--rotate-interval=500ms", "--rotate-records=2000", "--session-timeout=6s"];

async function makeTopics(kafka: KafkaServer): Promise<void> {
  for (const topic of topics) await kafka.createTopic(topic, { partitions: 3 });
}

/** The daemon archives all that there is without any help; then every record is in one object. */
async function recovers(
  sluice: SluiceProcess,
  place: ArchivePlace,
  kafka: KafkaServer,
  timeoutMs = 180_000,
): Promise<string> {
  const options = { kafka: kafka.bootstrap, topics };
  let last = "";
  await eventually("everything in the archive", async () => {
    const { lost, records, kafkaRecords } = totalsOf(await compareArchive(place, options));
    last = `${records} of ${kafkaRecords} records`;
    return lost === 0;
  }, { everyMs: 1_000, timeoutMs }).catch(async (thrown) => {
    throw new Error(`${last}\n${await sluice.process.tail(60)}`, { cause: thrown });
  });
  const ready = () => readinessOf(sluice).then(({ status }) => status === 200);
  await eventually("readiness", ready);
  await stopArchive(sluice);
  const report = await compareArchive(place, options);
  assertExact(report);
  const { records, objects, lost, extra } = totalsOf(report);
  return `${records} records in ${objects} objects, ${lost} lost, ${extra} in two objects`;
}

Deno.test(`a store with 20 % of faults for ${seconds} s: nothing is lost or doubled`, async () => {
  await using kafka = await startKafka();
  await using s3 = await startS3();
  await using faults = new StoreFaults(`127.0.0.1:${s3.port}`, 42);
  await using place = await s3Place(s3, { through: faults.address });
  await makeTopics(kafka);
  faults.shares = { error: 8, cutRequest: 4, cutReply: 3, stall: 1, lostReply: 4 };
  const load = startLoad(kafka.bootstrap, topics, { perSecond: 3_000 });
  await using sluice = await startArchive(place, kafka.bootstrap, quick);
  await delay(seconds * 1_000);
  const haveAllCome = () => faultKinds.every((kind) => faults.counts[kind] > 0);
  await eventually("faults of each kind", haveAllCome, { timeoutMs: 120_000 });
  await load.stop();
  faults.shares = {};
  const figures = await recovers(sluice, place, kafka);
  const { passed, refused: _, ...counts } = faults.counts;
  console.info(`${seconds} s, faults ${JSON.stringify(counts)}, ${passed} passed: ${figures}`);
});

Deno.test("a broker that is killed, started again, and stands still: nothing is lost or doubled", async () => {
  await using kafka = await startKafka();
  await using s3 = await startS3();
  await using place = await s3Place(s3);
  await makeTopics(kafka);
  const load = startLoad(kafka.bootstrap, topics, { perSecond: 3_000 });
  await using sluice = await startArchive(place, kafka.bootstrap, quick);
  await delay(2_000);
  await kafka.kill("SIGKILL");
  await delay(3_000);
  await kafka.restart();
  await delay(5_000);
  await kafka.pause();
  await delay(10_000);
  kafka.resume();
  await delay(4_000);
  await load.stop();
  console.info(`a broker killed and paused: ${await recovers(sluice, place, kafka)}`);
});

Deno.test("a store that is killed, started again, and stands still: nothing is lost or doubled", async () => {
  await using kafka = await startKafka();
  await using s3 = await startS3();
  await using place = await s3Place(s3);
  await makeTopics(kafka);
  const load = startLoad(kafka.bootstrap, topics, { perSecond: 3_000 });
  await using sluice = await startArchive(place, kafka.bootstrap, quick);
  await delay(1_000);
  await s3.kill("SIGKILL");
  await eventually("a word about it", async () => (await readinessOf(sluice)).status === 503);
  await s3.restart();
  await delay(2_000);
  await s3.pause();
  await delay(4_000);
  s3.resume();
  await load.stop();
  console.info(`a store killed and paused: ${await recovers(sluice, place, kafka)}`);
});

for (const refusal of ["denied", "busy"] as const) {
  Deno.test(`one topic whose puts are ${refusal} is paused and told of, and the others go on`, async () => {
    await using kafka = await startKafka();
    await using s3 = await startS3();
    await using faults = new StoreFaults(`127.0.0.1:${s3.port}`);
    await using place = await s3Place(s3, { through: faults.address });
    const { bootstrap } = kafka;
    await makeTopics(kafka);
    await using sluice = await startArchive(place, bootstrap, [...quick, "--rotate-records=500"]);
    faults.refusal = refusal;
    faults.refused = /^PUT \S+\/sluice\/b\//;
    for (let n = 0; n < 40_000; n += 10_000) {
      for (const topic of topics) await produceBulk({ bootstrap, topic, from: n, count: 10_000 });
    }
    await eventually("all of the one topic", async () => {
      return totalsOf(await walkArchive(place), ["a"]).records === 40_000;
    }, { timeoutMs: 120_000 });
    const why = refusal === "denied" ? "these credentials may not" : "the store asks for fewer";
    let text = "";
    await eventually("each partition of the other told of", async () => {
      const seen = await readinessOf(sluice);
      text = seen.text;
      const told = text.split("\n").filter((line) => /^b-\d: /.test(line) && line.includes(why));
      return seen.status === 503 && told.length === 3;
    }).catch((thrown) => {
      throw new Error(`It says ${text}`, { cause: thrown });
    });
    assert.doesNotMatch(text, /a-\d: /);
    assert.ok(await metricSum(sluice, "archive_put_errors_total") > 0);
    assert.equal(await metricSum(sluice, "archive_ready"), 0);
    // It is as old as the last look at Kafka's ends.
    await eventually("the lag of the other", async () => {
      return await metricSum(sluice, "archive_lag_records", `topic="b"`) > 10_000;
    });
    assert.equal(totalsOf(await walkArchive(place), ["b"]).records, 0);
    // It is not read any more once so much waits, whatever comes.
    const fetched = () => metricSum(sluice, "archive_fetched_bytes_total");
    let n = 40_000;
    await eventually("an end of the reading", async () => {
      const before = await fetched();
      await produceBulk({ bootstrap, topic: "b", from: n, count: 3_000 });
      n += 3_000;
      await delay(1_500);
      return await fetched() === before;
    }, { timeoutMs: 120_000 });
    faults.refused = null;
    await recovers(sluice, place, kafka);
  });
}
