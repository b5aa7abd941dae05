/** A place to wait until something has changed; whoever is woken looks again whether it may go on. */
export class Gate {
  #waiters: (() => void)[] = [];

  get waiting(): number {
    return this.#waiters.length;
  }

  /** Waits for the next {@linkcode wake}. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  wake(): void {
    if (this.#waiters.length === 0) return;
    const woken = this.#waiters;
    this.#waiters = [];
    for (const resolve of woken) resolve();
  }
}
