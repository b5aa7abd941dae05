import process from "node:process";
import { createInterface, type Interface } from "node:readline";

/** What a person did at the prompt. */
export type Typed =
  | { readonly type: "line"; readonly text: string }
  /** Ctrl-C: what was typed so far is not meant. */
  | { readonly type: "interrupted" }
  /** Ctrl-D. */
  | { readonly type: "end" };

/** Finds what can stand at the end of a line: candidates, and the end that they replace. */
export type Completer = (
  line: string,
) => Promise<{ readonly candidates: readonly string[]; readonly partial: string }>;

/** The fields of readline that its types leave out. */
interface Internals {
  history: string[];
}

/** A line on the terminal that can be edited, with what was typed before and completion by Tab. */
export class LineEditor {
  readonly #readline: Interface & Internals;
  readonly #typed: Typed[] = [];
  #waiting: ((typed: Typed) => void) | undefined;
  #onInterrupt: (() => void) | undefined;
  #isClosed = false;

  /** @param history what was typed before, the last one first. */
  constructor(history: readonly string[], completer: Completer) {
    this.#readline = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: true,
      history: [...history],
      historySize: 1_000,
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        completer(line).then(
          ({ candidates, partial }) => done(null, [[...candidates], partial]),
          // Without an answer there is no completion; the next statement tells what is wrong.
          () => done(null, [[], line]),
        );
      },
    }) as Interface & Internals;
    this.#readline.on("line", (text) => {
      // It only goes where `remember` puts it.
      if (this.#readline.history[0] === text) this.#readline.history.shift();
      this.#give({ type: "line", text });
    });
    this.#readline.on("SIGINT", () => this.#interrupt());
    this.#readline.on("close", () => {
      this.#isClosed = true;
      this.#give({ type: "end" });
    });
  }

  /** Asks for a line. What was typed before it was asked for comes first. */
  read(prompt: string): Promise<Typed> {
    const typed = this.#typed.shift();
    if (typed) return Promise.resolve(typed);
    if (this.#isClosed) return Promise.resolve({ type: "end" });
    this.#readline.setPrompt(prompt);
    this.#readline.prompt();
    return new Promise((resolve) => this.#waiting = resolve);
  }

  /** While nothing is asked, Ctrl-C calls this. */
  onInterrupt(act: (() => void) | undefined): void {
    this.#onInterrupt = act;
  }

  /** Puts an entry where the upper arrow finds it. */
  remember(entry: string): void {
    const { history } = this.#readline;
    if (history[0] !== entry) history.unshift(entry);
  }

  /** Gives the terminal back. */
  close(): void {
    this.#readline.close();
  }

  #give(typed: Typed): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(typed);
    else this.#typed.push(typed);
  }

  #interrupt(): void {
    if (!this.#waiting) {
      this.#typed.length = 0;
      this.#onInterrupt?.();
      return;
    }
    // The line is left as it stands, and forgotten.
    this.#readline.write(null, { ctrl: true, name: "e" });
    process.stdout.write("^C\n");
    this.#readline.write(null, { ctrl: true, name: "u" });
    this.#give({ type: "interrupted" });
  }
}
