import { faultOf, reasonOf } from "./errors.ts";
import type { World } from "./world.ts";

/** How long to wait between tries: doubling from `firstMs` to at most `mostMs`, jittered by half. */
export interface RetryPolicy {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** For servers on the other side of a network. */
export const networkRetry: RetryPolicy = { firstMs: 100, mostMs: 10_000 };

/**
 * The pause before try number `attempt` (1 = the first retry), milliseconds. The jitter takes away up
 * to half, so that many clients of one server that fell over do not come back in step.
 */
export function backoffMs(policy: RetryPolicy, attempt: number, random: number): number {
  const full = Math.min(policy.mostMs, policy.firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(full * (1 - random / 2));
}

/** What {@linkcode retry} needs besides the act. */
export interface RetryOptions {
  readonly policy?: RetryPolicy;
  readonly signal?: AbortSignal;
  /** What is being tried, for the log: "reach Kafka". */
  readonly what: string;
}

/**
 * Runs `act` until it succeeds: for ever while its faults are `transient`, one log line when it
 * starts to fail and one when it works again. Any other fault is thrown at once; so is the last
 * transient one when `signal` is aborted.
 */
export async function retry<T>(
  world: World,
  act: () => Promise<T>,
  { policy = networkRetry, signal, what }: RetryOptions,
): Promise<T> {
  let reported = "";
  for (let attempt = 1;; attempt++) {
    try {
      const result = await act();
      if (reported) world.log("info", `Can ${what} again`, { attempts: attempt });
      return result;
    } catch (thrown) {
      if (faultOf(thrown) !== "transient" || signal?.aborted) throw thrown;
      const reason = reasonOf(thrown);
      if (reason !== reported) world.log("warn", `Cannot ${what}, trying on`, { reason });
      reported = reason;
      await world.sleep(backoffMs(policy, attempt, world.random()), signal);
      if (signal?.aborted) throw thrown;
    }
  }
}
