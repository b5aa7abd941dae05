import { cut } from "../core/cut.ts";
import { visible } from "../core/visible.ts";
import type { Stage } from "./states.ts";

/** One table that is being worked on. */
interface Row {
  readonly name: string;
  stage: Stage;
  sinceMs: number;
  trouble: string | null;
}

/** What is being worked on, as lines for a terminal; partitions stand below their table's name. */
export class LiveTable {
  readonly #rows = new Map<string, Row>();

  /** @param nowMs by the monotonic clock. */
  constructor(private readonly nowMs: () => number) {}

  reached(name: string, stage: Stage): void {
    const row = { name, stage, sinceMs: this.nowMs(), trouble: null };
    this.#rows.set(name, row);
  }

  failing(name: string, reason: string): void {
    const row = this.#rows.get(name);
    if (row !== undefined) row.trouble = reason;
  }

  /** It is done; its partitions, too. */
  ended(name: string): void {
    for (const one of this.#rows.keys()) {
      if (one === name || one.startsWith(`${name}$`)) this.#rows.delete(one);
    }
  }

  /** What is being worked on, those first that have been in their state for longest. */
  rows(): { name: string; stage: Stage; seconds: number; trouble: string | null }[] {
    const nowMs = this.nowMs();
    return [...this.#rows.values()].sort((a, b) => a.sinceMs - b.sinceMs).map((row) => ({
      ...{ name: row.name, stage: row.stage, trouble: row.trouble },
      seconds: Math.floor((nowMs - row.sinceMs) / 1000),
    }));
  }

  /** At most `height` lines of at most `width` columns, the last one `status`. */
  lines(width: number, height: number, status: string): string[] {
    const rows = this.rows();
    const shown = rows.slice(0, Math.max(0, height - (rows.length > height - 1 ? 2 : 1)));
    const nameWidth = Math.min(
      Math.max(10, width - 40),
      shown.reduce((most, { name }) => Math.max(most, name.length), 0),
    );
    const lines = shown.map(({ name, stage, seconds, trouble }) => {
      const table = cut(name, nameWidth).padEnd(nameWidth);
      const line = `${table}  ${stage.padEnd(10)} ${`${seconds} s`.padStart(7)}`;
      return trouble === null ? line : `${line}  ${trouble}`;
    });
    if (shown.length < rows.length) lines.push(`... and ${rows.length - shown.length} more`);
    return [...lines, status].map((line) => cut(visible(line), width));
  }
}
