/**
 * A stream of bytes that is asked for its next piece. No piece is longer than the source's buffer,
 * whatever the stream holds, so that memory stays constant.
 */
export interface ByteSource {
  /** The next bytes, one at least; undefined at the end. They are lent until the next call. */
  next(): Promise<Uint8Array | undefined>;
  /** Gives up what is open, at once and for good; a read under way is left to itself. */
  close(): void;
}

/** Where bytes go. */
export interface ByteSink {
  /** Resolves when the bytes may be reused. */
  write(bytes: Uint8Array): Promise<void>;
}

/** What {@linkcode ReadAhead} reads: a file, a terminal, a pipe. */
export interface Readable {
  /** Reads at least one byte into `into`; null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  close(): void;
}

/** Bytes of one read. Measured with gzip: 64 KiB costs a sixth more time, 1 MiB gains nothing. */
const READ_BYTES = 256 * 1024;

/** Reads a piece ahead, so that the disk or the other end of a pipe works while we do. */
export class ReadAhead implements ByteSource {
  readonly #from: Readable;
  readonly #asError: (thrown: unknown) => Error;
  #ahead = new Uint8Array(READ_BYTES);
  #lent = new Uint8Array(READ_BYTES);
  #reading: Promise<number | null> | undefined;

  /** @param asError turns what `from.read` throws into what {@linkcode next} throws. */
  constructor(from: Readable, asError: (thrown: unknown) => Error) {
    this.#from = from;
    this.#asError = asError;
  }

  async next(): Promise<Uint8Array | undefined> {
    try {
      const length = await (this.#reading ?? this.#from.read(this.#ahead));
      if (length === null) return undefined;
      const piece = this.#ahead.subarray(0, length);
      [this.#ahead, this.#lent] = [this.#lent, this.#ahead];
      this.#reading = this.#from.read(this.#ahead);
      this.#reading.catch(() => {}); // it is thrown by the call that awaits it, if there is one
      return piece;
    } catch (thrown) {
      throw this.#asError(thrown);
    }
  }

  close(): void {
    this.#from.close();
  }
}

/** What is smaller may share its buffer with other bytes. */
const freeLeast = 16 * 1024;

/**
 * Gives a buffer's memory back at once, if these bytes are nearly all of it; they are gone then. The
 * garbage collector lets some 60 MB of large buffers gather before it looks (measured).
 */
export function freeBytes({ buffer, length }: Uint8Array): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < freeLeast) return;
  if (length * 2 < buffer.byteLength) return;
  try {
    buffer.transfer(0);
  } catch {
    // The memory of a WebAssembly module: it stays as it is.
  }
}
