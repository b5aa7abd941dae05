// deno-lint-ignore-file no-console -- a script speaks to a person
import { kafkaClassPath } from "../tests/support/kafka_artifacts.ts";
import { readAll, waitForRecords } from "../tests/support/kafka_reader.ts";
import { type KafkaServer, startKafka } from "../tests/support/kafka_server.ts";
import { sendLines } from "../tests/support/line_sender.ts";
import { compareLines, describeComparison } from "../tests/support/oracle.ts";
import { freePort } from "../tests/support/ports.ts";
import { SluiceProcess } from "../tests/support/sluice_process.ts";
import { programRights } from "./rights.ts";
import { partsText, type SampleLine, sampleLine, type SampleParts } from "./sample_lines.ts";
import { showArchive } from "./archive_tour.ts";
import { begin, brief } from "./steps.ts";
import { showWarehouse } from "./warehouse_tour.ts";

const senders = ["sender-1", "sender-2", "sender-3", "sender-4"];
const linesPerSender = 1_250;
const lineCount = senders.length * linesPerSender;
const topic = "syslog";

/** What runs once the tour was shown. */
export interface Tour {
  readonly kafka: KafkaServer;
  readonly sluice: SluiceProcess;
  /** Where sluice takes syslog by TCP. */
  readonly port: number;
  /** Where its status pages are. */
  readonly statusUrl: string;
}

/**
 * Shows a person, step by step, how syslog lines come into Kafka, from there into files, and from these
 * into a database; leaves Kafka and the forwarding running.
 *
 * @throws {Error} with a plain explanation when something does not start or does not match.
 */
export async function showTour(): Promise<Tour> {
  console.log(`A real Kafka, the real command, ${lineCount} lines of syslog\n`);
  const kafka = await showKafka();
  const tour = { kafka, ...await showSluice(kafka) };
  try {
    const lines = await showSending(tour);
    await showArrival(tour, lines);
    await showMetrics(tour);
    const folder = await showArchive(kafka, topic, lineCount);
    await showWarehouse(folder, topic, lineCount);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Error(`${reason}\n${await tour.sluice.process.tail()}`);
  }
  return tour;
}

async function showKafka(): Promise<KafkaServer> {
  const step = begin("Kafka 4.1.0 starts (the first time, Maven downloads it: 54 MB)");
  const kafka = await startKafka();
  await kafka.createTopic(topic, { partitions: 3 });
  const classPath = brief(await kafkaClassPath("4.1.0"));
  step.command(`java -Xmx512m -cp '${classPath}' kafka.Kafka ${kafka.folder}/kafka.properties`);
  step.done(`one broker on ${kafka.bootstrap}, topic ${topic} with 3 partitions`);
  return kafka;
}

async function showSluice(kafka: KafkaServer): Promise<Omit<Tour, "kafka">> {
  const step = begin("sluice forward-syslog starts");
  const args = [
    "forward-syslog",
    `--listen=tcp://127.0.0.1:${freePort()}`,
    `--kafka=${kafka.bootstrap}`,
    `--topic=${topic}`,
    `--http=127.0.0.1:${freePort()}`,
  ];
  step.command([brief(Deno.execPath()), "run", ...programRights, "main.ts", ...args].join(" "));
  const sluice = await SluiceProcess.start(args, {}, programRights);
  const port = await sluice.port("tcp");
  await sluice.said("Forwarding");
  const statusUrl = await sluice.statusUrl();
  step.done(`syslog on tcp://127.0.0.1:${port}, status pages on ${statusUrl}`);
  return { sluice, port, statusUrl };
}

async function showSending({ port }: Tour): Promise<SampleLine[]> {
  const step = begin(`${senders.length} connections send ${linesPerSender} lines each`);
  const bySender = senders.map((sender) =>
    Array.from({ length: linesPerSender }, (_, n) => sampleLine(n, sender, Date.now()))
  );
  await Promise.all(bySender.map((lines) => sendLines(port, lines.map(({ text }) => text))));
  for (const { text } of bySender[0]?.slice(0, 3) ?? []) step.say(text);
  step.done("sent, and read to the end by sluice");
  return bySender.flat();
}

async function showArrival({ kafka }: Tour, lines: readonly SampleLine[]): Promise<void> {
  const step = begin("Another client (kafkajs) reads the topic");
  await waitForRecords(kafka.bootstrap, topic, lineCount, 60_000);
  const records = await readAll(kafka.bootstrap, topic);
  const values = records.map(({ value }) => new TextDecoder().decode(value));
  const shown = values.filter((value) => /line 00000[0-2] of sender-1\)/.test(value));
  for (const value of shown) step.say(value);
  const found = compareLines(
    lines.map(({ expected }) => partsText(expected)),
    values.map((value, i) => ({
      line: partsText(JSON.parse(value) as SampleParts),
      partition: records[i]?.partition ?? 0,
    })),
  );
  const wrong = found.lost.length + found.foreign.length + found.altered.length +
    found.duplicates + found.orderBreaks;
  if (wrong > 0) throw new Error(`What arrived is not what was sent: ${describeComparison(found)}`);
  step.done(
    `${found.sent} sent = ${found.received} arrived; ` +
      "none lost, altered or doubled; each connection in its order",
  );
}

async function showMetrics({ statusUrl }: Tour): Promise<void> {
  const step = begin("sluice counts the same");
  step.command(`curl -s ${statusUrl}/metrics`);
  const page = await (await fetch(`${statusUrl}/metrics`)).text();
  const numbers = Object.fromEntries(
    [...page.matchAll(/^(sluice_forward_\w+) (\S+)$/gm)].map(([, name, value]) => [name, value]),
  );
  const wanted = {
    sluice_forward_messages_received_total: lineCount,
    sluice_forward_records_sent_total: lineCount,
    sluice_forward_in_flight_records: 0,
    sluice_forward_missing_records: 0,
    sluice_forward_ready: 1,
  };
  for (const [name, value] of Object.entries(wanted)) {
    step.say(`${name} ${numbers[name]}`);
    if (Number(numbers[name]) !== value) {
      throw new Error(`${name} is ${numbers[name]} and should be ${value}`);
    }
  }
  step.done("received = sent, nothing under way, nothing missing");
}

/**
 * Stops sluice as systemd would, and Kafka.
 *
 * @throws {Error} when sluice does not end as it should, every line acknowledged.
 */
export async function showStop({ kafka, sluice }: Tour): Promise<void> {
  const step = begin("sluice stops");
  step.command(`kill -TERM ${sluice.pid}`);
  const code = await sluice.end("SIGTERM");
  const last = (await sluice.log()).trimEnd().split("\n").at(-1) ?? "";
  step.say(last);
  if (code !== 0 || !last.includes('"Stopped"')) {
    throw new Error(`sluice ended with exit code ${code}\n${await sluice.process.tail()}`);
  }
  await kafka.stop();
  step.done("exit code 0; Kafka is stopped too and its data removed");
}

/** What to try by hand while all of it runs. */
export async function byHand({ kafka, port, statusUrl }: Tour): Promise<string> {
  const classPath = brief(await kafkaClassPath("4.1.0"));
  const consumer = `java -cp '${classPath}' org.apache.kafka.tools.consumer.ConsoleConsumer`;
  return `
Running until Ctrl-C:
  Kafka    ${kafka.bootstrap}, topic ${topic}
  syslog   tcp://127.0.0.1:${port}
  status   ${statusUrl}/metrics, /healthz and /readyz

In another terminal, watch what arrives:
  ${consumer} --bootstrap-server ${kafka.bootstrap} --topic ${topic} 2>/dev/null
and in a third one, send something:
  logger --server 127.0.0.1 --port ${port} --tcp --tag try "hello from logger"
  echo '<13>try[1]: hello from nc' | nc -w 1 127.0.0.1 ${port}
`;
}
