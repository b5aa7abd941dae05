/**
 * What is owed for the records of one batch. The batch's own acknowledgement pays it, and so must
 * that of every batch that took the place of records the broker refused.
 */
export class Obligation {
  #unpaid = 1;
  #watchers: Set<Debtor> | null = null;

  /** One more acknowledgement is needed: some of the records went on in another batch. */
  share(): void {
    this.#unpaid++;
  }

  /** One acknowledgement came; the last one tells everybody who watches. */
  pay(): void {
    if (--this.#unpaid > 0 || this.#watchers === null) return;
    const watchers = this.#watchers;
    this.#watchers = null;
    for (const watcher of watchers) watcher.paid();
  }

  get isPaid(): boolean {
    return this.#unpaid <= 0;
  }

  watch(debtor: Debtor): void {
    (this.#watchers ??= new Set()).add(debtor);
  }
}

/** Somebody who answers a sender when its records are safe. */
export interface Debtor {
  paid(): void;
}

interface Run {
  readonly obligation: Obligation;
  /** Transaction numbers to answer when the obligation is paid, oldest first. */
  readonly txnrs: number[];
}

/**
 * The transactions of one RELP session that have not been answered, in the order they came. Only the
 * paid head of the queue is given out: an answer never overtakes that of an earlier line, so that
 * after a crash the sender sends again exactly what was not answered.
 */
export class AnswerQueue {
  #runs: Run[] = [];
  #head = 0;
  #waiting = 0;

  /** How many transactions await their answer. */
  get waiting(): number {
    return this.#waiting;
  }

  /** A record of transaction `txnr` went into a batch; `last` when it is the transaction's last. */
  add(txnr: number, obligation: Obligation, last: boolean, debtor: Debtor): void {
    let run = this.#runs.at(-1);
    if (run?.obligation !== obligation || this.#head === this.#runs.length) {
      run = { obligation, txnrs: [] };
      this.#runs.push(run);
      obligation.watch(debtor);
    }
    if (!last) return;
    run.txnrs.push(txnr);
    this.#waiting++;
  }

  /** Takes the transactions that may be answered now, oldest first. */
  take(give: (txnr: number) => void): void {
    for (; this.#head < this.#runs.length; this.#head++) {
      const run = this.#runs[this.#head];
      if (run === undefined || !run.obligation.isPaid) break;
      for (const txnr of run.txnrs) give(txnr);
      this.#waiting -= run.txnrs.length;
    }
    if (this.#head === this.#runs.length) this.#runs = [];
    else if (this.#head > 64) this.#runs = this.#runs.slice(this.#head);
    else return;
    this.#head = 0;
  }
}
