// deno-lint-ignore-file no-console -- a benchmark speaks to a person
import { type KafkaServer, startKafka } from "../tests/support/kafka_server.ts";
import { freePort } from "../tests/support/ports.ts";
import { tellBroken } from "./bounds.ts";
import {
  ratioOf,
  runForwarder,
  runPairs,
  sluiceWith,
  type StartForwarder,
  tellRuns,
} from "./forward_run.ts";
import { startRsyslogPeer } from "./rsyslog_peer.ts";
import { standardLines } from "./standard_lines.ts";
import { spreadText } from "./usage.ts";

/** What has to hold (issue of the first release): times the rate, times the CPU, MB resident. */
const bounds = { rateLeast: 1.5, cpuMost: 2 / 3, peakMbMost: 200 } as const;

const startRsyslog: StartForwarder = async (kafka, topic) => {
  const port = freePort();
  const rsyslog = await startRsyslogPeer(port, kafka.bootstrap, topic);
  return { pid: rsyslog.pid, port, [Symbol.asyncDispose]: () => rsyslog[Symbol.asyncDispose]() };
};

/** Alternating runs of both programs; prints them and returns what broke its bound. */
async function compare(
  kafka: KafkaServer,
  senders: number,
  { count, pairs }: { readonly count: number; readonly pairs: number },
): Promise<string[]> {
  const lines = standardLines(count);
  const runs = await runPairs({
    ours: () => runForwarder(kafka, sluiceWith(), lines, senders),
    theirs: () => runForwarder(kafka, startRsyslog, lines, senders),
  }, { pairs, warmUp: true });
  tellRuns("rsyslog", senders, runs.theirs);
  tellRuns("sluice", senders, runs.ours);
  const rate = ratioOf(runs, "linesPerSecond");
  const cpu = ratioOf(runs, "cpuSecondsPerMillion");
  const peakMb = Math.max(...runs.ours.map((one) => one.peakMb));
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
