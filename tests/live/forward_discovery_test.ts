import assert from "node:assert/strict";
import { assertArrivedOnce } from "../support/arrival.ts";
import { startKafka } from "../support/kafka_server.ts";
import { readAllKcat } from "../support/kcat_reader.ts";
import { sendLines } from "../support/line_sender.ts";
import { numberedLines } from "../support/numbered_lines.ts";
import { freePort } from "../support/ports.ts";
import {
  check,
  finish,
  meanwhile,
  notReady,
  send,
  startForwarding,
  startWaiting,
} from "./forwarding.ts";

/** `--check` cannot find the brokers and says why in one line. */
async function cannotFind(zookeeper: string, says: RegExp): Promise<void> {
  const { code, said } = await check([`--zookeeper=${zookeeper}`]);
  assert.equal(code, 10, said);
  const lines = said.split("\n").filter((line) => line.startsWith("sluice: "));
  assert.equal(lines.length, 1, said);
  assert.match(lines[0] ?? "", says);
}

Deno.test("brokers are found through ZooKeeper, and found again when all have moved", async (t) => {
  await using kafka = await startKafka({ version: "3.9.1", chroot: "/logs/eu" });
  await t.step("a wrong chroot is said", async () => {
    const [hosts] = kafka.zookeeper.split("/");
    await cannotFind(
      `${hosts}/logs/us`,
      /there is no \/logs\/us\/brokers\/ids: the chroot is wrong, or .*KRaft.*: give --kafka/,
    );
  });
  await t.step("a daemon with a wrong chroot says so and is not ready", async () => {
    const [hosts] = kafka.zookeeper.split("/");
    await using sluice = await startWaiting([`--zookeeper=${hosts}/logs/us`]);
    await notReady(sluice, /there is no \/logs\/us\/brokers\/ids/);
    assert.equal(await sluice.end("SIGTERM"), 0);
  });
  await t.step("all brokers move to other addresses while lines pour in", async () => {
    await kafka.createTopic("moved", { partitions: 2 });
    await using sluice = await startForwarding([
      `--zookeeper=${kafka.zookeeper}`,
      "--topic=moved",
      "--format=raw",
      "--memory=4MiB",
    ]);
    const port = await sluice.port("tcp");
    const first = [...numberedLines(1_000, "before")];
    await sendLines(port, first);
    const lines = [...numberedLines(100_000, "during")];
    const moved = kafka.move();
    const sent = meanwhile(sendLines(port, lines));
    await moved;
    await sent;
    const last = [...numberedLines(1_000, "after")];
    await sendLines(port, last);
    const all = [...first, ...lines, ...last];
    await assertArrivedOnce(kafka.bootstrap, "moved", all);
    await finish(sluice);
  });
  await t.step("a template's topics are looked for through ZooKeeper, too", async () => {
    await kafka.createTopic("via.h");
    await using sluice = await startForwarding([
      `--zookeeper=${kafka.zookeeper}`,
      "--topic=via.{hostname}",
    ]);
    await send(sluice, "<13>Nov 23 20:30:00 h a: x\n");
    await readAllKcat(kafka.bootstrap, "via.h", { expect: 1 });
    await finish(sluice);
  });
});

Deno.test("a cluster without ZooKeeper is told to be one, whatever --zookeeper points at", async (t) => {
  await using kafka = await startKafka();
  await t.step(
    "a port where nobody listens",
    () =>
      cannotFind(
        `127.0.0.1:${freePort()}`,
        /give --kafka if the cluster does without ZooKeeper \(KRaft\)/,
      ),
  );
  await t.step(
    "the broker's own port",
    () =>
      cannotFind(kafka.bootstrap, /give --kafka if the cluster does without ZooKeeper \(KRaft\)/),
  );
});
