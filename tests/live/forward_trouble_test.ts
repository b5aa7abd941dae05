import assert from "node:assert/strict";
import { assertArrivedOnce } from "../support/arrival.ts";
import { type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { readAllKcat } from "../support/kcat_reader.ts";
import { sendLines } from "../support/line_sender.ts";
import { numberedLines } from "../support/numbered_lines.ts";
import type { SluiceProcess } from "../support/sluice_process.ts";
import { delay, within } from "../support/waiting.ts";
import {
  finish,
  meanwhile,
  notReady,
  ready,
  send,
  startForwarding,
  startWaiting,
} from "./forwarding.ts";

const decoder = new TextDecoder();
const text = (bytes: Uint8Array) => decoder.decode(bytes);

/** A user whose rights are checked, by PLAIN. */
function asAlice(kafka: KafkaServer): string[] {
  return [
    `--kafka=${kafka.saslBootstrap}`,
    "--sasl-mechanism=PLAIN",
    "--sasl-username=alice",
    "--sasl-plain-without-tls",
  ];
}
const password = { SLUICE_FORWARD_SYSLOG_SASL_PASSWORD: "pass-1" };

/** While Kafka takes nothing no more is taken than 4 MiB of memory hold, of the 24 MB that are sent. */
async function takesLittle(sluice: SluiceProcess): Promise<void> {
  // Long enough for all of it: where that is not so, less is taken.
  await delay(1_000);
  const taken = await sluice.metric("forward_bytes_received_total");
  assert.ok(taken < 8 * 1024 * 1024, `${taken} bytes were taken`);
}

async function unknownTopic(kafka: KafkaServer): Promise<void> {
  await using sluice = await startWaiting([
    `--kafka=${kafka.bootstrap}`,
    "--topic=later",
    "--format=raw",
  ]);
  const port = await sluice.port("tcp");
  const lines = [...numberedLines(1_000)];
  const sent = meanwhile(sendLines(port, lines));
  await notReady(sluice, /topic later does not exist; create it/);
  await sluice.said(`"error"`, "Kafka takes no records", "topic later does not exist; create it");
  assert.equal(await sluice.metric("forward_messages_received_total"), 0);
  await kafka.createTopic("later", { partitions: 2 });
  await sent;
  await ready(sluice);
  await sluice.said(`"info"`, "Kafka takes records again");
  await assertArrivedOnce(kafka.bootstrap, "later", lines);
  await finish(sluice);
}

/** A topic that a message names: only its sender waits. */
async function unknownTemplateTopic(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("of.here");
  await using sluice = await startForwarding([
    `--kafka=${kafka.bootstrap}`,
    "--topic=of.{hostname}",
    "--format=raw",
  ]);
  const line = (host: string) => `<13>Nov 23 20:30:00 ${host} a: x`;
  const stuck = meanwhile(send(sluice, `${line("there")}\n`));
  await notReady(sluice, /topic of.there does not exist; create it/);
  await send(sluice, `${line("here")}\n`);
  assert.equal((await readAllKcat(kafka.bootstrap, "of.here", { expect: 1 })).length, 1);
  // A stop has to wait for the line that was taken.
  sluice.process.signal("SIGTERM");
  await sluice.said(`"Stopping`);
  assert.equal(await within(sluice.process.ended, 2_000), false);
  await kafka.createTopic("of.there");
  await stuck;
  assert.equal((await sluice.process.ended).code, 0);
  const records = await readAllKcat(kafka.bootstrap, "of.there", { expect: 1 });
  assert.deepEqual(records.map(({ value }) => text(value)), [line("there")]);
  await sluice.said(`"Stopped"`, `"received":2`, `"acknowledged":2`, `"inFlight":0`);
}

async function rightsTakenAway(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("guarded", { partitions: 2 });
  await kafka.allow("alice", "guarded", "write");
  await using sluice = await startForwarding([
    ...asAlice(kafka),
    "--topic=guarded",
    "--format=raw",
    "--memory=4MiB",
  ], password);
  const port = await sluice.port("tcp");
  const lines = [...numberedLines(150_000)];
  await kafka.disallow("alice", "guarded", "write");
  const sent = meanwhile(sendLines(port, lines));
  await notReady(sluice, /may not write to topic guarded; grant Write and Describe on it/);
  await sluice.said(`"error"`, "Kafka takes no records", "may not write to topic guarded");
  await takesLittle(sluice);
  await kafka.allow("alice", "guarded", "write");
  await sent;
  await ready(sluice);
  await assertArrivedOnce(kafka.bootstrap, "guarded", lines);
  await finish(sluice);
}

async function noRightsAtFirst(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("closed");
  await using sluice = await startWaiting([...asAlice(kafka), "--topic=closed"], password);
  const sent = meanwhile(send(sluice, "<13>one\n"));
  await notReady(sluice, /topic closed/);
  await kafka.allow("alice", "closed", "write");
  await sent;
  await ready(sluice);
  await finish(sluice);
}

async function deletedTopic(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("reborn", { partitions: 2 });
  await using sluice = await startForwarding([
    `--kafka=${kafka.bootstrap}`,
    "--topic=reborn",
    "--format=raw",
  ]);
  const port = await sluice.port("tcp");
  const gone = [...numberedLines(500, "gone")];
  await sendLines(port, gone);
  await assertArrivedOnce(kafka.bootstrap, "reborn", gone);
  await kafka.deleteTopic("reborn");
  const lines = [...numberedLines(20_000, "kept")];
  const sent = meanwhile(sendLines(port, lines));
  await notReady(sluice, /topic reborn does not exist; create it/);
  await kafka.createTopic("reborn", { partitions: 2 });
  await sent;
  await ready(sluice);
  await assertArrivedOnce(kafka.bootstrap, "reborn", lines);
  const counts = await finish(sluice);
  assert.equal(counts.received, 20_500);
}

async function fewerPartitions(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("narrow", { partitions: 2 });
  await using sluice = await startForwarding([
    `--kafka=${kafka.bootstrap}`,
    "--topic=narrow",
    "--format=raw",
  ]);
  await kafka.deleteTopic("narrow");
  // Connections take partitions in turn.
  await Promise.all([send(sluice, "<13>one\n"), send(sluice, "<13>two\n")]);
  await notReady(sluice, /topic narrow does not exist/);
  await kafka.createTopic("narrow");
  await notReady(sluice, /topic narrow has 1 partitions now, and records wait for number 1/);
  await kafka.addPartitions("narrow", 2);
  await ready(sluice);
  const records = await readAllKcat(kafka.bootstrap, "narrow", { expect: 2 });
  assert.deepEqual(records.map(({ value }) => text(value)).sort(), ["<13>one", "<13>two"]);
  await finish(sluice);
}

async function addedPartitions(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("wider");
  await using sluice = await startForwarding([
    `--kafka=${kafka.bootstrap}`,
    "--topic=wider",
    "--format=raw",
  ]);
  const partitions = async (count: number) => {
    const records = await readAllKcat(kafka.bootstrap, "wider", { expect: count });
    return [...new Set(records.map(({ partition }) => partition))].sort();
  };
  for (let n = 0; n < 6; n++) await send(sluice, `<13>${n}\n`);
  assert.deepEqual(await partitions(6), [0]);
  await kafka.addPartitions("wider", 3);
  sluice.process.signal("SIGUSR1");
  await sluice.said("Kafka metadata refreshed");
  for (let n = 0; n < 6; n++) await send(sluice, `<13>${n}\n`);
  assert.deepEqual(await partitions(12), [0, 1, 2]);
  await finish(sluice);
}

Deno.test("trouble with a real Kafka is said, stops the reading, and loses nothing", async (t) => {
  await using kafka = await startKafka({
    sasl: { mechanism: "PLAIN", users: { alice: "pass-1" } },
    acl: true,
  });
  await t.step("a topic that is not there yet", () => unknownTopic(kafka));
  await t.step(
    "a topic that a message names and that is not there",
    () => unknownTemplateTopic(kafka),
  );
  await t.step("no right to write at first", () => noRightsAtFirst(kafka));
  await t.step("the right to write taken away and given back", () => rightsTakenAway(kafka));
  await t.step("a topic deleted and made anew", () => deletedTopic(kafka));
  await t.step("a topic made anew with fewer partitions", () => fewerPartitions(kafka));
  await t.step("partitions added, and SIGUSR1", () => addedPartitions(kafka));
});
