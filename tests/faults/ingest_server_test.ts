// deno-lint-ignore-file no-console -- the counts are what is published
import assert from "node:assert/strict";
import { openWarehouse } from "../../lib/clients/warehouse/warehouse.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";
import { readinessOf } from "../support/archive_run.ts";
import {
  droppedBucket,
  droppedFolder,
  type DropPlace,
  ingestAll,
  launchIngest,
  stopIngest,
} from "../support/ingest_load.ts";
import { PostgresLink, type Verdict } from "../support/ingest_load_link.ts";
import { LoadModel } from "../support/ingest_load_model.ts";
import { type PostgresServer, startPostgres } from "../support/postgres_server.ts";
import { startS3 } from "../support/s3_server.ts";
import type { SluiceProcess } from "../support/sluice_process.ts";
import { StoreFaults } from "../support/store_faults.ts";
import { delay, eventually } from "../support/waiting.ts";

const watched = ["--http=127.0.0.1:0", "--log-level=debug"];
const hurtSeconds = Math.min(60, Number(Deno.env.get("SLUICE_TEST_SECONDS") ?? 8));

/** Files come for as long as something happens, a few at a time. */
async function droppingWhile(model: LoadModel, happens: () => Promise<void>): Promise<void> {
  let isOver = false;
  const dropping = (async () => {
    while (!isOver) {
      await model.drop(2);
      await delay(60);
    }
  })();
  try {
    await happens();
  } finally {
    isOver = true;
    await dropping;
  }
}

/** Everything is loaded without any help, the process is well, and all is as the model says. */
async function recovers(sluice: SluiceProcess, model: LoadModel): Promise<string> {
  await model.drop(4);
  const manifests = 4;
  let left = "";
  await eventually("all files loaded and deleted", async () => {
    const [missing, keys] = [await model.missing(), await model.place.keys()];
    left = `${missing} files missing, ${keys.length - manifests} left`;
    return missing === 0 && keys.length === manifests;
  }, { everyMs: 200, timeoutMs: 150_000 }).catch(async (thrown) => {
    throw new Error(`${left}\n${await sluice.process.tail(40)}`, { cause: thrown });
  });
  const ready = async () => (await readinessOf(sluice)).status === 200;
  await eventually("readiness", ready);
  await stopIngest(sluice);
  const { versions, loads, rows } = await model.assertExact();
  return `${rows} rows of ${versions} files in ${loads} loads`;
}

async function modelOf(server: PostgresServer, place: DropPlace, name: string) {
  const model = new LoadModel(place, server, name);
  await model.begin();
  return model;
}

Deno.test("PostgreSQL is killed, started again, stands still: loading goes on, each file once", async () => {
  await using server = await startPostgres();
  await using s3 = await startS3();
  await using drops = await droppedBucket(s3);
  const model = await modelOf(server, drops, "killed");
  await using sluice = await launchIngest(drops, watched, model.env());
  const unready = async () => (await readinessOf(sluice)).status === 503;
  await droppingWhile(model, async () => {
    await sluice.said(`"Loaded"`);
    await server.crash();
    await eventually("a word about it", unready);
    await server.restart();
    await delay(1_000);
    await server.restart();
    await delay(500);
    await server.pause();
    await delay(3_000);
    await server.resume();
    await server.terminateBackends("application_name LIKE 'sluice%'");
    await delay(500);
  });
  console.info(`a server killed and paused: ${await recovers(sluice, model)}`);
});

Deno.test("a deadlock that another session makes ends a load, which is done again", async () => {
  await using server = await startPostgres();
  await using drops = await droppedFolder();
  await using link = new PostgresLink(server.port);
  const model = await modelOf(server, drops, "deadlocked");
  const warehouse = await openWarehouse(
    new Secret(server.urlOf("deadlocked")),
    realWorld(() => {}),
  );
  try {
    // The ledger has to be there.
    await model.drop(4);
    assert.equal(await ingestAll(drops, model.env()), 0);
    const other = await warehouse.connect({ applicationName: "other" });
    await other.execute("SET deadlock_timeout = '600s'; BEGIN");
    await other.execute("LOCK sluice_ingest_ledger IN SHARE MODE");
    await model.drop(4);
    // Who waits looks for a deadlock once: so the load has to be the one that closes the circle.
    const { promise: isWaiting, resolve: goOn } = Promise.withResolvers<void>();
    let hasLocked = false;
    link.judge = async ({ sql }): Promise<Verdict> => {
      if (!/^INSERT INTO .*sluice_ingest_ledger[^]*\/shop\//.test(sql)) return "pass";
      hasLocked = true;
      await isWaiting;
      return "pass";
    };
    const env = model.env(link.through(server.urlOf("deadlocked")));
    await using sluice = await launchIngest(drops, watched, env);
    await eventually("a load that has locked its table, before the ledger", () => hasLocked);
    const locked = other.execute("LOCK merged");
    await eventually("the other waits for the table", async () => {
      const sql = "SELECT count(*) FROM pg_stat_activity " +
        "WHERE application_name = 'other' AND wait_event_type = 'Lock'";
      return await server.psql(sql) === "1";
    });
    goOn();
    await locked;
    await other.execute("COMMIT");
    const sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = 'deadlocked'";
    await eventually("the count of it", async () => await server.psql(sql) !== "0");
    console.info(`a deadlock: ${await recovers(sluice, model)}`);
  } finally {
    await warehouse.close();
  }
});

Deno.test("the connection is cut during COPY and during COMMIT: each file is loaded once", async () => {
  await using server = await startPostgres();
  await using drops = await droppedFolder();
  const model = await modelOf(server, drops, "cut");
  await using link = new PostgresLink(server.port);
  const verdicts: Verdict[] = ["cut", "done and cut", "cut", "done and cut"];
  let copies = 0;
  link.judge = ({ type, sql }) => {
    if (sql === "COMMIT") return verdicts.shift() ?? "pass";
    return type === "d" && ++copies % 7 === 3 && copies < 30 ? "cut" : "pass";
  };
  await model.drop(20);
  const env = model.env(link.through(server.urlOf("cut")));
  await using sluice = await launchIngest(drops, watched, env);
  await droppingWhile(model, async () => {
    const areOver = () => verdicts.length === 0 && copies >= 30;
    await eventually("all cuts", areOver, { timeoutMs: 120_000 });
  });
  const figures = await recovers(sluice, model);
  assert.match(await sluice.log(), /"The answer to COMMIT was lost: asking the ledger"/);
  console.info(`cut in 4 COPYs and 4 COMMITs: ${figures}`);
});

Deno.test("a COPY that the server rejects at once does not wait for the rest of its file", async () => {
  await using server = await startPostgres();
  await using drops = await droppedFolder();
  await server.psql("CREATE TABLE t (id int CHECK (id < 1000000000), name text)");
  const manifest = { table: "t", columns: ["id", "name"], options: ["CSV"], strategy: "append" };
  const more = { "target-url": "env:DROPS_TARGET" };
  await drops.put("t/manifest.json", JSON.stringify({ ...manifest, ...more }));
  const rest = `1,${"x".repeat(1_000)}\n`.repeat(60_000);
  await drops.put("t/1.csv", `99999999999999,a\n${rest}`);
  await drops.put("t/2.csv", "2,b\n");
  const begun = performance.now();
  assert.equal(await ingestAll(drops, { DROPS_TARGET: server.url }), 3);
  assert.ok(performance.now() - begun < 60_000, "it took more than a minute");
  assert.equal(await server.psql("SELECT id, name FROM t"), "2|b");
});

Deno.test(`a store with 20 % of faults for ${hurtSeconds} s: each file is loaded once`, async () => {
  await using server = await startPostgres();
  await using s3 = await startS3();
  await using faults = new StoreFaults(`127.0.0.1:${s3.port}`, 7);
  await using drops = await droppedBucket(s3, faults.address);
  const model = await modelOf(server, drops, "hurt");
  faults.shares = { error: 8, cutRequest: 4, cutReply: 3, stall: 1, lostReply: 4 };
  faults.stallMs = 1_000;
  await using sluice = await launchIngest(drops, watched, model.env());
  await droppingWhile(model, async () => {
    await delay(hurtSeconds * 1_000);
    await eventually("ten faults", () => faults.faults > 10, { timeoutMs: 120_000 });
  });
  faults.shares = {};
  const figures = await recovers(sluice, model);
  const { passed, refused: _, ...counts } = faults.counts;
  console.info(`faults ${JSON.stringify(counts)}, ${passed} passed: ${figures}`);
});
