import { lookup } from "node:dns/promises";
import { reasonOf, SluiceError } from "../../core/errors.ts";
import { Turns } from "../../core/turns.ts";
import type { Place } from "./place.ts";

/** What fits into one packet of every usual network, so that no datagram is cut in two. */
export const datagramBytesMost = 1_400;

/** Made and sent in one turn of the event loop: some 200 values. The system takes each at once. */
const datagramsOfTurn = 8;

/** Datagrams in order, made as they are asked for; each stays the first until it is sent. */
export class Datagrams {
  readonly #source: Iterator<Uint8Array>;
  #first: Uint8Array | null = null;

  constructor(source: Iterable<Uint8Array>) {
    this.#source = source[Symbol.iterator]();
  }

  get first(): Uint8Array | null {
    if (this.#first === null) {
      const { done, value } = this.#source.next();
      if (done !== true) this.#first = value;
    }
    return this.#first;
  }

  shift(): void {
    this.#first = null;
  }
}

/** Sends datagrams to one place. Nobody tells whether they arrive. */
export class DatagramSender {
  #socket: Deno.DatagramConn | null = null;
  #family = 0;

  constructor(private readonly place: Place, private readonly what: string) {}

  /**
   * Sends them one by one; the name of the host is looked up anew each time, as it may have moved.
   * After a failure those that were not sent are still there, and only those.
   *
   * @throws {SluiceError} `transient` when the host is not known, or the system sends nothing.
   */
  async send(datagrams: Datagrams, signal?: AbortSignal): Promise<void> {
    try {
      const { address, family } = await lookup(this.place.host);
      const socket = this.#socketOf(family);
      const target = { transport: "udp", hostname: address, port: this.place.port } as const;
      const turns = new Turns(datagramsOfTurn);
      for (let first = datagrams.first; first !== null; first = datagrams.first) {
        if (signal?.aborted) return;
        await socket.send(first, target);
        datagrams.shift();
        if (turns.isDue()) await turns.next();
      }
    } catch (thrown) {
      this.close();
      throw new SluiceError(
        `report to ${this.what} at ${this.place.text}`,
        "transient",
        reasonOf(thrown),
        { cause: thrown },
      );
    }
  }

  close(): void {
    this.#socket?.close();
    this.#socket = null;
  }

  #socketOf(family: number): Deno.DatagramConn {
    if (this.#family !== family) this.close();
    this.#family = family;
    const hostname = family === 6 ? "::" : "0.0.0.0";
    return this.#socket ??= Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  }
}
