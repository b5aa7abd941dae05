import assert from "node:assert/strict";
import { type KafkaServer, startKafka } from "../support/kafka_server.ts";
import type { ReadRecord } from "../support/kafka_reader.ts";
import { readAllKcat } from "../support/kcat_reader.ts";
import { delay } from "../support/waiting.ts";
import { finish, meanwhile, notReady, ready, send, startForwarding } from "./forwarding.ts";

const decoder = new TextDecoder();
const text = (bytes: Uint8Array) => decoder.decode(bytes);
const small = { config: { "max.message.bytes": "2000" } };
const line = (n: number, bytes: number) =>
  `<13>Nov 23 20:30:00 h a: line ${n} ${"0123456789".repeat(bytes / 10)}`;
const large = line(2, 9_000);
const lines = [line(1, 100), large, line(3, 100)];

/** Sends a few lines, one of them larger than the topic takes, and reads what came of them. */
async function forwarded(
  kafka: KafkaServer,
  topic: string,
  args: readonly string[],
  expect: number,
): Promise<ReadRecord[]> {
  await kafka.createTopic(topic, small);
  await using sluice = await startForwarding([
    `--kafka=${kafka.bootstrap}`,
    `--topic=${topic}`,
    ...args,
  ]);
  await send(sluice, lines.map((one) => `${one}\n`).join(""));
  const records = await readAllKcat(kafka.bootstrap, topic, { expect });
  const counts = await finish(sluice);
  assert.ok(counts.refused > 0);
  assert.equal(counts.messages, 3);
  return records;
}

/** Parts named 1, 2/2, each of which may be two again, put together in order. */
function joined(records: readonly ReadRecord[]): string {
  const named = records.map(({ headers, value }) => [headers["sluice-part"] ?? "", value] as const);
  return named.sort(([a], [b]) => a < b ? -1 : 1).map(([, value]) => text(value)).join("");
}

async function split(kafka: KafkaServer): Promise<void> {
  const records = await forwarded(kafka, "too-large", ["--format=raw", "--oversize=split"], 10);
  const whole = records.filter(({ headers }) => headers["sluice-part"] === undefined);
  assert.deepEqual(whole.map(({ value }) => text(value)), [lines[0], lines[2]]);
  const parts = records.filter(({ headers }) => headers["sluice-part"] !== undefined);
  assert.equal(joined(parts), large);
  assert.ok(parts.every(({ headers }) => headers["sluice-refused"] === "too-large"));
}

async function truncated(kafka: KafkaServer): Promise<void> {
  const records = await forwarded(kafka, "cut", ["--oversize=truncate"], 3);
  const [cut] = records.filter(({ headers }) => headers["sluice-truncated"] === "true");
  const { content, hostname } = JSON.parse(text(cut?.value ?? new Uint8Array()));
  assert.equal(hostname, "h");
  assert.ok(large.includes(content) && content.startsWith("line 2"));
  assert.ok(content.length > 1_000);
}

async function deadLettered(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("dead");
  const records = await forwarded(
    kafka,
    "set-aside",
    ["--format=raw", "--dead-letter-topic=dead"],
    2,
  );
  assert.deepEqual(records.map(({ value }) => text(value)), [lines[0], lines[2]]);
  const [dead] = await readAllKcat(kafka.bootstrap, "dead", { expect: 1 });
  assert.equal(text(dead?.value ?? new Uint8Array()), large);
  assert.equal(dead?.headers["sluice-refused"], "too-large");
}

async function restamped(kafka: KafkaServer, codec: string): Promise<void> {
  const topic = `stamps-${codec}`;
  await kafka.createTopic(topic);
  await using sluice = await startForwarding([
    `--kafka=${kafka.bootstrap}`,
    `--topic=${topic}`,
    "--record-time=message",
    "--format=raw",
    `--compression=${codec}`,
  ]);
  // Kafka 4 refuses what is more than an hour ahead: message.timestamp.after.max.ms.
  const future = new Date(Date.now() + 5 * 3_600_000);
  const stamped = (at: Date, n: number) => `<13>1 ${at.toISOString()} h a - - - ${n}`;
  const now = new Date();
  const sent = [stamped(now, 1), stamped(future, 2), stamped(now, 3), stamped(future, 4)];
  await send(sluice, sent.map((one) => `${one}\n`).join(""));
  const records = await readAllKcat(kafka.bootstrap, topic, { expect: 4 });
  assert.deepEqual(records.map(({ value }) => text(value)).sort(), [...sent].sort());
  for (const { value, timestamp, headers } of records) {
    const isLate = / [24]$/.test(text(value));
    assert.equal(headers["sluice-record-time"], isLate ? future.toISOString() : undefined);
    if (isLate) assert.ok(Math.abs(timestamp - Date.now()) < 3_600_000);
    else assert.equal(timestamp, now.getTime());
  }
  assert.equal(await sluice.metric("forward_records_restamped_total"), 2);
  await finish(sluice);
}

const compacted = { config: { "cleanup.policy": "compact" } };

async function withoutKey(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("compacted", compacted);
  await using sluice = await startForwarding([
    `--kafka=${kafka.bootstrap}`,
    "--topic=compacted",
    "--format=raw",
  ]);
  const begun = performance.now();
  await send(sluice, "<13>one\n<13>two\n");
  await notReady(
    sluice,
    /topic compacted refuses records: is the topic compacted\? then give --key/,
  );
  await sluice.said(`"error"`, "Kafka refuses records for what they are; trying on");
  assert.equal(await sluice.metric("forward_in_flight_records"), 2);
  const spoken = (await sluice.log()).split("Kafka refuses records").length - 1;
  // They are tried again each 10 s.
  const rounds = 1 + Math.floor((performance.now() - begun) / 10_000);
  assert.ok(spoken <= rounds, `${spoken} lines: one a round, however many records`);
  // An operator lets the topic take records without a key.
  await kafka.configureTopic("compacted", { "cleanup.policy": "delete" });
  const records = await readAllKcat(kafka.bootstrap, "compacted", { expect: 2 });
  assert.deepEqual(records.map(({ value }) => text(value)), ["<13>one", "<13>two"]);
  await ready(sluice);
  await finish(sluice);
}

async function withoutKeyDeadLettered(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("compacted-2", compacted);
  await kafka.createTopic("dead-2");
  await using sluice = await startForwarding([
    `--kafka=${kafka.bootstrap}`,
    "--topic=compacted-2",
    "--key=tag",
    "--dead-letter-topic=dead-2",
    "--format=raw",
  ]);
  const keyed = "<13>Nov 23 20:30:00 h a: with a tag";
  await send(sluice, `<13>no tag at all\n${keyed}\n`);
  const kept = await readAllKcat(kafka.bootstrap, "compacted-2", { expect: 1 });
  const dead = await readAllKcat(kafka.bootstrap, "dead-2", { expect: 1 });
  assert.deepEqual(kept.map(({ value }) => text(value)), [keyed]);
  assert.deepEqual(dead.map(({ value }) => text(value)), ["<13>no tag at all"]);
  assert.equal(dead[0]?.headers["sluice-refused"], "invalid");
  const counts = await finish(sluice);
  assert.deepEqual([counts.acknowledged, counts.deadLettered], [1, 1]);
}

/** Everything is refused, at full speed: memory stays small and the broker is not hammered. */
async function flooded(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("flooded", compacted);
  await using sluice = await startForwarding([
    `--kafka=${kafka.bootstrap}`,
    "--topic=flooded",
    "--format=raw",
    "--memory=16MiB",
  ]);
  const count = 200_000;
  const sent = meanwhile(
    send(sluice, Array.from({ length: count }, (_, n) => `${line(n, 100)}\n`).join("")),
  );
  await notReady(sluice, /topic flooded refuses records/);
  await delay(3_000);
  const taken = await sluice.metric("forward_messages_received_total");
  assert.ok(taken < count / 2, `${taken} lines were taken`);
  await kafka.configureTopic("flooded", { "cleanup.policy": "delete" });
  await sent;
  const records = await readAllKcat(kafka.bootstrap, "flooded", { expect: count });
  assert.equal(new Set(records.map(({ value }) => text(value))).size, count);
  const memory = await sluice.memoryPeak();
  assert.ok(memory < 256_000_000, `${memory} bytes were resident`);
  await finish(sluice);
}

Deno.test("records that a real Kafka refuses find another way", async (t) => {
  await using kafka = await startKafka();
  await t.step("too large, split", () => split(kafka));
  await t.step("too large, truncated", () => truncated(kafka));
  await t.step("too large, into the dead-letter topic", () => deadLettered(kafka));
  for (const codec of ["none", "zstd"]) {
    await t.step(`stamps too far ahead, compression ${codec}`, () => restamped(kafka, codec));
  }
  await t.step("without a key in a compacted topic", () => withoutKey(kafka));
  await t.step("without a key, into the dead-letter topic", () => withoutKeyDeadLettered(kafka));
  await t.step("every one of them, as fast as they come", () => flooded(kafka));
});
