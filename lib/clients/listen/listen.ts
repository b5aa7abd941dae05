import type { ListenUrl } from "../../formats/listen_url.ts";
import { listenTcp, listenUnix } from "./plain.ts";
import { listenTls, type TlsFiles } from "./tls.ts";

export { listenDatagrams } from "./udp.ts";
export type { TlsFiles } from "./tls.ts";

/** One accepted connection. */
export interface Peer {
  /** Counts up from 0 in order of arrival. */
  readonly id: number;
  /** IP address, or the socket's path. */
  readonly address: string;
  /**
   * Reads what has arrived into the buffer, at least one byte; null at the end of the stream. Nothing
   * is read ahead beyond a small buffer: not to call it is back-pressure.
   *
   * @throws {SluiceError} `transient` when the connection broke.
   */
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null>;
  /** Writes all of the bytes. @throws {SluiceError} `transient` when the connection broke. */
  write(bytes: Uint8Array): Promise<void>;
  /** Half-closes: the other side reads its end of stream, and can still be read from. Never throws. */
  closeWrite(): Promise<void>;
  /** Closes at once; a read under way ends. Never throws. */
  close(): void;
}

/** A listening stream socket. */
export interface Listener {
  /** With the port that is listened on. */
  readonly url: ListenUrl;
  /** The next connection; null after {@linkcode Listener.lastCall} or {@linkcode Listener.stop}. */
  accept(): Promise<Peer | null>;
  /**
   * Stops listening so that nobody is turned away who had connected before: they come out of
   * {@linkcode Listener.accept}, which must go on being called. When it resolves the socket is closed.
   * Takes a moment, at most some three seconds, unless many TLS handshakes go on. Never throws.
   */
  lastCall(): Promise<void>;
  /** Stops listening at once. Who waits to be accepted is cut off with what was written already. */
  stop(): void;
  /** Reads certificates anew for the connections to come; the old ones stay when the new are bad. */
  reload(): Promise<void>;
}

/** A bound datagram socket. */
export interface Datagrams {
  readonly url: ListenUrl;
  /** The next datagram; null after {@linkcode Datagrams.stop}. */
  receive(into: Uint8Array): Promise<{ readonly length: number; readonly address: string } | null>;
  stop(): void;
}

/** How to listen. */
export interface ListenOptions {
  /** Needed for TLS. */
  readonly tls?: TlsFiles;
  /** How long a TLS handshake may take, milliseconds. */
  readonly handshakeMs: number;
}

/**
 * Listens for connections.
 *
 * @throws {SluiceError} when the address is in use or not allowed, or a certificate cannot be used.
 */
export async function listenStream(url: ListenUrl, options: ListenOptions): Promise<Listener> {
  switch (url.transport) {
    case "tcp":
      return listenTcp(url);
    case "unix":
      return await listenUnix(url);
    case "tls":
      return await listenTls(url, options);
    case "udp":
      throw new TypeError("a datagram socket has no connections");
  }
}
