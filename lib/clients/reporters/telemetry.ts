import { reasonOf } from "../../core/errors.ts";
import type { Described, Measurement } from "../../core/measurement.ts";
import { Turns } from "../../core/turns.ts";
import type { World } from "../../core/world.ts";
import { aspects, aspectsOf, type Entry, Growth } from "./report.ts";

/** What we use of the OpenTelemetry API, which Deno brings without its types. */
export interface Meter {
  createCounter(name: string, options: InstrumentOptions): Counter;
  createObservableGauge(name: string, options: InstrumentOptions): ObservableGauge;
  addBatchObservableCallback(observe: Observe, gauges: ObservableGauge[]): void;
  removeBatchObservableCallback(observe: Observe, gauges: ObservableGauge[]): void;
}

interface InstrumentOptions {
  readonly description: string;
}

type Labels = Readonly<Record<string, string>>;

interface Counter {
  add(value: number, labels: Labels): void;
}

/** Only told of by what observes it. */
type ObservableGauge = object;

interface Observation {
  observe(gauge: ObservableGauge, value: number, labels: Labels): void;
}

/** Asked before each export, which waits for it. */
type Observe = (result: Observation) => Promise<void>;

/** What the export is given. */
export interface TelemetryTools {
  readonly world: World;
  readonly measure: () => Promise<readonly Measurement[]>;
  readonly described: readonly Described[];
  /** Before each name: "sluice.". */
  readonly prefix: string;
}

/**
 * Deno's own exporter of OpenTelemetry metrics; null when the process was not started with it
 * (`OTEL_DENO` or `OTEL_DENO_METRICS`; of a compiled program: was not compiled with it).
 */
export function denoMeter(version: string): Meter | null {
  const provider: { getMeter(name: string, version: string): Meter } = Deno.telemetry.meterProvider;
  try {
    return provider.getMeter("sluice", version);
  } catch {
    return null;
  }
}

/** Whether somebody wants metrics by OpenTelemetry, by Deno's own variables. */
export function isTelemetryAsked(env: (name: string) => string | undefined): boolean {
  const says = (name: string) => env(name)?.toLowerCase();
  if (says("OTEL_SDK_DISABLED") === "true") return false;
  return (says("OTEL_DENO_METRICS") ?? says("OTEL_DENO")) === "true";
}

/**
 * Has Deno export the metrics by OpenTelemetry, whenever its interval (`OTEL_METRIC_EXPORT_INTERVAL`)
 * is over: nothing is measured in between, and what is sent is sent by threads of its own.
 *
 * Gauges are observed, so that those of what is gone are not told any more. Counters are added to:
 * what is exported when the process ends is not observed, and the last counts must not be missing.
 */
export class Telemetry {
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, ObservableGauge>();
  readonly #growth: Growth;
  #observing: Promise<void> = Promise.resolve();
  #defect: string | null = null;

  constructor(private readonly meter: Meter, private readonly tools: TelemetryTools) {
    const { described, prefix, world } = tools;
    this.#growth = new Growth(world.monotonicMs());
    for (const { kind, name, help } of described) {
      const options = { description: help };
      const gauges = kind === "timer" ? aspects.map((one) => `${name}.${one}`) : [name];
      const counter = kind === "timer" ? `${name}.count` : name;
      if (kind !== "gauge") {
        this.#counters.set(counter, meter.createCounter(prefix + counter, options));
      }
      if (kind === "counter") continue;
      for (const gauge of gauges) {
        this.#gauges.set(gauge, meter.createObservableGauge(prefix + gauge, options));
      }
    }
    meter.addBatchObservableCallback(this.#observe, [...this.#gauges.values()]);
  }

  /** Counts a last time; Deno exports it when the process ends. */
  async close(): Promise<void> {
    this.meter.removeBatchObservableCallback(this.#observe, [...this.#gauges.values()]);
    await this.#take(null);
  }

  readonly #observe: Observe = (result) => this.#take(result);

  /** One after the other: growth is what it is since the one before. */
  #take(result: Observation | null): Promise<void> {
    return this.#observing = this.#observing.then(() => this.#takeNow(result));
  }

  async #takeNow(result: Observation | null): Promise<void> {
    const { measure, world } = this.tools;
    const turns = new Turns();
    try {
      for (const entry of await this.#growth.take(await measure(), world.monotonicMs())) {
        this.#tell(entry, result);
        if (turns.isDue()) await turns.next();
      }
    } catch (thrown) {
      // A metric that cannot be read is a defect, but none that may end the work.
      const reason = reasonOf(thrown);
      if (reason !== this.#defect) world.log("error", "Cannot measure", { reason });
      this.#defect = reason;
    }
  }

  #tell(entry: Entry, result: Observation | null): void {
    const { kind, name, labels, value, grown } = entry;
    if (kind !== "gauge") {
      this.#counters.get(kind === "timer" ? `${name}.count` : name)?.add(grown, labels);
    }
    if (result === null) return;
    const told = kind === "gauge"
      ? [[name, value] as const]
      : aspectsOf(entry).map(([aspect, one]) => [`${name}.${aspect}`, one] as const);
    for (const [gauge, number] of told) {
      const observed = this.#gauges.get(gauge);
      if (observed !== undefined) result.observe(observed, number, labels);
    }
  }
}
