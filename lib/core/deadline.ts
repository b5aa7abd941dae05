import { SluiceError } from "./errors.ts";
import type { World } from "./world.ts";

/** Why an act was not waited for to its end. */
export type GivenUp = "late" | "aborted";

/**
 * Waits for `act`, but no longer than `ms` and only until `signal` is aborted. Then `act` goes on
 * unheard: what it throws later is dropped.
 *
 * @returns what `act` resolves to as `value`, or why it was given up. Throws what `act` throws.
 */
export async function withDeadline<T>(
  world: World,
  act: () => Promise<T>,
  { ms, signal }: { readonly ms: number; readonly signal?: AbortSignal | undefined },
): Promise<{ readonly value: T } | GivenUp> {
  if (signal?.aborted) return "aborted";
  const done = new AbortController();
  const stop = signal ? AbortSignal.any([signal, done.signal]) : done.signal;
  const given = act().then((value) => ({ value }));
  given.catch(() => {}); // heard below, or not at all once we have given up
  try {
    const late = world.sleep(ms, stop).then((): GivenUp => signal?.aborted ? "aborted" : "late");
    return await Promise.race([given, late]);
  } finally {
    done.abort();
  }
}

/**
 * What a service answers to one request; see {@linkcode withDeadline}.
 *
 * @param request.endpoint who is asked, for the message.
 * @throws {SluiceError} `transient` when there is no answer in time or it was given up, and what `act` throws.
 */
export async function answerInTime<T>(
  world: World,
  act: () => Promise<T>,
  { action, endpoint, ms, signal }: {
    readonly action: string;
    readonly endpoint: string;
    readonly ms: number;
    readonly signal: AbortSignal | undefined;
  },
): Promise<T> {
  const given = await withDeadline(world, act, { ms, signal });
  if (given === "late") {
    throw new SluiceError(action, "transient", `no answer from ${endpoint} in ${ms} ms`);
  }
  if (given === "aborted") throw new SluiceError(action, "transient", "it was given up");
  return given.value;
}
