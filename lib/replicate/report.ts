import { type Fault, faultOf, reasonOf, SluiceError } from "../core/errors.ts";
import { Exit, type ExitCode } from "../core/exit.ts";
import type { TableResult } from "./states.ts";

/** How one table, view or routine came out. */
export type Outcome =
  & { readonly name: string; readonly kind: "table" | "view" | "routine"; readonly ms: number }
  & (
    | {
      readonly is: "copied";
      readonly way: TableResult["way"] | "made" | "changed";
      readonly rows: string;
      readonly bytes: string;
      readonly notes: readonly string[];
    }
    | { readonly is: "unchanged" }
    | { readonly is: "skipped"; readonly reason: string }
    /** A copy of it would not be one, or would be a leak. */
    | { readonly is: "refused"; readonly reason: string }
    | { readonly is: "failed"; readonly reason: string; readonly fault: Fault }
    /** We were told to stop before. */
    | { readonly is: "stopped" }
  );

/** All outcomes of a run. */
export class Report {
  readonly #counts = { copied: 0, unchanged: 0, skipped: 0, refused: 0, failed: 0, stopped: 0 };
  readonly #faults = new Set<Fault>();
  #rows = 0n;
  #bytes = 0n;

  add(outcome: Outcome): void {
    this.#counts[outcome.is]++;
    if (outcome.is === "failed") this.#faults.add(outcome.fault);
    if (outcome.is === "refused") this.#faults.add("permanent");
    if (outcome.is !== "copied") return;
    this.#rows += BigInt(outcome.rows);
    this.#bytes += BigInt(outcome.bytes);
  }

  /** Tables that were compared and are as they were. */
  addUnchanged(tables: number): void {
    this.#counts.unchanged += tables;
  }

  get counts(): Readonly<Record<Outcome["is"], number>> {
    return this.#counts;
  }

  get rows(): bigint {
    return this.#rows;
  }

  get bytes(): bigint {
    return this.#bytes;
  }

  /**
   * 0 when all is well, 3 when some failed and some did not; when all failed 10 if the cause of all was
   * that nothing answered, 11 if all were denied, else 1. 130 when a signal left some undone.
   */
  get exit(): ExitCode {
    const { copied, refused, failed, stopped } = this.#counts;
    if (stopped > 0) return Exit.interrupted;
    if (failed + refused === 0) return Exit.ok;
    if (copied > 0) return Exit.partial;
    const [fault, ...others] = this.#faults;
    if (others.length > 0) return Exit.failed;
    return fault === "transient"
      ? Exit.unreachable
      : fault === "denied"
      ? Exit.denied
      : Exit.failed;
  }

  /** One line for people. */
  get summary(): string {
    const { copied, unchanged, skipped, refused, failed, stopped } = this.#counts;
    const isIdle = copied + refused + failed + stopped === 0;
    const parts = [isIdle ? "nothing to copy" : `${copied} copied, ${this.#rows} rows`];
    if (unchanged > 0) parts.push(`${unchanged} unchanged`);
    if (skipped > 0) parts.push(`${skipped} skipped`);
    if (refused > 0) parts.push(`${refused} refused`);
    if (failed > 0) parts.push(`${failed} failed`);
    if (stopped > 0) parts.push(`${stopped} not done`);
    return parts.join("; ");
  }
}

/** A failure as an outcome. */
export function failure(
  name: string,
  kind: Outcome["kind"],
  ms: number,
  error: unknown,
): Outcome {
  const reason = error instanceof SluiceError ? error.message : reasonOf(error);
  return { name, kind, ms, is: "failed", reason, fault: faultOf(error) };
}

/** One line for people. */
export function outcomeText(outcome: Outcome): string {
  const { name } = outcome;
  switch (outcome.is) {
    case "copied": {
      const notes = outcome.notes.map((note) => `\n  ${note}`).join("");
      if (outcome.kind !== "table") return `${name}: ${outcome.way}${notes}`;
      const seconds = (outcome.ms / 1000).toFixed(1);
      const how = outcome.way === "create" ? "made, as it is empty" : `${outcome.rows} rows`;
      const way = outcome.way === "create" ? "" : ` by ${wayText(outcome.way)}`;
      return `${name}: ${how}${way} in ${seconds} s${notes}`;
    }
    case "unchanged":
      return `${name}: unchanged`;
    case "stopped":
      return `${name}: not done`;
    case "skipped":
    case "refused":
    case "failed":
      return `${name}: ${outcome.is}: ${outcome.reason}`;
  }
}

function wayText(way: string): string {
  return way === "partitions" ? "its changed partitions" : way;
}

/** One line of JSON for `--json`; 64-bit integers are texts. */
export function outcomeJson({ name, kind, is, ms, ...more }: Outcome): Record<string, unknown> {
  return { name, kind, status: is, seconds: Math.round(ms) / 1000, ...more };
}
