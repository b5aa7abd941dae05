import assert from "node:assert/strict";
import { RiemannTcp } from "../../../lib/clients/reporters/riemann_tcp.ts";
import type { Place } from "../../../lib/clients/reporters/reporters.ts";
import { SluiceError } from "../../../lib/core/errors.ts";
import { entry, report } from "./reports.ts";

const identity = { host: "h", prefix: "s.", tags: [], attributes: {}, ttlSeconds: 30 };
const taken = [0, 0, 0, 2, 0x10, 1];

/** What a server does with the n-th message of all connections: bytes to answer, or close, or nothing. */
type Manner = (message: number) => readonly number[] | "close" | "nothing";

/** A server that answers each message as told; it does not look into them. */
class Answering implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  readonly #done: Promise<void>;
  messages = 0;
  connections = 0;
  /** Lengths of the messages as their heads tell. */
  readonly lengths: number[] = [];

  constructor(private readonly manner: Manner) {
    this.#done = this.#serve();
  }

  get place(): Place {
    const { port } = this.#listener.addr as Deno.NetAddr;
    return { transport: "tcp", host: "127.0.0.1", port, text: `tcp://127.0.0.1:${port}` };
  }

  async #serve(): Promise<void> {
    const all: Promise<void>[] = [];
    for await (const conn of this.#listener) {
      this.connections++;
      this.#conns.add(conn);
      all.push(this.#answer(conn).catch(() => {}).finally(() => this.#conns.delete(conn)));
    }
    await Promise.all(all);
  }

  async #answer(conn: Deno.Conn): Promise<void> {
    const reader = conn.readable.getReader();
    const writer = conn.writable.getWriter();
    let held = new Uint8Array(0);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      held = new Uint8Array([...held, ...value]);
      while (held.length >= 4) {
        const length = new DataView(held.buffer).getUint32(0);
        if (held.length < 4 + length) break;
        held = held.slice(4 + length);
        this.lengths.push(length);
        const answer = this.manner(++this.messages);
        if (answer === "close") return conn.close();
        if (answer !== "nothing") await writer.write(new Uint8Array(answer));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) {
      try {
        conn.close();
      } catch {
        // It has ended.
      }
    }
    await this.#done;
  }
}

const never = new AbortController().signal;

function events(count: number) {
  return report(Array.from({ length: count }, (_, value) => entry({ value })));
}

/** Sends once; gives the fault's text, or "" when all was acknowledged. */
async function trial(place: Place, waitMs = 60_000, count = 1): Promise<string> {
  const outlet = new RiemannTcp(place, identity, waitMs);
  try {
    await outlet.send(events(count), never);
    return "";
  } catch (thrown) {
    assert.ok(thrown instanceof SluiceError && thrown.fault === "transient", String(thrown));
    return thrown.message;
  } finally {
    outlet.close();
  }
}

Deno.test("a report goes in messages of 200 events over one connection, each acknowledged", async () => {
  await using server = new Answering(() => taken);
  const outlet = new RiemannTcp(server.place, identity);
  await outlet.send(events(450), never);
  await outlet.send(events(1), never);
  outlet.close();
  assert.deepEqual([server.messages, server.connections], [4, 1]);
  assert.ok(server.lengths.every((length) => length < 32 * 1024));
});

Deno.test("the answer may come byte by byte", async () => {
  const outletOf = (place: Place) => new RiemannTcp(place, identity);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const served = (async () => {
    const conn = await listener.accept();
    await conn.read(new Uint8Array(4096));
    for (const byte of taken) {
      await conn.write(new Uint8Array([byte]));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return conn;
  })();
  const outlet = outletOf({ transport: "tcp", host: "127.0.0.1", port, text: "tcp://x" });
  await outlet.send(events(1), never);
  outlet.close();
  (await served).close();
  listener.close();
});

const wrong: [what: string, manner: Manner, reason: RegExp][] = [
  ["refuses", () => [0, 0, 0, 6, 0x10, 0, 0x1a, 2, 0x6e, 0x1b], /it refuses the events: n\\u001b$/],
  ["closes", () => "close", /closed the connection|reset/],
  ["is no Riemann", () => [0x48, 0x54, 0x54, 0x50], /claims 1213486160 bytes: that is no Riemann/],
  ["answers rubbish", () => [0, 0, 0, 2, 0x10, 0xff], /./],
  ["says nothing", () => "nothing", /no answer for 300 ms/],
];

for (const [what, manner, reason] of wrong) {
  Deno.test(`a server that ${what} is a fault that may pass, told with where`, async () => {
    await using server = new Answering(manner);
    const message = await trial(server.place, what === "says nothing" ? 300 : 60_000);
    assert.match(message, reason);
    assert.ok(message.startsWith(`Cannot report to Riemann at ${server.place.text}: `), message);
  });
}

Deno.test("a server that is away is told", async () => {
  const server = new Answering(() => taken);
  const { place } = server;
  await server[Symbol.asyncDispose]();
  assert.match(await trial(place), /refused/);
});

Deno.test("a connection that the server closed since the last report is made anew without a word", async () => {
  await using server = new Answering((message) => message === 2 ? "close" : taken);
  const outlet = new RiemannTcp(server.place, identity);
  await outlet.send(events(1), never);
  await outlet.send(events(1), never);
  outlet.close();
  assert.deepEqual([server.messages, server.connections], [3, 2]);
});

Deno.test("an abort ends a wait at once", async () => {
  await using server = new Answering(() => "nothing");
  const outlet = new RiemannTcp(server.place, identity, 60_000);
  const abort = new AbortController();
  const sent = outlet.send(events(1), abort.signal);
  const timer = setTimeout(() => abort.abort(), 100);
  await assert.rejects(sent, { fault: "transient" });
  clearTimeout(timer);
});

Deno.test("check() asks without an event", async () => {
  await using server = new Answering(() => taken);
  await new RiemannTcp(server.place, identity).check();
  assert.deepEqual(server.lengths, [0]);
  await using refusing = new Answering(() => "close");
  await assert.rejects(new RiemannTcp(refusing.place, identity).check(), { fault: "transient" });
});
