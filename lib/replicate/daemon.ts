import { reasonOf } from "../core/errors.ts";
import { Exit, type ExitCode } from "../core/exit.ts";
import { backoffMs } from "../core/retry.ts";
import type { Chosen } from "./choosing.ts";
import type { Counts } from "./counts.ts";
import { Report } from "./report.ts";
import type { Listener, Round } from "./round.ts";
import { runSession, type SessionTools } from "./session.ts";

/** What happens outside of the tables. */
export interface DaemonOptions {
  /** The pause between two runs, milliseconds; null: one run, and its exit code. */
  readonly watchMs: number | null;
  readonly cleansAll: boolean;
  readonly counts: Counts;
  /** Told how a run came out. */
  readonly onReport: (report: Report) => void;
}

/** Runs once, or again and again. */
export class ReplicateDaemon {
  #troubles: string[] = ["the datasets have not been compared yet"];
  #isStopping = false;
  #round: Round | null = null;
  #lastCounts: Report["counts"] | null = null;

  constructor(
    private readonly tools: SessionTools,
    private readonly listener: Listener,
    private readonly options: DaemonOptions,
  ) {}

  /** Why not everything is in step; empty when all is well. */
  notReady(): string[] {
    return this.#isStopping ? ["stopping"] : this.#troubles;
  }

  /** Tables of the present run that are not done. */
  get left(): number {
    return this.#round?.left ?? 0;
  }

  /** How many came out how in the last run that came to its end; null before. */
  get lastCounts(): Report["counts"] | null {
    return this.#lastCounts;
  }

  /** Tables that are being worked on. */
  get underWay(): number {
    return this.#round?.underWay ?? 0;
  }

  /**
   * Works until all is done, or with `watchMs` until `stop` is aborted: then what was begun is finished.
   *
   * @throws {SluiceError} without `watchMs`: what a run could not begin for.
   */
  async run(stop: AbortSignal): Promise<ExitCode> {
    stop.addEventListener("abort", () => this.#isStopping = true);
    const { watchMs } = this.options;
    if (watchMs === null) return (await this.#once(stop)).exit;
    const { world } = this.tools;
    for (let failures = 0; !stop.aborted;) {
      try {
        await this.#once(stop);
        failures = 0;
      } catch (thrown) {
        failures++;
        const reason = reasonOf(thrown);
        this.#troubles = [reason];
        world.log("error", "Cannot compare the datasets, trying on", { reason });
      }
      const policy = { firstMs: 5_000, mostMs: Math.max(5_000, watchMs) };
      const pauseMs = failures === 0 ? watchMs : backoffMs(policy, failures, world.random());
      await world.sleep(Math.min(watchMs, pauseMs), stop);
    }
    return Exit.ok;
  }

  async #once(stop: AbortSignal): Promise<Report> {
    const { counts, cleansAll } = this.options;
    const report = new Report();
    const troubles: string[] = [];
    const listener: Listener = {
      reached: (name, stage) => this.listener.reached(name, stage),
      failing: (name, stage, error) => {
        counts.retries++;
        this.listener.failing(name, stage, error);
      },
      partitionEnded: (name) => this.listener.partitionEnded(name),
      ended: (outcome) => {
        report.add(outcome);
        counts.add(outcome);
        const isBad = outcome.is === "failed" || outcome.is === "refused";
        if (isBad && troubles.length < 20) troubles.push(`${outcome.name}: ${outcome.reason}`);
        this.listener.ended(outcome);
      },
    };
    const onRound = (round: Round, { unchanged }: Pick<Chosen, "unchanged">) => {
      this.#round = round;
      report.addUnchanged(unchanged);
    };
    await runSession(this.tools, listener, { cleansAll, onRound }, stop);
    counts.rounds++;
    if (troubles.length === 0) counts.lastGoodSeconds = Math.floor(this.tools.world.nowMs() / 1000);
    this.#troubles = troubles;
    this.#lastCounts = report.counts;
    this.options.onReport(report);
    return report;
  }
}
