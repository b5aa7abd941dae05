import { setImmediate } from "node:timers";
import type { Fields, LogLevel, World } from "../../lib/core/world.ts";

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/**
 * A world whose clock jumps to the next sleeper's moment when nothing else can go on; everything in it
 * must be driven by its `sleep`.
 */
export class VirtualWorld implements World {
  readonly lines: { level: LogLevel; message: string; fields: Fields }[] = [];
  clockMs = 0;
  /** How often anybody went to sleep. */
  sleeps = 0;
  #sleepers: Sleeper[] = [];

  constructor(readonly random: () => number = () => 0) {}

  nowMs = (): number => 1_700_000_000_000 + this.clockMs;
  monotonicMs = (): number => this.clockMs;
  log = (level: LogLevel, message: string, fields: Fields = {}): void => {
    this.lines.push({ level, message, fields });
  };

  sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    this.sleeps++;
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = {
        dueMs: this.clockMs + ms,
        wake: () => {
          this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
          resolve();
        },
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", sleeper.wake, { once: true });
    });
  };

  /** Lets time pass until the promise is settled. Throws when nothing can go on, or after so long. */
  async until<T>(promise: Promise<T>, mostMs = Infinity): Promise<T> {
    const state = { isSettled: false };
    const settle = () => state.isSettled = true;
    promise.then(settle, settle);
    while (true) {
      // What hangs on promises goes first; a macrotask lets all of it happen.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (state.isSettled) return await promise;
      const first = this.#sleepers.reduce<Sleeper | null>(
        (least, one) => least === null || one.dueMs < least.dueMs ? one : least,
        null,
      );
      if (first === null) throw new Error(`Nothing can go on at ${this.clockMs} ms`);
      if (first.dueMs > mostMs) throw new Error(`Not over after ${mostMs} ms`);
      this.clockMs = Math.max(this.clockMs, first.dueMs);
      first.wake();
    }
  }

  said(level: LogLevel): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }
}
