import { faultOf } from "./errors.ts";
import { backoffMs, networkRetry, type RetryPolicy } from "./retry.ts";
import { Schedule } from "./schedule.ts";
import type { World } from "./world.ts";

/** What comes of one step of a unit of work. */
export type Next<S, R> =
  | {
    /** The state in which it goes on. */
    readonly to: S;
    /** Not before so long, milliseconds: it waits for what it has begun. @default at once */
    readonly afterMs?: number;
  }
  | { readonly end: R };

/** A step that did not work out, told before it is decided whether it is tried again. */
export interface Failure<S> {
  /** The state that failed: it stays, and is tried again. */
  readonly state: S;
  readonly error: unknown;
  /** How often the unit has failed since it last got on, this one counted. */
  readonly failures: number;
  /** How long ago the first of these was, milliseconds. */
  readonly forMs: number;
}

/** Why a unit ended without a result of its own. */
export type Unfinished<S> =
  /** It failed for good, with what. */
  | { readonly why: "failed"; readonly state: S; readonly error: unknown }
  /** The machine was told to stop: `error` is what it waited for to be over, if it had failed. */
  | { readonly why: "stopped"; readonly state: S; readonly error?: unknown };

/** The work of a {@linkcode Machine}: U names a unit, S is its state, R the result it ends with. */
export interface Workshop<U, S, R> {
  /**
   * Does one step. A unit has one step at a time, and different units have theirs side by side. It is
   * done again from the same state after a failure, and by another process after a crash.
   */
  step(unit: U, state: S): Promise<Next<S, R>>;
  /** How long to wait before the state is tried again, milliseconds; null: the unit has failed. */
  retryMs(failure: Failure<S>, unit: U): number | null;
  /** A unit has ended by its own doing. */
  ended(unit: U, result: R): void;
  /** A unit has ended otherwise. */
  unfinished(unit: U, end: Unfinished<S>): void;
}

/** A unit of work in the machine. */
interface Entry<U, S> {
  readonly unit: U;
  state: S;
  failures: number;
  failingSinceMs: number;
  error: unknown;
}

/** Longer ones end at once. */
const timerMostMs = 2 ** 31 - 1;

/**
 * Units of work that step through states, so many at a time. A step's error belongs to the state in
 * which it came: after a pause the same state is tried again, while the other units go on. The machine
 * sleeps until a step ends or a pause is over, and knows nothing of what is done.
 *
 * Nothing is kept of a unit but its state: a process that is killed begins it anew, and whatever was
 * begun outside has to be found again there by the steps themselves.
 */
export class Machine<U, S, R> {
  readonly #schedule: Schedule<Entry<U, S>>;
  /** Ends the present sleep. */
  #stir: () => void = () => {};
  #isStopping = false;

  /** @param workers how many units are under way at once, at least 1. */
  constructor(
    workers: number,
    private readonly world: World,
    private readonly workshop: Workshop<U, S, R>,
  ) {
    this.#schedule = new Schedule(workers);
  }

  /** Units that are not ended. */
  get left(): number {
    return this.#schedule.left;
  }

  /** Units that were begun and neither ended nor wait after a failure. */
  get underWay(): number {
    return this.#schedule.underWay;
  }

  /** Takes a unit in, behind all others; also while the machine runs, by a step or from outside. */
  add(unit: U, state: S): void {
    const entry = { unit, state, failures: 0, failingSinceMs: 0, error: undefined };
    if (this.#isStopping) return this.workshop.unfinished(unit, { why: "stopped", state });
    this.#schedule.add(entry);
    this.#stir();
  }

  /**
   * Works until no unit is left. When `stop` is aborted, units that were not begun or wait after a
   * failure are given up, and the others go on to their end.
   *
   * @throws what `ended` or `unfinished` throw, once the steps under way are over.
   */
  async run(stop: AbortSignal): Promise<void> {
    const broken: { readonly thrown: unknown }[] = [];
    const onStop = () => this.#stir();
    stop.addEventListener("abort", onStop);
    try {
      while (true) {
        if (stop.aborted) this.#isStopping = true;
        if (this.#isStopping) this.#giveUpWaiting();
        const isBroken = broken.length > 0;
        const entry = isBroken ? undefined : this.#schedule.take(this.world.monotonicMs());
        if (entry !== undefined) {
          this.#work(entry).catch((thrown: unknown) => broken.push({ thrown }))
            .finally(() => this.#stir());
          continue;
        }
        if (this.#schedule.left === 0 || (isBroken && this.#schedule.working === 0)) break;
        await this.#sleep();
      }
    } finally {
      stop.removeEventListener("abort", onStop);
      this.#isStopping = false;
    }
    const [first] = broken;
    if (first !== undefined) throw first.thrown;
  }

  async #work(entry: Entry<U, S>): Promise<void> {
    let next: Next<S, R>;
    try {
      next = await this.workshop.step(entry.unit, entry.state);
    } catch (thrown) {
      return this.#failed(entry, thrown);
    }
    if ("end" in next) {
      this.#schedule.end();
      return this.workshop.ended(entry.unit, next.end);
    }
    entry.state = next.to;
    entry.failures = 0;
    entry.error = undefined;
    const { afterMs = 0 } = next;
    if (afterMs > 0) this.#schedule.later(entry, this.world.monotonicMs() + afterMs);
    else this.#schedule.again(entry);
  }

  #failed(entry: Entry<U, S>, error: unknown): void {
    const nowMs = this.world.monotonicMs();
    if (entry.failures++ === 0) entry.failingSinceMs = nowMs;
    entry.error = error;
    const { unit, state, failures } = entry;
    const failure = { state, error, failures, forMs: nowMs - entry.failingSinceMs };
    const pauseMs = this.workshop.retryMs(failure, unit);
    if (pauseMs !== null) return this.#schedule.backOff(entry, nowMs + pauseMs);
    this.#schedule.end();
    this.workshop.unfinished(unit, { why: "failed", state, error });
  }

  #giveUpWaiting(): void {
    const { fresh, failing } = this.#schedule.giveUpWaiting();
    for (const { unit, state } of fresh) {
      this.workshop.unfinished(unit, { why: "stopped", state });
    }
    for (const { unit, state, error } of failing) {
      this.workshop.unfinished(unit, { why: "stopped", state, error });
    }
  }

  async #sleep(): Promise<void> {
    const dueMs = this.#schedule.dueMs();
    const waking = new AbortController();
    const stirred = new Promise<void>((resolve) => {
      this.#stir = () => {
        waking.abort();
        resolve();
      };
    });
    if (dueMs === null) await stirred;
    else {
      const pauseMs = Math.ceil(dueMs - this.world.monotonicMs());
      await this.world.sleep(Math.min(pauseMs, timerMostMs), waking.signal);
    }
    this.#stir = () => {};
  }
}

/**
 * The usual answer to a failure: what is `transient` is tried again with growing pauses as long as the
 * unit has not failed for longer than `patienceMs`; all else is not.
 */
export function retryTransient<S>(
  { error, failures, forMs }: Failure<S>,
  patienceMs: number,
  random: number,
  policy: RetryPolicy = networkRetry,
): number | null {
  if (faultOf(error) !== "transient" || forMs > patienceMs) return null;
  return backoffMs(policy, failures, random);
}
