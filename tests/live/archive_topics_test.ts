import assert from "node:assert/strict";
import {
  assertExact,
  compareArchive,
  dumpArchive,
  totalsOf,
  walkArchive,
} from "../support/archive_comparison.ts";
import {
  archiveOnce,
  type ArchivePlace,
  folderPlace,
  launchArchive,
  metricSum,
  readinessOf,
  s3Place,
  startArchive,
  stopArchive,
} from "../support/archive_run.ts";
import { kafkajsOf, type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { produceBulk } from "../support/produce_mix.ts";
import { startS3 } from "../support/s3_server.ts";
import { eventually, within } from "../support/waiting.ts";

const quick = ["--rotate-interval=300ms"];

/** How many records of a topic the archive holds now. */
async function archived(place: ArchivePlace, topic: string): Promise<number> {
  return totalsOf(await walkArchive(place), [topic]).records;
}

async function exactly(place: ArchivePlace, kafka: KafkaServer, topics: string[], group?: string) {
  const options = group === undefined ? {} : { group };
  const report = await compareArchive(place, { kafka: kafka.bootstrap, topics, ...options });
  assertExact(report);
  return report;
}

async function deleteRecords(kafka: KafkaServer, topic: string, before: number): Promise<void> {
  const admin = kafkajsOf(kafka.bootstrap).admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic); // without it kafkajs does not know the leaders
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: `${before}` }] });
  await admin.disconnect();
}

Deno.test("topics come, grow and go while a daemon runs", async (t) => {
  await using kafka = await startKafka();
  await using place = await folderPlace();
  const { bootstrap } = kafka;
  await kafka.createTopic("first");
  await produceBulk({ bootstrap, topic: "first", count: 500 });
  // The default of --discover-interval is what is promised.
  await using sluice = await startArchive(place, bootstrap, [
    ...quick,
    ...["--include=first|new|wide|other.*", "--exclude=other-.*"],
  ]);
  await eventually("the first topic", async () => await archived(place, "first") === 500);

  await t.step("a new topic is found", async () => {
    await kafka.createTopic("new", { partitions: 2 });
    await produceBulk({ bootstrap, topic: "new", count: 700 });
    await eventually("the new topic", async () => await archived(place, "new") === 700, {
      everyMs: 200,
    });
  });
  await t.step("added partitions are found", async () => {
    await kafka.addPartitions("new", 5);
    await produceBulk({ bootstrap, topic: "new", from: 700, count: 300, partition: 4 });
    await eventually("the added partition", async () => await archived(place, "new") === 1_000, {
      everyMs: 200,
    });
  });
  await t.step("topics that are not included, or are excluded, are left alone", async () => {
    // The included one comes last: whoever has found it has seen the others.
    for (const topic of ["unwanted", "other-one", "not-first", "other"]) {
      await kafka.createTopic(topic);
      await produceBulk({ bootstrap, topic, count: 100 });
    }
    await eventually("the included one", async () => await archived(place, "other") === 100);
    const topics = new Set((await walkArchive(place)).partitions.map(({ topic }) => topic));
    assert.deepEqual([...topics].sort(), ["first", "new", "other"]);
  });
  await t.step("a deleted topic is let go, and the others go on", async () => {
    const partitions = () => metricSum(sluice, "archive_partitions");
    await eventually("all partitions held", async () => await partitions() === 1 + 5 + 1);
    await kafka.deleteTopic("new");
    await eventually("its partitions gone", async () => await partitions() === 1 + 1);
    await produceBulk({ bootstrap, topic: "first", from: 500, count: 500 });
    await eventually("the first topic", async () => await archived(place, "first") === 1_000);
    await eventually("readiness", async () => (await readinessOf(sluice)).status === 200);
  });
  await t.step("an idle partition is put by its timer", async () => {
    await produceBulk({ bootstrap, topic: "first", from: 1_000, count: 1 });
    await eventually("one record more", async () => await archived(place, "first") === 1_001);
  });
  const counts = await stopArchive(sluice);
  assert.equal(counts.records, 2_101);
  await exactly(place, kafka, ["first", "other"]);
});

Deno.test("retention that is faster leaves a gap that is told, and nothing else is missing", async (t) => {
  await using kafka = await startKafka();
  await using s3 = await startS3();
  await using place = await s3Place(s3);
  const { bootstrap } = kafka;
  await kafka.createTopic("short");
  await produceBulk({ bootstrap, topic: "short", count: 1_000 });
  await archiveOnce(place, bootstrap);
  await t.step("between two runs", async () => {
    await produceBulk({ bootstrap, topic: "short", from: 1_000, count: 1_000 });
    await deleteRecords(kafka, "short", 1_500);
    const counts = await archiveOnce(place, bootstrap);
    assert.deepEqual([counts.gaps, counts.records], [1, 500]);
    const { partitions } = await exactly(place, kafka, ["short"]);
    assert.deepEqual(partitions[0]?.gaps, [["1000", "1500"]]);
    assert.equal(partitions[0]?.records, 1_500);
  });
  await t.step("while a daemon stands still", async () => {
    await using sluice = await startArchive(place, bootstrap, quick);
    await produceBulk({ bootstrap, topic: "short", from: 2_000, count: 100 });
    await eventually("all archived", async () => await archived(place, "short") === 1_600);
    await sluice.process.freeze();
    // More than one answer holds: what was asked for before the stop may come all the same.
    const large = { bootstrap, topic: "short", bytes: 1_000, codec: "none" } as const;
    await produceBulk({ ...large, from: 2_100, count: 40_000 });
    await deleteRecords(kafka, "short", 42_000);
    sluice.process.signal("SIGCONT");
    await eventually("the end", async () => {
      const { partitions } = await walkArchive(place);
      return partitions[0]?.next === "42100";
    });
    assert.equal((await stopArchive(sluice)).gaps, 1);
    const isShortened = true;
    const options = { kafka: bootstrap, topics: ["short"], isShortened };
    const report = await compareArchive(place, options);
    assertExact(report);
    const [one] = report.partitions;
    const values = await valuesOf(place, "short");
    const missing = one?.gaps.reduce((sum, [from, to]) => sum + Number(to) - Number(from), 0);
    assert.equal(values.length + (missing ?? 0), 42_100);
    assert.equal(new Set(values).size, values.length);
  });
  await t.step("everything is gone", async () => {
    await produceBulk({ bootstrap, topic: "short", from: 42_100, count: 50 });
    await deleteRecords(kafka, "short", 42_150);
    await archiveOnce(place, bootstrap);
    const { partitions: [one] } = await walkArchive(place);
    assert.deepEqual(one?.gaps.at(-1), ["42100", "42150"]);
    assert.deepEqual(one?.problems, []);
  });
});

async function valuesOf(place: ArchivePlace, topic: string): Promise<string[]> {
  const records = (await dumpArchive(place)).filter((one) => one.topic === topic);
  return records.map(({ value }) => atob(value ?? ""));
}

Deno.test("--resume=store goes on after the newest object that is left", async () => {
  await using kafka = await startKafka();
  await using place = await folderPlace();
  const { bootstrap } = kafka;
  await kafka.createTopic("again");
  for (let n = 0; n < 5_000; n += 500) {
    await produceBulk({ bootstrap, topic: "again", from: n, count: 500 });
  }
  await archiveOnce(place, bootstrap, ["--rotate-records=500"]);
  const folder = `${place.folder}/sluice/again/partition=0`;
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  assert.ok(names.length >= 4, `${names.length} objects`);
  for (const name of names.slice(-2)) await Deno.remove(`${folder}/${name}`);
  assert.ok(await archived(place, "again") < 5_000);
  await archiveOnce(place, bootstrap, ["--resume=store"]);
  const report = await exactly(place, kafka, ["again"]);
  assert.equal(totalsOf(report).records, 5_000);
});

for (const version of ["4.1.0", "3.9.1"] as const) {
  Deno.test(`a topic of Kafka ${version} that was made anew is refused and not mixed with the old one`, async (t) => {
    await using kafka = await startKafka({ version });
    await using place = await folderPlace();
    const { bootstrap } = kafka;
    await kafka.createTopic("anew");
    await kafka.createTopic("other");
    await produceBulk({ bootstrap, topic: "anew", count: 1_000 });
    await archiveOnce(place, bootstrap);
    const before = await dumpArchive(place);

    const remake = async () => {
      await kafka.deleteTopic("anew");
      const admin = kafkajsOf(bootstrap).admin();
      await admin.connect();
      // False as long as the old one is being deleted. Its leader is kcat's to wait for: what kafkajs says
      // when a busy broker does not name one yet looks as if there were no topic.
      const anew = { topics: [{ topic: "anew" }], waitForLeaders: false, timeout: 30_000 };
      await eventually("the topic made anew", () => admin.createTopics(anew).catch(() => false));
      await admin.disconnect();
      await produceBulk({ bootstrap, topic: "anew", from: 10_000, count: 1_500 });
    };
    await t.step("between two runs", async () => {
      await remake();
      await using sluice = await startArchive(place, bootstrap, quick);
      await sluice.said(`"error"`, "anew-0", "made anew");
      await produceBulk({ bootstrap, topic: "other", count: 100 });
      await eventually("the other topic", async () => await archived(place, "other") === 100);
      await eventually("the refusal in what is ready", async () => {
        const { status, text } = await readinessOf(sluice);
        return status === 503 && /anew-0.*made anew/.test(text);
      });
      await eventually(
        "one refused partition",
        async () => await metricSum(sluice, "archive_refused_partitions") === 1,
      );
      await stopArchive(sluice);
      assert.deepEqual((await dumpArchive(place)).filter(({ topic }) => topic === "anew"), before);
    });
    await t.step("--once says so by its exit code", async () => {
      await using sluice = await launchArchive(place, bootstrap, ["--once"]);
      assert.ok(await within(sluice.process.ended, 120_000), await sluice.log());
      assert.equal((await sluice.process.ended).code, 3, await sluice.log());
    });
    await t.step("while a daemon runs", async () => {
      const group = ["--group=second", "--discover-interval=1s"];
      await using sluice = await startArchive(place, bootstrap, [...quick, ...group]);
      const ofGroup = async () => {
        const { partitions } = await walkArchive(place);
        return partitions.find((one) => one.group === "second" && one.topic === "anew");
      };
      await eventually("the topic", async () => (await ofGroup())?.records === 1_500);
      await remake();
      await sluice.said(`"error"`, "anew-0", "made anew");
      await stopArchive(sluice);
      const one = await ofGroup();
      assert.deepEqual([one?.records, one?.next, one?.problems], [1_500, "1500", []]);
    });
  });
}
