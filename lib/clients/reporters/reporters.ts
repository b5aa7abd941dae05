import { reasonOf } from "../../core/errors.ts";
import type { Measurement } from "../../core/measurement.ts";
import type { World } from "../../core/world.ts";
import { Delivery } from "./delivery.ts";
import { logReport } from "./log_report.ts";
import type { Outlet } from "./outlet.ts";
import type { Place } from "./place.ts";
import { Growth, type Report } from "./report.ts";

export { parsePlace, type Place } from "./place.ts";
export { denoMeter, isTelemetryAsked, Telemetry } from "./telemetry.ts";

/** What is reported to whom. */
export interface ReporterSettings {
  readonly riemann: Place | null;
  readonly statsd: Place | null;
  readonly statsdForm: "plain" | "dogstatsd";
  /** Whether the log gets a line, too. */
  readonly toLog: boolean;
  /** Before each name: "sluice.". */
  readonly prefix: string;
  /** `production` is a tag; `team=data` an attribute of Riemann, a tag of DogStatsD. */
  readonly tags: readonly string[];
  /** Which host Riemann is told of. */
  readonly host: string;
  readonly intervalMs: number;
}

/** What reporters are given. */
export interface ReporterTools {
  readonly world: World;
  readonly measure: () => Promise<readonly Measurement[]>;
  /** Why the daemon does not do its work; empty when all is well. */
  readonly notReady: () => readonly string[];
}

/** How a reporter fares, by its name. */
export interface ReporterCounts {
  readonly name: string;
  readonly sent: number;
  readonly failed: number;
  readonly dropped: number;
}

/** Reports the metrics again and again, to everything that the settings name. */
export class Reporters {
  readonly #growth: Growth;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #defect: string | null = null;

  private constructor(
    private readonly deliveries: readonly Delivery[],
    private readonly settings: ReporterSettings,
    private readonly tools: ReporterTools,
  ) {
    this.#growth = new Growth(tools.world.monotonicMs());
    this.#running = this.#run();
  }

  /** Begins; connects to nothing yet. */
  static async open(settings: ReporterSettings, tools: ReporterTools): Promise<Reporters> {
    const outlets = await outletsOf(settings);
    const deliveries = outlets.map((outlet) => new Delivery(outlet, tools.world));
    return new Reporters(deliveries, settings, tools);
  }

  counts(): ReporterCounts[] {
    return this.deliveries.map(({ name, counts }) => ({ name, ...counts }));
  }

  /** Reports a last time, and waits a moment (2 s) for it to arrive. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#report();
    await Promise.all(this.deliveries.map((delivery) => delivery.close()));
  }

  async #run(): Promise<void> {
    const { world } = this.tools;
    const { signal } = this.#stop;
    for (;;) {
      await world.sleep(this.settings.intervalMs, signal);
      if (signal.aborted) return;
      await this.#report();
    }
  }

  async #report(): Promise<void> {
    const { world, measure, notReady } = this.tools;
    try {
      const measured = await measure();
      const [atMs, reasons] = [world.nowMs(), notReady()];
      const entries = await this.#growth.take(measured, world.monotonicMs());
      const report: Report = { atMs, entries, notReady: reasons };
      for (const delivery of this.deliveries) delivery.offer(report);
      if (this.settings.toLog) await logReport(report, world.log);
    } catch (thrown) {
      // A metric that cannot be read is a defect, but none that may end the work.
      const reason = reasonOf(thrown);
      if (reason !== this.#defect) world.log("error", "Cannot measure", { reason });
      this.#defect = reason;
    }
  }
}

/**
 * Whether the servers can be reached, for `--check`; of UDP only whether the host is known.
 *
 * @throws {SluiceError} `transient` for the first that cannot.
 */
export async function checkReporters(settings: ReporterSettings): Promise<void> {
  for (const outlet of await outletsOf(settings)) await outlet.check();
}

/** Loaded only when they are asked for: most daemons are read by Prometheus. */
async function outletsOf(settings: ReporterSettings): Promise<Outlet[]> {
  const { riemann, statsd, statsdForm, prefix, tags, host, intervalMs } = settings;
  const outlets: Outlet[] = [];
  if (riemann !== null) {
    const identity = {
      ...{ host, prefix },
      tags: tags.filter((tag) => !tag.includes("=")),
      attributes: Object.fromEntries(tags.filter((tag) => tag.includes("=")).map(pairOf)),
      // One report may be late or lost.
      ttlSeconds: 3 * intervalMs / 1_000,
    };
    if (riemann.transport === "tcp") {
      const { RiemannTcp } = await import("./riemann_tcp.ts");
      outlets.push(new RiemannTcp(riemann, identity));
    } else {
      const { RiemannUdp } = await import("./riemann_udp.ts");
      outlets.push(new RiemannUdp(riemann, identity));
    }
  }
  if (statsd !== null) {
    const { Statsd } = await import("./statsd.ts");
    outlets.push(new Statsd(statsd, { prefix, tags, withTags: statsdForm === "dogstatsd" }));
  }
  return outlets;
}

function pairOf(tag: string): [string, string] {
  const at = tag.indexOf("=");
  return [tag.slice(0, at), tag.slice(at + 1)];
}
