import { Buffer } from "node:buffer";
import { copyDataHeaderBytes, putCopyDataHeader } from "./messages.ts";
import type { Wire } from "./wire.ts";

/** Data in one message of COPY: large enough that the cost of a write does not count. */
const frameBytes = 256 * 1024;

/**
 * Gathers the data of COPY into messages and sends them. Two of them are in memory: one is filled
 * while the other is on its way.
 */
class Frames {
  #filling: Buffer = Buffer.allocUnsafe(copyDataHeaderBytes + frameBytes);
  #sending: Buffer = Buffer.allocUnsafe(copyDataHeaderBytes + frameBytes);
  #filled = 0;
  #sent: Promise<void> = Promise.resolve();

  constructor(private readonly wire: Wire) {}

  /** Takes in a piece, which may be used again when it resolves. */
  async put(piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + frameBytes - this.#filled);
      this.#filling.set(part, copyDataHeaderBytes + this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === frameBytes) await this.#send();
    }
  }

  /** Sends what is there, and waits until it is gone. */
  async flush(): Promise<void> {
    if (this.#filled > 0) await this.#send();
    await this.#sent;
  }

  async #send(): Promise<void> {
    await this.#sent;
    putCopyDataHeader(this.#filling, this.#filled);
    this.#sent = this.wire.write(
      this.#filling.subarray(0, copyDataHeaderBytes + this.#filled),
    );
    this.#sent.catch(() => {}); // told at the next put or flush
    [this.#filling, this.#sending] = [this.#sending, this.#filling];
    this.#filled = 0;
  }
}

/** How sending the data has ended. */
export type Pumped =
  | { readonly end: "whole" }
  /** The server has answered before all was sent: it has rejected the COPY, or is gone. */
  | { readonly end: "answered" }
  /** It was given up from our side. */
  | { readonly end: "cancelled" }
  /** Making the data has failed. */
  | { readonly end: "source failed"; readonly thrown: unknown };

/**
 * Sends all pieces as data of COPY, no faster than the server takes them.
 *
 * @param answered resolves when the server has answered: then nothing more is sent, and the source is
 *   not waited for.
 * @param cancelled resolves when it is to be given up: the same then.
 */
export async function pumpCopyData(
  wire: Wire,
  pieces: AsyncIterable<Uint8Array>,
  answered: Promise<void>,
  cancelled: Promise<void>,
): Promise<Pumped> {
  const frames = new Frames(wire);
  const iterator = pieces[Symbol.asyncIterator]();
  let stopped: Pumped | undefined;
  let wake = () => {};
  const stop = (how: Pumped) => {
    stopped ??= how;
    wake();
  };
  answered.then(() => stop({ end: "answered" }));
  cancelled.then(() => stop({ end: "cancelled" }));
  // By hand instead of Promise.race: that would keep every piece until the answer comes.
  const nextPiece = () =>
    new Promise<IteratorResult<Uint8Array> | undefined>((resolve, reject) => {
      wake = () => resolve(undefined);
      iterator.next().then(resolve, reject);
    });
  while (true) {
    let next: IteratorResult<Uint8Array> | undefined;
    try {
      next = await nextPiece();
    } catch (thrown) {
      return stopped ?? { end: "source failed", thrown };
    }
    // Neither return is waited for: a source that is stuck must not hold up the answer.
    if (stopped || next === undefined) {
      iterator.return?.().catch(() => {});
      return stopped ?? { end: "answered" };
    }
    try {
      if (next.done) {
        await frames.flush();
        return { end: "whole" };
      }
      await frames.put(next.value);
    } catch {
      // The connection is lost: the answer tells why.
      iterator.return?.().catch(() => {});
      return { end: "answered" };
    }
  }
}
