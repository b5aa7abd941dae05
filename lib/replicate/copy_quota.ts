/** Copies to another location in one day that BigQuery grants a project. */
export const copiesAcrossADay = 2_000;

const dayMs = 86_400_000;

/**
 * Watches whether BigQuery still takes copy jobs to another location: it may not offer them for these
 * two, and grants so many a day. What other programs use up it only learns by being refused.
 */
export class CopyQuota {
  #begunMs: number[] = [];
  #works: boolean | null = null;
  #notBeforeMs = 0;

  /** @param nowMs by the wall clock. */
  constructor(private readonly nowMs: () => number) {}

  /** Copies across locations begun in the last 24 hours by this process. */
  get used(): number {
    const sinceMs = this.nowMs() - dayMs;
    this.#begunMs = this.#begunMs.filter((ms) => ms > sinceMs);
    return this.#begunMs.length;
  }

  mayTryAcross(): boolean {
    return this.#works !== false && this.nowMs() >= this.#notBeforeMs &&
      this.used < copiesAcrossADay;
  }

  begun(): void {
    this.#begunMs.push(this.nowMs());
  }

  done(): void {
    this.#works = true;
  }

  /**
   * One was refused. If none has gone through yet, it is about the two locations, and no other is tried;
   * if the quota is used up, none is for an hour.
   */
  refused(reason: string | null): void {
    if (reason === "quotaExceeded") this.#notBeforeMs = this.nowMs() + 3_600_000;
    else this.#works ??= false;
  }
}
