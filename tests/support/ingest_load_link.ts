import { writeAll } from "./http_bytes.ts";

/** A message of a client to the server, after its login. */
export interface ClientMessage {
  /** Its letter: Q is a query, d is data of COPY, c is its end. */
  readonly type: string;
  /** The SQL of a query; empty for other messages. */
  readonly sql: string;
  /** How many messages of data this connection has sent in its present COPY, this one included. */
  readonly copied: number;
}

/**
 * - `pass`: it goes its way;
 * - `cut`: the connection ends, and the server has not heard of it;
 * - `done and cut`: the server has it and has answered, and the connection ends before the answer;
 * - `done and silent`: the same, but the connection stays open without a word.
 */
export type Verdict = "pass" | "cut" | "done and cut" | "done and silent";

const startup = 196_608;
const headerBytes = 5;

/** A proxy before a PostgreSQL that understands what clients say to it, and can lose it. */
export class PostgresLink implements AsyncDisposable {
  /** Asked about every message. */
  judge: (message: ClientMessage) => Verdict | Promise<Verdict> = () => "pass";
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();

  constructor(private readonly port: number) {
    this.#accept().catch(() => {}); // ended by the close
  }

  /** The URL of a server as its clients see it through here. */
  through(url: string): string {
    const own = (this.#listener.addr as Deno.NetAddr).port;
    return `${url.replace(`:${this.port}/`, `:${own}/`)}?sslmode=disable`;
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: this.port })
        .catch(() => null);
      if (server === null) {
        client.close();
        continue;
      }
      const link = new Link(client, server, (message) => this.judge(message));
      for (const conn of [client, server]) this.#conns.add(conn);
      link.run().finally(() => {
        for (const conn of [client, server]) this.#drop(conn);
      });
    }
  }

  #drop(conn: Deno.Conn): void {
    if (this.#conns.delete(conn)) close(conn);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of [...this.#conns]) this.#drop(conn);
    return Promise.resolve();
  }
}

/** One connection. */
class Link {
  #bytes = new Uint8Array(0);
  #isLoggedIn = false;
  #copied = 0;
  #isMute = false;
  #onAnswer = () => {};

  constructor(
    private readonly client: Deno.Conn,
    private readonly server: Deno.Conn,
    private readonly judge: (message: ClientMessage) => Verdict | Promise<Verdict>,
  ) {}

  /** Until one side ends it; both are closed then. */
  async run(): Promise<void> {
    const ends = [this.#up(), this.#down()].map((one) => one.catch(() => {}));
    await Promise.race(ends);
    close(this.client);
    close(this.server);
    await Promise.all(ends);
  }

  async #down(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    for (let count; (count = await this.server.read(buffer)) !== null;) {
      if (this.#isMute) this.#onAnswer();
      else await writeAll(this.client, buffer.subarray(0, count));
    }
  }

  async #up(): Promise<void> {
    const buffer = new Uint8Array(512 * 1024);
    for (let count; (count = await this.client.read(buffer)) !== null;) {
      this.#bytes = joined(this.#bytes, buffer.subarray(0, count));
      for (let message; (message = this.#next()) !== null;) {
        if (!await this.#pass(message)) return;
      }
    }
  }

  /** The next whole message. */
  #next(): Uint8Array | null {
    const bytes = this.#bytes;
    const at = this.#isLoggedIn ? 1 : 0;
    if (bytes.length < at + 4) return null;
    const end = at + new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
    if (bytes.length < end) return null;
    this.#bytes = bytes.slice(end);
    return bytes.subarray(0, end);
  }

  /** @returns false when the connection has to end. */
  async #pass(message: Uint8Array): Promise<boolean> {
    if (!this.#isLoggedIn) {
      // What asks for TLS or a cancel has another number, and no types behind it either.
      const view = new DataView(message.buffer, message.byteOffset);
      this.#isLoggedIn = view.getUint32(4) === startup;
      await writeAll(this.server, message);
      return true;
    }
    const type = String.fromCharCode(message[0] ?? 0);
    this.#copied = type === "d" ? this.#copied + 1 : 0;
    const sql = type === "Q" ? new TextDecoder().decode(message.slice(headerBytes, -1)) : "";
    const verdict = await this.judge({ type, sql, copied: this.#copied });
    if (verdict === "cut") return false;
    const answered = new Promise<void>((resolve) => this.#onAnswer = resolve);
    if (verdict !== "pass") this.#isMute = true;
    await writeAll(this.server, message);
    if (verdict !== "done and cut") return true;
    await answered;
    return false;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}
