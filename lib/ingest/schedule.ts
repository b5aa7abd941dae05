import type { Watch } from "./watch.ts";

/**
 * Gives directories their turn: so many side by side, each once, and never two into one table. Who
 * waits for a table keeps no worker from another one. What waits is a directory, not its files: they
 * are listed anew when the turn has come, so that a long queue costs no memory to speak of.
 *
 * @typeParam U what is known of a directory when it is brought in; kept only when its turn is at once.
 */
export class Schedule<U> {
  /** Directories in the order in which they came. */
  readonly #waiting = new Set<Watch>();
  readonly #running = new Map<Watch, Promise<void>>();
  /** Tables that are being loaded, and by whom. */
  readonly #tables = new Map<string, Watch>();
  #isStopped = false;

  /**
   * @param work has a turn; false: the table is taken by another one, try again later. It never throws.
   */
  constructor(
    private readonly workers: number,
    private readonly work: (watch: Watch, unit: U | null) => Promise<boolean>,
  ) {}

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Brings in a directory that is not in yet. */
  add(watch: Watch, unit: U): void {
    if (this.#isStopped || watch.isBusy) return;
    watch.isBusy = true;
    if (this.#canStart(watch)) this.#start(watch, unit);
    else this.#waiting.add(watch);
  }

  /** Takes the table for a directory that has its turn. False: another one has it. */
  claim(watch: Watch, table: string): boolean {
    if (watch.table !== table) this.#leave(watch);
    watch.table = table;
    const owner = this.#tables.get(table);
    if (owner !== undefined && owner !== watch) return false;
    this.#tables.set(table, watch);
    return true;
  }

  /** Begins nothing more. @returns whether something waited. */
  stop(): boolean {
    this.#isStopped = true;
    const { size } = this.#waiting;
    for (const watch of this.#waiting) watch.isBusy = false;
    this.#waiting.clear();
    return size > 0;
  }

  /** Resolves when nothing runs and nothing waits. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  #canStart({ table }: Watch): boolean {
    return this.#running.size < this.workers && (table === null || !this.#tables.has(table));
  }

  #start(watch: Watch, unit: U | null): void {
    watch.hasTurn = true;
    // Now, not in a moment: the next one may be for the same table.
    if (watch.table !== null) this.#tables.set(watch.table, watch);
    this.#running.set(watch, this.#run(watch, unit));
  }

  async #run(watch: Watch, unit: U | null): Promise<void> {
    const isDone = await this.work(watch, unit);
    watch.hasTurn = false;
    this.#leave(watch);
    this.#running.delete(watch);
    if (isDone || this.#isStopped) watch.isBusy = false;
    else this.#waiting.add(watch);
    for (const next of this.#waiting) {
      if (this.#running.size >= this.workers) break;
      if (!this.#canStart(next)) continue;
      this.#waiting.delete(next);
      this.#start(next, null);
    }
  }

  #leave(watch: Watch): void {
    if (watch.table !== null && this.#tables.get(watch.table) === watch) {
      this.#tables.delete(watch.table);
    }
  }
}
