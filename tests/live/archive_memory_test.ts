import assert from "node:assert/strict";
import { compareArchive, totalsOf, walkArchive } from "../support/archive_comparison.ts";
import { folderPlace, startArchive, stopArchive } from "../support/archive_run.ts";
import { kafkajsOf, startKafka } from "../support/kafka_server.ts";
import { peakBytesOf } from "../support/peak_memory.ts";
import { numberedValue, produceBulk } from "../support/produce_mix.ts";
import { delay, eventually } from "../support/waiting.ts";

const memoryMost = 300_000_000;
/** Index files are mapped at their full size, and 2,000 of 10 MB can stop a small machine for a minute. */
const properties = { "log.index.size.max.bytes": "8192" };
const isFull = Deno.env.get("SLUICE_TEST_FULL") === "1";

Deno.test("1,000 partitions with a trickle are put on time and take less than 300 MB", async () => {
  const [topicCount, partitions] = [10, 100];
  const rotateMs = 10_000;
  await using kafka = await startKafka({ properties });
  await using place = await folderPlace();
  const topics = Array.from({ length: topicCount }, (_, i) => `trickle-${i}`);
  for (const topic of topics) await kafka.createTopic(topic, { partitions });
  await using sluice = await startArchive(place, kafka.bootstrap, [
    ...["--rotate-interval=10s", "--log-level=debug"],
  ]);
  await eventually("all partitions begun with", async () => {
    const begun = (await sluice.log()).split(`"Archiving a partition"`).length - 1;
    return begun === topicCount * partitions;
  }, { timeoutMs: 180_000 });
  const producer = kafkajsOf(kafka.bootstrap).producer({ idempotent: true });
  await producer.connect();
  const seconds = isFull ? 120 : 25;
  let sent = 0;
  for (const end = performance.now() + seconds * 1_000; performance.now() < end;) {
    const begun = performance.now();
    for (const topic of topics) {
      const messages = Array.from({ length: partitions }, (_, partition) => ({
        partition,
        value: numberedValue(topic, sent++),
      }));
      await producer.send({ topic, messages });
    }
    await delay(Math.max(0, 1_000 - (performance.now() - begun)));
  }
  await producer.disconnect();
  await eventually("all of them in the archive", async () => {
    return totalsOf(await walkArchive(place)).records === sent;
  }, { everyMs: 1_000, timeoutMs: 120_000 });
  const memory = await sluice.memoryPeak();
  await stopArchive(sluice);
  const report = await walkArchive(place);
  assert.deepEqual(report.partitions.flatMap(({ problems }) => problems), []);
  assert.equal(report.partitions.length, topicCount * partitions);
  const slowest = Math.max(...report.partitions.map(({ slowestMs }) => slowestMs ?? 0));
  // The rest is for a busy machine: 1,000 files are made whole on the disk at about the same time, and
  // in the middle of that it may stand still.
  assert.ok(slowest < rotateMs + 45_000, `a record waited for ${slowest} ms`);
  assert.ok(memory < memoryMost, `${memory} bytes were resident`);
});

Deno.test("catching up with many records takes less than 300 MB", async () => {
  const count = isFull ? 10_000_000 : 1_000_000;
  await using kafka = await startKafka();
  await using place = await folderPlace();
  const { bootstrap } = kafka;
  await kafka.createTopic("much", { partitions: 8 });
  await produceBulk({ bootstrap, topic: "much", count, bytes: 200, codec: "lz4" });
  const { code, peakBytes } = await peakBytesOf(
    ["archive", `--kafka=${bootstrap}`, `--to=${place.url}`, "--once"],
    place.folder,
  );
  assert.equal(code, 0);
  const report = await compareArchive(place, { kafka: bootstrap, topics: ["much"] });
  assert.equal(totalsOf(report).records, count);
  assert.equal(totalsOf(report).lost + totalsOf(report).extra, 0);
  assert.ok(peakBytes < memoryMost, `${peakBytes} bytes were resident`);
});
