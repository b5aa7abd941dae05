import { createServer, type Server, type TLSSocket } from "node:tls";
import type { AddressInfo, Socket } from "node:net";
import { type ListenUrl, withPort } from "../../formats/listen_url.ts";
import { readCredentials, type TlsFiles } from "./credentials.ts";
import { brokenError, listenError } from "./failures.ts";
import { Knock, pause } from "./knock.ts";
import type { Listener, ListenOptions, Peer } from "./listen.ts";
import { nextPeerId } from "./peer_id.ts";
import { holdBackSender } from "./tls_back_pressure.ts";

export type { TlsFiles } from "./credentials.ts";

/** Connections that have finished their handshake and wait for {@linkcode Listener.accept}. */
const acceptedMost = 64;

/**
 * How many looks in a row, so far apart, may find that nobody has got any further, until a last call
 * gives up those who are just shaking hands. One that resumes an earlier session sends its first lines
 * together with the end of its handshake. On a busy machine forty of them take more than a second; none
 * takes longer than a handshake may.
 */
const handshakeLooks = 20;
const handshakeLookMs = 50;

/** Listens for TLS 1.2 (RFC 5425 for syslog). */
export async function listenTls(url: ListenUrl, options: ListenOptions): Promise<Listener> {
  const files = options.tls;
  if (files === undefined) throw new TypeError("TLS needs a certificate");
  const credentials = await readCredentials(files);
  const server = createServer({
    ...credentials,
    minVersion: "TLSv1.2",
    // Not 1.3: there the server sends session tickets after the handshake, which node:tls cannot turn
    // off. A sender that never reads (rsyslog) and closes with them unread makes its kernel send a
    // reset, and what it had written before and we had not read yet would be lost.
    maxVersion: "TLSv1.2",
    requestCert: files.clientCaPath !== undefined,
    rejectUnauthorized: files.clientCaPath !== undefined,
    handshakeTimeout: options.handshakeMs,
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (thrown) => reject(listenError(url, thrown)));
    server.listen({ host: url.host, port: url.port, backlog: 511 }, resolve);
  });
  return new TlsListener(withPort(url, (server.address() as AddressInfo).port), server, files);
}

class TlsListener implements Listener {
  readonly #ready: TLSSocket[] = [];
  #wanted: ((peer: Peer | null) => void) | null = null;
  #isStopped = false;
  /** Our own connection, from the last call on. */
  #knock: Knock | null = null;
  #calling: Promise<void> | null = null;
  /** Where those are who have connected and not finished their handshake. */
  readonly #handshakes = new Set<string>();
  /** How often somebody got further: connected, shook hands, was accepted, or went. */
  #steps = 0;

  constructor(
    readonly url: ListenUrl,
    private readonly server: Server,
    private readonly files: TlsFiles,
  ) {
    server.on("connection", (socket) => this.#meet(socket));
    server.on("secureConnection", (socket) => this.#take(socket));
    // A failed handshake is that client's affair: it has been told, and nothing was lost.
    server.on("tlsClientError", (_, socket: Socket) => socket.destroy());
    server.on("error", () => {});
  }

  accept(): Promise<Peer | null> {
    const socket = this.#ready.shift();
    this.#steps++;
    if (socket !== undefined) return Promise.resolve(new TlsPeer(socket));
    if (this.#isStopped) return Promise.resolve(null);
    return new Promise((resolve) => this.#wanted = resolve);
  }

  lastCall(): Promise<void> {
    return this.#calling ??= this.#call();
  }

  async #call(): Promise<void> {
    if (this.#isStopped) return;
    const { address: hostname, port } = this.server.address() as AddressInfo;
    this.#knock = new Knock({ hostname, port });
    await this.#knock.heard;
    this.server.close();
    let steps = this.#steps;
    let looks = 0;
    do {
      // At least once: the socket itself is closed a turn later.
      await pause(handshakeLookMs);
      looks = steps === this.#steps ? looks + 1 : 0;
      steps = this.#steps;
    } while (looks < handshakeLooks && this.#isAwaited);
    this.stop();
  }

  /** Whether somebody may still come out of accept(). */
  get #isAwaited(): boolean {
    return this.#handshakes.size > 0 || this.#ready.length > 0;
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.server.close();
    for (const socket of this.#ready.splice(0)) socket.destroy();
    this.#wanted?.(null);
    this.#wanted = null;
  }

  async reload(): Promise<void> {
    this.server.setSecureContext(await readCredentials(this.files));
  }

  #meet(socket: Socket): void {
    const remote = { hostname: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
    const key = keyOf(socket);
    this.#handshakes.add(key);
    this.#steps++;
    socket.once("close", () => this.#leave(key));
    this.#knock?.isOurs(remote).then((isOurs) => {
      if (!isOurs) return;
      this.#leave(key);
      socket.destroy();
    });
  }

  #leave(key: string): void {
    if (this.#handshakes.delete(key)) this.#steps++;
  }

  #take(socket: TLSSocket): void {
    this.#leave(keyOf(socket));
    socket.on("error", () => {});
    holdBackSender(socket);
    if (this.#wanted !== null) {
      const give = this.#wanted;
      this.#wanted = null;
      give(new TlsPeer(socket));
    } else if (this.#isStopped || this.#ready.length >= acceptedMost) {
      socket.destroy();
    } else {
      this.#ready.push(socket);
    }
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

class TlsPeer implements Peer {
  readonly id = nextPeerId();
  readonly address: string;
  #failure: Error | null = null;
  #isOver = false;
  #isClosed = false;
  #wake: (() => void) | null = null;

  constructor(private readonly socket: TLSSocket) {
    this.address = socket.remoteAddress ?? "unknown";
    socket.setKeepAlive(true);
    socket.setNoDelay(true);
    socket.allowHalfOpen = true;
    // It may have gone while it waited to be accepted: no event will tell that again.
    this.#isOver = socket.destroyed || socket.readableEnded;
    const wake = () => {
      this.#wake?.();
      this.#wake = null;
    };
    socket.on("readable", wake);
    socket.on("end", () => {
      this.#isOver = true;
      wake();
    });
    socket.on("close", () => {
      this.#isOver = true;
      wake();
    });
    socket.on("error", (thrown) => {
      this.#failure = thrown;
      wake();
    });
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    for (;;) {
      const most = Math.min(into.length, this.socket.readableLength);
      const chunk = most > 0 ? this.socket.read(most) as Uint8Array | null : this.socket.read();
      if (chunk !== null) {
        const taken = Math.min(chunk.length, into.length);
        into.set(chunk.subarray(0, taken));
        if (taken < chunk.length) this.socket.unshift(chunk.subarray(taken));
        return taken;
      }
      if (this.#isClosed) return null;
      if (this.#failure !== null) throw brokenError(this.address, "read from", this.#failure);
      if (this.#isOver) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(bytes, (thrown) => {
        if (thrown) reject(brokenError(this.address, "write to", thrown));
        else resolve();
      });
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.destroyed) return resolve();
      this.socket.once("close", () => resolve());
      this.socket.end(() => resolve());
    });
  }

  close(): void {
    this.#isClosed = true;
    this.socket.destroy();
    this.#wake?.();
    this.#wake = null;
  }
}
