import assert from "node:assert/strict";
import { Metrics } from "../../../lib/clients/metrics.ts";
import {
  denoMeter,
  isTelemetryAsked,
  type Meter,
  Telemetry,
} from "../../../lib/clients/reporters/telemetry.ts";
import { VirtualWorld } from "../../core/virtual_world.ts";

type Told = Record<string, number>;

/** What takes metrics as the OpenTelemetry API does, and exports when it is told to. */
class TestMeter implements Meter {
  readonly counters: Told = {};
  readonly described: Record<string, string> = {};
  readonly #names = new Map<object, string>();
  #observes: Parameters<Meter["addBatchObservableCallback"]>[0][] = [];
  readonly #gauges = new Set<object>();

  createCounter(name: string, { description }: { readonly description: string }) {
    this.described[name] = description;
    return {
      add: (value: number, labels: Readonly<Record<string, string>>) => {
        const key = [name, ...Object.values(labels)].join(" ");
        this.counters[key] = (this.counters[key] ?? 0) + value;
      },
    };
  }

  createObservableGauge(name: string, { description }: { readonly description: string }) {
    this.described[name] = description;
    const gauge = {};
    this.#names.set(gauge, name);
    return gauge;
  }

  addBatchObservableCallback(
    ...[observe, gauges]: Parameters<Meter["addBatchObservableCallback"]>
  ) {
    this.#observes.push(observe);
    for (const gauge of gauges) this.#gauges.add(gauge);
  }

  removeBatchObservableCallback(observe: Parameters<Meter["addBatchObservableCallback"]>[0]) {
    this.#observes = this.#observes.filter((one) => one !== observe);
  }

  /** What the gauges are told to be. */
  async export(): Promise<Told> {
    const told: Told = {};
    for (const observe of this.#observes) {
      await observe({
        observe: (gauge, value, labels) => {
          assert.ok(this.#gauges.has(gauge), "only what was announced may be observed");
          told[[this.#names.get(gauge), ...Object.values(labels)].join(" ")] = value;
        },
      });
    }
    return told;
  }
}

async function rig() {
  const metrics = new Metrics({ version: "1", commit: "c" });
  const now = { lines: 5, partitions: ["0", "1"], isBroken: false };
  metrics.counterOf("lines_total", "Lines", () => {
    if (now.isBroken) throw new Error("no lines");
    return now.lines;
  });
  metrics.gaugesOf(
    "lag",
    "Lag",
    ["partition"],
    () => now.partitions.map((partition) => [{ partition }, 7] as const),
  );
  const observe = metrics.timer("put_seconds", "Time");
  const meter = new TestMeter();
  const world = new VirtualWorld();
  const telemetry = new Telemetry(meter, {
    ...{ world, prefix: "sluice." },
    measure: () => metrics.measure(),
    described: await metrics.described(),
  });
  return { meter, world, telemetry, now, observe };
}

Deno.test("counters are what they are in the registry, gauges only what there is now", async () => {
  const { meter, telemetry, now, observe } = await rig();
  const first = await meter.export();
  assert.equal(meter.counters["sluice.lines_total"], 5);
  assert.equal(meter.counters["sluice.put_seconds.count"], 0);
  assert.deepEqual([first["sluice.lag 0"], first["sluice.lag 1"]], [7, 7]);
  assert.equal(first["sluice.put_seconds.p99"], undefined, "nothing was timed");
  assert.ok(Number(first["sluice.process_resident_memory_bytes"]) > 0);

  now.lines = 12;
  now.partitions = ["1"];
  observe(0.25);
  const second = await meter.export();
  assert.equal(meter.counters["sluice.lines_total"], 12);
  assert.equal(meter.counters["sluice.put_seconds.count"], 1);
  assert.equal(second["sluice.put_seconds.max"], 0.25);
  assert.ok(!("sluice.lag 0" in second), "a partition that went elsewhere is not told any more");

  now.lines = 20;
  await telemetry.close();
  assert.equal(meter.counters["sluice.lines_total"], 20, "the last counts are not missing");
  assert.deepEqual(await meter.export(), {}, "nothing is observed after the end");
});

Deno.test("each metric says what it is, those of the process, too", async () => {
  const { meter, telemetry } = await rig();
  await telemetry.close();
  for (const aspect of ["count", "mean", "p50", "p75", "p95", "p99", "max"]) {
    assert.equal(meter.described[`sluice.put_seconds.${aspect}`], "Time");
  }
  assert.equal(meter.described["sluice.lines_total"], "Lines");
  assert.match(meter.described["sluice.process_cpu_seconds_total"] ?? "", /CPU time/);
});

Deno.test("exports at the same time count nothing twice", async () => {
  const { meter, telemetry } = await rig();
  await Promise.all([meter.export(), meter.export(), telemetry.close()]);
  assert.equal(meter.counters["sluice.lines_total"], 5);
});

Deno.test("a metric that cannot be read is told once and ends nothing", async () => {
  const { meter, world, telemetry, now } = await rig();
  now.isBroken = true;
  await meter.export();
  await meter.export();
  assert.deepEqual(world.lines.map(({ level, message }) => [level, message]), [
    ["error", "Cannot measure"],
  ]);
  now.isBroken = false;
  await telemetry.close();
  assert.equal(meter.counters["sluice.lines_total"], 5);
});

Deno.test("a process that was not started with it has no exporter", () => {
  assert.equal(denoMeter("1"), null);
});

const asked: [boolean, Record<string, string>][] = [
  [false, {}],
  [true, { OTEL_DENO: "true" }],
  [true, { OTEL_DENO: "TRUE" }],
  [true, { OTEL_DENO_METRICS: "true" }],
  [false, { OTEL_DENO: "true", OTEL_DENO_METRICS: "false" }],
  [false, { OTEL_DENO: "true", OTEL_SDK_DISABLED: "true" }],
  [false, { OTEL_DENO: "1" }],
];

for (const [wanted, env] of asked) {
  Deno.test(`${JSON.stringify(env)} asks for metrics: ${wanted}`, () => {
    assert.equal(isTelemetryAsked((name) => env[name]), wanted);
  });
}
