import { reasonOf } from "../../core/errors.ts";
import { backoffMs, networkRetry } from "../../core/retry.ts";
import type { World } from "../../core/world.ts";
import type { Outlet } from "./outlet.ts";
import type { Report } from "./report.ts";

/** A minute of reports at the usual interval: what a restarted server still gets. */
const reportsMost = 6;
/** Values in all waiting reports together, some 200 bytes each; the newest report stays in any case. */
const entriesMost = 20_000;
/** How long the last report may take when the daemon stops. */
const partingMs = 2_000;

/**
 * Brings reports to one server, one after the other. It never waits for the server where somebody
 * waits for it: reports that cannot be sent pile up to a bound, then the oldest are thrown away.
 */
export class Delivery {
  readonly #waiting: Report[] = [];
  readonly #stop = new AbortController();
  #working = Promise.resolve();
  #isWorking = false;
  #trouble: string | null = null;
  /** Reports sent, tries that failed, reports thrown away. */
  readonly counts = { sent: 0, failed: 0, dropped: 0 };

  constructor(private readonly outlet: Outlet, private readonly world: World) {}

  get name(): string {
    return this.outlet.name;
  }

  /** Takes a report; never fails, never waits. */
  offer(report: Report): void {
    if (this.#stop.signal.aborted) return;
    this.#waiting.push(report);
    while (this.#waiting.length > 1 && this.#isTooMuch) {
      this.#waiting.shift();
      this.counts.dropped++;
    }
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#working = this.#work();
  }

  /** Gives what waits a moment to get through, and ends. */
  async close(): Promise<void> {
    const parted = new AbortController();
    await Promise.race([this.#working, this.world.sleep(partingMs, parted.signal)]);
    parted.abort();
    this.#stop.abort();
    this.outlet.close();
    await this.#working;
  }

  get #isTooMuch(): boolean {
    const entries = this.#waiting.reduce((sum, report) => sum + report.entries.length, 0);
    return this.#waiting.length > reportsMost || entries > entriesMost;
  }

  async #work(): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted;) {
      const report = this.#waiting[0];
      if (report === undefined) {
        // In the turn in which there was nothing: what is offered later begins anew.
        this.#isWorking = false;
        return;
      }
      try {
        await this.outlet.send(report, signal);
        failures = 0;
        // One that was thrown away while it was being sent is counted as that.
        if (this.#waiting[0] === report) {
          this.#waiting.shift();
          this.counts.sent++;
        }
        this.#tell(null);
      } catch (thrown) {
        if (signal.aborted) return;
        failures++;
        this.counts.failed++;
        this.#tell(reasonOf(thrown));
        await this.world.sleep(backoffMs(networkRetry, failures, this.world.random()), signal);
      }
    }
  }

  /** One line when it begins to fail, one when it works again: nothing is lost but metrics. */
  #tell(trouble: string | null): void {
    if ((trouble === null) !== (this.#trouble === null)) {
      const { log } = this.world;
      if (trouble === null) log("info", "Metrics are reported again", { to: this.name });
      else {
        log("warn", "Cannot report metrics, trying on", { to: this.name, reason: trouble });
      }
    }
    this.#trouble = trouble;
  }
}
