import { type Head, HttpBytes, writeAll } from "./http_bytes.ts";
import { delay } from "./waiting.ts";

/** What can go wrong between sluice and a store. */
export const faultKinds = ["error", "cutRequest", "cutReply", "stall", "lostReply"] as const;

/**
 * - `error`: 500 InternalError or 503 SlowDown, and the store hears nothing of it;
 * - `cutRequest`: the connection ends in the middle of the request;
 * - `cutReply`: the store has done it, and the connection ends in the middle of its answer;
 * - `stall`: nothing happens for `stallMs`, then all goes its way;
 * - `lostReply`: the store has done it, and the connection ends before its answer.
 */
export type FaultKind = typeof faultKinds[number];

/** How many of a hundred requests meet each fault. */
export type FaultShares = Readonly<Partial<Record<FaultKind, number>>>;

const encoder = new TextEncoder();

/**
 * An HTTP proxy before a store that harms what passes it, by seeded chance. Requests go on byte for
 * byte, so their signatures hold.
 */
export class StoreFaults implements AsyncDisposable {
  /** May be changed at any time, for the requests after it. */
  shares: FaultShares = {};
  /** Requests whose line (`PUT /bucket/key HTTP/1.1`) matches are refused. */
  refused: RegExp | null = null;
  /** What refused ones get: 403 AccessDenied or 503 SlowDown. */
  refusal: "denied" | "busy" = "denied";
  stallMs = 30_000;
  /** How often each fault was met. */
  readonly counts: Record<FaultKind | "refused" | "passed", number> = {
    error: 0,
    cutRequest: 0,
    cutReply: 0,
    stall: 0,
    lostReply: 0,
    refused: 0,
    passed: 0,
  };
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  readonly #store: Deno.ConnectOptions;
  #seed: number;

  /** @param store HOST:PORT of the real one. */
  constructor(store: string, seed = 1) {
    const at = store.lastIndexOf(":");
    this.#store = { hostname: store.slice(0, at), port: Number(store.slice(at + 1)) };
    this.#seed = seed;
    this.#accept().catch(() => {}); // ended by the close
  }

  /** HOST:PORT of the proxy. */
  get address(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  /** All faults so far. */
  get faults(): number {
    return faultKinds.reduce((sum, kind) => sum + this.counts[kind], 0);
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      this.#conns.add(conn);
      this.#serve(conn).catch(() => {}).finally(() => this.#drop(conn));
    }
  }

  #drop(conn: Deno.Conn): void {
    if (!this.#conns.delete(conn)) return;
    try {
      conn.close();
    } catch {
      // Closed by its other side in this very moment.
    }
  }

  /** Requests of one connection, until one of them ends it. */
  async #serve(conn: Deno.Conn): Promise<void> {
    const client = new HttpBytes(conn);
    for (let head = await client.head(); head !== null; head = await client.head()) {
      if (!await this.#pass(client, head)) return;
    }
  }

  /** One request; false when its connection has to end. */
  async #pass(client: HttpBytes, head: Head): Promise<boolean> {
    if (this.refused?.test(head.line)) {
      this.counts.refused++;
      return await this.#answer(client, head, this.refusal);
    }
    const kind = this.#draw();
    this.counts[kind ?? "passed"]++;
    if (kind === "error") {
      return await this.#answer(client, head, this.#chance() < 0.5 ? "broken" : "busy");
    }
    if (kind === "stall") await delay(this.stallMs);
    const store = await Deno.connect(this.#store);
    this.#conns.add(store);
    try {
      if (!await sendOn(client, head, store, kind === "cutRequest")) return false;
      return await this.#answerOn(client, head, new HttpBytes(store), kind);
    } finally {
      this.#drop(store);
    }
  }

  /** The store's answer, or a part of it. */
  async #answerOn(
    client: HttpBytes,
    request: Head,
    store: HttpBytes,
    kind: FaultKind | null,
  ): Promise<boolean> {
    let head = await store.head();
    while (head?.line.startsWith("HTTP/1.1 1")) head = await store.head();
    if (head === null) return false;
    const status = head.line.split(" ")[1] ?? "";
    const hasBody = !request.line.startsWith("HEAD ") && !["204", "304"].includes(status);
    if (kind === "lostReply") {
      // The store may be cut short by the end of its connection: only a whole answer is a deed.
      if (hasBody) { for await (const _ of store.body(head, true)); }
      return false;
    }
    const text = encoder.encode(head.text);
    if (kind === "cutReply") {
      const length = hasBody ? Number(head.fields.get("content-length") ?? 0) : 0;
      await writeAll(client.conn, length > 0 ? text : text.subarray(0, text.length / 2));
      if (length > 0) await passSome(store.body(head), client.conn, length / 2);
      return false;
    }
    await writeAll(client.conn, text);
    if (hasBody) await passSome(store.body(head, true), client.conn, Infinity);
    const hasLength = head.fields.has("content-length") || head.fields.has("transfer-encoding");
    return !hasBody || hasLength;
  }

  async #answer(
    client: HttpBytes,
    head: Head,
    why: "denied" | "busy" | "broken",
  ): Promise<boolean> {
    const [status, code] = {
      denied: ["403 Forbidden", "AccessDenied"],
      busy: ["503 Service Unavailable", "SlowDown"],
      broken: ["500 Internal Server Error", "InternalError"],
    }[why] ?? [];
    await allowBody(client, head);
    for await (const _ of client.body(head));
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n` +
      `<Error><Code>${code}</Code><Message>By the tests</Message></Error>`;
    const fields = `Content-Type: application/xml\r\nContent-Length: ${body.length}`;
    const isHead = head.line.startsWith("HEAD ");
    await writeAll(
      client.conn,
      encoder.encode(`HTTP/1.1 ${status}\r\n${fields}\r\n\r\n${isHead ? "" : body}`),
    );
    return true;
  }

  #draw(): FaultKind | null {
    let drawn = this.#chance() * 100;
    for (const kind of faultKinds) {
      drawn -= this.shares[kind] ?? 0;
      if (drawn < 0) return kind;
    }
    return null;
  }

  /** The next number of the seeded row, 0 to 1. */
  #chance(): number {
    this.#seed = (this.#seed + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), this.#seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of [...this.#conns]) this.#drop(conn);
    return Promise.resolve();
  }
}

/** Hands a request to the store, or half of it; tells whether it went whole. */
async function sendOn(
  client: HttpBytes,
  head: Head,
  store: Deno.Conn,
  isCut: boolean,
): Promise<boolean> {
  // The proxy has told the client to go on; the store must not tell it again.
  const text = head.text.replace(/\r\nexpect:[^\r\n]*/i, "");
  const length = Number(head.fields.get("content-length") ?? 0);
  if (isCut && length === 0) return false;
  await writeAll(store, encoder.encode(text));
  await allowBody(client, head);
  return await passSome(client.body(head), store, isCut ? length / 2 : Infinity);
}

/** A client that has asked whether its body is welcome is told so. */
async function allowBody(client: HttpBytes, head: Head): Promise<void> {
  if (!/100-continue/i.test(head.fields.get("expect") ?? "")) return;
  await writeAll(client.conn, encoder.encode("HTTP/1.1 100 Continue\r\n\r\n"));
}

/** Passes at most so many bytes on; tells whether that was all. */
async function passSome(
  body: AsyncGenerator<Uint8Array>,
  to: Deno.Conn,
  most: number,
): Promise<boolean> {
  let left = most;
  for await (const piece of body) {
    await writeAll(to, piece.subarray(0, Math.min(piece.length, left)));
    left -= piece.length;
    if (left <= 0) return false;
  }
  return true;
}
