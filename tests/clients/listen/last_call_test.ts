import assert from "node:assert/strict";
import { type Listener, listenStream } from "../../../lib/clients/listen/listen.ts";
import { parseListenUrl } from "../../../lib/formats/listen_url.ts";
import { makeCertificates } from "../../support/certificates.ts";
import { delay, looksUntil, within } from "../../support/waiting.ts";
import { readText, writeText } from "./sockets.ts";

const folder = await Deno.makeTempDir({ prefix: "sluice-last-call-" });
const { serverCert: certPath, serverKey: keyPath, ca } = await makeCertificates(folder);
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

let sockets = 0;
const kinds = ["tcp://127.0.0.1:0", "tcp://0.0.0.0:0", "tcp://[::]:0", "unix", "tls://0.0.0.0:0"];

function open(kind: string): Promise<Listener> {
  const url = kind === "unix" ? `unix://${folder}/${sockets++}.sock` : kind;
  return listenStream(parseListenUrl(url), { tls: { certPath, keyPath }, handshakeMs: 30_000 });
}

/** Accepts until the listener has stopped and reads all to their ends: what each has sent. */
async function takeAll(listener: Listener): Promise<string[]> {
  const texts: Promise<string>[] = [];
  for (let peer = await listener.accept(); peer !== null; peer = await listener.accept()) {
    const { close } = peer;
    texts.push(readText(peer).finally(close.bind(peer)));
  }
  return await Promise.all(texts);
}

/** A thread of its own: connects, says so in `flag`, and sends a text on each connection. */
const senders = `
self.onmessage = async ({ data: { flag, to, count, caCert } }) => {
  const conns = [];
  for (let n = 0; n < count; n++) {
    conns.push(await Deno.connect(to.path === "" ? to : { transport: "unix", path: to.path }));
  }
  const send = async (conn, n) => {
    if (caCert) conn = await Deno.startTls(conn, { hostname: "localhost", caCerts: [caCert] });
    await conn.write(new TextEncoder().encode("sender " + n));
    conn.close();
  };
  // Over TLS nothing can be said before the listener's thread has answered.
  const sent = caCert ? [] : conns.map(send);
  await Promise.all(sent);
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
  if (caCert) await Promise.all(conns.map(send));
  self.close();
};
self.postMessage("ready");`;

const refused = 2;

/** A thread of its own that says in `flag` whether it can connect. */
const asking = `
self.onmessage = async ({ data: { flag, to } }) => {
  const isRefused = await Deno.connect(to.path === "" ? to : { transport: "unix", path: to.path })
    .then((conn) => conn.close(), () => true);
  Atomics.store(flag, 0, isRefused ? ${refused} : 1);
  Atomics.notify(flag, 0);
  self.close();
};
self.postMessage("ready");`;

async function started(code: string): Promise<Worker> {
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, { type: "module" });
  await new Promise((resolve) => worker.onmessage = resolve);
  return worker;
}

/** Stands still, as a process does that gets no turn, until so many senders have connected. */
async function standStill({ url }: Listener, count: number): Promise<void> {
  const worker = await started(senders);
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const to = { hostname: url.host === "0.0.0.0" ? "127.0.0.1" : url.host, port: url.port };
  const caCert = url.transport === "tls" ? await Deno.readTextFile(ca) : undefined;
  worker.postMessage({ flag, to: { ...to, path: url.path }, count, caCert });
  assert.notEqual(Atomics.wait(flag, 0, 0, 60_000), "timed-out");
}

for (const kind of kinds) {
  Deno.test(`${kind}: all are taken that had connected before the last call`, async () => {
    const listener = await open(kind);
    const taking = takeAll(listener);
    const count = 40;
    await standStill(listener, count);
    const called = listener.lastCall();
    assert.ok(await within(called, 60_000), "the last call came to no end");
    const texts = (await taking).filter((text) => text !== "");
    assert.deepEqual(texts.sort(), Array.from({ length: count }, (_, n) => `sender ${n}`).sort());
    assert.equal(await listener.accept(), null);
    listener.stop();
  });

  Deno.test(`${kind}: after a last call nobody gets into the queue any more`, async () => {
    const listener = await open(kind);
    const { path, host, port } = listener.url;
    const taking = takeAll(listener);
    const asker = await started(asking);
    const flag = new Int32Array(new SharedArrayBuffer(4));
    await listener.lastCall();
    asker.postMessage({
      flag,
      to: { path, hostname: host === "0.0.0.0" ? "127.0.0.1" : host, port },
    });
    // In this very turn: a sender that is asked to leave now may be back before the next.
    // "not-equal": it has answered already.
    assert.notEqual(Atomics.wait(flag, 0, 0, 60_000), "timed-out");
    assert.equal(Atomics.load(flag, 0), refused);
    await taking;
  });

  Deno.test(`${kind}: a last call with nobody there is short, and the call is not a peer`, async () => {
    const listener = await open(kind);
    const taking = takeAll(listener);
    const called = Promise.all([listener.lastCall(), listener.lastCall()]);
    // Were it not heard, it would be given up after twenty.
    const looks = await looksUntil(called, 100);
    assert.ok(looks < 15, `${looks} looks`);
    const texts = await taking;
    // What connects to a Unix socket has no name: there our own connection is a peer that says nothing.
    assert.deepEqual(texts, kind === "unix" ? [""] : []);
    await listener.lastCall();
  });
}

Deno.test("clients that came to nothing do not hold up a last call over TLS", async () => {
  const listener = await open("tls://127.0.0.1:0");
  const taking = takeAll(listener);
  const to = { hostname: "127.0.0.1", port: listener.url.port };
  const caCerts = [await Deno.readTextFile(ca)];
  for (const text of ["", "no TLS at all\n", null]) {
    const conn = await Deno.connect(to);
    const spoken = text === null ? await Deno.startTls(conn, { hostname: "x", caCerts }) : conn;
    await writeText(spoken, text ?? "to another host").catch(() => {});
    spoken.close();
  }
  const sender = await Deno.startTls(await Deno.connect(to), { hostname: "localhost", caCerts });
  await writeText(sender, "well");
  sender.close();
  // Were they waited for, it would be for twenty.
  const looks = await looksUntil(listener.lastCall(), 50);
  assert.ok(looks < 15, `${looks} looks`);
  assert.deepEqual(await taking, ["well"]);
});

Deno.test("a last call over TLS waits as long as somebody gets on with a handshake", async () => {
  const listener = await open("tls://127.0.0.1:0");
  const taking = takeAll(listener);
  const caCerts = [await Deno.readTextFile(ca)];
  const conns: Deno.TcpConn[] = [];
  for (let n = 0; n < 6; n++) {
    conns.push(await Deno.connect({ hostname: "127.0.0.1", port: listener.url.port }));
  }
  const called = listener.lastCall();
  // All together it takes longer than nobody may get any further.
  for (const [n, conn] of conns.entries()) {
    await delay(300);
    const sender = await Deno.startTls(conn, { hostname: "localhost", caCerts });
    await writeText(sender, `sender ${n}`);
    sender.close();
  }
  assert.ok(await within(called, 60_000), "the last call came to no end");
  assert.deepEqual((await taking).sort(), conns.map((_, n) => `sender ${n}`));
});

Deno.test("who has connected behind our own connection is taken, too", async () => {
  const listener = await open("tcp://127.0.0.1:0");
  await standStill(listener, 3);
  const called = listener.lastCall();
  // Our own connection is in the queue when this one has come.
  const late = await Deno.connect({ hostname: "127.0.0.1", port: listener.url.port });
  await writeText(late, "late");
  late.close();
  const texts = await takeAll(listener);
  await called;
  assert.deepEqual(texts, ["sender 0", "sender 1", "sender 2", "late"]);
});

Deno.test("a last call that nobody accepts, or to a listener that has stopped, comes to its end", async () => {
  for (const kind of ["tcp://127.0.0.1:0", "unix"]) {
    const listener = await open(kind);
    assert.ok(await within(listener.lastCall(), 60_000));
    assert.equal(await listener.accept(), null);
    const stopped = await open(kind);
    stopped.stop();
    await stopped.lastCall();
  }
});
