/** What goes wrong with a statement on demand. */
export type StatementFault =
  | { readonly kind: "error"; readonly message: string; readonly sqlState: string }
  /** `after`: the statement has been carried out, and its answer is lost. */
  | { readonly kind: "drop"; readonly when: "before" | "after" }
  | { readonly kind: "slow"; readonly ms: number };

interface Plan {
  /** The n-th statement from now on, over all sessions, or the next ones that match. */
  readonly at: RegExp | number;
  readonly fault: StatementFault;
  left: number;
}

/** Faults that wait for their statements. */
export class RedshiftFaults {
  readonly #plans = new Set<Plan>();
  #count = 0;

  /**
   * "Serializable isolation" (c_serial_isolation): error 1023, with SQLSTATE XX000 as everything
   * (npgsql issue 1339); the transaction is undone.
   */
  conflictAt(at: RegExp | number = /^commit\b/i, times = 1): void {
    const detail = "transactions forming the cycle are: 1234, 1235 (pid:12345)";
    const message = `1023 Serializable isolation violation on table - 100123, ${detail}`;
    this.#plan(at, { kind: "error", message, sqlState: "XX000" }, times);
  }

  /** The connection is gone before or after the statement is carried out. */
  dropAt(at: RegExp | number, when: "before" | "after", times = 1): void {
    this.#plan(at, { kind: "drop", when }, times);
  }

  slowAt(at: RegExp | number, ms: number, times = 1): void {
    this.#plan(at, { kind: "slow", ms }, times);
  }

  lockTimeoutAt(at: RegExp | number, times = 1): void {
    const message = "canceling statement due to lock timeout";
    this.#plan(at, { kind: "error", message, sqlState: "55P03" }, times);
  }

  errorAt(at: RegExp | number, message: string, sqlState: string, times = 1): void {
    this.#plan(at, { kind: "error", message, sqlState }, times);
  }

  clear(): void {
    this.#plans.clear();
  }

  /** How many faults still wait for their statements. */
  get waiting(): number {
    return this.#plans.size;
  }

  /** What is to go wrong with this statement, which is the next one. */
  take(sql: string): StatementFault | undefined {
    this.#count++;
    for (const plan of this.#plans) {
      const { at } = plan;
      if (typeof at === "number" ? at !== this.#count : !at.test(sql)) continue;
      if (--plan.left <= 0) this.#plans.delete(plan);
      return plan.fault;
    }
    return undefined;
  }

  #plan(at: RegExp | number, fault: StatementFault, times: number): void {
    this.#plans.add({ at: typeof at === "number" ? this.#count + at : at, fault, left: times });
  }
}

/** The connection is cut on purpose. */
export class Dropped extends Error {}
