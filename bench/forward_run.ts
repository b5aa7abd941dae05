// deno-lint-ignore-file no-console -- a benchmark speaks to a person
import { kafkajsOf, type KafkaServer } from "../tests/support/kafka_server.ts";
import { cpuSecondsOf } from "../tests/support/proc.ts";
import { SluiceProcess } from "../tests/support/sluice_process.ts";
import { delay } from "../tests/support/waiting.ts";
import { lineBytes } from "./standard_lines.ts";
import { peakMbOf, type Spread, spreadOf, spreadText } from "./usage.ts";

type Admin = ReturnType<ReturnType<typeof kafkajsOf>["admin"]>;

const partitions = 4;
const warmUpLines = 200_000;
const writeBytes = 256 * 1024;

/** One run of one program that takes syslog into Kafka. */
export interface ForwardRun {
  readonly linesPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly peakMb: number;
}

/** A program under test, listening for syslog. */
export interface Forwarder extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

export type StartForwarder = (kafka: KafkaServer, topic: string) => Promise<Forwarder>;

/** Our own forward-syslog, with more options and variables of the environment. */
export function sluiceWith(
  more: readonly string[] = [],
  env: Record<string, string> = {},
): StartForwarder {
  return async (kafka, topic) => {
    const sluice = await SluiceProcess.start([
      "forward-syslog",
      `--kafka=${kafka.bootstrap}`,
      "--listen=tcp://127.0.0.1:0",
      `--topic=${topic}`,
      "--drain-timeout=1s",
      ...more,
    ], env);
    await sluice.said("Forwarding");
    return {
      pid: sluice.pid,
      port: await sluice.port("tcp"),
      [Symbol.asyncDispose]: () => sluice[Symbol.asyncDispose](),
    };
  };
}

/**
 * A program that has forwarded some lines already, into a topic of its own: such programs run for
 * weeks, so none's start counts.
 */
export class WarmForwarder implements AsyncDisposable {
  #sent = 0;

  private constructor(
    private readonly forwarder: Forwarder,
    private readonly kafka: KafkaServer,
    private readonly topic: string,
    private readonly admin: Admin,
  ) {}

  static async start(
    kafka: KafkaServer,
    start: StartForwarder,
    lines: Uint8Array,
    senders: number,
  ): Promise<WarmForwarder> {
    const topic = `bench-${crypto.randomUUID()}`;
    await kafka.createTopic(topic, { partitions });
    const forwarder = await start(kafka, topic);
    const admin = kafkajsOf(kafka.bootstrap).admin();
    await admin.connect();
    const warm = new WarmForwarder(forwarder, kafka, topic, admin);
    try {
      await warm.#forward(lines.subarray(0, warmUpLines * lineBytes), senders);
      await delay(500);
      return warm;
    } catch (thrown) {
      await warm[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** Sends the lines over some connections at once and waits until the topic holds them all. */
  async run(lines: Uint8Array, senders: number): Promise<ForwardRun> {
    const { pid } = this.forwarder;
    const count = lines.length / lineBytes;
    const cpuBefore = await cpuSecondsOf(pid);
    const begun = performance.now();
    await this.#forward(lines, senders);
    const seconds = (performance.now() - begun) / 1_000;
    const cpu = await cpuSecondsOf(pid) - cpuBefore;
    return {
      linesPerSecond: count / seconds,
      cpuSecondsPerMillion: cpu / count * 1e6,
      peakMb: await peakMbOf(pid),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.admin.disconnect();
    await this.forwarder[Symbol.asyncDispose]();
    await this.kafka.deleteTopic(this.topic);
  }

  async #forward(lines: Uint8Array, senders: number): Promise<void> {
    this.#sent += lines.length / lineBytes;
    await Promise.all(shares(lines, senders).map((share) => send(this.forwarder.port, share)));
    await arrived(this.#sent, async () => {
      const ends = await this.admin.fetchTopicOffsets(this.topic);
      return ends.reduce((sum, { high }) => sum + Number(high), 0);
    });
  }
}

/** One run of a program that was started for it. */
export async function runForwarder(
  kafka: KafkaServer,
  start: StartForwarder,
  lines: Uint8Array,
  senders: number,
): Promise<ForwardRun> {
  await using warm = await WarmForwarder.start(kafka, start, lines, senders);
  return await warm.run(lines, senders);
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

/** Runs of two programs in pairs, one after the other. */
export interface Pairs {
  readonly ours: readonly ForwardRun[];
  readonly theirs: readonly ForwardRun[];
}

/**
 * Alternating runs of two programs; which of the two is first changes from pair to pair.
 *
 * @param warmUp whether one pair runs unmeasured first: a broker's just-in-time compiler is cold.
 */
export async function runPairs(
  one: { readonly ours: () => Promise<ForwardRun>; readonly theirs: () => Promise<ForwardRun> },
  { pairs, warmUp }: { readonly pairs: number; readonly warmUp: boolean },
): Promise<Pairs> {
  const runs = { ours: [] as ForwardRun[], theirs: [] as ForwardRun[] };
  for (let pair = warmUp ? -1 : 0; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? ["theirs", "ours"] as const : ["ours", "theirs"] as const;
    for (const which of order) {
      const run = await one[which]();
      if (pair >= 0) runs[which].push(run);
    }
  }
  return runs;
}

/** The spread of what ours was of theirs, pair by pair. */
export function ratioOf(pairs: Pairs, field: keyof ForwardRun): Spread {
  return spreadOf(ratiosOf(pairs, field));
}

/** The ratio of each pair. */
export function ratiosOf({ ours, theirs }: Pairs, field: keyof ForwardRun): number[] {
  return ours.map((one, i) => one[field] / (theirs[i]?.[field] ?? NaN));
}

/** Prints a line about the runs of one program. */
export function tellRuns(name: string, senders: number, runs: readonly ForwardRun[]): void {
  const of = (field: keyof ForwardRun) => spreadOf(runs.map((run) => run[field]));
  const thousands = spreadOf(runs.map((run) => run.linesPerSecond / 1_000));
  console.log(
    `  ${name.padEnd(8)} ${senders} sender${senders > 1 ? "s" : " "}  ` +
      `${spreadText(thousands, 0)} thousand lines/s   ` +
      `${spreadText(of("cpuSecondsPerMillion"), 2)} CPU s/M   ` +
      `${spreadText(of("peakMb"), 0)} MB`,
  );
}
