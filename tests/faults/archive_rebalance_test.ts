// deno-lint-ignore-file no-console -- the counts are what is published
import assert from "node:assert/strict";
import { assertExact, compareArchive, totalsOf } from "../support/archive_comparison.ts";
import {
  archiveOnce,
  type ArchivePlace,
  assertVerified,
  s3Place,
  startArchive,
} from "../support/archive_run.ts";
import { startKafka } from "../support/kafka_server.ts";
import { startLoad } from "../support/produce_mix.ts";
import { startS3 } from "../support/s3_server.ts";
import type { SluiceProcess } from "../support/sluice_process.ts";
import { delay, within } from "../support/waiting.ts";

/** For each of the two ways to rebalance. */
const seconds = Number(Deno.env.get("SLUICE_TEST_SECONDS") ?? 30);
const topics = ["a", "b"];
const everyMs = 5_000;
/** Longer than the session of 6 s. */
const frozenMs = 9_000;

/** An instance that leaves and another that joins, over and over, until `until`. */
async function comeAndGo(start: () => Promise<SluiceProcess>, until: number): Promise<number> {
  let joined = 0;
  while (performance.now() < until || joined < 2) {
    await using sluice = await start();
    joined++;
    await delay(everyMs);
    sluice.process.signal("SIGTERM");
    assert.ok(await within(sluice.process.ended, 120_000), await sluice.process.tail());
    assert.equal((await sluice.process.ended).code, 0, await sluice.process.tail(60));
  }
  return joined;
}

/** An instance that is frozen past its session, and goes on as if it knew nothing. */
async function freeze(start: () => Promise<SluiceProcess>, until: number): Promise<number> {
  await using sluice = await start();
  let frozen = 0;
  // It may have had no partitions at that moment, when it was slow to join: then there is another.
  const hasLost = async () => (await sluice.log()).includes("Lost partitions");
  while (performance.now() < until - frozenMs || frozen < 5 && !await hasLost()) {
    await delay(3_000);
    await sluice.process.freeze();
    await delay(frozenMs);
    sluice.process.signal("SIGCONT");
    frozen++;
    await delay(2_000);
  }
  await sluice.said("Lost partitions");
  assert.equal(await sluice.end("SIGTERM"), 0, await sluice.process.tail(60));
  return frozen;
}

for (const rebalance of ["cooperative", "eager"] as const) {
  Deno.test(`three instances that join, leave and freeze for ${seconds} s lose and double nothing (${rebalance})`, async () => {
    await using kafka = await startKafka();
    await using s3 = await startS3();
    await using place: ArchivePlace = await s3Place(s3);
    const { bootstrap } = kafka;
    for (const topic of topics) await kafka.createTopic(topic, { partitions: 6 });
    const args = [
      ...[`--rebalance=${rebalance}`, "--session-timeout=6s", "--discover-interval=2s"],
      ...["--rotate-interval=500ms", "--rotate-records=1000"],
    ];
    const start = () => startArchive(place, bootstrap, args);
    const load = startLoad(bootstrap, topics, { perSecond: 2_000 });
    const until = performance.now() + seconds * 1_000;
    const [joined, , frozen] = await Promise.all([
      comeAndGo(start, until),
      delay(everyMs / 2).then(() => comeAndGo(start, until)),
      freeze(start, until),
    ]);
    await load.stop();
    await archiveOnce(place, bootstrap, args);
    const report = await compareArchive(place, { kafka: bootstrap, topics });
    assertExact(report);
    await assertVerified(place);
    const { records, objects, writers, lost, extra } = totalsOf(report);
    assert.ok(writers > 3, `${writers} processes wrote objects`);
    console.info(
      `${rebalance}: ${2 * joined} joins, ${frozen} freezes: ${records} records in ${objects} ` +
        `objects of ${writers} processes, ${lost} lost, ${extra} in two objects`,
    );
  });
}
