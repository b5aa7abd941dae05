import assert from "node:assert/strict";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { openStore } from "../../lib/clients/store/store.ts";
import { openWarehouse, type Warehouse } from "../../lib/clients/warehouse/warehouse.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";
import { readTableName } from "../../lib/formats/sql_text.ts";
import { Counts } from "../../lib/ingest/counts.ts";
import { Ledger } from "../../lib/ingest/ledger.ts";
import { Load } from "../../lib/ingest/load.ts";
import { readManifest } from "../../lib/ingest/manifest.ts";
import { startPostgres } from "../support/postgres_server.ts";
import { s3Place } from "../support/archive_run.ts";
import { s3ClientOf } from "../support/s3_client.ts";
import { startS3 } from "../support/s3_server.ts";
import { replacing } from "../support/stand_between.ts";
import { eventually, within } from "../support/waiting.ts";
import { Daemon, Drops, gzip, ingestOnce, ledgerOf } from "./ingesting.ts";

const world = realWorld(() => {});

/** A warehouse whose first COMMIT loses its answer: after it was done, or before it came. */
function losing(
  real: Warehouse,
  isDone: boolean,
  then: () => Promise<void> = () => Promise.resolve(),
): Warehouse {
  let isLost = false;
  return replacing(real, {
    connect: async (options) => {
      const session = await real.connect(options);
      return replacing(session, {
        execute: async (sql) => {
          if (sql !== "COMMIT" || isLost) return await session.execute(sql);
          isLost = true;
          if (isDone) await session.execute(sql);
          await session.close();
          await then();
          throw new SluiceError("commit", "transient", "the connection was cut");
        },
      });
    },
  });
}

for (const isDone of [true, false]) {
  Deno.test(`the answer to COMMIT is lost, and it was ${isDone ? "" : "not "}done: each file once`, async () => {
    await using server = await startPostgres();
    await using drops = await Drops.make();
    await server.psql("CREATE TABLE t (id int, name text)");
    await drops.put("t/1.csv", "1,a\n2,b\n");
    const store = await openStore(drops.url, { world });
    const real = await openWarehouse(new Secret(server.url), world);
    try {
      const text = JSON.stringify({
        ...{ table: "t", columns: ["id", "name"], options: ["CSV"], strategy: "append" },
        "target-url": server.url,
      });
      const manifest = await readManifest(
        "manifest.json",
        new TextEncoder().encode(text),
        (text) => Promise.resolve(new Secret(text)),
      );
      const target = readTableName("t");
      const counts = new Counts();
      const files = await Array.fromAsync(store.list(""));
      const outcome = await new Load({ loadId: "L", manifest, target, files }, {
        ...{ world, store, counts, warehouse: losing(real, isDone) },
        drain: new AbortController().signal,
        ledger: new Ledger("postgres", target, "sluice_ingest_ledger", drops.url),
      }).run();
      assert.equal(outcome.isCommitted, true);
      assert.equal(outcome.done.length, 1);
      assert.deepEqual([counts.commits, counts.recoveredCommits], [1, isDone ? 1 : 0]);
      assert.equal(await server.psql("SELECT id, name FROM t ORDER BY id"), "1|a\n2|b");
      assert.equal(await ledgerOf(server), 1);
    } finally {
      await real.close();
      await store.close();
    }
  });
}

Deno.test("whether a lost COMMIT was done cannot be learned while the table is locked: a stop ends the wait", async () => {
  await using server = await startPostgres();
  await server.psql("CREATE TABLE t (id int, name text)");
  const holder = await openWarehouse(new Secret(server.url), world);
  const lock = await holder.connect();
  await using ingest = new Daemon({}, async (...given) => {
    const real = await openWarehouse(...given);
    return losing(real, true, async () => void await lock.execute("BEGIN; LOCK TABLE t"));
  });
  await ingest.manifest("t", {
    ...{ table: "t", columns: ["id", "name"], options: ["CSV"], strategy: "append" },
    ...{ "target-url": server.url, "execute-opts": { "timeout-millis": 600_000 } },
  });
  await ingest.put("t/1.csv", "1,a\n");
  ingest.start();
  const waits = "SELECT count(*) FROM pg_locks WHERE NOT granted";
  await eventually("it waits for the lock", async () => await server.psql(waits) === "1");
  // The lock itself would be waited for for ten minutes.
  assert.ok(await within(ingest.stop(), 120_000), "the stop was not heeded");
  assert.deepEqual(ingest.keys, ["t/1.csv", "t/manifest.json"]);
  await lock.close();
  await holder.close();
  await using next = new Daemon({ once: true });
  for (const [key, { bytes, ...kept }] of ingest.store.objects) {
    next.store.objects.set(key, { bytes, ...kept });
  }
  assert.equal(await next.once(), 0);
  assert.equal(await server.psql("SELECT id, name FROM t"), "1|a");
  assert.deepEqual([next.keys, next.counts.ledgerSkips], [["t/manifest.json"], 1]);
});

Deno.test("files in a real S3 are loaded and deleted, and a bad one is moved within it", async () => {
  await using server = await startPostgres();
  await using s3 = await startS3();
  await using place = await s3Place(s3, { prefix: "drops" });
  await server.psql("CREATE TABLE t (id int PRIMARY KEY, name text)");
  const client = s3ClientOf(s3);
  const [, , bucket = ""] = place.url.split("/");
  const put = (name: string, Body: string | Uint8Array) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key: `drops/x/t/${name}`, Body }));
  const manifest = { table: "t", columns: ["id", "name"], "pk-columns": ["id"] };
  const options = { options: ["CSV GZIP"], "target-url": "env:PEOPLE_URL" };
  await put("manifest.json", JSON.stringify({ ...manifest, ...options }));
  for (let n = 0; n < 30; n++) await put(`${n}.gz`, gzip(`${n},a\n`));
  await put("bad.gz", gzip("1,a\n").subarray(0, 15));
  const seen = await ingestOnce(place.url, place.args, { ...place.env, PEOPLE_URL: server.url });
  assert.equal(seen.code, 3, seen.stderr);
  assert.equal(await server.psql("SELECT count(*) FROM t"), "30", seen.stderr);
  const left = (await Array.fromAsync(Deno.readDir(`${place.folder}/x/t`))).map(({ name }) => name)
    .sort();
  assert.deepEqual(left, ["_rejected", "manifest.json"]);
  client.destroy();
});
