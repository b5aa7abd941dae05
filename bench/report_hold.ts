// deno-lint-ignore-file no-console -- a benchmark speaks to a person
import { setImmediate } from "node:timers";
import { Metrics } from "../lib/clients/metrics.ts";
import { parsePlace, Reporters } from "../lib/clients/reporters/reporters.ts";
import { realWorld } from "../lib/core/world.ts";
import { RiemannServer } from "../tests/support/riemann_server.ts";
import { StatsdServer } from "../tests/support/statsd_server.ts";
import { delay, eventually } from "../tests/support/waiting.ts";
import { spreadOf, spreadText } from "./usage.ts";

/** What has to hold: the longest that a report keeps all else waiting, milliseconds, median. */
const holdMsMost = 50;
const values = 10_000;
const labelled = 10;
const intervalMs = 2_000;

/** Ten metrics of a thousand series each, as archive has of a thousand partitions. */
function manyMetrics(): Metrics {
  const metrics = new Metrics({ version: "0", commit: "bench" });
  const names = ["topic", "partition"];
  const series = Array.from({ length: values / labelled }, (_, i) => ({
    topic: `company.orders.${i % 50}`,
    partition: String(i),
  }));
  for (let n = 0; n < labelled; n++) {
    const read = () => series.map((labels, i) => [labels, n * performance.now() + i] as const);
    if (n % 2 === 0) metrics.gaugesOf(`bench_${n}_bytes`, "A gauge", names, read);
    else metrics.countersOf(`bench_${n}_total`, "A counter", names, read);
  }
  return metrics;
}

/** How long the event loop was held at the longest since it was asked last, milliseconds. */
class Watch implements Disposable {
  #longestMs = 0;
  #lastMs = performance.now();
  #isOver = false;

  constructor() {
    const turn = () => {
      if (this.#isOver) return;
      const nowMs = performance.now();
      this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs);
      this.#lastMs = nowMs;
      setImmediate(turn);
    };
    setImmediate(turn);
  }

  take(): number {
    const longestMs = this.#longestMs;
    this.#longestMs = 0;
    return longestMs;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
  }
}

/**
 * Reports ten thousand values to Riemann, statsd and the log again and again; prints how long one
 * such report keeps the event loop from anything else, and returns what broke its bound.
 */
export async function measureHold(reports: number): Promise<string[]> {
  await using riemann = await RiemannServer.start();
  await using statsd = await StatsdServer.start();
  const metrics = manyMetrics();
  const lines: unknown[] = [];
  const reporters = await Reporters.open({
    riemann: parsePlace("riemann", `tcp://127.0.0.1:${riemann.port}`),
    statsd: parsePlace("statsd", `udp://127.0.0.1:${statsd.port}`),
    ...{ statsdForm: "plain", toLog: true, prefix: "sluice.", tags: [], host: "bench", intervalMs },
  }, {
    world: realWorld((...line) => lines.push(line)),
    measure: () => metrics.measure(),
    notReady: () => [],
  });
  const holds: number[] = [];
  {
    using watch = new Watch();
    // The first report is made by code that nobody has run before; daemons run for weeks.
    for (let report = -1; report < reports; report++) {
      await eventually("the next report", () => lines.length > report + 1, { everyMs: 10 });
      await delay(intervalMs / 2);
      const held = watch.take();
      if (report >= 0) holds.push(held);
    }
  }
  await reporters.close();
  const hold = spreadOf(holds);
  console.log(
    `One report of ${values} values holds the event loop ${spreadText(hold, 1)} ms at a time\n`,
  );
  return hold.median > holdMsMost
    ? [`a report holds the loop for ${hold.median.toFixed(0)} ms`]
    : [];
}
