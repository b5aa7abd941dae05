/**
 * How long a last call may take: so many looks, so far apart. Looks and not a time: when this process
 * has stood still, the time is over before the event loop has looked at its sockets even once.
 */
const looksMost = 20;
const lookMs = 100;

/** One end of a TCP connection. */
interface Place {
  readonly hostname: string;
  readonly port: number;
}

/**
 * A connection of our own to a listener of our own. It stands in the queue of those who wait to be
 * accepted, and that queue is in order of arrival: once it has been accepted, so has everybody who
 * came before it. The kernel resets whoever waits there when the listening socket is closed, and
 * what they have written already would be lost.
 */
export class Knock {
  /** Whether it was accepted; false when it was not in time, or when we could not even connect. */
  readonly heard: Promise<boolean>;
  readonly #heard = Promise.withResolvers<boolean>();
  /** Resolves when our end has its address, or has waited for it long enough. */
  readonly #known = Promise.withResolvers<void>();
  /** Those who were accepted before we knew our own address. */
  readonly #passed = new Set<string>();
  #own: Deno.Conn | null = null;
  #isOver = false;

  constructor(address: Place | { readonly path: string }) {
    this.heard = this.#heard.promise.then((isHeard) => {
      this.#isOver = true;
      this.#known.resolve();
      this.#own?.close();
      return isHeard;
    });
    this.#connect(address);
    this.#bound();
  }

  /** Whether the accepted connection is this one. */
  async isOurs(remote: Place): Promise<boolean> {
    await this.#known.promise;
    const key = keyOf(remote);
    if (this.#own === null) this.#passed.add(key);
    else if (key === keyOf(this.#own.localAddr)) {
      this.#heard.resolve(true);
      return true;
    }
    return false;
  }

  /** The queue may be full, or no descriptor free: it is tried again while others are accepted. */
  async #connect(address: Place | { readonly path: string }): Promise<void> {
    while (!this.#isOver) {
      try {
        const own = "path" in address
          ? await Deno.connect({ transport: "unix", path: address.path })
          : await Deno.connect({ hostname: reachable(address.hostname), port: address.port });
        return this.#isOver ? own.close() : this.#stand(own);
      } catch {
        await pause(lookMs);
      }
    }
  }

  #stand(own: Deno.Conn): void {
    this.#own = own;
    this.#known.resolve();
    if (own.localAddr.transport !== "unix") {
      if (this.#passed.has(keyOf(own.localAddr))) this.#heard.resolve(true);
      return;
    }
    // Whoever accepts it half-closes it: nobody can know it by its address.
    const through = () => this.#heard.resolve(true);
    own.read(new Uint8Array(1)).then(through, through);
  }

  async #bound(): Promise<void> {
    for (let look = 0; look < looksMost && !this.#isOver; look++) {
      await pause(lookMs);
      // One that is accepted before we know our address would have to wait, and those behind it, too.
      this.#known.resolve();
    }
    this.#heard.resolve(false);
  }
}

/** Waits in the event loop, which looks at all sockets meanwhile. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The address under which this machine reaches what listens on it. */
function reachable(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  return hostname === "::" ? "::1" : hostname;
}

function keyOf(address: Deno.Addr | Place): string {
  const { hostname, port } = address as Place;
  return `${hostname} ${port}`;
}
