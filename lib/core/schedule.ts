/** What waits until a moment of the monotonic clock. */
interface Waiting<T> {
  readonly item: T;
  readonly dueMs: number;
}

/**
 * Who may work next, when there are so many places: pure bookkeeping, without a clock of its own.
 *
 * An item takes a place with its first turn and keeps it while it works and while it waits for what it
 * has begun ({@linkcode later}), so that no more items than places are under way. One that waits after
 * a failure gives its place up ({@linkcode backOff}), so that a few that fail do not hold up the rest.
 * For a place that is free, new items and those that come back are taken in turns: neither can starve
 * the other, and each of them comes first come, first served.
 */
export class Schedule<T> {
  /** Have a place and may go on. */
  readonly #ready: T[] = [];
  readonly #fresh: T[] = [];
  readonly #returning: T[] = [];
  /** Wait with a place, the earliest first. */
  readonly #resting: Waiting<T>[] = [];
  /** Wait without one, the earliest first. */
  readonly #backingOff: Waiting<T>[] = [];
  #taken = 0;
  #working = 0;
  #isReturningNext = true;

  /** @param places at least 1. */
  constructor(readonly places: number) {}

  /** Items that have a place. */
  get underWay(): number {
    return this.#taken;
  }

  /** Items that work right now: {@linkcode take} gave them out, and nothing was said of them since. */
  get working(): number {
    return this.#working;
  }

  /** Items that are not ended. */
  get left(): number {
    return this.#taken + this.#fresh.length + this.#returning.length + this.#backingOff.length;
  }

  /** A new item, behind all others. */
  add(item: T): void {
    this.#fresh.push(item);
  }

  /** The next one that works; undefined while nobody may. */
  take(nowMs: number): T | undefined {
    for (let due; (due = takeDue(this.#resting, nowMs)) !== undefined;) this.#ready.push(due);
    for (let due; (due = takeDue(this.#backingOff, nowMs)) !== undefined;) {
      this.#returning.push(due);
    }
    const item = this.#ready.shift() ?? this.#admit();
    if (item !== undefined) this.#working++;
    return item;
  }

  /** It has done a step and can do the next at once, after those that wait for theirs. */
  again(item: T): void {
    this.#working--;
    this.#ready.push(item);
  }

  /** It waits until then for what it has begun. */
  later(item: T, dueMs: number): void {
    this.#working--;
    insert(this.#resting, { item, dueMs });
  }

  /** It has failed and tries again then, if there is a place. */
  backOff(item: T, dueMs: number): void {
    this.#working--;
    this.#taken--;
    insert(this.#backingOff, { item, dueMs });
  }

  /** It is done with. */
  end(): void {
    this.#working--;
    this.#taken--;
  }

  /** Gives up all that have no place: those that never began, and those that wait after a failure. */
  giveUpWaiting(): { readonly fresh: readonly T[]; readonly failing: readonly T[] } {
    const failing = [
      ...this.#returning.splice(0),
      ...this.#backingOff.splice(0).map((w) => w.item),
    ];
    return { fresh: this.#fresh.splice(0), failing };
  }

  /** When somebody who waits may go on; null when nobody waits for a moment. */
  dueMs(): number | null {
    const resting = this.#resting[0]?.dueMs ?? Infinity;
    // Without a free place the end of another one is what they wait for.
    const backingOff = this.#taken < this.places
      ? this.#backingOff[0]?.dueMs ?? Infinity
      : Infinity;
    const earliest = Math.min(resting, backingOff);
    return earliest === Infinity ? null : earliest;
  }

  #admit(): T | undefined {
    if (this.#taken >= this.places) return undefined;
    const [first, second] = this.#isReturningNext
      ? [this.#returning, this.#fresh]
      : [this.#fresh, this.#returning];
    const queue = first.length > 0 ? first : second;
    const item = queue.shift();
    if (item === undefined) return undefined;
    this.#isReturningNext = queue === this.#fresh;
    this.#taken++;
    return item;
  }
}

function takeDue<T>(waiting: Waiting<T>[], nowMs: number): T | undefined {
  const [first] = waiting;
  if (first === undefined || first.dueMs > nowMs) return undefined;
  waiting.shift();
  return first.item;
}

/** Puts it in its place by halving: the list is in order. */
function insert<T>(waiting: Waiting<T>[], one: Waiting<T>): void {
  let from = 0;
  let to = waiting.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    const there = waiting[middle];
    if (there === undefined || there.dueMs <= one.dueMs) from = middle + 1;
    else to = middle;
  }
  waiting.splice(from, 0, one);
}
