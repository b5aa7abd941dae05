import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Described, Measurement } from "../core/measurement.ts";
import { RecentValues } from "../core/spread.ts";
import { Turns } from "../core/turns.ts";

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

/** What all names of ours begin with on the page for Prometheus. */
const pagePrefix = "sluice_";

/** From here on a page is made in slices; some 250 lines are 16 KB. */
const longPageChars = 64 * 1024;
const pageLineChars = 64;

/** Until timers' quantiles forget a value. */
const windowUsualMs = 60_000;

/** Counts that never go down, whatever is read: what they have grown by, added up. */
class Grown {
  #total = 0;
  #before = 0;

  constructor(readonly labels: Readonly<Record<string, string>> = {}) {}

  take(now: number): number {
    if (now > this.#before) this.#total += now - this.#before;
    this.#before = now;
    return this.#total;
  }

  get total(): number {
    return this.#total;
  }
}

/**
 * The metrics of this process. Hot paths count in plain numbers of their own; the registry reads
 * them when the page is asked for, or a reporter sends them.
 */
export class Metrics {
  readonly #registry = new Registry();
  /** Each metric of ours and how it is measured, in the order of the page. */
  readonly #ours: Ours[] = [];
  /** The default metrics of the process that are one number each. */
  readonly #ofProcess: readonly (Counter | Gauge)[];
  readonly #windowMs: number;
  /** Of the page that was read last. */
  #pageChars = 0;

  /** @param options.windowMs how long timers' quantiles know a value, at least. @default 60000 */
  constructor(
    build: { readonly version: string; readonly commit: string },
    options: { readonly windowMs?: number } = {},
  ) {
    this.#windowMs = options.windowMs ?? windowUsualMs;
    collectDefaultMetrics({ register: this.#registry });
    this.#readMemoryOurselves();
    this.#ofProcess = this.#registry.getMetricsAsArray().flatMap((metric) => {
      const { name } = metric;
      const one = this.#registry.getSingleMetric(name);
      const isSingle = "labelNames" in metric && (metric.labelNames as string[]).length === 0;
      return isSingle && (one instanceof Counter || one instanceof Gauge) ? [one] : [];
    });
    const info = new Gauge({
      name: `${pagePrefix}build_info`,
      help: "The version that is running; always 1",
      labelNames: ["version", "commit"],
      registers: [this.#registry],
    });
    info.set(build, 1);
    const labels = { version: build.version, commit: build.commit };
    this.#ours.push({
      ...{ kind: "gauge", name: "build_info", help: "The version that is running; always 1" },
      measure: () => [gaugeAs("build_info", labels, 1)],
    });
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
    const grown = new Grown();
    new Counter({
      name: pagePrefix + name,
      help,
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(grown.take(read()));
      },
    });
    const measure = () => [counterAs(name, {}, grown.take(read()))];
    this.#ours.push({ kind: "counter", name, help, measure });
  }

  /** A value that may go up and down. */
  gaugeOf(name: string, help: string, read: Reading): void {
    new Gauge({
      name: pagePrefix + name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
    this.#ours.push({ kind: "gauge", name, help, measure: () => [gaugeAs(name, {}, read())] });
  }

  /** Values that differ by labels; what is not read any more is not shown any more. */
  gaugesOf(name: string, help: string, labelNames: readonly string[], read: Readings): void {
    new Gauge({
      name: pagePrefix + name,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.set(labels, value);
      },
    });
    const measure = () => Array.from(read(), ([labels, value]) => gaugeAs(name, labels, value));
    this.#ours.push({ kind: "gauge", name, help, measure });
  }

  /** Counts that only grow, by labels; the name ends in `_total`. */
  countersOf(name: string, help: string, labelNames: readonly string[], read: Readings): void {
    const all = new Map<string, Grown>();
    const takeAll = () => {
      for (const [labels, now] of read()) {
        const key = JSON.stringify(Object.values(labels));
        let one = all.get(key);
        if (one === undefined) all.set(key, one = new Grown(labels));
        one.take(now);
      }
      return all.values();
    };
    new Counter({
      name: pagePrefix + name,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { labels, total } of takeAll()) if (total > 0) this.inc(labels, total);
      },
    });
    const measure = () =>
      Array.from(takeAll(), ({ labels, total }) => counterAs(name, labels, total));
    this.#ours.push({ kind: "counter", name, help, measure });
  }

  /** Returns a function that takes one measured time, seconds. */
  timer(name: string, help: string): (seconds: number) => void {
    const histogram = new Histogram({
      name: pagePrefix + name,
      help,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [this.#registry],
    });
    // Buckets are for Prometheus, which adds them up over instances; quantiles want finer ones.
    const recent = new RecentValues(this.#windowMs, () => performance.now());
    const measure = (): Measurement[] => [
      { kind: "timer", name, labels: {}, value: recent.total, recent: recent.spread() },
    ];
    this.#ours.push({ kind: "timer", name, help, measure });
    return (seconds) => {
      histogram.observe(seconds);
      recent.add(seconds);
    };
  }

  /**
   * Everything there is now, for reporters: ours without `sluice_`, and the numbers of the process
   * (CPU, memory, delay of the event loop) as they are called on the page.
   *
   * Some hundred are read in one go, so that they agree. Of more the event loop has turns between
   * metrics; the values of one metric are of one moment in any case.
   */
  async measure(): Promise<Measurement[]> {
    const turns = new Turns();
    const ours: Measurement[] = [];
    for (const { measure } of this.#ours) {
      const before = ours.length;
      for (const one of measure()) ours.push(one);
      if (turns.isDue(ours.length - before)) await turns.next();
    }
    const ofProcess = await Promise.all(this.#ofProcess.map(async (metric) => {
      const { name, type, values } = await metric.get();
      const make = kindOf(type) === "counter" ? counterAs : gaugeAs;
      return values.map(({ value }) => make(name, {}, value));
    }));
    return ours.concat(...ofProcess);
  }

  /** Everything that {@linkcode measure} may ever tell of, what has no values yet included. */
  async described(): Promise<Described[]> {
    const ofProcess = await Promise.all(this.#ofProcess.map(async (metric) => {
      const { name, type, help } = await metric.get();
      return { kind: kindOf(type), name, help };
    }));
    return [...this.#ours.map(({ kind, name, help }) => ({ kind, name, help })), ...ofProcess];
  }

  /**
   * The page that Prometheus reads (text format 0.0.4): all of one moment, until it gets long. From
   * the next on the event loop has turns between metrics.
   */
  async page(): Promise<{ readonly contentType: string; readonly text: string }> {
    const isLong = this.#pageChars > longPageChars;
    const text = await (isLong ? this.#longPage() : this.#registry.metrics());
    this.#pageChars = text.length;
    return { contentType: this.#registry.contentType, text };
  }

  async #longPage(): Promise<string> {
    const turns = new Turns();
    const parts: string[] = [];
    for (const { name } of this.#registry.getMetricsAsArray()) {
      const part = await this.#registry.getSingleMetricAsString(name);
      parts.push(part);
      if (turns.isDue(part.length / pageLineChars)) await turns.next();
    }
    return `${parts.join("\n\n")}\n`;
  }
}

interface Ours extends Described {
  readonly measure: () => Iterable<Measurement>;
}

type Labels = Readonly<Record<string, string>>;

/** Of a metric that is one number. */
function kindOf(type: unknown): "counter" | "gauge" {
  return String(type) === "counter" ? "counter" : "gauge";
}

function counterAs(name: string, labels: Labels, value: number): Measurement {
  return { kind: "counter", name, labels, value, recent: null };
}

function gaugeAs(name: string, labels: Labels, value: number): Measurement {
  return { kind: "gauge", name, labels, value, recent: null };
}
