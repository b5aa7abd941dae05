import assert from "node:assert/strict";
import { type CertificateSet, makeCertificates, sign } from "../support/certificates.ts";
import { startKafka } from "../support/kafka_server.ts";
import { readAllKcat } from "../support/kcat_reader.ts";
import type { SluiceProcess } from "../support/sluice_process.ts";
import { eventually } from "../support/waiting.ts";
import { finish, sendOver, startForwarding } from "./forwarding.ts";

/** A connection of a sender that trusts this authority alone. */
async function connect(sluice: SluiceProcess, ca: string): Promise<Deno.TlsConn> {
  const conn = await Deno.connectTls({
    hostname: "localhost",
    port: await sluice.port("tls"),
    caCerts: [await Deno.readTextFile(ca)],
  });
  await conn.handshake();
  return conn;
}

async function refuses(sluice: SluiceProcess, ca: string): Promise<void> {
  await assert.rejects(connect(sluice, ca), /UnknownIssuer|invalid peer certificate/);
}

/** Sends SIGHUP and waits for the next line of the log that tells what came of it. */
async function hangUp(sluice: SluiceProcess, says: string): Promise<string> {
  const before = (await sluice.log()).length;
  sluice.process.signal("SIGHUP");
  return await eventually(
    `a new line with ${says}`,
    async () => (await sluice.log()).slice(before).split("\n").find((line) => line.includes(says)),
  );
}

async function reloads(sluice: SluiceProcess, set: CertificateSet): Promise<void> {
  const old = await connect(sluice, set.ca);
  await refuses(sluice, set.wrongCa);
  // The other authority signs a new certificate in the old one's place.
  await sign(set.folder, "wrong-ca", "server", "localhost");
  await refuses(sluice, set.wrongCa);
  const said = await hangUp(sluice, "Certificates reloaded");
  assert.match(said, /tls:\/\//);
  assert.doesNotMatch(await sluice.log(), /reloaded.*tcp:\/\//);
  await refuses(sluice, set.ca);
  await sendOver(await connect(sluice, set.wrongCa), "<13>new\n");
  await sendOver(old, "<13>old\n");
}

async function keepsOut(sluice: SluiceProcess, set: CertificateSet): Promise<void> {
  const cert = await Deno.readTextFile(set.serverCert);
  const bad: [name: string, contents: string, says: RegExp][] = [
    ["no certificate at all", "nonsense", /it holds no certificate in PEM/],
    [
      "the certificate of another key",
      await Deno.readTextFile(set.clientCert),
      /it does not belong to the certificate/,
    ],
  ];
  for (const [name, contents, says] of bad) {
    await Deno.writeTextFile(set.serverCert, contents);
    const said = await hangUp(sluice, "the certificates as they were");
    assert.match(said, says);
    assert.equal(JSON.parse(said).level, "error");
    await sendOver(await connect(sluice, set.wrongCa), `<13>${name}\n`);
  }
  await Deno.remove(set.serverCert);
  assert.match(await hangUp(sluice, "the certificates as they were"), /there is no such file/);
  await Deno.writeTextFile(set.serverCert, cert);
  await hangUp(sluice, "Certificates reloaded");
}

Deno.test("SIGHUP gives new connections new certificates and keeps out bad ones", async () => {
  const folder = await Deno.makeTempDir();
  const set = await makeCertificates(folder);
  await using kafka = await startKafka();
  await kafka.createTopic("syslog");
  await using sluice = await startForwarding([
    `--kafka=${kafka.bootstrap}`,
    "--listen=tls://127.0.0.1:0,tcp://127.0.0.1:0",
    `--tls-cert=${set.serverCert}`,
    `--tls-key=${set.serverKey}`,
    "--format=raw",
  ]);
  await reloads(sluice, set);
  await keepsOut(sluice, set);
  const decoder = new TextDecoder();
  const records = await readAllKcat(kafka.bootstrap, "syslog", { expect: 4 });
  assert.deepEqual(records.map(({ value }) => decoder.decode(value)).sort(), [
    "<13>new",
    "<13>no certificate at all",
    "<13>old",
    "<13>the certificate of another key",
  ]);
  await finish(sluice);
  await Deno.remove(folder, { recursive: true });
});
