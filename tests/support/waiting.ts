/** Resolves after `ms` milliseconds. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** So often is asked at least: on a machine that has stood still, time is over before anything was done. */
const asksLeast = 5;

/**
 * Asks again and again until the answer is neither false nor undefined, and gives that answer.
 *
 * @param options.timeoutMs a minute, for on a busy machine a process may start in half of one.
 * @throws {Error} after `timeoutMs`, naming `what` did not come about.
 */
export async function eventually<T>(
  what: string,
  ask: () => T | false | undefined | Promise<T | false | undefined>,
  options: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const { timeoutMs = 60_000, everyMs = 50 } = options;
  const deadline = performance.now() + timeoutMs;
  for (let asked = 1;; asked++) {
    const answer = await ask();
    if (answer !== false && answer !== undefined) return answer;
    if (asked >= asksLeast && performance.now() > deadline) {
      throw new Error(`Not seen within ${timeoutMs} ms: ${what}`);
    }
    await delay(everyMs);
  }
}

/**
 * Waits for the promise and looks at it from a timer, so far apart.
 *
 * @returns how many looks it took: the time that the event loop has had. While the machine stands still,
 *   or works for others, there are none.
 */
export async function looksUntil(promise: Promise<unknown>, everyMs: number): Promise<number> {
  let looks = 0;
  const timer = setInterval(() => looks++, everyMs);
  try {
    await promise;
    return looks;
  } finally {
    clearInterval(timer);
  }
}

/** Waits for the promise, at most `timeoutMs`; tells whether it came in time. */
export async function within(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
