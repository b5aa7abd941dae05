import type { World } from "../../core/world.ts";

/** How long a burst may be, as a share of a second: what a sleep may oversleep is made up for. */
const burstSeconds = 0.1;

/** Lets so many records through in a second, all partitions together. */
export class Throttle {
  #allowed: number;
  #countedMs: number;

  /** @param perSecond records; Infinity for no limit. */
  constructor(
    private readonly world: Pick<World, "monotonicMs" | "sleep">,
    private readonly perSecond: number,
  ) {
    this.#allowed = this.#burst;
    this.#countedMs = world.monotonicMs();
  }

  get #burst(): number {
    return Math.max(1, this.perSecond * burstSeconds);
  }

  /** Whether one more record may go now; if so, it is counted. */
  take(): boolean {
    if (this.perSecond === Infinity) return true;
    this.#refill();
    if (this.#allowed < 1) return false;
    this.#allowed--;
    return true;
  }

  /** Waits until the next record may go, or `signal` is aborted. */
  async wait(signal?: AbortSignal): Promise<void> {
    await this.world.sleep(Math.ceil((1 - this.#allowed) / this.perSecond * 1000), signal);
  }

  #refill(): void {
    const nowMs = this.world.monotonicMs();
    const refilled = this.#allowed + (nowMs - this.#countedMs) / 1000 * this.perSecond;
    this.#allowed = Math.min(this.#burst, refilled);
    this.#countedMs = nowMs;
  }
}
