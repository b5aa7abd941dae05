import type { Outlet } from "./outlet.ts";
import type { Place } from "./place.ts";
import type { Report } from "./report.ts";
import { linesOf, type StatsdForm } from "./statsd_lines.ts";
import { datagramBytesMost, Datagrams, DatagramSender } from "./udp.ts";

/** Reports to statsd, or an agent of Datadog, by UDP. */
export class Statsd implements Outlet {
  readonly name = "statsd";
  readonly #sender: DatagramSender;
  /** The report that is being sent: growth that was sent must not be sent again. */
  #begun: { readonly report: Report; readonly datagrams: Datagrams } | null = null;

  constructor(place: Place, private readonly form: StatsdForm) {
    this.#sender = new DatagramSender(place, "statsd");
  }

  async send(report: Report, signal: AbortSignal): Promise<void> {
    if (this.#begun?.report !== report) {
      this.#begun = { report, datagrams: new Datagrams(datagramsOf(report, this.form)) };
    }
    await this.#sender.send(this.#begun.datagrams, signal);
    this.#begun = null;
  }

  async check(): Promise<void> {
    await this.#sender.send(new Datagrams([]));
    this.close();
  }

  close(): void {
    this.#sender.close();
  }
}

const encoder = new TextEncoder();

/** As many lines in each datagram as fit, with a line feed between them. */
function* datagramsOf(report: Report, form: StatsdForm): Generator<Uint8Array> {
  let text = "";
  let bytes = 0;
  for (const line of linesOf(report, form)) {
    const more = encoder.encode(line).length + 1;
    if (bytes > 0 && bytes + more > datagramBytesMost) {
      yield encoder.encode(text);
      text = "";
      bytes = 0;
    }
    text += text === "" ? line : `\n${line}`;
    bytes += more;
  }
  if (text !== "") yield encoder.encode(text);
}
