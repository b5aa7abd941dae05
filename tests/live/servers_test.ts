import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { makeCertificates } from "../support/certificates.ts";
import { kafkajsOf, type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { countRecords, readAll } from "../support/kafka_reader.ts";
import { readAllKcat } from "../support/kcat_reader.ts";
import { eventually } from "../support/waiting.ts";

const value = Buffer.from([0, 10, 13, 255, 128, 32, 49, 10]);

async function sendFew(server: KafkaServer, topic: string): Promise<void> {
  const producer = kafkajsOf(server.bootstrap).producer({
    idempotent: true,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  await producer.send({
    topic,
    messages: [
      { value: value, partition: 0, timestamp: "1700000000000" },
      { key: "k\n", value: value, partition: 1, headers: { a: "b c", d: "e" } },
      { value: "", partition: 1 },
    ],
  });
  await producer.disconnect();
}

Deno.test("A started Kafka keeps records through SIGKILL and restart, and both readers agree", async () => {
  await using server = await startKafka();
  await server.createTopic("t", { partitions: 3 });
  await sendFew(server, "t");
  await server.kill("SIGKILL");
  await server.restart();
  const plain = (records: Awaited<ReturnType<typeof readAll>>) =>
    records.map((record) => ({
      ...record,
      key: record.key && [...record.key],
      value: [...record.value],
      headers: { ...record.headers },
    }));
  const byKafkajs = plain(await readAll(server.bootstrap, "t", { expect: 3 }));
  const byKcat = plain(await readAllKcat(server.bootstrap, "t", { expect: 3 }));
  assert.deepEqual(byKcat, byKafkajs);
  assert.deepEqual(byKcat.map(({ partition, offset }) => [partition, offset]), [
    [0, 0n],
    [1, 0n],
    [1, 1n],
  ]);
  assert.deepEqual(byKcat[0]?.value, [...value]);
  assert.equal(byKcat[0]?.timestamp, 1_700_000_000_000);
  assert.deepEqual(byKcat[1]?.headers, { a: "b c", d: "e" });
  assert.deepEqual(byKcat[1]?.key, [107, 10]);
  assert.equal(await countRecords(server.bootstrap, "t"), 3);
});

/** @param seconds how long kcat waits for an answer; a refusal is told by its absence. */
async function kcatLists(
  bootstrap: string,
  settings: Record<string, string>,
  seconds: number,
): Promise<boolean> {
  const { success } = await new Deno.Command("kcat", {
    args: [
      ...["-L", "-m", String(seconds), "-b", bootstrap],
      ...Object.entries(settings).flatMap(([name, text]) => ["-X", `${name}=${text}`]),
    ],
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

/** By kafkajs: the SCRAM of Debian's librdkafka is refused by Kafka 4.1 whatever the password. */
async function logsIn(
  broker: string,
  mechanism: "plain" | "scram-sha-256" | "scram-sha-512",
  password: string,
): Promise<boolean> {
  const admin = new Kafka({
    brokers: [broker],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 60_000,
    authenticationTimeout: 60_000,
    requestTimeout: 60_000,
    retry: { retries: 0 },
    // One type per mechanism in kafkajs, all of the same shape.
    sasl: { mechanism: mechanism as "plain", username: "alice", password },
  }).admin();
  try {
    await admin.connect();
    await admin.listTopics();
    return true;
  } catch (thrown) {
    assert.match(String(thrown), /authentication failed/i);
    return false;
  } finally {
    await admin.disconnect();
  }
}

async function checkSecurity(version: "4.1.0" | "3.9.1"): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-certificates-" });
  const ssl = await makeCertificates(folder);
  await using server = await startKafka({
    version,
    ssl,
    clientAuth: true,
    sasl: { mechanism: ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], users: { alice: "pass-1" } },
  });
  const tls = {
    "security.protocol": "ssl",
    "ssl.ca.location": ssl.ca,
    "ssl.certificate.location": ssl.clientCert,
    "ssl.key.location": ssl.clientKey,
  };
  assert.ok(await kcatLists(server.sslBootstrap, tls, 60));
  assert.ok(!await kcatLists(server.sslBootstrap, { ...tls, "ssl.ca.location": ssl.wrongCa }, 4));
  for (const mechanism of ["plain", "scram-sha-256", "scram-sha-512"] as const) {
    // The broker may learn of a user later than its controller, who has said that there is one.
    await eventually(
      `alice, by ${mechanism}`,
      () => logsIn(server.saslBootstrap, mechanism, "pass-1"),
    );
    assert.ok(!await logsIn(server.saslBootstrap, mechanism, "pass-2"));
  }
  await Deno.remove(folder, { recursive: true });
}

Deno.test("A started Kafka 4.1 takes TLS clients and SASL users it knows, and no others", () =>
  checkSecurity("4.1.0"));

Deno.test("A started Kafka 3.9 takes TLS clients and SASL users it knows, and no others", () =>
  checkSecurity("3.9.1"));
