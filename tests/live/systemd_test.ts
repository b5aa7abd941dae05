import assert from "node:assert/strict";
import { programRights } from "../../scripts/rights.ts";
import { startKafka } from "../support/kafka_server.ts";
import { sendLines } from "../support/line_sender.ts";
import { NotifySocket } from "../support/notify_socket.ts";
import { freePort } from "../support/ports.ts";
import { cpuSecondsOf } from "../support/proc.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { TempFiles } from "../support/temp_files.ts";
import { delay, eventually } from "../support/waiting.ts";

/** A watchdog that wants to be fed each 200 ms. */
const watchdogUsec = 400_000;

function environment(socket: NotifySocket): Record<string, string> {
  return { NOTIFY_SOCKET: socket.name, WATCHDOG_USEC: String(watchdogUsec) };
}

async function start(socket: NotifySocket, args: readonly string[]): Promise<SluiceProcess> {
  return await SluiceProcess.start(args, environment(socket), programRights);
}

/** The watchdog is fed again and again, often enough, by the process itself. */
async function assertFed(socket: NotifySocket, sluice: SluiceProcess): Promise<void> {
  const before = await socket.count("WATCHDOG=1");
  await eventually("five more feeds", async () => (await socket.count("WATCHDOG=1")) >= before + 5);
  const told = await socket.told();
  assert.ok(told.every(({ pid }) => pid === sluice.pid), "another process has told something");
}

/** For how long the thread of the event loop has had a processor, seconds: whatever else ran meanwhile. */
function workedSeconds(pid: number): Promise<number> {
  return cpuSecondsOf(`${pid}/task/${pid}`);
}

Deno.test("forward-syslog is READY when it listens, feeds the watchdog, and is STOPPING at a drain", async () => {
  await using kafka = await startKafka();
  await kafka.createTopic("syslog");
  await using socket = await NotifySocket.start("file");
  await using sluice = await start(socket, [
    ...["forward-syslog", `--kafka=${kafka.bootstrap}`, "--listen=tcp://127.0.0.1:0"],
  ]);
  const port = await sluice.port("tcp");
  assert.equal((await socket.heard(/^READY=1$/)).pid, sluice.pid);
  // It was told when somebody listened.
  await sendLines(port, ["<13>one"]);
  await socket.heard(/^STATUS=working$/);
  await assertFed(socket, sluice);
  assert.equal(await socket.count("STOPPING=1"), 0);
  assert.equal(await sluice.end(), 0, await sluice.log());
  await socket.settle();
  assert.equal(await socket.count("READY=1"), 1);
  assert.equal(await socket.count("STOPPING=1"), 1);
  assert.match((await socket.heard(/^STOPPING=1$/)).text, /^STATUS=finishing/m);
});

Deno.test("forward-syslog without a Kafka is READY all the same, and its status tells why it waits", async () => {
  await using socket = await NotifySocket.start("abstract");
  const port = freePort();
  await using sluice = await start(socket, [
    ...["forward-syslog", "--kafka=127.0.0.1:1", `--listen=tcp://127.0.0.1:${port}`],
  ]);
  await socket.heard(/^READY=1$/);
  (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  await socket.heard(/^STATUS=Kafka: Cannot connect to Kafka at 127\.0\.0\.1:1/);
  await assertFed(socket, sluice);
  assert.equal(await sluice.end(), 0, await sluice.log());
  await socket.heard(/^STOPPING=1$/);
});

Deno.test("archive, ingest and replicate --watch tell systemd the same", async (t) => {
  await using files = await TempFiles.of();
  const commands = {
    archive: ["archive", "--kafka=127.0.0.1:1", `--to=file://${files.path("to")}`],
    ingest: ["ingest", `--from=file://${files.folder}`],
    replicate: [
      ...["replicate", "--source-project=one", "--source-dataset=a", "--destination-dataset=b"],
      ...["--watch=1h", "--bigquery-endpoint=http://127.0.0.1:1"],
    ],
  };
  for (const [name, args] of Object.entries(commands)) {
    await t.step(name, async () => {
      await using socket = await NotifySocket.start("abstract");
      await using sluice = await start(socket, args);
      await socket.heard(/^READY=1$/);
      await socket.heard(/^STATUS=./);
      await assertFed(socket, sluice);
      await sluice.end();
      await socket.heard(/^STOPPING=1$/);
    });
  }
});

Deno.test("The watchdog is not fed while the event loop hangs, nor while the process stands still", async () => {
  await using files = await TempFiles.of();
  await using socket = await NotifySocket.start("file");
  // A pattern that takes longer than the world exists for a name as the one below.
  await using sluice = await start(socket, [
    ...["ingest", `--from=file://${files.folder}`, "--poll-interval=100ms"],
    "--key-pattern=(a+)+b",
  ]);
  await socket.heard(/^READY=1$/);
  await assertFed(socket, sluice);

  const assertMute = async () => {
    await socket.settle();
    const before = (await socket.told()).length;
    await delay(3 * watchdogUsec / 1_000);
    await socket.settle();
    assert.equal((await socket.told()).length, before);
  };
  await sluice.process.freeze();
  await assertMute();
  sluice.process.signal("SIGCONT");
  await assertFed(socket, sluice);

  const folder = files.path("a".repeat(60));
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/manifest.edn`, "{}");
  let fed = { times: -1, atSeconds: 0 };
  await eventually("the loop works for a second and feeds nobody", async () => {
    const seconds = await workedSeconds(sluice.pid);
    await socket.settle();
    const times = await socket.count("WATCHDOG=1");
    if (times === fed.times) return seconds - fed.atSeconds >= 1;
    fed = { times, atSeconds: await workedSeconds(sluice.pid) };
    return false;
  });
  await assertMute();
  // This is what systemd does then.
  sluice.process.signal("SIGABRT");
  assert.equal((await sluice.process.ended).signal, "SIGABRT");
});
