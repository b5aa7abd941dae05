/** Lets so many through at once; the others wait in the order in which they came. */
export class Permits {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(readonly count: number) {
    this.#free = count;
  }

  get inUse(): number {
    return this.count - this.#free;
  }

  /** Runs `act` as soon as there is a permit, and gives it back afterwards. */
  async use<T>(act: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await act();
    } finally {
      // Handed on, not put back: nobody may slip in before the one who waits longest.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
