/** The severity of a log line, by consequence: error = data lost or an operator is needed, warn = recovered. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Values that go with a log line; secrets print as `[secret]`. */
export type Fields = Readonly<Record<string, unknown>>;

/** Writes one log line: a sentence and its values. Never called per record. */
export type Log = (level: LogLevel, message: string, fields?: Fields) => void;

/**
 * What a flow may know of the world around it: clock, chance, log, waiting. Tests hand in one they
 * turn by hand, so that time and chance can be replayed.
 */
export interface World {
  /** Wall clock, milliseconds since 1970-01-01 UTC. May jump. */
  nowMs(): number;
  /** Milliseconds that only go forward; for intervals and time-outs. */
  monotonicMs(): number;
  /** A number in [0, 1). */
  random(): number;
  readonly log: Log;
  /** Resolves after `ms`, or at once when `signal` is aborted; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Waits `ms` or until `signal` is aborted, whichever is first; leaves no timer behind. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}

/** The real world, with the given log. */
export function realWorld(log: Log): World {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    random: () => Math.random(),
    log,
    sleep,
  };
}
