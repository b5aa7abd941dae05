import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Metrics } from "../../lib/clients/metrics.ts";
import {
  parsePlace,
  Reporters,
  type ReporterSettings,
} from "../../lib/clients/reporters/reporters.ts";
import type { Measurement } from "../../lib/core/measurement.ts";
import { realWorld, sleep } from "../../lib/core/world.ts";
import { type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { sendLines } from "../support/line_sender.ts";
import { numberedLineBytes, numberedLines } from "../support/numbered_lines.ts";
import { type DecodedEvent, metricOf, RiemannServer } from "../support/riemann_server.ts";
import type { SluiceProcess } from "../support/sluice_process.ts";
import { StatsdServer } from "../support/statsd_server.ts";
import { delay, eventually, within } from "../support/waiting.ts";
import { check, finish, startForwarding } from "./forwarding.ts";
import { exportsAll, exportsAtItsEnd, saysThatItCannot } from "./telemetry.ts";

const usual: ReporterSettings = {
  ...{ riemann: null, statsd: null, statsdForm: "plain", toLog: false },
  ...{ prefix: "sluice.", tags: ["production", "team=data"], host: "web-1", intervalMs: 60_000 },
};

/** A registry with every kind of metric, some of them odd. */
function oddMetrics(): Metrics {
  // Times that this test has taken are known to its end, however long that takes.
  const metrics = new Metrics({ version: "1.2.3", commit: "abc" }, { windowMs: 3_600_000 });
  metrics.counterOf("lines_total", "Lines", () => 2 ** 53 - 1);
  metrics.gaugeOf("held", "Held", () => -7);
  metrics.gaugeOf("share", "Share", () => 1 / 3);
  metrics.gaugeOf("huge", "Huge", () => 1e300);
  metrics.gaugeOf("test_ready", "Ready", () => 0);
  const topics = ["orders", "ä ö", "<b>", ...Array.from({ length: 500 }, (_, i) => `t${i}`)];
  metrics.gaugesOf(
    "lag",
    "Lag",
    ["topic", "partition"],
    () => topics.map((topic, i) => [{ topic, partition: String(i) }, i * 1_000] as const),
  );
  const observe = metrics.timer("put_seconds", "Time");
  for (let i = 1; i <= 10_000; i++) observe(i / 10_000);
  metrics.timer("quiet_seconds", "Time");
  return metrics;
}

/** Reports once, as at a stop, with more patience: a server on a busy machine may need it. */
async function reportOnce(settings: ReporterSettings, metrics: Metrics): Promise<void> {
  const reporters = await Reporters.open(settings, {
    world: { ...realWorld(() => {}), sleep: (ms, signal) => sleep(60 * ms, signal) },
    measure: () => metrics.measure(),
    notReady: () => ["Kafka: away"],
  });
  await reporters.close();
  assert.deepEqual(reporters.counts().map(({ sent, failed }) => [sent, failed]), [[1, 0]]);
}

/** Services and values that must have come of these measurements. */
function wantedOf(measured: readonly Measurement[]): Map<string, number> {
  const wanted = new Map<string, number>();
  for (const { kind, name, labels, value, recent } of measured) {
    // These go on while the test looks.
    if (/^(process|nodejs)_/.test(name)) continue;
    const service = ["sluice." + name, ...Object.values(labels)].join(" ");
    wanted.set(kind === "timer" ? `${service} count` : service, value);
    for (const [aspect, seconds] of Object.entries(recent ?? {})) {
      if (aspect !== "count") wanted.set(`${service} ${aspect}`, seconds as number);
    }
  }
  return wanted;
}

function assertToldOf(events: readonly DecodedEvent[], metrics: readonly Measurement[]): void {
  const told = new Map(events.map((event) => [event.service, metricOf(event)]));
  const wanted = wantedOf(metrics);
  assert.ok(wanted.size > 500);
  for (const [service, value] of wanted) assert.equal(told.get(service), value, service);
  assert.equal(told.size, events.length, "each service once");
  for (const { host, tags, attributes, ttl, time, time_micros } of events) {
    assert.deepEqual([host, tags, attributes["team"], ttl], ["web-1", ["production"], "data", 180]);
    assert.ok(Math.abs(time - Date.now() / 1_000) < 3_600);
    assert.equal(Math.floor(time_micros / 1e6), time);
  }
}

for (const transport of ["tcp", "udp"] as const) {
  Deno.test(`events by ${transport}, read by an independent decoder, equal the registry`, async () => {
    await using riemann = await RiemannServer.start();
    const place = parsePlace("riemann", `${transport}://127.0.0.1:${riemann.port}`);
    const metrics = oddMetrics();
    await reportOnce({ ...usual, riemann: place }, metrics);
    const measured = await metrics.measure();
    const least = wantedOf(measured).size;
    const events = await eventually("all events", async () => {
      const all = await riemann.events();
      return all.length > least && all.some(({ service }) =>
        service === "sluice.process_cpu_seconds_total rate"
      ) && all;
    });
    await delay(100);
    assertToldOf(await riemann.events(), measured);
    assert.ok(events.every(({ by }) => by === transport));
    if (transport === "udp") assert.ok(events.every(({ bytes }) => bytes <= 1_400));
    const lag = events.find(({ service }) => service === "sluice.lag ä ö 1");
    assert.deepEqual([lag?.attributes["topic"], lag?.attributes["partition"]], ["ä ö", "1"]);
    const ready = events.find(({ service }) => service === "sluice.test_ready");
    assert.deepEqual([ready?.state, ready?.description], ["critical", "Kafka: away"]);
  });
}

Deno.test("a real statsd understands every line, and has the registry's values", async () => {
  await using statsd = await StatsdServer.start();
  const metrics = oddMetrics();
  const place = parsePlace("statsd", `udp://127.0.0.1:${statsd.port}`);
  await reportOnce({ ...usual, statsd: place, tags: [] }, metrics);
  // The process's own metrics come behind all others.
  const gauges = await eventually("all gauges", async () => {
    const all = await statsd.gauges();
    return Object.keys(all).some((name) => name.startsWith("sluice.nodejs_")) && all;
  });
  const counters = await statsd.counters();
  assert.equal(counters["statsd.bad_lines_seen"], 0);
  assert.equal(counters["sluice.lines_total"], 2 ** 53 - 1);
  assert.equal(counters["sluice.put_seconds.count"], 10_000);
  assert.deepEqual([gauges["sluice.held"], gauges["sluice.share"]], [-7, 1 / 3]);
  assert.equal(gauges["sluice.lag.t499.502"], 502_000);
  const recent = (await metrics.measure()).find(({ name }) => name === "put_seconds")?.recent;
  for (const aspect of ["mean", "p50", "p75", "p95", "p99", "max"] as const) {
    assert.equal(gauges[`sluice.put_seconds.${aspect}`], recent?.[aspect], aspect);
  }
});

/** The metrics of datagrams as a reader in another language takes them. */
async function parsed(datagrams: readonly Uint8Array[]): Promise<DogMetric[]> {
  const child = new Deno.Command("python3", {
    args: [fileURLToPath(new URL("../support/dogstatsd_parser.py", import.meta.url))],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(
    new TextEncoder().encode(datagrams.map((datagram) => datagram.toHex()).join("\n")),
  );
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

interface DogMetric {
  readonly name: string;
  readonly value: number;
  readonly type: string;
  readonly tags: readonly string[];
}

Deno.test("DogStatsD's lines, read by an independent parser, have the registry's values and labels", async () => {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  const datagrams: Uint8Array[] = [];
  const receiving = (async () => {
    for await (const [datagram] of socket) datagrams.push(datagram.slice());
  })();
  const metrics = oddMetrics();
  const place = parsePlace("statsd", `udp://127.0.0.1:${port}`);
  await reportOnce({ ...usual, statsd: place, statsdForm: "dogstatsd" }, metrics);
  // The process's own metrics come behind all others.
  await eventually(
    "the last of ours",
    () =>
      datagrams.some((datagram) => new TextDecoder().decode(datagram).includes("sluice.nodejs_")),
  );
  socket.close();
  await receiving;
  assert.ok(datagrams.every(({ length }) => length <= 1_400));
  const all = await parsed(datagrams);
  const find = (name: string, tag = "production") =>
    all.find((one) => one.name === `sluice.${name}` && one.tags.includes(tag));
  const measured = await metrics.measure();
  for (const { kind, name, labels, value, recent } of measured) {
    if (/^(process|nodejs)_/.test(name) || value === 0 && kind === "timer") continue;
    const topic = labels["topic"]?.replaceAll(" ", "_");
    const told = find(
      kind === "timer" ? `${name}.count` : name,
      topic === undefined ? "production" : `topic:${topic}`,
    );
    assert.deepEqual([told?.value, told?.type], [value, kind === "gauge" ? "g" : "c"], name);
    assert.ok(told?.tags.includes("team:data"));
    for (const [aspect, seconds] of Object.entries(recent ?? {})) {
      if (aspect !== "count") assert.equal(find(`${name}.${aspect}`)?.value, seconds);
    }
  }
});

/** What Prometheus reads of a metric without labels, by its name after `sluice_`. */
async function pageOf(sluice: SluiceProcess): Promise<Map<string, number>> {
  const text = await (await fetch(`${await sluice.statusUrl()}/metrics`)).text();
  return new Map(
    [...text.matchAll(/^sluice_(\w+) (\S+)$/gm)].map((
      [, name = "", value],
    ) => [name, Number(value)]),
  );
}

/** The values of the newest event of each service. */
async function newest(riemann: RiemannServer): Promise<Map<string, number | undefined>> {
  return new Map((await riemann.events()).map((event) => [event.service, metricOf(event)]));
}

const lineCount = 100_000;
const lineBytes = lineCount * (numberedLineBytes + 1);

async function send(sluice: SluiceProcess): Promise<void> {
  await sendLines(await sluice.port("tcp"), numberedLines(lineCount));
}

async function acknowledged(sluice: SluiceProcess, count: number): Promise<void> {
  await eventually(
    "Kafka has acknowledged the lines",
    async () => await sluice.metric("forward_records_sent_total") >= count,
    { timeoutMs: 120_000 },
  );
}

/** Riemann knows all that Prometheus reads: at rest, for each is looked at in a moment of its own. */
async function assertToldAsPage(riemann: RiemannServer, sluice: SluiceProcess): Promise<void> {
  let odd: string[] = [];
  await eventually("Riemann knows what Prometheus reads", async () => {
    const page = [...await pageOf(sluice)].filter(([name]) => !name.endsWith("_seconds_sum"));
    assert.ok(page.length > 20);
    const told = await newest(riemann);
    odd = page.flatMap(([name, value]) => {
      const service = `sluice.${name.replace(/_seconds_count$/, "_seconds count")}`;
      return told.get(service) === value ? [] : [`${service}: ${told.get(service)} for ${value}`];
    });
    return odd.length === 0;
  }).catch((thrown) => {
    throw new Error(odd.join("\n"), { cause: thrown });
  });
}

/** The spread of a timer in one report makes sense. */
async function assertSpread(riemann: RiemannServer, timer: string): Promise<void> {
  const events = await riemann.events();
  const last = events.findLast(({ service }) => service === `${timer} max`);
  const report = new Map(
    events.filter(({ time_micros }) => time_micros === last?.time_micros)
      .map((event) => [event.service, metricOf(event)]),
  );
  const [p50 = 0, p99 = 0, max = 0] = ["p50", "p99", "max"].map((aspect) =>
    report.get(`${timer} ${aspect}`)
  );
  assert.ok(0 < p50 && p50 <= p99 && p99 <= max && max < 600, `${p50} ${p99} ${max}`);
}

/** A daemon that works tells Riemann, statsd and Prometheus the same. */
async function tellsAll(kafka: KafkaServer): Promise<void> {
  await using riemann = await RiemannServer.start();
  await using statsd = await StatsdServer.start();
  await using sluice = await startForwarding([
    ...[`--kafka=${kafka.bootstrap}`, "--topic=t", "--report-interval=500ms", "--report-log"],
    `--riemann=tcp://127.0.0.1:${riemann.port}`,
    `--statsd=udp://127.0.0.1:${statsd.port}`,
  ]);
  await send(sluice);
  await acknowledged(sluice, lineCount);
  await assertToldAsPage(riemann, sluice);
  const told = await newest(riemann);
  assert.equal(told.get("sluice.forward_in_flight_records"), 0);
  assert.equal(told.get("sluice.forward_records_sent_total"), lineCount);
  await assertSpread(riemann, "sluice.forward_send_seconds");
  await eventually(
    "statsd has counted the lines",
    async () => (await statsd.counters())["sluice.forward_records_sent_total"] === lineCount,
  );
  const line = await sluice.said(`"Metrics"`, `"forward_records_sent_total":{"count":${lineCount}`);
  assert.equal(JSON.parse(line).gauges.forward_ready, 1);
  await finish(sluice);
  await eventually(
    "the last report, which comes from the stop itself",
    async () => (await newest(riemann)).get("sluice.forward_ready") === 0,
  );
}

/** Servers that are mute, gone and back again do not matter to the lines. */
async function worksOn(kafka: KafkaServer): Promise<void> {
  await using riemann = await RiemannServer.start();
  await using sluice = await startForwarding([
    ...[`--kafka=${kafka.bootstrap}`, "--topic=t", "--report-interval=100ms"],
    `--riemann=tcp://127.0.0.1:${riemann.port}`,
  ]);
  await eventually("Riemann hears of it", async () => (await riemann.events()).length > 0);
  await riemann.freeze();
  await send(sluice);
  await acknowledged(sluice, lineCount);
  await sluice.said(`"warn"`, "Cannot report metrics, trying on", "no answer for 5000 ms");
  riemann.signal("SIGKILL");
  await riemann.stop();
  await send(sluice);
  await acknowledged(sluice, 2 * lineCount);
  await eventually("ten reports are dropped", async () => {
    const page = await (await fetch(`${await sluice.statusUrl()}/metrics`)).text();
    const dropped = /sluice_reports_dropped_total\{to="riemann"\} (\d+)/.exec(page)?.[1];
    return Number(dropped) > 10;
  });
  const log = await sluice.log();
  const told = (what: string) => log.split(what).length - 1;
  assert.equal(
    told("Cannot report metrics"),
    1 + told("Metrics are reported again"),
    "told once, however often it fails",
  );
  await riemann.restart();
  await sluice.said(`"info"`, "Metrics are reported again");
  await eventually(
    "it knows of all lines",
    async () => (await newest(riemann)).get("sluice.forward_records_sent_total") === 2 * lineCount,
  );
  const peak = await sluice.memoryPeak();
  assert.ok(
    peak < 400e6,
    `${(peak / 1e6).toFixed(0)} MB for ${(2 * lineBytes / 1e6).toFixed(0)} MB`,
  );
  await riemann.stop();
  assert.ok(await within(finish(sluice), 60_000), "a dead server does not hold up the stop");
}

async function isChecked(kafka: KafkaServer): Promise<void> {
  await using riemann = await RiemannServer.start();
  const { port } = riemann;
  const args = [`--kafka=${kafka.bootstrap}`, "--topic=t"];
  const [well, refused] = await Promise.all([
    check([...args, `--riemann=tcp://127.0.0.1:${port}`, "--statsd=udp://127.0.0.1"]),
    check([...args, "--riemann=tcp://127.0.0.1:1"]),
  ]);
  assert.equal(well.code, 0, well.said);
  assert.equal(refused.code, 10, refused.said);
  assert.match(refused.said, /Cannot report to Riemann at tcp:\/\/127\.0\.0\.1:1: .*refused/);
  assert.deepEqual(await riemann.events(), []);
}

Deno.test("a daemon reports to Riemann, statsd, the log and OpenTelemetry", async (t) => {
  await using kafka = await startKafka({});
  await kafka.createTopic("t", { partitions: 2 });
  const steps: [string, (kafka: KafkaServer) => Promise<void>][] = [
    ["what Prometheus reads of it, too", tellsAll],
    ["and works on when the server is mute, gone, and back", worksOn],
    ["and --check asks the server", isChecked],
    [
      "what Prometheus reads, Deno exports by OpenTelemetry",
      ({ bootstrap }) => exportsAll(bootstrap),
    ],
    ["and once more at the end", ({ bootstrap }) => exportsAtItsEnd(bootstrap)],
    ["and it says when it cannot", saysThatItCannot],
  ];
  for (const [what, step] of steps) await t.step(what, () => step(kafka));
});
