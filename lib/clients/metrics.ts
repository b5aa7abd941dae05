import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** One value of one metric, as a reporter sends it. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Default metrics of Linux that cannot be known without /proc. */
const needingProc = [
  "process_virtual_memory_bytes",
  "process_heap_bytes",
  "process_open_fds",
  "process_max_fds",
];

/** A number that is read when somebody asks for the metrics. */
export type Reading = () => number;

/** Numbers with their labels, read when somebody asks for the metrics. */
export type Readings = () => Iterable<readonly [Record<string, string>, number]>;

/**
 * The metrics of this process. Hot paths count in plain numbers of their own; the registry reads
 * them when the page is asked for.
 */
export class Metrics {
  readonly #registry = new Registry();

  constructor(build: { readonly version: string; readonly commit: string }) {
    collectDefaultMetrics({ register: this.#registry });
    this.#readMemoryOurselves();
    const info = new Gauge({
      name: "sluice_build_info",
      help: "The version that is running; always 1",
      labelNames: ["version", "commit"],
      registers: [this.#registry],
    });
    info.set(build, 1);
  }

  /**
   * The default metrics read /proc, which Deno opens to nobody with less than all rights, and would
   * tell 0 for ever in the compiled program: the memory is asked for elsewhere, the rest left out.
   */
  #readMemoryOurselves(): void {
    const resident = "process_resident_memory_bytes";
    this.#registry.removeSingleMetric(resident);
    new Gauge({
      name: resident,
      help: "Resident memory size in bytes",
      registers: [this.#registry],
      collect() {
        this.set(Deno.memoryUsage().rss);
      },
    });
    try {
      Deno.readTextFileSync("/proc/self/status");
    } catch {
      for (const name of needingProc) this.#registry.removeSingleMetric(name);
    }
  }

  /** A count that only grows; its name ends in `_total`. */
  counterOf(name: string, help: string, read: Reading): void {
    let before = 0;
    new Counter({
      name: `sluice_${name}`,
      help,
      registers: [this.#registry],
      collect() {
        const now = read();
        if (now > before) this.inc(now - before);
        before = now;
      },
    });
  }

  /** A value that may go up and down. */
  gaugeOf(name: string, help: string, read: Reading): void {
    new Gauge({
      name: `sluice_${name}`,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** Values that differ by labels; what is not read any more is not shown any more. */
  gaugesOf(name: string, help: string, labelNames: readonly string[], read: Readings): void {
    new Gauge({
      name: `sluice_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.set(labels, value);
      },
    });
  }

  /** Counts that only grow, by labels; the name ends in `_total`. */
  countersOf(name: string, help: string, labelNames: readonly string[], read: Readings): void {
    const before = new Map<string, number>();
    new Counter({
      name: `sluice_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      collect() {
        for (const [labels, now] of read()) {
          const key = Object.values(labels).join("\n");
          const grown = now - (before.get(key) ?? 0);
          if (grown > 0) this.inc(labels, grown);
          before.set(key, now);
        }
      },
    });
  }

  /** Returns a function that takes one measured time, seconds. */
  timer(name: string, help: string): (seconds: number) => void {
    const histogram = new Histogram({
      name: `sluice_${name}`,
      help,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [this.#registry],
    });
    return (seconds) => histogram.observe(seconds);
  }

  /** All values there are now. */
  async samples(): Promise<Sample[]> {
    const all = await this.#registry.getMetricsAsJSON();
    return all.flatMap((metric) =>
      metric.values.map((one) => ({
        name: "metricName" in one ? String(one.metricName) : metric.name,
        labels: one.labels as Record<string, string | number>,
        value: one.value,
      }))
    );
  }

  /** The page that Prometheus reads (text format 0.0.4). */
  async page(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}
