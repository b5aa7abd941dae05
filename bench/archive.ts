// deno-lint-ignore-file no-console -- a benchmark speaks to a person
import { fileURLToPath } from "node:url";
import { type KafkaServer, startKafka } from "../tests/support/kafka_server.ts";
import { countRecords } from "../tests/support/kafka_reader.ts";
import { tellBroken } from "./bounds.ts";
import { recordBytes, recordLines } from "./record_lines.ts";
import { timeCommand, type Timed } from "./timed_command.ts";
import { spreadOf, spreadText } from "./usage.ts";

/** What has to hold: times kcat's rate at gzip level 6, MB resident. */
const bounds = { rateLeast: 1.3, peakMbMost: 250 } as const;
const topics = ["bench-a", "bench-b"] as const;
const partitions = 4;
const mainModule = fileURLToPath(new URL("../main.ts", import.meta.url));

/**
 * The peer: kcat as fast as it can be made to read (its queue of a second is the limit otherwise), and
 * gzip on another processor.
 */
function kcatAndGzip(kafka: KafkaServer): Promise<Timed> {
  const read = topics.map((topic) =>
    `kcat -q -C -e -b ${kafka.bootstrap} -t ${topic} -X queued.min.messages=10000000 ` +
    "-X queued.max.messages.kbytes=1048576"
  );
  return timeCommand(["bash", "-c", `(${read.join("; ")}) | gzip -6`]);
}

async function sluice(kafka: KafkaServer, level: number): Promise<Timed> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-bench-" });
  try {
    return await timeCommand([
      ...[Deno.execPath(), "run", "--allow-all", mainModule, "archive"],
      `--kafka=${kafka.bootstrap}`,
      `--to=file://${folder}`,
      `--group=bench-${crypto.randomUUID()}`,
      `--gzip-level=${level}`,
      "--once",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes the records with kcat, evenly over all partitions. */
async function fill(kafka: KafkaServer, count: number): Promise<void> {
  const file = await Deno.makeTempFile();
  try {
    const places = topics.flatMap((topic) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    );
    for (const topic of topics) await kafka.createTopic(topic, { partitions });
    await Deno.writeFile(file, recordLines(count / places.length));
    for (const { topic, partition } of places) {
      await timeCommand([
        ...["kcat", "-P", "-b", kafka.bootstrap, "-t", topic, "-p", String(partition)],
        ...["-X", "batch.size=1000000", "-X", "linger.ms=50", "-l", file],
      ]);
    }
  } finally {
    await Deno.remove(file);
  }
  for (const topic of topics) {
    const there = await countRecords(kafka.bootstrap, topic);
    if (there !== count / topics.length) throw new Error(`${topic} holds ${there} records`);
  }
}

function report(name: string, count: number, runs: readonly Timed[]): void {
  const rate = spreadOf(runs.map(({ wallSeconds }) => count / wallSeconds / 1_000));
  const megabytes = spreadOf(
    runs.map(({ wallSeconds }) => count * recordBytes / wallSeconds / 1e6),
  );
  const cpu = spreadOf(runs.map(({ cpuSeconds }) => cpuSeconds / count * 1e6));
  const peak = spreadOf(runs.map(({ peakMb }) => peakMb));
  console.log(
    `  ${name.padEnd(16)} ${spreadText(rate, 0)} thousand records/s   ` +
      `${spreadText(megabytes, 0)} MB/s   ${spreadText(cpu, 2)} CPU s/M   ` +
      `${spreadText(peak, 0)} MB resident`,
  );
}

/**
 * Compares archive with `kcat | gzip -6` on one Kafka 4.1: two topics of four partitions, values of
 * 280 bytes, whole-process time from start to exit, alternating. Exits 1 when a bound is broken.
 * `--quick` takes fewer records and pairs, for a look.
 */
export async function run(args: string[]): Promise<void> {
  const quick = args.includes("--quick");
  const { count, pairs } = quick ? { count: 800_000, pairs: 2 } : { count: 4_000_000, pairs: 5 };
  console.log(
    `${count} records of ${recordBytes} bytes in ${topics.length} topics of ${partitions} ` +
      `partitions, ${pairs} pairs, whole processes, median (least..most)`,
  );
  await using kafka = await startKafka({ heap: "1g" });
  await fill(kafka, count);
  const runs = { kcat: [] as Timed[], sluice: [] as Timed[] };
  // One pair unmeasured: pages and the broker's just-in-time compiler are cold at first.
  for (let pair = -1; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? ["kcat", "sluice"] as const : ["sluice", "kcat"] as const;
    for (const name of order) {
      const one = name === "kcat" ? await kcatAndGzip(kafka) : await sluice(kafka, 6);
      if (pair >= 0) runs[name].push(one);
    }
  }
  report("kcat | gzip -6", count, runs.kcat);
  report("sluice, level 6", count, runs.sluice);
  report("sluice, level 1", count, [await sluice(kafka, 1)]);
  const ratio = (of: (one: Timed) => number) =>
    spreadOf(runs.sluice.map((one, i) => of(one) / of(runs.kcat[i] ?? one)));
  const rate = spreadOf(
    runs.sluice.map((one, i) => (runs.kcat[i]?.wallSeconds ?? NaN) / one.wallSeconds),
  );
  const cpu = ratio(({ cpuSeconds }) => cpuSeconds);
  console.log(`  sluice / kcat    rate ${spreadText(rate, 2)}   CPU ${spreadText(cpu, 2)}`);
  const peakMb = Math.max(...runs.sluice.map((one) => one.peakMb));
  const broken = [
    ...rate.median < bounds.rateLeast ? [`${rate.median.toFixed(2)} times kcat's rate`] : [],
    ...peakMb > bounds.peakMbMost ? [`${peakMb.toFixed(0)} MB resident`] : [],
  ];
  tellBroken(broken);
}

if (import.meta.main) await run(Deno.args);
