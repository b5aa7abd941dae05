import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { sleep } from "../../core/world.ts";
import type { Wire } from "./wire.ts";

/** More than this much unread holds the server up. */
const unreadBytesMost = 256 * 1024;

/** How long a server has to say farewell. */
const farewellMs = 2_000;

const farewell = Uint8Array.of(0x58, 0, 0, 0, 4); // X

/** The wire of a TCP, TLS or Unix connection over which the library has logged in. */
export class PgWire implements Wire {
  readonly isDuplex = true;
  readonly #unread: Buffer[] = [];
  #unreadBytes = 0;
  #waiting: { resolve(bytes: Buffer): void; reject(thrown: Error): void } | undefined;
  readonly #writing = new Set<(thrown: Error) => void>();
  #ended: Error | undefined;
  readonly #closed: Promise<void>;

  /** @param cancelStatement asks for the statement under way to be given up, from another connection. */
  constructor(
    private readonly stream: Duplex,
    private readonly cancelStatement: () => Promise<void>,
  ) {
    // The library is done with what comes: from here on it is ours, as bytes.
    stream.removeAllListeners("data");
    stream.on("data", (bytes: Buffer) => this.#take(bytes));
    stream.on("error", (error: Error) => this.#end(error));
    this.#closed = new Promise((resolve) => {
      stream.on("close", () => {
        this.#end(new Error("Connection closed"));
        resolve();
      });
    });
    // A server that closes has said its last: we do not wait for the other half.
    stream.on("end", () => {
      this.#end(new Error("Connection closed"));
      stream.destroy();
    });
  }

  get isClosed(): boolean {
    return this.#ended !== undefined;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      // A stream that is destroyed on the way may not call back.
      this.#writing.add(reject);
      this.stream.write(bytes, (error) => {
        this.#writing.delete(reject);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  read(): Promise<Buffer> {
    const bytes = this.#unread.shift();
    if (bytes) {
      this.#unreadBytes -= bytes.length;
      if (this.#unread.length === 0 && this.stream.isPaused()) this.stream.resume();
      return Promise.resolve(bytes);
    }
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => this.#waiting = { resolve, reject });
  }

  cancel(): Promise<void> {
    return this.cancelStatement();
  }

  async close(isIdle: boolean): Promise<void> {
    if (isIdle && !this.#ended) {
      this.stream.resume();
      this.stream.end(farewell);
      const patience = new AbortController();
      await Promise.race([this.#closed, sleep(farewellMs, patience.signal)]);
      patience.abort();
    }
    this.#end(new Error("Connection closed"));
    this.stream.destroy();
    await this.#closed;
  }

  #take(bytes: Buffer): void {
    if (this.#waiting) {
      this.#waiting.resolve(bytes);
      this.#waiting = undefined;
      return;
    }
    this.#unread.push(bytes);
    this.#unreadBytes += bytes.length;
    if (this.#unreadBytes > unreadBytesMost) this.stream.pause();
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#waiting?.reject(this.#ended);
    this.#waiting = undefined;
    for (const reject of this.#writing) reject(this.#ended);
    this.#writing.clear();
  }
}
