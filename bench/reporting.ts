// deno-lint-ignore-file no-console -- a benchmark speaks to a person
import { type KafkaServer, startKafka } from "../tests/support/kafka_server.ts";
import { OtlpServer } from "../tests/support/otlp_server.ts";
import { freePort } from "../tests/support/ports.ts";
import { RiemannServer } from "../tests/support/riemann_server.ts";
import { StatsdServer } from "../tests/support/statsd_server.ts";
import { delay } from "../tests/support/waiting.ts";
import { tellBroken } from "./bounds.ts";
import {
  type Pairs,
  ratiosOf,
  runPairs,
  sluiceWith,
  type StartForwarder,
  tellRuns,
  WarmForwarder,
} from "./forward_run.ts";
import { measureHold } from "./report_hold.ts";
import { standardLines } from "./standard_lines.ts";
import { medianInterval, spreadOf, spreadText } from "./usage.ts";

/**
 * What has to hold: of the rate and the CPU without reporters, and MB resident beyond it, medians.
 * Single pairs differ by a third on a shared machine: a bound is broken when 95 % of certainty says so.
 */
const bounds = { rateLeast: 0.95, cpuMost: 1.1, moreMbMost: 16 } as const;
const senders = 4;
/** Ten times as often as usual: a run lasts a second or two. */
const intervalMs = 1_000;
const restartEveryMs = 500;

/** Old records go while new ones come: what is measured is not how full a disk is. */
const brokerProperties = {
  "log.segment.bytes": "67108864",
  "log.retention.bytes": "134217728",
  "log.retention.check.interval.ms": "2000",
};

/** Whom the daemon reports to, as good or as bad as a case wants it. */
interface Listener extends AsyncDisposable {
  readonly start: StartForwarder;
  /** How much it has taken so far; null when it never takes anything. */
  readonly taken: () => Promise<number | null>;
}

/** Reports to a Riemann on this port, and to statsd. */
function reportingTo(port: number, statsd: StatsdServer): StartForwarder {
  return sluiceWith([
    `--riemann=tcp://127.0.0.1:${port}`,
    `--statsd=udp://127.0.0.1:${statsd.port}`,
    `--report-interval=${intervalMs}ms`,
  ]);
}

const takesNothing = () => Promise.resolve(null);

async function wellRiemann(statsd: StatsdServer): Promise<Listener> {
  const server = await RiemannServer.start();
  return {
    start: reportingTo(server.port, statsd),
    taken: async () => (await server.events()).length,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Nobody listens there. */
function downRiemann(statsd: StatsdServer): Promise<Listener> {
  return Promise.resolve({
    start: reportingTo(freePort(), statsd),
    taken: takesNothing,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

/** Takes connections, reads nothing and never answers. */
function slowRiemann(statsd: StatsdServer): Promise<Listener> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const conn of listener) conns.push(conn);
  })();
  return Promise.resolve({
    start: reportingTo((listener.addr as Deno.NetAddr).port, statsd),
    taken: takesNothing,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const conn of conns) conn.close();
      await accepting;
    },
  });
}

/** Ended and started again, all the time. */
async function restartedRiemann(statsd: StatsdServer): Promise<Listener> {
  const server = await RiemannServer.start();
  let isOver = false;
  const restarting = (async () => {
    while (!isOver) {
      await delay(restartEveryMs);
      await server.stop();
      await server.restart();
    }
  })();
  return {
    start: reportingTo(server.port, statsd),
    taken: async () => (await server.events()).length,
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      await restarting;
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Deno's own exporter instead of reporters of ours. */
async function openTelemetry(): Promise<Listener> {
  const server = await OtlpServer.start();
  return {
    start: sluiceWith([], server.env(intervalMs)),
    taken: () => Promise.resolve(server.newest("sluice.forward_records_sent_total") ?? 0),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const cases = {
  "Riemann and statsd": wellRiemann,
  "Riemann is down": downRiemann,
  "Riemann is mute": slowRiemann,
  "Riemann is restarted": restartedRiemann,
  "OpenTelemetry": openTelemetry,
} as const;

/** What the runs of one case are made with. */
interface Rig {
  readonly kafka: KafkaServer;
  readonly statsd: StatsdServer;
  readonly lines: Uint8Array;
}

/** Runs of the same two processes, which differ from others of their kind by some percent. */
const pairsOfRound = 3;

/** Alternating runs with and without reporters; prints them and returns what broke its bound. */
async function compare(
  { kafka, statsd, lines }: Rig,
  what: keyof typeof cases,
  rounds: number,
): Promise<string[]> {
  await using listener = await cases[what](statsd);
  const warm = (start: StartForwarder) => WarmForwarder.start(kafka, start, lines, senders);
  const all: Pairs[] = [];
  for (let round = 0; round < rounds; round++) {
    await using reporting = await warm(listener.start);
    await using silent = await warm(sluiceWith());
    all.push(
      await runPairs({
        ours: () => reporting.run(lines, senders),
        theirs: () => silent.run(lines, senders),
      }, { pairs: pairsOfRound, warmUp: round === 0 }),
    );
  }
  const runs = {
    ours: all.flatMap(({ ours }) => ours),
    theirs: all.flatMap(({ theirs }) => theirs),
  };
  const broken = tell(what, runs);
  return await listener.taken() === 0 ? [...broken, `${what}: nothing arrived`] : broken;
}

function tell(what: string, runs: Pairs): string[] {
  console.log(what);
  tellRuns("without", senders, runs.theirs);
  tellRuns("reports", senders, runs.ours);
  const rates = ratiosOf(runs, "linesPerSecond");
  const cpus = ratiosOf(runs, "cpuSecondsPerMillion");
  const [rate, cpu] = [medianInterval(rates), medianInterval(cpus)];
  const peakOf = (some: Pairs["ours"]) => spreadOf(some.map(({ peakMb }) => peakMb)).median;
  const moreMb = peakOf(runs.ours) - peakOf(runs.theirs);
  console.log(
    `  reports / without      rate ${spreadText(spreadOf(rates), 2)}, median ${between(rate)}   ` +
      `CPU ${spreadText(spreadOf(cpus), 2)}, median ${between(cpu)}   ${
        moreMb.toFixed(0)
      } MB more\n`,
  );
  // Deno's exporter is not ours, and nobody exports each second: its cost is told, and no bound.
  if (what === "OpenTelemetry") return [];
  return [
    ...rate.most < bounds.rateLeast ? [`${what}: ${between(rate)} of the rate`] : [],
    ...cpu.least > bounds.cpuMost ? [`${what}: ${between(cpu)} of the CPU`] : [],
    ...moreMb > bounds.moreMbMost ? [`${what}: ${moreMb.toFixed(0)} MB more`] : [],
  ];
}

function between({ least, most }: ReturnType<typeof medianInterval>): string {
  return `${least.toFixed(2)} to ${most.toFixed(2)}`;
}

/**
 * Compares forward-syslog that reports each second to Riemann and statsd with one that reports
 * nothing, on one Kafka 4.1: lines as in `forward`, four senders. Both live at the same time and take
 * turns, for some rounds; then once more with a Riemann that is down, mute, and restarted twice a
 * second, and with OpenTelemetry. Before that it measures how long a report of very many values holds
 * the event loop. Exits 1 when a bound is broken. `--quick` runs fewer lines and pairs, for a look; its
 * figures are not for publishing.
 */
export async function run(args: string[]): Promise<void> {
  const quick = args.includes("--quick");
  const plan = quick
    ? { count: 300_000, rounds: 2, others: 1 }
    : { count: 1_000_000, rounds: 7, others: 5 };
  console.log(
    `${plan.count} lines of 164 bytes, ${plan.rounds * pairsOfRound} pairs, then ` +
      `${plan.others * pairsOfRound} of each case, median (least..most)`,
  );
  // Alone, as it looks for milliseconds.
  const broken = await measureHold(quick ? 3 : 15);
  await using kafka = await startKafka({ heap: "1g", properties: brokerProperties });
  await using statsd = await StatsdServer.start();
  const rig = { kafka, statsd, lines: standardLines(plan.count) };
  for (const what of Object.keys(cases) as (keyof typeof cases)[]) {
    const isMain = what === "Riemann and statsd";
    broken.push(...await compare(rig, what, isMain ? plan.rounds : plan.others));
  }
  const counters = await statsd.counters();
  if (!(Number(counters["sluice.forward_records_sent_total"]) > 0)) {
    broken.push("statsd was not told of a record");
  }
  tellBroken(broken);
}

if (import.meta.main) await run(Deno.args);
