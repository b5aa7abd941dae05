import { faultOf, reasonOf } from "../core/errors.ts";
import { Exit, type ExitCode } from "../core/exit.ts";
import { backoffMs, networkRetry } from "../core/retry.ts";
import { Directories, type DirectoryTools, wrongRetry } from "./directory.ts";
import { look, type Misfit, scan, type Unit } from "./scan.ts";
import { Schedule } from "./schedule.ts";
import { Watch } from "./watch.ts";

/** How long `--once` tries what may be better in a moment. */
const oncePatienceMs = 60_000;

/** How often `--once` tries files that change while they are read. */
const onceTriesMost = 5;

/** Goes over the store again and again, and has its directories loaded side by side. */
export class IngestDaemon {
  readonly #watches = new Map<string, Watch>();
  readonly #schedule: Schedule<Unit>;
  readonly #directories: Directories;
  #storeTrouble: string | null = "the store has not been listed yet";
  #isStopping = false;
  /** Something that `--once` was to load is not loaded as it was. */
  #isPartial = false;

  constructor(private readonly tools: DirectoryTools) {
    this.#schedule = new Schedule(tools.settings.workers, (watch, unit) => this.#work(watch, unit));
    this.#directories = new Directories(tools);
  }

  /** What is known of each directory. */
  get watches(): Iterable<Watch> {
    return this.#watches.values();
  }

  /** Loads that are under way, each with a connection of its own. */
  get loads(): number {
    return this.tools.targets.uses;
  }

  /** Directories with a manifest. */
  get watched(): number {
    return this.#watches.size;
  }

  /** Directories that are not loaded as they are. */
  get blocked(): number {
    return [...this.#watches.values()].filter(({ isBlocked }) => isBlocked).length;
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
      .flatMap(({ directory, troubles }) => troubles.map((one) => `${directory || "/"}: ${one}`))
      .slice(0, 20);
    return [...this.#storeTrouble === null ? [] : [this.#storeTrouble], ...troubles];
  }

  /** Works until it is to drain; with `once` until everything of one pass is done. */
  async run(): Promise<ExitCode> {
    const { world, settings, drain } = this.tools;
    const stop = () => {
      this.#isStopping = true;
      if (this.#schedule.stop()) this.#isPartial = true;
    };
    drain.addEventListener("abort", stop);
    try {
      for (let failures = 0; !drain.aborted;) {
        failures = await this.#scanOnce() ? 0 : failures + 1;
        if (settings.once) break;
        const poll = settings.pollMs * (0.9 + 0.2 * world.random());
        const pause = failures === 0 ? poll : backoffMs(networkRetry, failures, world.random());
        await world.sleep(Math.min(poll, pause), drain);
      }
    } finally {
      await this.#schedule.idle();
      drain.removeEventListener("abort", stop);
    }
    return this.#conclude();
  }

  /** One pass: everything that is due is begun. @returns false when the listing failed. */
  async #scanOnce(): Promise<boolean> {
    const { store, settings, world, drain } = this.tools;
    const seen = new Set<string>();
    try {
      for await (const found of scan(store, settings.matches)) {
        if (drain.aborted) return true;
        seen.add(found.directory);
        this.#take(found);
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

  #take(found: Unit | Misfit): void {
    const watch = this.#watches.get(found.directory) ?? new Watch(found.directory);
    this.#watches.set(found.directory, watch);
    if (found.kind === "misfit") return this.#note(watch, found);
    if (watch.isBusy || !watch.see(found, this.tools.world.monotonicMs())) return;
    this.#schedule.add(watch, found);
  }

  #note(watch: Watch, { reason }: Misfit): void {
    if (reason !== watch.misfit) this.#tell("error", watch, reason);
    watch.misfit = reason;
  }

  /** The turn of a directory. @returns false when another one loads into its table. */
  async #work(watch: Watch, seen: Unit | null): Promise<boolean> {
    const { world, settings, drain } = this.tools;
    const begunMs = world.monotonicMs();
    let unit = seen;
    for (let tries = 1; !drain.aborted; tries++) {
      try {
        unit ??= await this.#look(watch);
        if (unit === null) return true;
        const manifest = await this.#directories.readManifest(unit, watch);
        if (!this.#schedule.claim(watch, await this.#directories.tableOf(manifest))) return false;
        const { rejected, changed } = await this.#directories.pass(unit, watch, manifest);
        if (watch.loading.pass()) {
          world.log("info", "Loading again", { directory: watch.directory });
        }
        if (rejected > 0) this.#isPartial = true;
        if (changed === 0 || !settings.once) return true;
        // What was put in the meantime is of this pass, too, as long as it does not go on for ever.
        if (tries >= onceTriesMost) {
          this.#isPartial = true;
          return true;
        }
      } catch (thrown) {
        const pauseMs = this.#failed(watch, thrown);
        const isPatient = world.monotonicMs() - begunMs < oncePatienceMs;
        if (!settings.once || faultOf(thrown) !== "transient" || !isPatient) return true;
        await world.sleep(pauseMs, drain);
        watch.loading.retry();
      }
      unit = null;
    }
    this.#isPartial = true;
    return true;
  }

  /** A directory whose turn has come after a while. */
  async #look(watch: Watch): Promise<Unit | null> {
    const found = await look(this.tools.store, watch.directory);
    if (found?.kind === "misfit") this.#note(watch, found);
    if (found?.kind !== "unit") return null;
    watch.misfit = null;
    return found;
  }

  /** @returns how long to wait before the next try. */
  #failed(watch: Watch, thrown: unknown): number {
    const { world, drain } = this.tools;
    const isTransient = faultOf(thrown) === "transient";
    const reason = reasonOf(thrown);
    const policy = isTransient ? networkRetry : wrongRetry;
    const now = world.monotonicMs();
    const { pauseMs, isNew } = watch.loading.failed(reason, policy, now, world.random());
    // What was given up since we are to stop is no trouble.
    if (isNew && !(drain.aborted && isTransient)) {
      this.#tell(isTransient ? "warn" : "error", watch, reason);
    }
    return pauseMs;
  }

  /** Called once for each reason. */
  #tell(level: "warn" | "error", { directory }: Watch, reason: string): void {
    this.tools.world.log(level, "Cannot load a directory, trying on", { directory, reason });
  }

  #conclude(): ExitCode {
    const { world, counts, settings } = this.tools;
    const { files, rows, bytes, rejectedFiles, ledgerSkips } = counts;
    world.log("info", "Stopped", { files, rows, bytes, rejectedFiles, ledgerSkips });
    if (!settings.once) return Exit.ok;
    const hasTrouble = [...this.#watches.values()].some(({ troubles }) => troubles.length > 0);
    return hasTrouble || this.#isPartial ? Exit.partial : Exit.ok;
  }
}
