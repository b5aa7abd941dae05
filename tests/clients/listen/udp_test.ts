import assert from "node:assert/strict";
import {
  type Datagrams,
  listenDatagrams,
  listenStream,
} from "../../../lib/clients/listen/listen.ts";
import { parseListenUrl } from "../../../lib/formats/listen_url.ts";
import { eventually } from "../../support/waiting.ts";
import { assertCannotListen } from "./sockets.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

function sender(hostname: string): Deno.DatagramConn {
  return Deno.listenDatagram({ hostname, port: 0, transport: "udp" });
}

async function received(datagrams: Datagrams): Promise<[text: string, address: string]> {
  const buffer = new Uint8Array(65_536);
  const one = await datagrams.receive(buffer);
  assert.ok(one, "the socket was stopped");
  return [decoder.decode(buffer.subarray(0, one.length)), one.address];
}

for (const host of ["127.0.0.1", "::1"]) {
  Deno.test(`datagrams to ${host} come whole, one by one, with their sender`, async () => {
    const datagrams = listenDatagrams(parseListenUrl(`udp://${host === "::1" ? "[::1]" : host}:0`));
    const conn = sender(host);
    const to = { transport: "udp", hostname: host, port: datagrams.url.port } as const;
    for (const text of ["<13>one\n", "", "<13>two", "x".repeat(60_000)]) {
      await conn.send(encoder.encode(text), to);
      assert.deepEqual(await received(datagrams), [text, host]);
    }
    datagrams.stop();
    conn.close();
  });
}

Deno.test("stop() ends a receive under way, and all that come later", async () => {
  const datagrams = listenDatagrams(parseListenUrl("udp://127.0.0.1:0"));
  const receiving = datagrams.receive(new Uint8Array(8));
  datagrams.stop();
  datagrams.stop();
  assert.equal(await receiving, null);
  assert.equal(await datagrams.receive(new Uint8Array(8)), null);
});

Deno.test("a UDP port in use is told with what to do; TCP on the same port is no matter", async () => {
  // By TCP its port may be somebody else's.
  const [first, tcp] = await eventually("a port that is free by TCP, too", async () => {
    const datagrams = listenDatagrams(parseListenUrl("udp://127.0.0.1:0"));
    const url = parseListenUrl(`tcp://127.0.0.1:${datagrams.url.port}`);
    const stream = await listenStream(url, { handshakeMs: 1_000 }).catch(() => undefined);
    if (stream !== undefined) return [datagrams, stream] as const;
    datagrams.stop();
    return undefined;
  });
  const { port } = first.url;
  await assertCannotListen(
    () => Promise.resolve().then(() => listenDatagrams(first.url)),
    "permanent",
    `Cannot listen on udp://127.0.0.1:${port}: `,
    "another port",
  );
  tcp.stop();
  first.stop();
});
