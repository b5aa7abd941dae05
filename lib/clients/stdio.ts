import { type ByteSink, type ByteSource, ReadAhead } from "../core/bytes.ts";
import { reasonOf, SluiceError } from "../core/errors.ts";

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
}

const encoder = new TextEncoder();

/** Tells the person who started us one line, on standard error, at once. */
export function tell(line: string): void {
  const bytes = encoder.encode(`${line}\n`);
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  } catch {
    // Nobody reads it: no reason to stop the work.
  }
}
