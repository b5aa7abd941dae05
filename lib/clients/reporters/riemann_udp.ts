import type { Outlet } from "./outlet.ts";
import type { Place } from "./place.ts";
import type { Report } from "./report.ts";
import { eventsOf, type RiemannIdentity } from "./riemann_events.ts";
import { encodedBytes, encodeEvents, type RiemannEvent } from "./riemann_schema.ts";
import { datagramBytesMost, Datagrams, DatagramSender } from "./udp.ts";

/** Reports to Riemann by UDP: a message a datagram, without an answer. */
export class RiemannUdp implements Outlet {
  readonly name = "riemann";
  readonly #sender: DatagramSender;

  constructor(place: Place, private readonly identity: RiemannIdentity) {
    this.#sender = new DatagramSender(place, "Riemann");
  }

  async send(report: Report, signal: AbortSignal): Promise<void> {
    await this.#sender.send(new Datagrams(datagramsOf(report, this.identity)), signal);
  }

  async check(): Promise<void> {
    await this.#sender.send(new Datagrams([]));
    this.close();
  }

  close(): void {
    this.#sender.close();
  }
}

/** As many events in each datagram as fit. */
function* datagramsOf(report: Report, identity: RiemannIdentity): Generator<Uint8Array> {
  let events: RiemannEvent[] = [];
  let bytes = 0;
  for (const event of eventsOf(report, identity)) {
    const more = encodedBytes(event);
    if (events.length > 0 && bytes + more > datagramBytesMost) {
      yield encodeEvents(events);
      events = [];
      bytes = 0;
    }
    events.push(event);
    bytes += more;
  }
  if (events.length > 0) yield encodeEvents(events);
}
