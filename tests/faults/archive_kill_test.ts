// deno-lint-ignore-file no-console -- the counts are what is published
import assert from "node:assert/strict";
import { assertExact, compareArchive, totalsOf } from "../support/archive_comparison.ts";
import {
  archiveOnce,
  type ArchivePlace,
  assertVerified,
  folderPlace,
  launchArchive,
  s3Place,
} from "../support/archive_run.ts";
import { startKafka } from "../support/kafka_server.ts";
import { produceBulk, startLoad } from "../support/produce_mix.ts";
import { startS3 } from "../support/s3_server.ts";
import { delay, within } from "../support/waiting.ts";

const kills = Number(Deno.env.get("SLUICE_TEST_KILLS") ?? 40);
const topics = ["busy", "calm"];
/** The group gives a killed member's partitions away after so long: the shorter, the more kills. */
const properties = { "group.min.session.timeout.ms": "1000" };
const quick = [
  ...["--session-timeout=1500ms", "--discover-interval=1s", "--log-level=debug"],
  ...["--rotate-interval=200ms", "--rotate-records=400"],
];

/** One archive that is killed over and over, in a group of its own. */
interface Lane {
  readonly place: ArchivePlace;
  readonly args: readonly string[];
  readonly group: string;
}

async function killAgainAndAgain({ place, args }: Lane, bootstrap: string, times: number) {
  for (let kill = 0; kill < times; kill++) {
    await using sluice = await launchArchive(place, bootstrap, args);
    // Some are killed while they look for their beginning, most of them at work.
    if (kill % 5 > 0) await sluice.said("Archiving a partition");
    await delay(Math.random() * 1_800);
    await sluice.end("SIGKILL");
  }
}

async function finish({ place, args, group }: Lane, bootstrap: string): Promise<string> {
  await archiveOnce(place, bootstrap, args);
  const report = await compareArchive(place, { kafka: bootstrap, topics, group });
  assertExact(report);
  await assertVerified(place);
  const { records, objects, writers, lost, extra } = totalsOf(report);
  return `${records} records in ${objects} objects of ${writers} processes, ` +
    `${lost} lost, ${extra} in two objects`;
}

Deno.test(`SIGKILL at ${kills} random moments under load loses and doubles no record`, async () => {
  await using kafka = await startKafka({ properties });
  await using s3 = await startS3();
  await using bucket = await s3Place(s3);
  await using folder = await folderPlace();
  const { bootstrap } = kafka;
  for (const topic of topics) await kafka.createTopic(topic, { partitions: 3 });
  const lanes: Lane[] = [
    { place: bucket, args: [...quick, "--group=values"], group: "values" },
    { place: folder, args: [...quick, "--group=wholes", "--format=record"], group: "wholes" },
  ];
  const load = startLoad(bootstrap, topics, { perSecond: 2_000 });
  const each = Math.ceil(kills / lanes.length);
  await Promise.all(lanes.map((lane) => killAgainAndAgain(lane, bootstrap, each)));
  await load.stop();
  for (const lane of lanes) {
    console.info(`${each} kills, ${lane.group}: ${await finish(lane, bootstrap)}`);
  }
});

const times = 3;

for (const store of ["s3", "file"] as const) {
  Deno.test(`a crash at each step of putting an object, ${times} times in a row, on ${store}`, async (t) => {
    await using kafka = await startKafka({ properties });
    await using s3 = store === "s3" ? await startS3() : null;
    await using place = s3 === null ? await folderPlace() : await s3Place(s3);
    const { bootstrap } = kafka;
    for (const topic of topics) await kafka.createTopic(topic, { partitions: 2 });
    const lane = { place, args: [...quick, "--group=crashed"], group: "crashed" };
    for (const point of ["after-draft", "after-put", "after-commit"]) {
      await t.step(point, async () => {
        for (let crash = 0; crash < times; crash++) {
          for (const topic of topics) await produceBulk({ bootstrap, topic, count: 1_500 });
          await using sluice = await launchArchive(place, bootstrap, lane.args, {
            SLUICE_TEST_CRASH_AT: point,
          });
          assert.ok(await within(sluice.process.ended, 120_000), `no crash ${point}`);
          const { signal } = await sluice.process.ended;
          assert.equal(signal, "SIGKILL", await sluice.process.tail());
        }
        await finish(lane, bootstrap);
      });
    }
  });
}
