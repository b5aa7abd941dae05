import { SluiceError } from "../../lib/core/errors.ts";
import type { Owner, VirtualTime } from "./rig.ts";

/** How bad things are. */
export interface Weather {
  /** Of requests: those that never arrive. */
  lost: number;
  /** Of requests: those that are done while the reply is lost. */
  mute: number;
  /** Of requests: those that stay under way for long. */
  slow: number;
}

export const storm: Weather = { lost: 0.05, mute: 0.05, slow: 0.03 };

/** The way from a process to the servers: a request may be done long after its sender has gone. */
export class Wire {
  constructor(
    private readonly time: VirtualTime,
    private readonly random: () => number,
    private readonly owner: Owner,
    private readonly weather: Weather,
  ) {}

  /**
   * Sends a request.
   *
   * @param act what the server does, at some later time.
   * @param waitMs how long the server holds the reply back.
   */
  ask<T>(
    what: string,
    act: () => T,
    { waitMs = () => 0, signal }: {
      readonly waitMs?: (reply: T) => number;
      readonly signal?: AbortSignal | undefined;
    } = {},
  ): Promise<T> {
    const { time, random, owner, weather } = this;
    const kind = random();
    const failed = (why: string) => new SluiceError(what, "transient", why);
    return new Promise((resolve, reject) => {
      let isGivenUp = false;
      const giveUp = () => {
        // It may be under way already: then it is done all the same.
        isGivenUp = random() < 0.5;
        reject(failed("given up"));
      };
      if (signal?.aborted) return giveUp();
      signal?.addEventListener("abort", giveUp, { once: true });
      const reply = (ms: number, tell: () => void) =>
        time.after(ms, () => {
          signal?.removeEventListener("abort", giveUp);
          tell();
        }, owner);
      const onWay = random() < weather.slow ? 15_000 * random() : 1 + 20 * random();
      if (kind < weather.lost) return reply(onWay + 1, () => reject(failed("not reached")));
      time.after(onWay, () => {
        if (isGivenUp) return;
        try {
          const done = act();
          const isMute = kind < weather.lost + weather.mute;
          reply(1 + waitMs(done), () => isMute ? reject(failed("no reply")) : resolve(done));
        } catch (thrown) {
          // What the model finds wrong is told to the test, not to the process.
          if (!(thrown instanceof SluiceError)) throw thrown;
          reply(1, () => reject(thrown));
        }
      });
    });
  }
}
