import { SluiceError } from "../../lib/core/errors.ts";
import type { Listener, Peer } from "../../lib/clients/listen/listen.ts";
import type { ListenUrl } from "../../lib/formats/listen_url.ts";
import { bytesOf, textOf } from "../support/syslog_reading.ts";

let peers = 0;

/** A connection whose other end is the test; bytes are one character each. */
export class MemoryPeer implements Peer {
  readonly id = peers++;
  /** What was written to the sender. */
  written = "";
  /** How often it was read from. */
  reads = 0;
  isHalfClosed = false;
  isClosed = false;
  /** While set, the sender takes nothing of what is written to it. */
  isStalled = false;
  #incoming: Uint8Array[] = [];
  #failure: Error | null = null;
  #hasEnded = false;
  #wake: (() => void)[] = [];

  constructor(readonly address = "192.0.2.7") {}

  /** The sender writes. */
  give(text: string): void {
    this.#incoming.push(bytesOf(text));
    this.#changed();
  }

  /** The sender closes its end. */
  end(): void {
    this.#hasEnded = true;
    this.#changed();
  }

  /** The sender resets the connection: what it wrote and was not read is gone. */
  reset(): void {
    this.#incoming = [];
    this.#failure = new SluiceError("read from peer", "transient", "connection reset");
    this.#changed();
  }

  /** The sender takes what is written to it again. */
  goOn(): void {
    this.isStalled = false;
    this.#changed();
  }

  /** Bytes that nobody has read yet. */
  get unread(): number {
    return this.#incoming.reduce((sum, { length }) => sum + length, 0);
  }

  async read(into: Uint8Array): Promise<number | null> {
    this.reads++;
    for (;;) {
      if (this.isClosed) return null;
      if (this.#failure) throw this.#failure;
      const [next] = this.#incoming;
      if (next !== undefined) {
        const taken = Math.min(next.length, into.length);
        into.set(next.subarray(0, taken));
        if (taken === next.length) this.#incoming.shift();
        else this.#incoming[0] = next.subarray(taken);
        return taken;
      }
      if (this.#hasEnded) return null;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (;;) {
      if (this.isClosed || this.#failure) {
        throw new SluiceError("write to peer", "transient", "broken pipe");
      }
      if (!this.isStalled) break;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    this.written += textOf(bytes);
  }

  closeWrite(): Promise<void> {
    this.isHalfClosed = true;
    return Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
    this.#changed();
  }

  #changed(): void {
    for (const resolve of this.#wake.splice(0)) resolve();
  }
}

/** A listener whose connections are the test's. */
export class MemoryListener implements Listener {
  /** Connections that wait to be accepted. */
  readonly queue: Peer[] = [];
  isStopped = false;
  #wanted: ((peer: Peer | null) => void) | null = null;

  constructor(readonly url: ListenUrl) {}

  connect(peer: Peer): void {
    if (this.#wanted === null) this.queue.push(peer);
    else this.#wanted(peer);
    this.#wanted = null;
  }

  accept(): Promise<Peer | null> {
    const peer = this.queue.shift();
    if (peer !== undefined) return Promise.resolve(peer);
    if (this.isStopped) return Promise.resolve(null);
    return new Promise((resolve) => this.#wanted = resolve);
  }

  lastCall(): Promise<void> {
    this.stop();
    return Promise.resolve();
  }

  /** Who waits in the queue is still handed out. */
  stop(): void {
    this.isStopped = true;
    this.#wanted?.(null);
    this.#wanted = null;
  }

  reload(): Promise<void> {
    return Promise.resolve();
  }
}
