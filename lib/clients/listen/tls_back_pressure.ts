import type { TLSSocket } from "node:tls";

/** What a TLS socket of Deno's node:tls (2.9.6) has inside, as far as it is needed here. */
interface Handle {
  readStart(): number;
  readStop(): number;
  readonly _nativeTcpHandle?: { readStart(): number; readStop(): number };
}

/**
 * Makes a TLS socket that is full stop reading from its TCP connection. Deno's own stops only to hand
 * on what it has deciphered and reads and keeps more and more, so that a sender is never held back
 * (2 GB within five seconds were seen); and a sender that has closed before that heap was read is never
 * seen to end. So the stop goes to the TCP connection itself, and the deciphering is never stopped.
 *
 * @throws {TypeError} when Deno's insides are others: then all this has to be looked at again.
 */
export function holdBackSender(socket: TLSSocket): void {
  const handle = (socket as unknown as { readonly _handle: Handle | null })._handle;
  // The sender has gone already.
  if (handle === null) return;
  const tcp = handle._nativeTcpHandle;
  if (tcp === undefined) throw new TypeError("node:tls has no TCP handle where it was");
  const readStart = handle.readStart.bind(handle);
  handle.readStop = () => tcp.readStop();
  handle.readStart = () => {
    const result = readStart();
    return result === 0 ? tcp.readStart() : result;
  };
}
