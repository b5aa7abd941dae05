import { openFile } from "../clients/file.ts";
import { Gunzip, isGzip } from "../clients/gzip.ts";
import { openStdin } from "../clients/stdio.ts";
import type { ByteSource } from "../core/bytes.ts";
import { SluiceError, usageError } from "../core/errors.ts";

/** An operand that has been opened: its bytes, inflated if they were gzip. */
export class Input implements ByteSource {
  constructor(private readonly source: ByteSource | Gunzip) {}

  /** How far the file has been read, if it is compressed. */
  get compressedBytes(): number | undefined {
    return this.source instanceof Gunzip ? this.source.compressedBytes : undefined;
  }

  /** @throws {SluiceError} `corrupt` at damaged gzip, `permanent` when it cannot be read. */
  next(): Promise<Uint8Array | undefined> {
    return this.source.next();
  }

  close(): void {
    this.source.close();
  }
}

/**
 * The inputs that the operands name: `-` is standard input, and so is no operand at all.
 *
 * @param options.mayBeUrls whether objects of a store can be read, too.
 * @throws {SluiceError} `usage` before anything is opened.
 */
export function inputNames(
  operands: readonly string[],
  { stdinIsTerminal, mayBeUrls = false }: {
    readonly stdinIsTerminal: boolean;
    readonly mayBeUrls?: boolean;
  },
): readonly string[] {
  if (operands.length === 0) {
    if (!stdinIsTerminal) return ["-"];
    throw usageError(
      "read standard input",
      "it is a terminal; name files, pipe something in, or give - to type it",
    );
  }
  for (const operand of operands) {
    if (operand === "") throw usageError(`read ""`, "a file has a name");
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(operand) || (mayBeUrls && isUrl(operand))) continue;
    const urls = mayBeUrls ? ", s3:// and file:// URLs" : "";
    throw usageError(`read ${operand}`, `only files${urls} and - (standard input) can be read`);
  }
  if (operands.filter((operand) => operand === "-").length > 1) {
    throw usageError("read - twice", "standard input can be read once");
  }
  return operands;
}

/** Whether an operand is the URL of objects. */
export function isUrl(operand: string): boolean {
  return /^(s3|file):\/\//i.test(operand);
}

/** What messages call an operand. */
export function nameOf(operand: string): string {
  return operand === "-" ? "standard input" : operand;
}

/** Opens the bytes of an input, as they are. */
export type OpenSource = (operand: string) => Promise<ByteSource>;

/** Opens a file, or standard input. */
export const openSource: OpenSource = async (operand) =>
  operand === "-" ? openStdin() : await openFile(operand);

/**
 * Opens one input and sees by its first two bytes whether it is gzip. An uncompressed archive can
 * begin with those bytes, 1f 8b, only if its first record were over 2^60 bytes long.
 *
 * @throws {SluiceError} `permanent` when it cannot be opened or read.
 */
export async function openInput(
  operand: string,
  open: OpenSource = openSource,
): Promise<Input> {
  const source = await open(operand);
  try {
    const begun = new Begun(source);
    const beginning = await begun.peek(2);
    if (isGzip(beginning)) return new Input(new Gunzip(begun));
    return new Input(beginning.length === 0 && operand.endsWith(".gz") ? emptyGzip : begun);
  } catch (thrown) {
    source.close();
    throw thrown;
  }
}

/** Nothing at all under a name that promises gzip: somebody's disk was full, or the copy was cut. */
const emptyGzip: ByteSource = {
  next: () => {
    throw new SluiceError(
      "inflate byte 0",
      "corrupt",
      "the file is empty, and even gzip of nothing has 20 bytes",
    );
  },
  close: () => {},
};

/** A source whose first bytes can be looked at before it is read. */
class Begun implements ByteSource {
  #first: Uint8Array | undefined;

  constructor(private readonly source: ByteSource) {}

  /** The first `count` bytes at least, or all there are; from a pipe they may come one by one. */
  async peek(count: number): Promise<Uint8Array> {
    let first = await this.source.next();
    this.#first = first;
    while (first !== undefined && first.length < count) {
      const before = first.slice();
      const piece = await this.source.next();
      if (piece === undefined) break;
      first = new Uint8Array(before.length + piece.length);
      first.set(before);
      first.set(piece, before.length);
      this.#first = first;
    }
    return first ?? new Uint8Array(0);
  }

  next(): Promise<Uint8Array | undefined> {
    const first = this.#first;
    this.#first = undefined;
    return first === undefined ? this.source.next() : Promise.resolve(first);
  }

  close(): void {
    this.source.close();
  }
}
