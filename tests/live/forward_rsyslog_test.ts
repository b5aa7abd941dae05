import assert from "node:assert/strict";
import { assertArrivedOnce } from "../support/arrival.ts";
import { type CertificateSet, makeCertificates } from "../support/certificates.ts";
import { type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { waitForRecords } from "../support/kafka_reader.ts";
import { numberedLines } from "../support/numbered_lines.ts";
import { Rsyslog, type RsyslogPlan } from "../support/rsyslog.ts";
import { SluiceProcess } from "../support/sluice_process.ts";

const lineCount = 200_000;
const protocols = ["tcp", "tls", "relp", "relp+tls"] as const;

/** Every line of a real rsyslog is in the topic, once, unchanged and in order. */
async function forwards(
  kafka: KafkaServer,
  kafkaArgs: readonly string[],
  protocol: RsyslogPlan["protocol"],
  certificates: CertificateSet,
): Promise<void> {
  const topic = `from-${protocol.replace("+", "-")}`;
  await kafka.createTopic(topic, { partitions: 4 });
  await using sluice = await SluiceProcess.start([
    "forward-syslog",
    ...kafkaArgs,
    `--listen=${protocol}://127.0.0.1:0`,
    `--topic=${topic}`,
    "--format=raw",
    ...(protocol.endsWith("tls")
      ? [
        `--tls-cert=${certificates.serverCert}`,
        `--tls-key=${certificates.serverKey}`,
        `--tls-client-ca=${certificates.ca}`,
      ]
      : []),
  ]);
  const port = await sluice.port(protocol);
  await sluice.said("Forwarding");
  await using rsyslog = await Rsyslog.start({ protocol, port, certificates });
  const lines = [...numberedLines(lineCount)];
  await rsyslog.inject(lines);
  await waitForRecords(kafka.bootstrap, topic, lineCount, 240_000);
  assert.equal(await sluice.end("SIGTERM"), 0, await sluice.log());
  await assertArrivedOnce(kafka.bootstrap, topic, lines);
}

Deno.test("200,000 lines of rsyslog over TCP, TLS and RELP reach Kafka 4.1", async (t) => {
  const folder = await Deno.makeTempDir();
  const certificates = await makeCertificates(folder);
  await using kafka = await startKafka();
  for (const protocol of protocols) {
    await t.step(
      protocol,
      () => forwards(kafka, [`--kafka=${kafka.bootstrap}`], protocol, certificates),
    );
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("200,000 lines of rsyslog reach Kafka 3.9 that was found through ZooKeeper", async (t) => {
  const folder = await Deno.makeTempDir();
  const certificates = await makeCertificates(folder);
  await using kafka = await startKafka({ version: "3.9.1", chroot: "/logs" });
  for (const protocol of protocols) {
    await t.step(
      protocol,
      () => forwards(kafka, [`--zookeeper=${kafka.zookeeper}`], protocol, certificates),
    );
  }
  await Deno.remove(folder, { recursive: true });
});
