import assert from "node:assert/strict";
import { archivedObject, plainRecords, type SampleObject } from "../support/archive_objects.ts";
import { s3Place } from "../support/archive_run.ts";
import { baldrOf, gzipped } from "../support/baldr.ts";
import { runSluice } from "../support/command_line.ts";
import { openedWith } from "../support/own_environment.ts";
import { startS3 } from "../support/s3_server.ts";
import { openStore } from "../../lib/clients/store/store.ts";
import { realWorld } from "../../lib/core/world.ts";

Deno.test("sluice baldr reads objects of a real S3", async (t) => {
  await using server = await startS3();
  await using place = await s3Place(server);
  const env = { ...place.env };
  const objects: SampleObject[] = [
    { topic: "t", kind: "values", first: 9_999_999_999, records: plainRecords(1, 2, 3) },
    { topic: "t", first: 10_000_000_000, records: plainRecords(3, 2, 3) },
    { topic: "t", partition: 11, first: 0, records: plainRecords(5, 1, 3) },
  ];
  const { endpoint, region } = server;
  const options = { endpoint, region, pathStyle: true, world: realWorld(() => {}) };
  const store = await openedWith(env, () => openStore(place.url, options));
  for (const object of objects) {
    const { key, bytes } = archivedObject(object);
    await store.put(key, bytes);
  }
  await store.put("cut.baldr.gz", gzipped(baldrOf(["a", "b"])).slice(0, -4));
  await store.put("note.txt", new Uint8Array(1));
  await store.close();
  const baldr = (...args: string[]) => runSluice(["baldr", ...args, ...place.args], { env });

  await t.step("a folder, in the order of partitions and offsets", async () => {
    for (const url of [`${place.url}/sluice`, `${place.url}/sluice/t/`, `${place.url}/slu`]) {
      const seen = await baldr("cat", url);
      assert.deepEqual([seen.code, seen.stderr], [0, ""]);
      assert.equal(seen.stdout, "1:x\n2:x\n3:x\n4:x\n5:x\n");
    }
  });
  await t.step("an object of whole records, decoded", async () => {
    const url = `${place.url}/sluice/t/partition=11/0000000000.records.gz`;
    const { stdout } = await baldr("cat", "--format=jsonl", url);
    assert.equal(
      stdout,
      '{"offset":5,"timestamp":1790000000005,"key":"k5","value":"5:x","headers":[]}\n',
    );
  });
  await t.step("damage, with what comes before it", async () => {
    const cat = await baldr("cat", `${place.url}/cut.baldr.gz`);
    assert.deepEqual([cat.code, cat.stdout], [12, "a\nb\n"]);
    const check = await baldr("check", place.url);
    assert.equal(check.code, 12);
    const lines = check.stdout.trimEnd().split("\n");
    assert.equal(lines.length, 4);
    assert.match(lines[0] ?? "", /\/cut\.baldr\.gz: damaged at byte 18 /);
  });
  await t.step("what is not there, and a wrong secret", async () => {
    const missing = await baldr("cat", `${place.url}/missing`);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /archive\/missing: no object has this name/);
    const denied = await runSluice(["baldr", "cat", `${place.url}/sluice`, ...place.args], {
      env: { ...env, AWS_SECRET_ACCESS_KEY: "planted-wrong-secret" },
    });
    assert.equal(denied.code, 11, denied.stderr);
    assert.doesNotMatch(denied.stderr, /planted-wrong-secret/);
  });
});
