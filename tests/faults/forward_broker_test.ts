import assert from "node:assert/strict";
import { assertNothingLost, compareTopic } from "../support/arrival.ts";
import { waitForRecords } from "../support/kafka_reader.ts";
import { type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { sendLines } from "../support/line_sender.ts";
import { numberedLines } from "../support/numbered_lines.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { delay, eventually } from "../support/waiting.ts";

const lineCount = 400_000;
/** So many are sent at most before Kafka has gone, however long that takes. */
const firstLines = 60_000;
const memoryMost = 200_000_000;

/** The lines, of which most are kept back until Kafka has gone. */
async function* keptBack(lines: readonly string[], hasGone: Promise<void>) {
  yield* lines.slice(0, firstLines);
  await hasGone;
  yield* lines.slice(firstLines);
}

/** Lines pour in while Kafka is away; all must arrive, in order, once, and memory stay small. */
async function survives(
  kafka: KafkaServer,
  topic: string,
  outage: (gone: () => void, whileAway: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await kafka.createTopic(topic, { partitions: 2 });
  await using sluice = await SluiceProcess.start([
    "forward-syslog",
    `--kafka=${kafka.bootstrap}`,
    "--listen=tcp://127.0.0.1:0",
    `--topic=${topic}`,
    "--format=raw",
    "--http=127.0.0.1:0",
  ]);
  const port = await sluice.port("tcp");
  await sluice.said("Forwarding");
  const lines = [...numberedLines(lineCount)];
  const taken = () => sluice.metric("forward_messages_received_total");
  const { promise: hasGone, resolve: gone } = Promise.withResolvers<void>();
  const sent = sendLines(port, keptBack(lines, hasGone));
  await eventually("lines are taken", async () => await taken() > 1_000, { everyMs: 5 });
  await outage(gone, async () => {
    const before = await eventually("no more lines are taken while Kafka is away", async () => {
      const before = await taken();
      await delay(3_000);
      return await taken() === before && before;
    }, { everyMs: 0 });
    assert.ok(before < lineCount, "all was taken: the test shows nothing");
  });
  await sent;
  await waitForRecords(kafka.bootstrap, topic, lineCount, 180_000);
  const memory = await sluice.memoryPeak();
  assert.equal(await sluice.end("SIGTERM"), 0, await sluice.log());
  const seen = await compareTopic(kafka.bootstrap, topic, lines);
  assertNothingLost(seen);
  assert.equal(seen.orderBreaks, 0);
  assert.equal(seen.duplicates, 0);
  assert.ok(memory < memoryMost, `${memory} bytes were resident`);
}

Deno.test("a broker killed and back after 20 s has every line, and none was taken meanwhile", async () => {
  await using kafka = await startKafka();
  await survives(kafka, "killed", async (gone, whileAway) => {
    await kafka.kill("SIGKILL");
    gone();
    await delay(15_000);
    await whileAway();
    await delay(2_000);
    await kafka.restart();
  });
});

Deno.test("a broker that stands still for 30 s has every line, and none was taken meanwhile", async () => {
  await using kafka = await startKafka();
  await survives(kafka, "paused", async (gone, whileAway) => {
    await kafka.pause();
    gone();
    await delay(27_000);
    await whileAway();
    kafka.resume();
  });
});
