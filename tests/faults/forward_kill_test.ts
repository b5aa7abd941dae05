// deno-lint-ignore-file no-console -- the counts are what is published
import assert from "node:assert/strict";
import { assertNothingLost, compareTopic } from "../support/arrival.ts";
import { waitForRecords } from "../support/kafka_reader.ts";
import { startKafka } from "../support/kafka_server.ts";
import { numberedKey, numberedLine, numberedLines } from "../support/numbered_lines.ts";
import { describeComparison } from "../support/oracle.ts";
import { freePort } from "../support/ports.ts";
import { Rsyslog } from "../support/rsyslog.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { delay, eventually, within } from "../support/waiting.ts";

const kills = Number(Deno.env.get("SLUICE_TEST_KILLS") ?? 50);
const linesPerRound = 4_000;

/** Waits until every line has been in the topic at least once; repetitions do not count for it. */
async function allArrived(bootstrap: string, topic: string, lines: readonly string[]) {
  // When too few have come, the comparison tells which are missing.
  await waitForRecords(bootstrap, topic, lines.length, 180_000).catch(() => {});
  return await eventually("every line in the topic", async () => {
    const seen = await compareTopic(bootstrap, topic, lines);
    return seen.lost.length === 0 ? seen : undefined;
  }, { timeoutMs: 120_000, everyMs: 2_000 }).catch(() => compareTopic(bootstrap, topic, lines));
}

/** Which of the numbered lines were lost, as ranges: `17-1024, 4000-4000`. */
function rangesOf(lost: readonly string[]): string {
  const numbers = lost.map((line) => Number.parseInt(numberedKey(line) ?? "")).sort((a, b) =>
    a - b
  );
  const firsts = numbers.filter((n, at) => n !== (numbers[at - 1] ?? NaN) + 1);
  const lasts = numbers.filter((n, at) => n !== (numbers[at + 1] ?? NaN) - 1);
  return firsts.map((first, at) => `${first}-${lasts[at]}`).join(", ");
}

Deno.test(`SIGKILL at ${kills} random moments under RELP load loses no line`, async () => {
  await using kafka = await startKafka();
  await kafka.createTopic("killed", { partitions: 2 });
  const port = freePort();
  const args = [
    "forward-syslog",
    `--kafka=${kafka.bootstrap}`,
    `--listen=relp://127.0.0.1:${port}`,
    "--topic=killed",
    "--format=raw",
  ];
  await using rsyslog = await Rsyslog.start({ protocol: "relp", port });
  const lines = [...numberedLines(kills * linesPerRound)];
  let given = 0;
  for (let kill = 0; kill < kills; kill++) {
    await using sluice = await SluiceProcess.start(args);
    await sluice.said("Forwarding");
    // Half of the lines are given before the sender has found us again, half while it sends.
    const half = lines.slice(given, given += linesPerRound);
    await rsyslog.inject(half.slice(0, linesPerRound / 2));
    const rest = rsyslog.inject(half.slice(linesPerRound / 2));
    await delay(Math.random() * 1_500);
    await sluice.end("SIGKILL");
    await rest;
  }
  await using sluice = await SluiceProcess.start(args);
  const seen = await allArrived(kafka.bootstrap, "killed", lines);
  assertNothingLost(seen);
  assert.equal(await sluice.end("SIGTERM"), 0);
  console.info(`${kills} kills: ${describeComparison(seen)}`);
});

Deno.test("SIGTERM under TCP load loses no line of a sender that comes back", async () => {
  const stops = 10;
  await using kafka = await startKafka();
  await kafka.createTopic("stopped", { partitions: 2 });
  const port = freePort();
  const args = [
    "forward-syslog",
    `--kafka=${kafka.bootstrap}`,
    `--listen=tcp://127.0.0.1:${port}`,
    "--topic=stopped",
    "--format=raw",
  ];
  await using rsyslog = await Rsyslog.start({ protocol: "tcp", port });
  const lines = [...numberedLines(200_000)];
  const injected = rsyslog.inject(lines);
  const logs: string[] = [];
  for (let stop = 0; stop < stops; stop++) {
    await using sluice = await SluiceProcess.start(args);
    await sluice.said("Forwarding");
    await delay(200 + Math.random() * 800);
    const code = await sluice.end("SIGTERM");
    logs.push(await sluice.log());
    assert.equal(code, 0, logs.at(-1));
  }
  await using sluice = await SluiceProcess.start(args);
  await injected;
  const seen = await allArrived(kafka.bootstrap, "stopped", lines);
  if (seen.lost.length > 0) {
    console.error([`lost: ${rangesOf(seen.lost)}`, ...logs, await sluice.log()].join("\n\n"));
  }
  assertNothingLost(seen);
  assert.equal(await sluice.end("SIGTERM"), 0);
  console.info(`${stops} stops: ${describeComparison(seen)}`);
});

Deno.test("what is written while a stopping sluice stands still is read when it goes on", async () => {
  await using kafka = await startKafka();
  await kafka.createTopic("frozen", { partitions: 1 });
  await using sluice = await SluiceProcess.start([
    "forward-syslog",
    `--kafka=${kafka.bootstrap}`,
    "--listen=tcp://127.0.0.1:0",
    "--topic=frozen",
    "--format=raw",
  ]);
  const port = await sluice.port("tcp");
  await sluice.said("Forwarding");
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const lines = [...numberedLines(100)];
  const encoder = new TextEncoder();
  await conn.write(encoder.encode(`${numberedLine(1)}\n`));
  sluice.process.signal("SIGTERM");
  assert.equal(await conn.read(new Uint8Array(1)), null, "we were not asked to leave");
  await sluice.process.freeze();
  await conn.write(encoder.encode(lines.slice(1).map((line) => `${line}\n`).join("")));
  // Longer than a sender may be silent that was asked to leave.
  await delay(3_000);
  assert.equal(await within(sluice.process.ended, 0), false);
  const ended = sluice.end("SIGCONT");
  await delay(500);
  conn.close();
  assert.equal(await ended, 0, await sluice.log());
  assertNothingLost(await compareTopic(kafka.bootstrap, "frozen", lines));
});

Deno.test("a second SIGTERM ends a stop that waits for Kafka, with 130 and the number of lines lost", async () => {
  await using kafka = await startKafka();
  await kafka.createTopic("away", { partitions: 1 });
  await using sluice = await SluiceProcess.start([
    "forward-syslog",
    `--kafka=${kafka.bootstrap}`,
    "--listen=tcp://127.0.0.1:0",
    "--topic=away",
    "--http=127.0.0.1:0",
  ]);
  const port = await sluice.port("tcp");
  await sluice.said("Forwarding");
  await kafka.kill("SIGKILL");
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode("<13>Nov 23 20:30:00 h t: kept\n"));
  conn.close();
  await eventually(
    "the line taken",
    async () => await sluice.metric("forward_messages_received_total") === 1,
  );
  sluice.process.signal("SIGTERM");
  await sluice.said("Stopping");
  assert.equal(await within(sluice.process.ended, 2_000), false);
  assert.equal(await sluice.end("SIGTERM"), 130);
  assert.match(await sluice.log(), /"Stopped before Kafka had acknowledged everything","lost":1/);
});
