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

  droppedByKernel(): number | null {
    for (const table of ["/proc/net/udp", "/proc/net/udp6"]) {
      try {
        const dropped = droppedIn(Deno.readTextFileSync(table), this.url.port);
        if (dropped !== null) return dropped;
      } catch {
        // No such table: not Linux, or no IPv6.
      }
    }
    return null;
  }
}

/** The sum of the `drops` column over sockets of this local port in a table as proc(5) shows it. */
export function droppedIn(table: string, port: number): number | null {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = table.split("\n").slice(1).map((row) => row.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(suffix));
  if (rows.length === 0) return null;
  return rows.reduce((sum, columns) => sum + Number(columns.at(-1) ?? 0), 0);
}
