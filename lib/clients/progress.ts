import { visible } from "../core/visible.ts";

/** Where progress is told: standard error, or a test. */
export interface ProgressPlace {
  readonly isTerminal: boolean;
  write(text: string): void;
}

const encoder = new TextEncoder();

const standardError: ProgressPlace = {
  get isTerminal() {
    return Deno.stderr.isTerminal();
  },
  write: (text) => {
    try {
      Deno.stderr.writeSync(encoder.encode(text));
    } catch {
      // Nobody reads it: no reason to stop the work.
    }
  },
};

/**
 * Tells on standard error how far a long work is: on a terminal one line that is written over, else
 * a line every ten seconds, so that a log file stays short.
 */
export class ProgressLine {
  readonly #place: ProgressPlace;
  readonly #timer: ReturnType<typeof setInterval>;
  #isShown = false;

  /** @param textOf one line, asked for whenever it is told. */
  constructor(
    textOf: () => string,
    { place = standardError, overwriteMs = 200, lineMs = 10_000 }: {
      readonly place?: ProgressPlace;
      readonly overwriteMs?: number;
      readonly lineMs?: number;
    } = {},
  ) {
    this.#place = place;
    const { isTerminal } = place;
    this.#timer = setInterval(() => {
      const text = visible(textOf());
      place.write(isTerminal ? `\r${text}\x1b[K` : `${text}\n`);
      this.#isShown = isTerminal;
    }, isTerminal ? overwriteMs : lineMs);
  }

  /** Takes the line off the terminal, so that something else can be printed there. */
  clear(): void {
    if (this.#isShown) this.#place.write("\r\x1b[K");
    this.#isShown = false;
  }

  /** Ends it and leaves nothing behind. */
  close(): void {
    clearInterval(this.#timer);
    this.clear();
  }
}
