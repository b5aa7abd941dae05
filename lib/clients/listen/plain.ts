import { SluiceError } from "../../core/errors.ts";
import { type ListenUrl, withPort } from "../../formats/listen_url.ts";
import { brokenError, listenError } from "./failures.ts";
import { Knock, pause } from "./knock.ts";
import type { Listener, Peer } from "./listen.ts";
import { nextPeerId } from "./peer_id.ts";

/** How long to wait before accepting again when the process has no file descriptor left. */
const outOfFilesMs = 100;

/** Turns of the event loop in which those are still taken who came behind a last call. */
const lastTurns = 30;

/** Listens on TCP. */
export function listenTcp(url: ListenUrl): Listener {
  try {
    const listener = Deno.listen({ hostname: url.host, port: url.port, transport: "tcp" });
    return new PlainListener(withPort(url, listener.addr.port), listener);
  } catch (thrown) {
    throw listenError(url, thrown);
  }
}

/** Listens on a Unix socket; a socket file that nobody listens on any more is replaced. */
export async function listenUnix(url: ListenUrl): Promise<Listener> {
  await removeStale(url);
  try {
    return new PlainListener(url, Deno.listen({ path: url.path, transport: "unix" }));
  } catch (thrown) {
    throw listenError(url, thrown);
  }
}

/** A killed process leaves its socket file behind; one that answers belongs to a living process. */
async function removeStale({ path, text }: ListenUrl): Promise<void> {
  const info = await Deno.lstat(path).catch(() => null);
  if (info === null) return;
  if (!info.isSocket) {
    const detail = `a file that is no socket is in the way; remove ${path} or choose another path`;
    throw new SluiceError(`listen on ${text}`, "permanent", detail);
  }
  try {
    (await Deno.connect({ path, transport: "unix" })).close();
  } catch (thrown) {
    // Only a refusal proves that nobody listens; whoever may not even ask may not take away either.
    if (thrown instanceof Deno.errors.ConnectionRefused) await Deno.remove(path).catch(() => {});
  }
}

class PlainListener implements Listener {
  #isStopped = false;
  /** Our own connection, from the last call on. */
  #knock: Knock | null = null;
  /** Set when all have been accepted that came before the last call. */
  #isLast = false;
  #calling: Promise<void> | null = null;
  #accepting: Promise<unknown> = Promise.resolve();

  constructor(readonly url: ListenUrl, private readonly listener: Deno.Listener) {}

  async accept(): Promise<Peer | null> {
    while (!this.#isStopped) {
      try {
        const conn = await this.#next();
        if (!await this.#isOurs(conn)) return new PlainPeer(conn, this.url.path);
        conn.close();
        this.#isLast = true;
      } catch {
        // Stopped, reset before it was accepted, or out of file descriptors: wait for one.
        if (!this.#isStopped) await pause(outOfFilesMs);
      }
    }
    return null;
  }

  lastCall(): Promise<void> {
    return this.#calling ??= this.#call();
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.listener.close();
    if (this.url.path === "") return;
    try {
      // At once: the process may be about to leave.
      Deno.removeSync(this.url.path);
    } catch {
      // Somebody else took it away.
    }
  }

  async #call(): Promise<void> {
    if (this.#isStopped) return;
    this.#knock = new Knock(this.listener.addr as Deno.NetAddr | Deno.UnixAddr);
    this.#isLast = await this.#knock.heard;
    // accept() stops when it sees that nobody has come behind us; when it is not told that it is the
    // last (on a Unix socket, or when we could not connect), nobody came for some turns.
    for (let turn = 0; turn < lastTurns && !this.#isStopped; turn++) await pause(1);
    this.stop();
    // The socket goes when Deno has ended the last accept(), a turn later. A sender that was asked to
    // leave before would come back at once, be let into the queue, and lose with it what it writes.
    await this.#accepting.catch(() => {});
  }

  /**
   * The next connection. At the end of a last call the kernel's queue is looked into once more, and
   * in the same step in which it is seen to be empty the socket is closed: only a sender that connects
   * in just that moment can still be cut off.
   */
  async #next(): Promise<Deno.Conn> {
    // Tokio answers "nothing" after too many answers within one turn of the event loop.
    if (this.#isLast) await pause(0);
    const accepting = this.listener.accept();
    this.#accepting = accepting;
    if (this.#isLast && !await isSettled(accepting)) this.stop();
    return await accepting;
  }

  async #isOurs(conn: Deno.Conn): Promise<boolean> {
    if (this.#knock === null) return false;
    const { remoteAddr } = conn;
    if (remoteAddr.transport === "tcp") return await this.#knock.isOurs(remoteAddr);
    // Plain syslog is never answered, and everybody is about to be asked to leave in this very way.
    await conn.closeWrite().catch(() => {});
    return false;
  }

  async reload(): Promise<void> {}
}

/** Whether a promise has its answer already: Deno asks the kernel before accept() gives its promise. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let is = false;
  const settle = () => void (is = true);
  promise.then(settle, settle);
  for (let step = 0; step < 5; step++) await null;
  return is;
}

class PlainPeer implements Peer {
  readonly id = nextPeerId();
  readonly address: string;
  #isClosed = false;

  constructor(private readonly conn: Deno.Conn, path: string) {
    const { remoteAddr } = conn;
    this.address = remoteAddr.transport === "tcp" ? remoteAddr.hostname : path;
    if (remoteAddr.transport !== "tcp") return;
    const tcp = conn as Deno.TcpConn;
    try {
      tcp.setKeepAlive(true);
      tcp.setNoDelay(true);
    } catch {
      // The sender has gone already: the first read will say so.
    }
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    try {
      return await this.conn.read(into);
    } catch (thrown) {
      if (this.#isClosed) return null;
      throw brokenError(this.address, "read from", thrown);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
    } catch (thrown) {
      throw brokenError(this.address, "write to", thrown);
    }
  }

  async closeWrite(): Promise<void> {
    await this.conn.closeWrite().catch(() => {});
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.conn.close();
    } catch {
      // Closed by the runtime when the connection broke.
    }
  }
}
