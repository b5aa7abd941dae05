import type { Buffer } from "node:buffer";

/** A connection below its session: bytes of the protocol, both ways. */
export interface Wire {
  /** True: no byte comes or goes any more. */
  readonly isClosed: boolean;
  /**
   * Whether the server hears what is written while more is being written. False: it only begins when
   * its answer is read, as it does within this process.
   */
  readonly isDuplex: boolean;
  /**
   * Gives bytes to the server; they may be used again when it resolves.
   *
   * @throws {Error} when the connection is lost; {@linkcode Wire.read} tells why.
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * What the server sends next. While nobody asks, it is held up after a few hundred KiB.
   *
   * @throws {Error} when the connection is lost, behind the last bytes that came.
   */
  read(): Promise<Buffer>;
  /** Asks for the statement under way to be given up; resolves when the server has heard it. */
  cancel(): Promise<void>;
  /** Ends it: with a farewell, or at once when a statement is under way. */
  close(isIdle: boolean): Promise<void>;
}
