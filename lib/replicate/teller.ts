import { LiveLines } from "../clients/live_lines.ts";
import { reasonOf } from "../core/errors.ts";
import { visible } from "../core/visible.ts";
import type { Log, World } from "../core/world.ts";
import { LiveTable } from "./live_table.ts";
import { type Outcome, outcomeJson, outcomeText, type Report } from "./report.ts";
import type { Listener } from "./round.ts";
import type { Stage } from "./states.ts";

/** What the log says of how a table or view ended. */
const cameTo = {
  copied: "was copied",
  refused: "was refused",
  failed: "failed",
  stopped: "was not done",
} as const;

/** Where results go. */
export interface TellerPlace {
  /** Standard output. */
  write(text: string): void;
  readonly isJson: boolean;
  /** Results are for the log, as in a daemon, and standard output is for `--json` alone. */
  readonly isDaemon: boolean;
}

/**
 * Tells how a run gets on: on a terminal a table that is written over, else a line of the log for every
 * change of state; and each result on standard output.
 */
export class Teller implements Listener {
  readonly #table: LiveTable;
  readonly #live: LiveLines | null;
  readonly #reasons = new Map<string, string>();
  #ended = 0;

  /** @param left how many tables are not done. */
  constructor(
    private readonly world: World,
    private readonly place: TellerPlace,
    left: () => number,
  ) {
    this.#table = new LiveTable(() => world.monotonicMs());
    const live = place.isDaemon
      ? null
      : new LiveLines((columns, rows) =>
        this.#table.lines(columns, rows, `${this.#ended} done, ${left()} to do`)
      );
    this.#live = live?.isLive ? live : null;
  }

  /** What is being worked on. */
  get table(): LiveTable {
    return this.#table;
  }

  /** The log, which takes the table off the terminal before it says something. */
  get log(): Log {
    return (...line) => {
      this.#live?.clear();
      this.world.log(...line);
    };
  }

  reached(name: string, stage: Stage): void {
    this.#reasons.delete(name);
    this.#table.reached(name, stage);
    if (this.#live === null) {
      this.world.log("info", "Table reached a state", { table: name, stage });
    }
  }

  failing(name: string, stage: Stage, error: unknown): void {
    const reason = reasonOf(error);
    this.#table.failing(name, reason);
    if (this.#reasons.get(name) === reason) return;
    this.#reasons.set(name, reason);
    if (this.#live !== null) return;
    this.world.log("warn", "A table fails, trying on", { table: name, stage, reason });
  }

  partitionEnded(name: string): void {
    this.#reasons.delete(name);
    this.#table.ended(name);
  }

  ended(outcome: Outcome): void {
    this.#reasons.delete(outcome.name);
    this.#table.ended(outcome.name);
    this.#ended++;
    if (this.place.isJson) return this.#print(JSON.stringify(outcomeJson(outcome)));
    if (this.place.isDaemon) return this.#logOutcome(outcome);
    this.#print(outcomeText(outcome).split("\n").map(visible).join("\n"));
  }

  /** All is done. */
  finished(report: Report): void {
    const { counts, rows, bytes } = report;
    if (this.place.isJson) {
      return this.#print(JSON.stringify({ ...counts, rows: String(rows), bytes: String(bytes) }));
    }
    if (this.place.isDaemon) return this.log("info", "The datasets are compared", { ...counts });
    this.#print(report.summary);
  }

  close(): void {
    this.#live?.close();
  }

  #logOutcome(outcome: Outcome): void {
    const { name, kind, is } = outcome;
    if (is === "skipped" || is === "unchanged") return;
    const isBad = is === "failed" || is === "refused";
    const more = isBad
      ? { reason: outcome.reason }
      : is === "copied"
      ? { rows: outcome.rows, bytes: outcome.bytes }
      : {};
    this.log(isBad ? "error" : "info", `A ${kind} ${cameTo[is]}`, {
      name,
      ...more,
    });
  }

  #print(text: string): void {
    this.#live?.clear();
    this.place.write(`${text}\n`);
  }
}
