/** An archive that the predecessor (Bifrost) has begun is gone on with where it ended. */
import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { archiveOnce, folderPlace } from "../support/archive_run.ts";
import { baldrOf, gzipped } from "../support/baldr.ts";
import { runSluice } from "../support/command_line.ts";
import { kafkajsOf, type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { SluiceProcess } from "../support/sluice_process.ts";

const topic = "orders";
const values = Array.from({ length: 40 }, (_, i) => `value ${i}`);

/** The records of one object, as text. */
function recordsIn(compressed: Uint8Array): string[] {
  const bytes = new Uint8Array(gunzipSync(compressed));
  const view = new DataView(bytes.buffer);
  const records: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(view.getBigInt64(at));
    records.push(new TextDecoder().decode(bytes.subarray(at + 8, at + 8 + length)));
    at += 8 + length;
  }
  return records;
}

/** Each record once, and verify agrees. */
async function goesOn(kafka: KafkaServer): Promise<void> {
  await using place = await folderPlace();
  await kafka.createTopic(topic, { partitions: 1 });
  const producer = kafkajsOf(kafka.bootstrap).producer({ idempotent: true });
  await producer.connect();
  await producer.send({ topic, messages: values.map((value) => ({ value })) });
  await producer.disconnect();
  // As Bifrost wrote them: GROUP/TOPIC/partition=P/OFFSET, values only, no notes of any kind.
  const folder = `${place.folder}/bifrost/${topic}/partition=0`;
  await Deno.mkdir(folder, { recursive: true });
  const put = (first: number, next: number) =>
    Deno.writeFile(
      `${folder}/${String(first).padStart(10, "0")}.baldr.gz`,
      gzipped(baldrOf(values.slice(first, next))),
    );
  await put(0, 10);
  await put(10, 25);
  const args = ["--group=bifrost", `--include=${topic}`];
  const counts = await archiveOnce(place, kafka.bootstrap, args);
  assert.equal(counts["records"], 15, JSON.stringify(counts));
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  assert.deepEqual(names, ["0000000000.baldr.gz", "0000000010.baldr.gz", "0000000025.baldr.gz"]);
  const all = await Promise.all(names.map((name) => Deno.readFile(`${folder}/${name}`)));
  assert.deepEqual(all.flatMap(recordsIn), values);
  const verified = await runSluice([
    ...["archive", "verify", place.url, `--kafka=${kafka.bootstrap}`, "--topic", topic],
  ]);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  // A second run has nothing to do, and one without the group's offsets finds the end again.
  for (const more of [[], ["--resume=store"]]) {
    const again = await archiveOnce(place, kafka.bootstrap, [...args, ...more]);
    assert.equal(again["records"], 0);
  }
}

/** A last object that is cut stops its partition, loudly, and nothing is put. */
async function isStopped(kafka: KafkaServer): Promise<void> {
  await using place = await folderPlace();
  const folder = `${place.folder}/cut/${topic}/partition=0`;
  await Deno.mkdir(folder, { recursive: true });
  const whole = gzipped(baldrOf(values));
  await Deno.writeFile(`${folder}/0000000000.baldr.gz`, whole.subarray(0, whole.length - 12));
  await using sluice = await SluiceProcess.start([
    ...["archive", `--kafka=${kafka.bootstrap}`, `--to=${place.url}`, "--group=cut", "--once"],
  ]);
  const line = await sluice.said("Cannot begin with a partition");
  assert.match(line, /orders/);
  assert.equal((await Array.fromAsync(Deno.readDir(folder))).length, 1);
}

Deno.test("archive goes on in a bucket of Bifrost's", async (t) => {
  await using kafka = await startKafka();
  await t.step("each record is there once, and verify agrees", () => goesOn(kafka));
  await t.step("not after an object that is cut", () => isStopped(kafka));
});
