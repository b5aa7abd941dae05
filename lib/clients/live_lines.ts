import { visible } from "../core/visible.ts";

/** A terminal, or a test. */
export interface LinesPlace {
  readonly isTerminal: boolean;
  size(): { readonly columns: number; readonly rows: number };
  write(text: string): void;
}

const encoder = new TextEncoder();

const standardError: LinesPlace = {
  get isTerminal() {
    return Deno.stderr.isTerminal();
  },
  size: () => {
    try {
      return Deno.consoleSize();
    } catch {
      return { columns: 80, rows: 24 };
    }
  },
  write: (text) => {
    try {
      Deno.stderr.writeSync(encoder.encode(text));
    } catch {
      // Nobody reads it: no reason to stop the work.
    }
  },
};

/** A block of lines at the foot of a terminal that is written over again and again. Elsewhere: nothing. */
export class LiveLines {
  readonly #place: LinesPlace;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #shown = 0;

  /** @param linesOf asked for whenever they are told, for so many columns and lines. */
  constructor(
    linesOf: (columns: number, rows: number) => readonly string[],
    { place = standardError, everyMs = 250 }: {
      readonly place?: LinesPlace;
      readonly everyMs?: number;
    } = {},
  ) {
    this.#place = place;
    if (!place.isTerminal) return;
    this.#timer = setInterval(() => {
      const { columns, rows } = place.size();
      // The last column wraps on some terminals, and the block may not scroll away.
      const lines = linesOf(columns - 1, Math.max(2, Math.min(20, rows - 2)));
      place.write(`${this.#up()}${lines.map((line) => `${visible(line)}\x1b[K\n`).join("")}\x1b[J`);
      this.#shown = lines.length;
    }, everyMs);
  }

  /** Whether anybody sees it. */
  get isLive(): boolean {
    return this.#timer !== undefined;
  }

  /** Takes the block off the terminal, so that something else can be printed there. */
  clear(): void {
    if (this.#shown > 0) this.#place.write(`${this.#up()}\x1b[J`);
    this.#shown = 0;
  }

  /** Ends it and leaves nothing behind. */
  close(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #up(): string {
    return this.#shown > 0 ? `\x1b[${this.#shown}A\r` : "";
  }
}
