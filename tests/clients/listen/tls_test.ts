import assert from "node:assert/strict";
import { connect as connectRaw } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { type Listener, listenStream } from "../../../lib/clients/listen/listen.ts";
import { parseListenUrl } from "../../../lib/formats/listen_url.ts";
import { type CertificateSet, makeCertificates, sign } from "../../support/certificates.ts";
import { delay, eventually, within } from "../../support/waiting.ts";
import { accepted, assertCannotListen, readText, writeText } from "./sockets.ts";

const folder = await Deno.makeTempDir({ prefix: "sluice-tls-" });
const certificates: CertificateSet = await makeCertificates(folder);
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

const { serverCert: certPath, serverKey: keyPath, ca: caPath } = certificates;
/** Of the one test that waits for it; a machine that is busy takes longer over a handshake than that. */
const silenceMs = 1_000;

function open(
  { tls = { certPath, keyPath }, host = "127.0.0.1", handshakeMs = 60_000 }: {
    tls?: { certPath: string; keyPath: string; clientCaPath?: string };
    host?: string;
    handshakeMs?: number;
  } = {},
): Promise<Listener> {
  return listenStream(parseListenUrl(`tls://${host}:0`), { tls, handshakeMs });
}

/** A client that trusts the test's authority; resolves after the handshake, rejects when turned away. */
async function client(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const ca = await Deno.readTextFile(caPath);
  return await new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: "127.0.0.1", port, ca, ...options }, () => {
      resolve(socket);
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed")));
  });
}

async function identity(certificate: string, key: string): Promise<ConnectionOptions> {
  return { cert: await Deno.readTextFile(certificate), key: await Deno.readTextFile(key) };
}

function write(socket: TLSSocket, text: string): Promise<void> {
  return new Promise((resolve) => socket.write(text, () => resolve()));
}

function closed(socket: { once(event: "close", act: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => socket.once("close", resolve));
}

const plans: [protocol: "TLSv1.2", text: string][] = [
  ["TLSv1.2", "short"],
  ["TLSv1.2", "long ".repeat(20_000)],
];

for (const [protocol, text] of plans) {
  Deno.test(`${protocol}: ${text.length} bytes are read, answered, and read to their end`, async () => {
    const listener = await open();
    const sender = await client(listener.url.port, {
      minVersion: protocol,
      maxVersion: protocol,
    });
    assert.equal(sender.getProtocol(), protocol);
    const peer = await accepted(listener);
    assert.equal(peer.address, "127.0.0.1");
    const answer = new Promise<string>((resolve) => {
      let heard = "";
      sender.on("data", (chunk) => heard += chunk);
      sender.once("end", () => resolve(heard));
    });
    sender.end(text);
    assert.equal(await readText(peer), text);
    assert.equal(await peer.read(new Uint8Array(1)), null);
    await writeText(peer, "200 OK");
    await peer.closeWrite();
    assert.equal(await answer, "200 OK");
    peer.close();
    listener.stop();
  });
}

Deno.test("TLS 1.3 is not spoken, so nothing is ever sent that a sender would have to read", async () => {
  const listener = await open();
  const sender = await client(listener.url.port, {});
  assert.equal(sender.getProtocol(), "TLSv1.2");
  await assert.rejects(client(listener.url.port, { minVersion: "TLSv1.3" }));
  sender.destroy();
  listener.stop();
});

/** Connects by Deno's own TLS: its writes wait until the kernel has taken them. */
async function writer(port: number): Promise<Deno.TlsConn> {
  const caCerts = [await Deno.readTextFile(caPath)];
  return await Deno.connectTls({ hostname: "localhost", port, caCerts });
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

Deno.test("not to read is back-pressure, and what waits is read later, to its end", async () => {
  const listener = await open();
  const sender = await writer(listener.url.port);
  const peer = await accepted(listener);
  const chunk = new Uint8Array(1_000_000);
  let written = 0;
  let isEnough = false;
  const pushing = (async () => {
    while (!isEnough) {
      await writeAll(sender, chunk);
      written++;
    }
    sender.close();
  })();
  assert.equal(await within(pushing, 1_000), false);
  assert.ok(written < 20, `${written} MB were taken that nobody has read`);
  isEnough = true;
  const buffer = new Uint8Array(65_536);
  let read = 0;
  for (let n = await peer.read(buffer); n !== null; n = await peer.read(buffer)) read += n;
  await pushing;
  assert.equal(read, written * chunk.length);
  peer.close();
  listener.stop();
});

Deno.test("a sender that has closed while much of it is unread is read to its end", async () => {
  const listener = await open();
  // From less than a socket's buffer to several of them; the time before reading differs, too.
  for (const [bytes, afterMs] of [[50_000, 100], [200_000, 0], [555_000, 0], [555_000, 200]]) {
    const sender = await writer(listener.url.port);
    const peer = await accepted(listener);
    const writing = writeAll(sender, new Uint8Array(bytes ?? 0)).then(() => sender.close());
    await delay(afterMs ?? 0);
    const buffer = new Uint8Array(65_536);
    let read = 0;
    const reading = (async () => {
      for (let n = await peer.read(buffer); n !== null; n = await peer.read(buffer)) read += n;
    })();
    assert.ok(await within(reading, 60_000), `no end of ${bytes} bytes after ${read}`);
    assert.equal(read, bytes);
    await writing;
    peer.close();
  }
  listener.stop();
});

Deno.test("closeWrite() lets the sender see that we leave, and what it still sends is read", async () => {
  const listener = await open();
  const sender = await client(listener.url.port, { allowHalfOpen: true } as ConnectionOptions);
  const peer = await accepted(listener);
  const ended = new Promise<void>((resolve) => sender.once("end", resolve));
  sender.resume();
  const closing = peer.closeWrite();
  await ended;
  sender.end("<13>still here\n");
  assert.equal(await readText(peer), "<13>still here\n");
  await closing;
  peer.close();
  listener.stop();
});

Deno.test("TLS older than 1.2 is turned away", async () => {
  const listener = await open();
  const { success, stdout, stderr } = await new Deno.Command("openssl", {
    args: [
      ...["s_client", "-connect", `127.0.0.1:${listener.url.port}`],
      ...["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    ],
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  const said = text.decode(stdout) + text.decode(stderr);
  assert.ok(!success, "no session");
  assert.match(said, /alert (protocol version|handshake failure)|no protocols available/);
  listener.stop();
});

Deno.test("with a client CA: its certificates are let in, others and none are turned away", async () => {
  const listener = await open({ tls: { certPath, keyPath, clientCaPath: caPath } });
  const { port } = listener.url;
  const known = await identity(certificates.clientCert, certificates.clientKey);
  const unknown = await identity(certificates.wrongClientCert, certificates.wrongClientKey);
  for (const options of [{}, unknown]) {
    // TLS 1.3 turns a client away only after the client thinks that all is well.
    const turnedAway = client(port, options).then(async (sender) => {
      sender.on("error", () => {}).resume();
      assert.ok(await within(closed(sender), 60_000), "it may stay");
    }, () => {});
    await turnedAway;
  }
  const sender = await client(port, known);
  const peer = await accepted(listener);
  await write(sender, "let in");
  assert.equal(await readText(peer, 6), "let in", "nobody who was turned away came through");
  sender.destroy();
  peer.close();
  listener.stop();
});

Deno.test("a client that says nothing, or no TLS, is cut; others are served meanwhile", async () => {
  const listener = await open({ handshakeMs: silenceMs });
  const { port } = listener.url;
  const silent = connectRaw(port, "127.0.0.1");
  const plain = connectRaw(port, "127.0.0.1", () => plain.write("<13>a sender without TLS\n"));
  const begun = performance.now();
  for (const one of [silent, plain]) one.on("error", () => {}).resume();
  const cuts = Promise.all([closed(silent), closed(plain)]);
  // Each try has as much time as the silent one.
  const sender = await eventually(
    "a sender that is served",
    () => client(port).catch(() => undefined),
  );
  const peer = await accepted(listener);
  await write(sender, "served");
  assert.equal(await readText(peer, 6), "served");
  assert.ok(await within(cuts, 60_000), "still connected");
  assert.ok(performance.now() - begun >= silenceMs - 20, "the silent one had its time");
  sender.destroy();
  peer.close();
  listener.stop();
});

Deno.test("senders that left before they were accepted: what they sent is read, then the end", async () => {
  const listener = await open();
  for (const text of ["last words", ""]) {
    const sender = await client(listener.url.port);
    if (text !== "") await write(sender, text);
    sender.destroy();
    await closed(sender);
  }
  await delay(200);
  for (const text of ["last words", ""]) {
    const peer = await accepted(listener);
    const reading = readText(peer);
    assert.ok(await within(reading, 60_000), `reading "${text}" came to no end`);
    assert.equal(await reading, text);
    peer.close();
  }
  listener.stop();
});

Deno.test("a close ends a read under way, and stop() ends accept()", async () => {
  const listener = await open();
  const sender = await client(listener.url.port);
  const peer = await accepted(listener);
  const reading = peer.read(new Uint8Array(8));
  peer.close();
  assert.equal(await reading, null);
  peer.close();
  await peer.closeWrite();
  const accepting = listener.accept();
  listener.stop();
  listener.stop();
  assert.equal(await accepting, null);
  assert.equal(await listener.accept(), null);
  sender.destroy();
});

Deno.test("writing to a sender that has gone is a transient fault", async () => {
  const listener = await open();
  const sender = await client(listener.url.port);
  const peer = await accepted(listener);
  sender.destroy();
  await assert.rejects(async () => {
    for (let i = 0; i < 100; i++) await writeText(peer, "x".repeat(100_000));
  }, { fault: "transient" });
  peer.close();
  listener.stop();
});

Deno.test("reload() gives new connections the new certificate and leaves old ones alone", async () => {
  const name = "renewed";
  await sign(folder, "ca", name, "first");
  const tls = { certPath: `${folder}/${name}.pem`, keyPath: `${folder}/${name}-key.pem` };
  const listener = await open({ tls });
  const { port } = listener.url;
  const nameOf = (socket: TLSSocket) => String(socket.getPeerCertificate().subject?.CN);
  const old = await client(port);
  const oldPeer = await accepted(listener);
  assert.equal(nameOf(old), "first");
  await sign(folder, "ca", name, "second");
  await listener.reload();
  const fresh = await client(port);
  assert.equal(nameOf(fresh), "second");
  await Deno.writeTextFile(tls.certPath, "no certificate");
  await assertCannotListen(() => listener.reload(), "permanent", tls.certPath, "in PEM");
  const after = await client(port);
  assert.equal(nameOf(after), "second", "bad certificates change nothing");
  await write(old, "on");
  assert.equal(await readText(oldPeer, 2), "on");
  for (const socket of [old, fresh, after]) socket.destroy();
  oldPeer.close();
  listener.stop();
});

Deno.test("a listener that cannot be opened says which file or port, and what to do", async () => {
  const missing = `${folder}/gone.pem`;
  const text = `${folder}/text.pem`;
  await Deno.writeTextFile(text, "no certificate");
  const refused: [tls: Parameters<typeof open>[0], ...words: string[]][] = [
    [{ tls: { certPath: missing, keyPath } }, `read certificate ${missing}`, "no such file"],
    [{ tls: { certPath, keyPath: missing } }, `read private key ${missing}`, "no such file"],
    [
      { tls: { certPath, keyPath, clientCaPath: missing } },
      `read client CA ${missing}`,
      "no such file",
    ],
    [{ tls: { certPath: text, keyPath } }, `use certificate ${text}`, "no certificate in PEM"],
    [{ tls: { certPath, keyPath: text } }, `use private key ${text}`, "no private key in PEM"],
    [
      { tls: { certPath, keyPath: certificates.clientKey } },
      `use private key ${certificates.clientKey}`,
      "does not belong to the certificate",
    ],
    [{ tls: { certPath, keyPath, clientCaPath: text } }, `use client CA ${text}`, "PEM"],
    [{ host: "192.0.2.1" }, "tls://192.0.2.1:0", "no such address"],
  ];
  for (const [how, ...words] of refused) {
    await assertCannotListen(() => open(how), "permanent", ...words);
  }
  const first = await open();
  await assertCannotListen(
    () => listenStream(first.url, { tls: { certPath, keyPath }, handshakeMs: silenceMs }),
    "permanent",
    first.url.text,
    "another port",
  );
  first.stop();
});
