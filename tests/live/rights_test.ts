import assert from "node:assert/strict";
import { programRights } from "../../scripts/rights.ts";
import { makeCertificates } from "../support/certificates.ts";
import { startKafka } from "../support/kafka_server.ts";
import { readAllKcat } from "../support/kcat_reader.ts";
import { sendLines } from "../support/line_sender.ts";
import { SluiceProcess } from "../support/sluice_process.ts";

const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
const encoder = new TextEncoder();

async function sendOver(conn: Deno.Conn, line: string): Promise<void> {
  await conn.write(encoder.encode(`${line}\n`));
  await conn.closeWrite();
  // sluice closes when it has read to the end; by TLS it does so without a word.
  while (await conn.read(new Uint8Array(1024)).catch(() => null) !== null);
  conn.close();
}

Deno.test("forward-syslog needs no more rights than the compiled program has", async (t) => {
  const folder = await Deno.makeTempDir();
  const certificates = await makeCertificates(folder);
  await using kafka = await startKafka({ version: "3.9.1", chroot: "/logs" });
  // Each codec brings a library of its own, some with native code beside the portable one.
  for (const codec of codecs) {
    await t.step(`with ${codec}`, async () => {
      const topic = `with-${codec}`;
      await kafka.createTopic(topic);
      const socket = `${folder}/${codec}.sock`;
      await using sluice = await SluiceProcess.start(
        [
          "forward-syslog",
          `--zookeeper=${kafka.zookeeper}`,
          ...["--listen=tcp://127.0.0.1:0", "--listen=tls://127.0.0.1:0"],
          ...[`--listen=unix://${socket}`, "--http=127.0.0.1:0"],
          ...[`--tls-cert=${certificates.serverCert}`, `--tls-key=${certificates.serverKey}`],
          ...[`--topic=${topic}`, `--compression=${codec}`, "--format=raw"],
        ],
        {},
        programRights,
      );
      await sluice.said("Forwarding");
      await sendLines(await sluice.port("tcp"), ["<13>one"]);
      await sendOver(
        await Deno.connectTls({
          hostname: "localhost",
          port: await sluice.port("tls"),
          caCerts: [await Deno.readTextFile(certificates.ca)],
        }),
        "<13>two",
      );
      await sendOver(await Deno.connect({ transport: "unix", path: socket }), "<13>three");
      assert.equal(await sluice.metric("forward_messages_received_total"), 3);
      assert.equal(await sluice.end(), 0, await sluice.log());
      const records = await readAllKcat(kafka.bootstrap, topic, { expect: 3 });
      assert.deepEqual(
        records.map(({ value }) => new TextDecoder().decode(value)).sort(),
        ["<13>one", "<13>three", "<13>two"],
      );
    });
  }
  await Deno.remove(folder, { recursive: true });
});
