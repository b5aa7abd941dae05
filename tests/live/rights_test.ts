import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { programRights, rightsFor } from "../../scripts/rights.ts";
import { makeCertificates } from "../support/certificates.ts";
import { type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { readAllKcat } from "../support/kcat_reader.ts";
import { sendLines } from "../support/line_sender.ts";
import { NotifySocket } from "../support/notify_socket.ts";
import { runCommand } from "../support/processes.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { eventually } from "../support/waiting.ts";

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
      await eventually(
        "all lines received",
        async () => await sluice.metric("forward_messages_received_total") === 3,
      );
      assert.equal(await sluice.end(), 0, await sluice.log());
      const records = await readAllKcat(kafka.bootstrap, topic, { expect: 3 });
      assert.deepEqual(
        records.map(({ value }) => new TextDecoder().decode(value)).sort(),
        ["<13>one", "<13>three", "<13>two"],
      );
    });
  }
  await t.step("archive with those of a program for its hosts and folders alone", async () => {
    await archivesNarrowly(kafka, folder);
  });
  await Deno.remove(folder, { recursive: true });
});

/**
 * The rights of `deno task compile --for archive --hosts KAFKA --folders FOLDER`, but for the sockets of
 * systemd, which lie elsewhere here, and for the program and its libraries, which are not in one file.
 */
async function narrowRights(
  kafka: KafkaServer,
  folder: string,
  notify: string,
): Promise<string[]> {
  const { text } = await runCommand([Deno.execPath(), "info", "--json"]);
  const { npmCache } = JSON.parse(text) as { npmCache: string };
  const program = [fileURLToPath(new URL("../../", import.meta.url)), npmCache].join(",");
  const hosts = kafka.bootstrap.split(",");
  return rightsFor({ command: "archive", hosts, folders: [folder] }).map((right) =>
    right.replaceAll("/run/systemd/notify", notify)
      .replaceAll("/run/sluice-archive/", `${folder}/`)
      .replace("--allow-read=", `--allow-read=${program},`)
  );
}

async function archivesNarrowly(kafka: KafkaServer, folder: string): Promise<void> {
  await using socket = await NotifySocket.start("file");
  const rights = await narrowRights(kafka, folder, socket.name);
  const env = { NOTIFY_SOCKET: socket.name, RUNTIME_DIRECTORY: folder };
  const args = ["archive", `--spool-dir=${folder}/spool`, "--include=with-gzip"];
  const run = async (...more: string[]) => {
    await using sluice = await SluiceProcess.start([...args, ...more], env, rights);
    await using _limit = { [Symbol.asyncDispose]: () => sluice.process.stop() };
    const { code } = await sluice.process.ended;
    return { code, log: await sluice.log() };
  };
  const at = `--kafka=${kafka.bootstrap}`;
  const done = await run(at, `--to=file://${folder}/archive`, "--once");
  assert.equal(done.code, 0, done.log);
  // The name that it sends from is a file then, as no other is allowed.
  await socket.heard(/^READY=1$/);

  const elsewhere = await Deno.makeTempDir();
  const refused = await run(at, `--to=file://${elsewhere}`, "--check");
  assert.notEqual(refused.code, 0);
  assert.match(refused.log, /Requires \w+ access|denied|may not/i);
  const foreign = await run("--kafka=localhost:1", `--to=file://${folder}/archive`, "--check");
  assert.notEqual(foreign.code, 0);
  assert.match(foreign.log, /EPERM localhost/);
  await Deno.remove(elsewhere, { recursive: true });
}
