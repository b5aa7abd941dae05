import type { GoogleCall } from "./google_proxy_calls.ts";

/** What a call meets instead of, or besides, its answer. */
export type FaultAct =
  /** This answer, and the service hears nothing of the call. */
  | {
    readonly do: "answer";
    readonly status: number;
    readonly reason: string;
    readonly message?: string;
  }
  /** The call is carried out, and the connection ends before its answer. */
  | { readonly do: "loseReply" }
  /** The call is carried out, and the connection ends in the middle of its answer. */
  | { readonly do: "cutReply" }
  /** The connection ends, and the service hears nothing of the call. */
  | { readonly do: "loseRequest" }
  /** Nothing for so long, then all goes its way. */
  | { readonly do: "stall"; readonly ms: number }
  /** A jobs.insert is taken, and its job ends with this error. */
  | { readonly do: "failJob"; readonly reason: string; readonly message?: string }
  /** Runs before the call is carried out: to change a table, to kill a process. */
  | { readonly do: "run"; readonly act: (call: GoogleCall) => Promise<void> | void }
  /** Runs when the call has been carried out and before it is answered. */
  | { readonly do: "runAfter"; readonly act: (call: GoogleCall) => Promise<void> | void };

/** Which calls meet it, and how often. */
export type FaultRule = FaultAct & {
  readonly when: (call: GoogleCall) => boolean;
  /** How many calls meet it. @default 1 */
  readonly times?: number;
  /** The share of the matching calls that do, by seeded chance. @default 1 */
  readonly share?: number;
};

/** The rules in force. */
export class GoogleFaults {
  readonly #rules: { readonly rule: FaultRule; left: number; met: number }[] = [];
  #seed: number;

  constructor(seed = 1) {
    this.#seed = seed;
  }

  /** Adds a rule. @returns how often it was met so far, when asked. */
  add(rule: FaultRule): { readonly met: () => number; readonly remove: () => void } {
    const entry = { rule, left: rule.times ?? 1, met: 0 };
    this.#rules.push(entry);
    return { met: () => entry.met, remove: () => entry.left = 0 };
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** What this call meets; it counts as met. */
  draw(call: GoogleCall): FaultAct[] {
    const met: FaultAct[] = [];
    for (const entry of this.#rules) {
      if (entry.left <= 0 || !entry.rule.when(call)) continue;
      if (entry.rule.share !== undefined && this.#chance() >= entry.rule.share) continue;
      entry.left--;
      entry.met++;
      met.push(entry.rule);
    }
    return met;
  }

  /** A number in [0, 1), by xorshift. */
  #chance(): number {
    this.#seed ^= this.#seed << 13;
    this.#seed ^= this.#seed >>> 17;
    this.#seed ^= this.#seed << 5;
    return (this.#seed >>> 0) / 2 ** 32;
  }
}

/** Calls with this method and template: `isCall("POST", "/projects/{project}/jobs")`. */
export function isCall(method: string, template: string): (call: GoogleCall) => boolean {
  return (call) => call.method === method && call.template === template;
}

/** The jobs.insert of a kind of job: "extract", "load", "copy", "query". */
export function isJob(kind: string, about = /^/): (call: GoogleCall) => boolean {
  const isInsert = isCall("POST", "/projects/{project}/jobs");
  return (call) => {
    const configuration = isInsert(call) ? call.body?.configuration?.[kind] : undefined;
    return configuration !== undefined && about.test(JSON.stringify(configuration));
  };
}
