// deno-lint-ignore-file no-console -- a benchmark speaks to a person
import { kafkajsOf, type KafkaServer, startKafka } from "../tests/support/kafka_server.ts";
import { freePort } from "../tests/support/ports.ts";
import { SluiceProcess } from "../tests/support/sluice_process.ts";
import { delay } from "../tests/support/waiting.ts";
import { tellBroken } from "./bounds.ts";
import { startRsyslogPeer } from "./rsyslog_peer.ts";
import { lineBytes, standardLines } from "./standard_lines.ts";
import { cpuSecondsOf, peakMbOf, spreadOf, spreadText } from "./usage.ts";

/** What has to hold (issue of the first release): times the rate, times the CPU, MB resident. */
const bounds = { rateLeast: 1.5, cpuMost: 2 / 3, peakMbMost: 200 } as const;
const partitions = 4;
const warmUpLines = 200_000;
const writeBytes = 256 * 1024;

/** One run of one program. */
interface Measurement {
  readonly linesPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly peakMb: number;
}

/** A program under test, listening for syslog. */
interface Forwarder extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

type Start = (kafka: KafkaServer, topic: string) => Promise<Forwarder>;

const startSluice: Start = async (kafka, topic) => {
  const sluice = await SluiceProcess.start([
    "forward-syslog",
    `--kafka=${kafka.bootstrap}`,
    "--listen=tcp://127.0.0.1:0",
    `--topic=${topic}`,
    "--drain-timeout=1s",
  ]);
  await sluice.said("Forwarding");
  return {
    pid: sluice.pid,
    port: await sluice.port("tcp"),
    [Symbol.asyncDispose]: () => sluice[Symbol.asyncDispose](),
  };
};

const startRsyslog: Start = async (kafka, topic) => {
  const port = freePort();
  const rsyslog = await startRsyslogPeer(port, kafka.bootstrap, topic);
  return { pid: rsyslog.pid, port, [Symbol.asyncDispose]: () => rsyslog[Symbol.asyncDispose]() };
};

/**
 * Sends the lines over some connections at once and waits until the topic holds them all. Before
 * that the program forwards some unmeasured: both run for weeks, so neither's start counts.
 */
async function measure(
  kafka: KafkaServer,
  start: Start,
  lines: Uint8Array,
  count: number,
  senders: number,
): Promise<Measurement> {
  const topic = `bench-${crypto.randomUUID()}`;
  await kafka.createTopic(topic, { partitions });
  await using forwarder = await start(kafka, topic);
  const admin = kafkajsOf(kafka.bootstrap).admin();
  await admin.connect();
  const seen = async () => {
    const ends = await admin.fetchTopicOffsets(topic);
    return ends.reduce((sum, { high }) => sum + Number(high), 0);
  };
  const sendAll = (some: Uint8Array) =>
    Promise.all(shares(some, senders).map((share) => send(forwarder.port, share)));
  try {
    await sendAll(lines.subarray(0, warmUpLines * lineBytes));
    await arrived(warmUpLines, seen);
    await delay(500);
    const cpuBefore = await cpuSecondsOf(forwarder.pid);
    const begun = performance.now();
    await sendAll(lines);
    await arrived(warmUpLines + count, seen);
    const seconds = (performance.now() - begun) / 1_000;
    const cpu = await cpuSecondsOf(forwarder.pid) - cpuBefore;
    return {
      linesPerSecond: count / seconds,
      cpuSecondsPerMillion: cpu / count * 1e6,
      peakMb: await peakMbOf(forwarder.pid),
    };
  } finally {
    await admin.disconnect();
    await kafka.deleteTopic(topic);
  }
}

/** The lines in equal parts, one a sender. */
function shares(lines: Uint8Array, senders: number): Uint8Array[] {
  const count = lines.length / lineBytes;
  return Array.from({ length: senders }, (_, i) =>
    lines.subarray(
      Math.floor(count * i / senders) * lineBytes,
      Math.floor(count * (i + 1) / senders) * lineBytes,
    ));
}

async function send(port: number, bytes: Uint8Array): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at, at + writeBytes));
  }
  conn.close();
}

async function arrived(count: number, seen: () => Promise<number>): Promise<void> {
  const deadline = performance.now() + 120_000;
  for (let now = await seen(); now !== count; now = await seen()) {
    if (now > count) throw new Error(`${now} records arrived of ${count} lines`);
    if (performance.now() > deadline) throw new Error(`${now} of ${count} lines arrived in 120 s`);
    await delay(20);
  }
}

/** Alternating runs of both programs; prints them and returns what broke its bound. */
async function compare(
  kafka: KafkaServer,
  senders: number,
  { count, pairs }: { readonly count: number; readonly pairs: number },
): Promise<string[]> {
  const lines = standardLines(count);
  const ours: Measurement[] = [];
  const theirs: Measurement[] = [];
  // One pair unmeasured: the broker's just-in-time compiler is cold at first.
  for (let pair = -1; pair < pairs; pair++) {
    const two = { rsyslog: startRsyslog, sluice: startSluice };
    const order = pair % 2 === 0 ? ["rsyslog", "sluice"] as const : ["sluice", "rsyslog"] as const;
    for (const name of order) {
      const one = await measure(kafka, two[name], lines, count, senders);
      if (pair >= 0) (name === "sluice" ? ours : theirs).push(one);
    }
  }
  report("rsyslog", senders, theirs);
  report("sluice", senders, ours);
  const ratioOf = (field: keyof Measurement) =>
    spreadOf(ours.map((one, i) => one[field] / (theirs[i]?.[field] ?? NaN)));
  const rate = ratioOf("linesPerSecond");
  const cpu = ratioOf("cpuSecondsPerMillion");
  const peakMb = Math.max(...ours.map((one) => one.peakMb));
  console.log(
    `  sluice / rsyslog       rate ${spreadText(rate, 2)}   CPU ${spreadText(cpu, 2)}\n`,
  );
  return [
    ...rate.median < bounds.rateLeast
      ? [`${senders} senders: ${rate.median.toFixed(2)} times the rate, not ${bounds.rateLeast}`]
      : [],
    ...cpu.median > bounds.cpuMost
      ? [`${senders} senders: ${cpu.median.toFixed(2)} of the CPU`]
      : [],
    ...peakMb > bounds.peakMbMost ? [`${senders} senders: ${peakMb.toFixed(0)} MB resident`] : [],
  ];
}

function report(name: string, senders: number, runs: readonly Measurement[]): void {
  const of = (field: keyof Measurement) => spreadOf(runs.map((run) => run[field]));
  const thousands = spreadOf(runs.map((run) => run.linesPerSecond / 1_000));
  console.log(
    `  ${name.padEnd(8)} ${senders} sender${senders > 1 ? "s" : " "}  ` +
      `${spreadText(thousands, 0)} thousand lines/s   ` +
      `${spreadText(of("cpuSecondsPerMillion"), 2)} CPU s/M   ` +
      `${spreadText(of("peakMb"), 0)} MB`,
  );
}

/**
 * Compares forward-syslog with rsyslog on one Kafka 4.1: 164-byte lines, JSON records, acks=all, no
 * compression, alternating runs, one and four senders. Exits 1 when a bound is broken. `--quick`
 * runs fewer lines and pairs, for a look; its figures are not for publishing.
 */
export async function run(args: string[]): Promise<void> {
  const quick = args.includes("--quick");
  const plan = quick ? { count: 300_000, pairs: 3 } : { count: 1_000_000, pairs: 5 };
  console.log(`${plan.count} lines of 164 bytes, ${plan.pairs} pairs, median (least..most)`);
  await using kafka = await startKafka({ heap: "1g" });
  const broken: string[] = [];
  for (const senders of [1, 4]) broken.push(...await compare(kafka, senders, plan));
  tellBroken(broken);
}

if (import.meta.main) await run(Deno.args);
