import assert from "node:assert/strict";
import {
  assertExact,
  compareArchive,
  totalsOf,
  walkArchive,
} from "../support/archive_comparison.ts";
import {
  type ArchivePlace,
  folderPlace,
  readinessOf,
  startArchive,
  stopArchive,
} from "../support/archive_run.ts";
import { type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { produceBulk } from "../support/produce_mix.ts";
import { canMount, SmallDisk } from "../support/small_disk.ts";
import type { SluiceProcess } from "../support/sluice_process.ts";
import { eventually } from "../support/waiting.ts";

/** Where nobody may mount anything these tests show nothing. */
const ignore = !await canMount();
const mebibyte = 1024 * 1024;
const count = 200_000;

async function disk(bytes: number): Promise<SmallDisk> {
  const made = await SmallDisk.mount(bytes);
  assert.ok(made, "Cannot mount a file system");
  return made;
}

/** About 40 MB of records, about 10 MB of them compressed. */
async function fill(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("much", { partitions: 2 });
  await produceBulk({ bootstrap: kafka.bootstrap, topic: "much", count, bytes: 200 });
}

async function notReady(sluice: SluiceProcess, reason: RegExp): Promise<void> {
  let last = "";
  await eventually(`/readyz with ${reason}`, async () => {
    const { status, text } = await readinessOf(sluice);
    last = `${status} ${text}`;
    return status === 503 && reason.test(text);
  }).catch(async (thrown) => {
    throw new Error(`It says ${last}\n${await sluice.process.tail()}`, { cause: thrown });
  });
}

async function recovers(sluice: SluiceProcess, place: ArchivePlace, kafka: KafkaServer) {
  const archived = async () => totalsOf(await walkArchive(place)).records;
  await eventually("all in the archive", async () => await archived() === count, {
    timeoutMs: 180_000,
    everyMs: 500,
  }).catch(async (thrown) => {
    const { text } = await readinessOf(sluice);
    const said = `${await archived()} are archived, ${text}\n${await sluice.process.tail()}`;
    throw new Error(said, { cause: thrown });
  });
  let last = "";
  await eventually("readiness", async () => {
    const { status, text } = await readinessOf(sluice);
    last = text;
    return status === 200;
  }).catch(() => assert.fail(`all is archived, yet it says ${last}`));
  await stopArchive(sluice);
  const report = await compareArchive(place, { kafka: kafka.bootstrap, topics: ["much"] });
  assertExact(report);
  assert.equal(totalsOf(report).records, count);
}

Deno.test({
  name: "a spool's disk that somebody else has filled holds the reading until there is room again",
  ignore,
  fn: async () => {
    await using kafka = await startKafka();
    await using place = await folderPlace();
    await using spool = await disk(32 * mebibyte);
    await fill(kafka);
    await spool.fill("of-somebody-else");
    await using sluice = await startArchive(place, kafka.bootstrap, [
      ...[`--spool-dir=${spool.folder}`, "--memory=8MiB", "--rotate-interval=3s"],
    ]);
    await notReady(sluice, /spool/);
    await Deno.remove(`${spool.folder}/of-somebody-else`);
    await recovers(sluice, place, kafka);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(spool.folder)), []);
  },
});

Deno.test({
  name: "a spool's disk that is smaller than --spool-bytes does not stand in the way for ever",
  ignore,
  fn: async () => {
    await using kafka = await startKafka();
    await using place = await folderPlace();
    await using spool = await disk(2 * mebibyte);
    await fill(kafka);
    await using sluice = await startArchive(place, kafka.bootstrap, [
      ...[`--spool-dir=${spool.folder}`, "--memory=8MiB", "--rotate-interval=3s"],
    ]);
    await recovers(sluice, place, kafka);
  },
});

Deno.test({
  name: "a destination's disk that is full holds the archive until there is room again",
  ignore,
  fn: async () => {
    await using kafka = await startKafka();
    await using target = await disk(2 * mebibyte);
    const { folder } = target;
    const place: ArchivePlace = {
      ...{ url: `file://${folder}`, args: [], env: {}, folder },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    await fill(kafka);
    await using sluice = await startArchive(place, kafka.bootstrap, [
      ...["--rotate-interval=1s", "--rotate-bytes=500KiB"],
    ]);
    await notReady(sluice, /much-\d: .*(space|full)/i);
    await target.resize(64 * mebibyte);
    await recovers(sluice, place, kafka);
  },
});
