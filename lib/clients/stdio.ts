import { type ByteSink, type ByteSource, ReadAhead } from "../core/bytes.ts";
import { reasonOf, SluiceError } from "../core/errors.ts";
import { visible, VisibleBytes, visibleLines } from "../core/visible.ts";

/** Whether a person sits at our standard input. */
export function stdinIsTerminal(): boolean {
  return Deno.stdin.isTerminal();
}

/** Standard input as a stream of bytes. */
export function openStdin(): ByteSource {
  return new ReadAhead(
    Deno.stdin,
    (thrown) => new SluiceError("read standard input", "permanent", reasonOf(thrown)),
  );
}

const encoder = new TextEncoder();

/** Standard output. */
export class Stdout implements ByteSink {
  #isClosed = false;

  /** Whether a person looks at it. */
  get isTerminal(): boolean {
    return Deno.stdout.isTerminal();
  }

  /** Whether colours are welcome: a terminal, and no NO_COLOR in the environment. */
  get takesColours(): boolean {
    return this.isTerminal && !Deno.noColor;
  }

  /** Nobody reads any more (`| head` has enough): what is written is dropped, and no error. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosed) return;
    try {
      for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.BrokenPipe)) {
        throw new SluiceError("write standard output", "permanent", reasonOf(thrown), {
          cause: thrown,
        });
      }
      this.#isClosed = true;
    }
  }

  /** Writes text, which may hold what others wrote: on a terminal nothing in it commands that. */
  async print(text: string): Promise<void> {
    await this.write(encoder.encode(this.isTerminal ? visibleLines(text) : text));
  }
}

/**
 * Passes bytes on to a terminal in which nothing commands it: control characters but line feed and
 * tab stand there as `\\u001b`. Only for people: what goes to a file or a pipe goes as it is.
 */
export class TerminalGuard implements ByteSink {
  readonly #shown = new VisibleBytes();

  constructor(private readonly sink: ByteSink & { readonly isClosed?: boolean }) {}

  get isClosed(): boolean {
    return this.sink.isClosed === true;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.sink.write(this.#shown.take(bytes));
  }

  /** Nothing more comes; a character that was cut is shown as one. */
  async end(): Promise<void> {
    await this.sink.write(this.#shown.end());
  }
}

/**
 * Tells the person who started us one line, on standard error, at once. It may hold what others
 * wrote: nothing in it commands a terminal.
 */
export function tell(line: string): void {
  const bytes = encoder.encode(`${visible(line)}\n`);
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  } catch {
    // Nobody reads it: no reason to stop the work.
  }
}
