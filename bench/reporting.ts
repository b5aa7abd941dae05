// deno-lint-ignore-file no-console -- a benchmark speaks to a person
import { type KafkaServer, startKafka } from "../tests/support/kafka_server.ts";
import { freePort } from "../tests/support/ports.ts";
import { RiemannServer } from "../tests/support/riemann_server.ts";
import { StatsdServer } from "../tests/support/statsd_server.ts";
import { delay } from "../tests/support/waiting.ts";
import { tellBroken } from "./bounds.ts";
import {
  type Pairs,
  ratioOf,
  runForwarder,
  runPairs,
  sluiceWith,
  type StartForwarder,
  tellRuns,
} from "./forward_run.ts";
import { measureHold } from "./report_hold.ts";
import { standardLines } from "./standard_lines.ts";
import { spreadOf, spreadText } from "./usage.ts";

/** What has to hold: of the rate without reporters, and MB resident beyond it, medians. */
const bounds = { rateLeast: 0.95, moreMbMost: 16 } as const;
const senders = 4;
/** Ten times as often as usual: a run lasts a second or two. */
const interval = "--report-interval=1s";
const restartEveryMs = 500;

/** A Riemann as good or as bad as a case wants it. */
interface Riemann extends AsyncDisposable {
  readonly port: number;
  /** Events that it has taken so far; null when it never takes any. */
  readonly taken: () => Promise<number | null>;
}

const takesNothing = () => Promise.resolve(null);

async function wellRiemann(): Promise<Riemann> {
  const server = await RiemannServer.start();
  return {
    port: server.port,
    taken: async () => (await server.events()).length,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Nobody listens there. */
function downRiemann(): Promise<Riemann> {
  return Promise.resolve({
    port: freePort(),
    taken: takesNothing,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

/** Takes connections, reads nothing and never answers. */
function slowRiemann(): Promise<Riemann> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const conn of listener) conns.push(conn);
  })();
  return Promise.resolve({
    port: (listener.addr as Deno.NetAddr).port,
    taken: takesNothing,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const conn of conns) conn.close();
      await accepting;
    },
  });
}

/** Ended and started again, all the time. */
async function restartedRiemann(): Promise<Riemann> {
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
    port: server.port,
    taken: async () => (await server.events()).length,
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      await restarting;
      await server[Symbol.asyncDispose]();
    },
  };
}

const riemanns = {
  well: wellRiemann,
  down: downRiemann,
  slow: slowRiemann,
  restarted: restartedRiemann,
} as const;

type Health = keyof typeof riemanns;

/** What the runs of one case are made with. */
interface Rig {
  readonly kafka: KafkaServer;
  readonly statsd: StatsdServer;
  readonly lines: Uint8Array;
}

/** Alternating runs with and without reporters; prints them and returns what broke its bound. */
async function compare(
  { kafka, statsd, lines }: Rig,
  health: Health,
  how: { readonly pairs: number; readonly warmUp: boolean },
): Promise<string[]> {
  await using riemann = await riemanns[health]();
  const reporting = sluiceWith(
    `--riemann=tcp://127.0.0.1:${riemann.port}`,
    `--statsd=udp://127.0.0.1:${statsd.port}`,
    interval,
  );
  const runWith = (start: StartForwarder) => () => runForwarder(kafka, start, lines, senders);
  const runs = await runPairs({ ours: runWith(reporting), theirs: runWith(sluiceWith()) }, how);
  const broken = tell(health, runs);
  const taken = await riemann.taken();
  return taken === 0 ? [...broken, `Riemann ${health}: no event arrived`] : broken;
}

function tell(health: Health, runs: Pairs): string[] {
  console.log(`Riemann ${health}`);
  tellRuns("without", senders, runs.theirs);
  tellRuns("reports", senders, runs.ours);
  const rate = ratioOf(runs, "linesPerSecond");
  const cpu = ratioOf(runs, "cpuSecondsPerMillion");
  const [with_, without] = [runs.ours, runs.theirs]
    .map((some) => spreadOf(some.map(({ peakMb }) => peakMb)).median);
  const moreMb = (with_ ?? NaN) - (without ?? NaN);
  console.log(
    `  reports / without      rate ${spreadText(rate, 2)}   CPU ${spreadText(cpu, 2)}   ` +
      `${moreMb.toFixed(0)} MB more\n`,
  );
  return [
    ...rate.median < bounds.rateLeast
      ? [`Riemann ${health}: ${rate.median.toFixed(3)} of the rate, not ${bounds.rateLeast}`]
      : [],
    ...moreMb > bounds.moreMbMost ? [`Riemann ${health}: ${moreMb.toFixed(0)} MB more`] : [],
  ];
}

/**
 * Compares forward-syslog that reports each second to Riemann and statsd with one that reports
 * nothing, on one Kafka 4.1: lines as in `forward`, four senders, alternating runs; then with a
 * Riemann that is down, mute, and restarted twice a second. Before that, how long a report of very
 * many values holds the event loop. Exits 1 when a bound is broken. `--quick` runs fewer lines and
 * pairs, for a look; its figures are not for publishing.
 */
export async function run(args: string[]): Promise<void> {
  const quick = args.includes("--quick");
  const plan = quick
    ? { count: 300_000, pairs: 3, troubled: 2 }
    : { count: 1_000_000, pairs: 15, troubled: 7 };
  console.log(
    `${plan.count} lines of 164 bytes, ${plan.pairs} pairs, ${plan.troubled} in trouble, ` +
      "median (least..most)",
  );
  // Alone, as it looks for milliseconds.
  const broken = await measureHold(quick ? 3 : 15);
  await using kafka = await startKafka({ heap: "1g" });
  await using statsd = await StatsdServer.start();
  const rig = { kafka, statsd, lines: standardLines(plan.count) };
  broken.push(...await compare(rig, "well", { pairs: plan.pairs, warmUp: true }));
  for (const health of ["down", "slow", "restarted"] as const) {
    broken.push(...await compare(rig, health, { pairs: plan.troubled, warmUp: false }));
  }
  const counters = await statsd.counters();
  if (!(Number(counters["sluice.forward_records_sent_total"]) > 0)) {
    broken.push("statsd was not told of a record");
  }
  tellBroken(broken);
}

if (import.meta.main) await run(Deno.args);
