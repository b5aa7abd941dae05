/** Lets one in at a time, in the order of their coming. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Waits for the turn; it lasts until what is given back is called. */
  async take(): Promise<() => void> {
    const before = this.#last;
    let done = () => {};
    this.#last = new Promise((resolve) => done = resolve);
    await before;
    return done;
  }
}
