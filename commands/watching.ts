import { serveStatus, type StatusServer } from "../lib/clients/http.ts";
import { Metrics } from "../lib/clients/metrics.ts";
import {
  denoMeter,
  isTelemetryAsked,
  type ReporterCounts,
  Reporters,
  type ReporterSettings,
  Telemetry,
} from "../lib/clients/reporters/reporters.ts";
import { notifyPlanOf, SystemdNotifier } from "../lib/clients/systemd.ts";
import { StatusPage } from "../lib/clients/status_page/status_page.ts";
import { flagOf, type Option, type OptionSpecs } from "../lib/core/options.ts";
import { RecentLog, shownValue } from "../lib/core/recent_log.ts";
import type { StatusView } from "../lib/core/status_view.ts";
import { formatDuration, formatSize } from "../lib/core/units.ts";
import { version } from "../lib/core/version.ts";
import type { World } from "../lib/core/world.ts";
import { type DaemonValues, reporterSettingsOf } from "./reporting.ts";

/** An option's value as a person would write it. */
function shownAs({ placeholder }: Option<unknown>, value: unknown): string {
  if (typeof value === "number" && placeholder === "DURATION") return formatDuration(value);
  if (typeof value === "number" && placeholder === "SIZE") return formatSize(value);
  return shownValue(value);
}

/** The quantiles of timers look back at least so long. */
const windowLeastMs = 60_000;

/** What is watched of a daemon; it is asked only once it is there. */
export interface Watched {
  readonly command: string;
  readonly options: OptionSpecs;
  readonly view: StatusView;
  /** Why it does not do its work; empty when all is well. */
  readonly notReady: () => readonly string[];
}

/**
 * How people and programs watch a daemon: its metrics, the pages of `--http`, the reporters,
 * OpenTelemetry, and what systemd is told.
 * Made before the daemon, so that an address that cannot be is refused before anything else is
 * opened; {@linkcode Watching.begin} when the daemon and its metrics are there.
 */
export class Watching {
  readonly metrics: Metrics;
  /** The world whose warnings and errors the status page shows. */
  readonly world: World;
  readonly #settings: ReporterSettings;
  readonly #recent = new RecentLog();
  #status: StatusServer | null = null;
  #reporters: Reporters | null = null;
  #telemetry: Telemetry | null = null;
  #systemd: SystemdNotifier | null = null;
  #notReady: (() => readonly string[]) | null = null;

  /** @throws {SluiceError} `usage` when an option of it is wrong. */
  constructor(private readonly values: DaemonValues, world: World) {
    this.#settings = reporterSettingsOf(values);
    // A report must not miss what was timed since the one before.
    const windowMs = Math.max(windowLeastMs, values["report-interval"]);
    this.metrics = new Metrics(version(), { windowMs });
    this.world = this.#recent.listenTo(world);
  }

  /** Serves the pages of `--http`. @throws {SluiceError} when the address cannot be listened on. */
  serve({ command, options, view, notReady }: Watched): void {
    const { http } = this.values;
    const { metrics, world } = this;
    this.#notReady = notReady;
    if (http === undefined) return;
    const page = new StatusPage({
      ...{ command, view, notReady, ...version() },
      host: this.#settings.host,
      recent: this.#recent,
      // What was not given and has no default would be most of the list.
      configuration: Object.entries(options).map(([name, option]) =>
        [
          flagOf(name, option),
          shownAs(option, (this.values as Readonly<Record<string, unknown>>)[name]),
        ] as const
      ).filter(([, value]) => value !== ""),
      nowMs: () => world.nowMs(),
      monotonicMs: () => world.monotonicMs(),
    });
    try {
      this.#status = serveStatus(http, { page: () => metrics.page(), notReady }, page);
    } catch (thrown) {
      page.close();
      throw thrown;
    }
  }

  /**
   * Says where the pages are, begins to report, and tells systemd that the daemon is ready: whatever
   * it listens on has to be open.
   *
   * @param drain aborted when the daemon is to stop.
   */
  async begin(drain: AbortSignal): Promise<void> {
    if (this.#status !== null) this.world.log("info", "Serving status", { url: this.#status.url });
    await this.#report();
    await this.#export();
    const plan = notifyPlanOf((name) => Deno.env.get(name), Deno.pid);
    if (plan === null) return;
    const systemd = new SystemdNotifier(plan, this.world.log);
    this.#systemd = systemd;
    systemd.begin(() => this.#notReady?.() ?? []);
    if (drain.aborted) systemd.stopping();
    drain.addEventListener("abort", () => systemd.stopping(), { once: true });
  }

  async #report(): Promise<void> {
    const { riemann, statsd, toLog } = this.#settings;
    if (riemann === null && statsd === null && !toLog) return;
    const { metrics, world } = this;
    const notReady = () => this.#notReady?.() ?? [];
    const measure = () => metrics.measure();
    const reporters = await Reporters.open(this.#settings, { world, measure, notReady });
    this.#reporters = reporters;
    this.#count(reporters);
    if (riemann !== null || statsd !== null) {
      const to = [riemann, statsd].flatMap((place) => place === null ? [] : [place.text]);
      world.log("info", "Reporting metrics", { to });
    }
  }

  /** Leaves the metrics to Deno's exporter of OpenTelemetry, when the process was started with it. */
  async #export(): Promise<void> {
    const { metrics, world } = this;
    const meter = denoMeter(version().version);
    if (meter === null) {
      if (!isTelemetryAsked((name) => Deno.env.get(name))) return;
      return world.log("warn", "Cannot export metrics by OpenTelemetry", {
        reason: "the program was compiled without it: see OpenTelemetry in the README",
      });
    }
    this.#telemetry = new Telemetry(meter, {
      world,
      measure: () => metrics.measure(),
      described: await metrics.described(),
      prefix: this.#settings.prefix,
    });
    world.log("info", "Exporting metrics by OpenTelemetry");
  }

  /** Reports a last time, and ends the pages. */
  async stop(): Promise<void> {
    await this.#reporters?.close();
    await this.#telemetry?.close();
    await this.#status?.stop();
    await this.#systemd?.close();
  }

  #count(reporters: Reporters): void {
    const of = (pick: (counts: ReporterCounts) => number) => () =>
      reporters.counts().map((counts) => [{ to: counts.name }, pick(counts)] as const);
    const { metrics } = this;
    metrics.countersOf("reports_sent_total", "Reports of metrics", ["to"], of(({ sent }) => sent));
    metrics.countersOf(
      "reports_failed_total",
      "Tries to report metrics that failed",
      ["to"],
      of(({ failed }) => failed),
    );
    metrics.countersOf(
      "reports_dropped_total",
      "Reports of metrics thrown away, as too many waited",
      ["to"],
      of(({ dropped }) => dropped),
    );
  }
}
