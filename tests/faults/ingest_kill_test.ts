// deno-lint-ignore-file no-console -- the counts are what is published
import assert from "node:assert/strict";
import { openWarehouse, type Session } from "../../lib/clients/warehouse/warehouse.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";
import { droppedBucket, droppedFolder, ingestAll, launchIngest } from "../support/ingest_load.ts";
import { PostgresLink } from "../support/ingest_load_link.ts";
import { LoadModel } from "../support/ingest_load_model.ts";
import { startPostgres } from "../support/postgres_server.ts";
import { startS3 } from "../support/s3_server.ts";
import type { SluiceProcess } from "../support/sluice_process.ts";
import { delay, eventually, within } from "../support/waiting.ts";

const kills = Number(Deno.env.get("SLUICE_TEST_KILLS") ?? 40);
const files = 500;

/** Waits for a load in this database, whose transaction is open; it may have been over between two looks. */
async function untilLoading(session: Session, sluice: SluiceProcess): Promise<void> {
  await eventually("a load", async () => {
    const { rows } = await session.query(
      "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'sluice ingest %' " +
        "AND datname = current_database() AND xact_start IS NOT NULL",
    );
    return rows.length > 0 || (await sluice.log()).includes(`"Loaded"`);
  }, { everyMs: 2, timeoutMs: 120_000 });
}

/** Kills ingest over and over while files come; then lets it finish. */
async function killAgainAndAgain(model: LoadModel, times: number): Promise<string> {
  const { place, server, database } = model;
  const warehouse = await openWarehouse(new Secret(server.urlOf(database)), realWorld(() => {}));
  const session = await warehouse.connect();
  try {
    for (let kill = 0; kill < times; kill++) {
      const share = Math.ceil(files / 2 / times);
      await model.drop(share);
      await using sluice = await launchIngest(place, [], model.env());
      const dropping = model.drop(Math.floor(files / times) - share);
      // Killed as it starts, within its first loads, as these end and files go, and some time later.
      if (kill % 4 > 0) await untilLoading(session, sluice);
      if (kill % 4 > 1) await sluice.said(`"Loaded"`);
      await delay(Math.random() * ([1_000, 200, 50, 500][kill % 4] ?? 0));
      await sluice.end("SIGKILL");
      await dropping;
    }
    assert.equal(await ingestAll(place, model.env()), 0);
  } finally {
    await warehouse.close();
  }
  const { files: names, versions, loads, rows } = await model.assertExact();
  const undone = await server.psql(
    "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()",
    database,
  );
  return `${rows} rows of ${versions} versions of ${names} files in ${loads} loads, ` +
    `${undone} transactions undone: none lost, none doubled`;
}

Deno.test(`SIGKILL at ${kills} random moments while ${files} files come: each is loaded once`, async () => {
  await using server = await startPostgres();
  await using s3 = await startS3();
  await using bucket = await droppedBucket(s3);
  await using folder = await droppedFolder();
  const each = Math.ceil(kills / 2);
  await Promise.all([
    { name: "s3", model: new LoadModel(bucket, server, "from_s3") },
    { name: "file", model: new LoadModel(folder, server, "from_folder") },
  ].map(async ({ name, model }) => {
    await model.begin();
    console.info(`${each} kills, ${name}: ${await killAgainAndAgain(model, each)}`);
  }));
});

const times = 3;

Deno.test(`a crash at each step of a load, ${times} times in a row: each file is loaded once`, async (t) => {
  await using server = await startPostgres();
  await using s3 = await startS3();
  await using bucket = await droppedBucket(s3);
  const model = new LoadModel(bucket, server, "crashed");
  await model.begin();
  const finish = async () => {
    assert.equal(await ingestAll(bucket, model.env()), 0);
    await model.assertExact();
  };
  for (const point of ["after-copy", "before-commit", "after-commit", "half-deleted"]) {
    await t.step(point, async () => {
      for (let crash = 0; crash < times; crash++) {
        await model.drop(12);
        const env = { ...model.env(), SLUICE_TEST_CRASH_AT: point };
        await using sluice = await launchIngest(bucket, [], env);
        if (!await within(sluice.process.ended, 120_000)) {
          assert.fail(`no crash ${point}: ${await sluice.process.tail()}`);
        }
        const { signal } = await sluice.process.ended;
        assert.equal(signal, "SIGKILL", await sluice.process.tail());
      }
      await finish();
    });
  }
  await t.step("COMMIT is sent and its answer is on the way", async () => {
    await using link = new PostgresLink(server.port);
    for (let crash = 0; crash < times; crash++) {
      await model.drop(12);
      let sent = () => {};
      const isSent = new Promise<void>((resolve) => sent = resolve);
      link.judge = ({ sql }) => {
        if (sql !== "COMMIT") return "pass";
        sent();
        return "done and silent";
      };
      const env = model.env(link.through(server.urlOf("crashed")));
      await using sluice = await launchIngest(bucket, [], env);
      assert.ok(await within(isSent, 120_000), await sluice.process.tail());
      await sluice.end("SIGKILL");
    }
    await finish();
  });
});
