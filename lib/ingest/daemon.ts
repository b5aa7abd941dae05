import { faultOf, reasonOf } from "../core/errors.ts";
import { Exit, type ExitCode } from "../core/exit.ts";
import { Permits } from "../core/permits.ts";
import { backoffMs, networkRetry, type RetryPolicy } from "../core/retry.ts";
import { Directories, type DirectoryTools } from "./directory.ts";
import { type Misfit, scan, type Unit } from "./scan.ts";
import { Watch } from "./watch.ts";

/** A directory whose data or manifest is wrong waits for a person. */
const wrongRetry: RetryPolicy = { firstMs: 5_000, mostMs: 300_000 };

/** How long `--once` tries what may be better in a moment. */
const oncePatienceMs = 60_000;

/** Goes over the store again and again, and has its directories loaded side by side. */
export class IngestDaemon {
  readonly #watches = new Map<string, Watch>();
  readonly #running = new Set<Promise<void>>();
  readonly #permits: Permits;
  readonly #directories: Directories;
  #storeTrouble: string | null = "the store has not been listed yet";
  #isStopping = false;
  #hasRejected = false;

  constructor(private readonly tools: DirectoryTools) {
    this.#permits = new Permits(tools.settings.workers);
    this.#directories = new Directories(tools);
  }

  /** Directories with a manifest. */
  get watched(): number {
    return this.#watches.size;
  }

  /** Directories that are not loaded as they are. */
  get blocked(): number {
    return [...this.#watches.values()].filter(({ trouble }) => trouble !== null).length;
  }

  /** How long the oldest file waits, seconds; 0 when none does. */
  get oldestWaitingSeconds(): number {
    let oldest = Infinity;
    for (const { oldestMs } of this.#watches.values()) {
      oldest = Math.min(oldest, oldestMs ?? Infinity);
    }
    return oldest === Infinity ? 0 : Math.max(0, (this.tools.world.nowMs() - oldest) / 1000);
  }

  /** Why something is not loaded; empty when all is well. */
  notReady(): string[] {
    if (this.#isStopping) return ["stopping"];
    const troubles = [...this.#watches.values()]
      .filter(({ trouble }) => trouble !== null)
      .slice(0, 20)
      .map(({ directory, trouble }) => `${directory || "/"}: ${trouble}`);
    return [...this.#storeTrouble === null ? [] : [this.#storeTrouble], ...troubles];
  }

  /** Works until `drain` is aborted; with `once` until everything of one pass is done. */
  async run(drain: AbortSignal): Promise<ExitCode> {
    const { world, settings } = this.tools;
    try {
      for (let failures = 0; !drain.aborted;) {
        failures = await this.#scanOnce(drain) ? 0 : failures + 1;
        if (settings.once) break;
        const poll = settings.pollMs * (0.9 + 0.2 * world.random());
        const pause = failures === 0 ? poll : backoffMs(networkRetry, failures, world.random());
        await world.sleep(Math.min(poll, pause), drain);
      }
    } finally {
      this.#isStopping = drain.aborted;
      await Promise.all(this.#running);
    }
    return this.#conclude();
  }

  /** One pass: everything that is due is begun. @returns false when the listing failed. */
  async #scanOnce(drain: AbortSignal): Promise<boolean> {
    const { store, settings, world } = this.tools;
    const seen = new Set<string>();
    try {
      for await (const found of scan(store, settings.matches)) {
        if (drain.aborted) return true;
        seen.add(found.directory);
        this.#take(found, drain);
      }
    } catch (thrown) {
      if (settings.once) throw thrown;
      const reason = reasonOf(thrown);
      if (reason !== this.#storeTrouble) {
        world.log(faultOf(thrown) === "transient" ? "warn" : "error", "Cannot list, trying on", {
          reason,
        });
      }
      this.#storeTrouble = reason;
      return false;
    }
    this.#storeTrouble = null;
    for (const [directory, { isBusy }] of this.#watches) {
      if (!seen.has(directory) && !isBusy) this.#watches.delete(directory);
    }
    return true;
  }

  #take(found: Unit | Misfit, drain: AbortSignal): void {
    const watch = this.#watches.get(found.directory) ?? new Watch(found.directory);
    this.#watches.set(found.directory, watch);
    if (found.kind === "misfit") return this.#failed(watch, found.reason, "error");
    if (!watch.isDue(found, this.tools.world.monotonicMs(), this.tools.settings.keep)) return;
    watch.isBusy = true;
    const work = this.#permits.use(() => this.#work(found, watch, drain)).finally(() => {
      watch.isBusy = false;
      this.#running.delete(work);
    });
    this.#running.add(work);
  }

  async #work(unit: Unit, watch: Watch, drain: AbortSignal): Promise<void> {
    const { world, settings, counts } = this.tools;
    const begunMs = world.monotonicMs();
    while (!drain.aborted) {
      const rejectedBefore = counts.rejectedFiles;
      try {
        await this.#directories.pass(unit, watch);
        if (counts.rejectedFiles > rejectedBefore) this.#hasRejected = true;
        if (watch.trouble !== null) {
          world.log("info", "Loading again", { directory: watch.directory });
        }
        watch.trouble = null;
        watch.failures = 0;
        watch.notBeforeMs = 0;
        return;
      } catch (thrown) {
        const isTransient = faultOf(thrown) === "transient";
        this.#failed(watch, reasonOf(thrown), isTransient ? "warn" : "error");
        const policy = isTransient ? networkRetry : wrongRetry;
        const pause = backoffMs(policy, ++watch.failures, world.random());
        watch.notBeforeMs = world.monotonicMs() + pause;
        const isPatient = world.monotonicMs() - begunMs < oncePatienceMs;
        if (!settings.once || !isTransient || !isPatient) return;
        await world.sleep(pause, drain);
      }
    }
  }

  /** Told once for each reason. */
  #failed(watch: Watch, reason: string, level: "warn" | "error"): void {
    if (reason !== watch.trouble) {
      this.tools.world.log(level, "Cannot load a directory, trying on", {
        directory: watch.directory,
        reason,
      });
    }
    watch.trouble = reason;
  }

  #conclude(): ExitCode {
    const { world, counts, settings } = this.tools;
    const { files, rows, bytes, rejectedFiles, ledgerSkips } = counts;
    world.log("info", "Stopped", { files, rows, bytes, rejectedFiles, ledgerSkips });
    if (!settings.once) return Exit.ok;
    return this.blocked > 0 || this.#hasRejected ? Exit.partial : Exit.ok;
  }
}
