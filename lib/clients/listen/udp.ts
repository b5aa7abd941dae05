import { type ListenUrl, withPort } from "../../formats/listen_url.ts";
import { listenError } from "./failures.ts";
import type { Datagrams } from "./listen.ts";

/** Binds a UDP socket. */
export function listenDatagrams(url: ListenUrl): Datagrams {
  try {
    const socket = Deno.listenDatagram({ hostname: url.host, port: url.port, transport: "udp" });
    return new UdpSocket(withPort(url, (socket.addr as Deno.NetAddr).port), socket);
  } catch (thrown) {
    throw listenError(url, thrown);
  }
}

class UdpSocket implements Datagrams {
  #isStopped = false;

  constructor(readonly url: ListenUrl, private readonly socket: Deno.DatagramConn) {}

  async receive(into: Uint8Array): Promise<{ length: number; address: string } | null> {
    while (!this.#isStopped) {
      try {
        const [bytes, from] = await this.socket.receive(into);
        return { length: bytes.length, address: (from as Deno.NetAddr).hostname };
      } catch (thrown) {
        // Errors of single datagrams (ICMP) come up here too; only a closed socket is the end.
        if (thrown instanceof Deno.errors.BadResource) return null;
      }
    }
    return null;
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.socket.close();
  }
}
