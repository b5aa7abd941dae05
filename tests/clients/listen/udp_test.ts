import assert from "node:assert/strict";
import {
  type Datagrams,
  listenDatagrams,
  listenStream,
} from "../../../lib/clients/listen/listen.ts";
import { droppedIn } from "../../../lib/clients/listen/udp.ts";
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

Deno.test("datagrams that the kernel had no room for are counted", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const datagrams = listenDatagrams(parseListenUrl("udp://127.0.0.1:0"));
  assert.equal(datagrams.droppedByKernel(), 0);
  const conn = sender("127.0.0.1");
  const to = { transport: "udp", hostname: "127.0.0.1", port: datagrams.url.port } as const;
  const big = new Uint8Array(50_000);
  const sent = 200;
  for (let i = 0; i < sent; i++) await conn.send(big, to);
  const dropped = datagrams.droppedByKernel() ?? 0;
  assert.ok(dropped > 0 && dropped < sent, `${dropped} of ${sent}`);
  let held = 0;
  const buffer = new Uint8Array(65_536);
  const receiving = (async () => {
    while (await datagrams.receive(buffer) !== null) held++;
  })();
  await eventually("all is accounted for", () => held + dropped === sent);
  datagrams.stop();
  await receiving;
  conn.close();
});

/** Two sockets on port 514 (0202) and one on port 5140, as proc(5) shows them. */
const table =
  `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  101: 00000000:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 20001 2 0000000000000000 17
  102: 0100007F:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 20002 2 0000000000000000 3
  103: 00000000:1414 00000000:0202 07 00000000:00000000 00:00000000 00000000     0        0 20003 2 0000000000000000 99
`;

const counts: [port: number, dropped: number | null][] = [[514, 20], [5_140, 99], [5_141, null]];

for (const [port, dropped] of counts) {
  Deno.test(`droppedIn() sums what was dropped at port ${port}: ${dropped}`, () => {
    assert.equal(droppedIn(table, port), dropped);
  });
}

Deno.test("droppedIn() of an empty table does not say 0", () => {
  assert.equal(droppedIn("", 514), null);
  assert.equal(droppedIn(table.split("\n")[0] ?? "", 514), null);
});

Deno.test("a UDP port in use is told with what to do; TCP on the same port is no matter", async () => {
  const first = listenDatagrams(parseListenUrl("udp://127.0.0.1:0"));
  const { port } = first.url;
  await assertCannotListen(
    () => Promise.resolve().then(() => listenDatagrams(first.url)),
    "permanent",
    `Cannot listen on udp://127.0.0.1:${port}: `,
    "another port",
  );
  const tcp = await listenStream(parseListenUrl(`tcp://127.0.0.1:${port}`), { handshakeMs: 1_000 });
  tcp.stop();
  first.stop();
});
