import assert from "node:assert/strict";
import { openWarehouse } from "../../lib/clients/warehouse/warehouse.ts";
import { type Fault, SluiceError } from "../../lib/core/errors.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";
import { checkDirectories } from "../../lib/ingest/check.ts";
import { type PostgresServer, startPostgres } from "../support/postgres_server.ts";
import { replacing } from "../support/stand_between.ts";
import { eventually, within } from "../support/waiting.ts";
import { Daemon, ledgerOf } from "./ingesting.ts";

const base = { columns: ["id", "name"], options: ["CSV"], strategy: "append" };

/** The manifest of a table on a server. */
function manifestOf(server: PostgresServer, table: string, more = {}) {
  return { ...base, table, "target-url": server.url, ...more };
}

async function withTables(server: PostgresServer, ...names: string[]): Promise<void> {
  await server.psql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  for (const name of names) await server.psql(`CREATE TABLE ${name} (id int, name text)`);
}

function idsOf(server: PostgresServer, table = "t"): Promise<string> {
  return server.psql(`SELECT string_agg(id::text, ' ' ORDER BY id) FROM ${table}`);
}

/** A file whose delete fails until others have come and gone. */
function stubborn(fault: Fault) {
  return async (server: PostgresServer) => {
    await withTables(server, "t");
    await using ingest = new Daemon();
    let isStubborn = true;
    ingest.store.before = (act, key) => {
      if (act !== "delete" || key !== "t/1.csv" || !isStubborn) return;
      throw new SluiceError("delete t/1.csv", fault, "not now");
    };
    await ingest.manifest("t", manifestOf(server, "t"));
    await ingest.put("t/1.csv", "1,a\n");
    ingest.start();
    await eventually(
      "the trouble is told",
      () => /t: Cannot delete t\/1.csv: not now; it is done/.test(ingest.daemon.notReady().join()),
    );
    assert.equal(ingest.daemon.blocked, 0);
    await ingest.put("t/2.csv", "2,b\n");
    await eventually("the other file goes", () => !ingest.keys.includes("t/2.csv"));
    assert.deepEqual(ingest.keys, ["t/1.csv", "t/manifest.json"]);
    isStubborn = false;
    await eventually("the file goes", () => ingest.keys.length === 1);
    await eventually("all is well", () => ingest.daemon.notReady().length === 0);
    assert.equal(await idsOf(server), "1 2");
    assert.equal(ingest.counts.ledgerSkips, 0);
  };
}

type Act = (server: PostgresServer) => Promise<void>;

const steps: readonly (readonly [what: string, act: Act])[] = [
  ["files that cannot be deleted for want of rights hold up no others", stubborn("denied")],
  ["files that cannot be deleted for a while hold up no others", stubborn("transient")],
  ["--once tells when a file is left that cannot be deleted", async (server) => {
    await withTables(server, "t");
    await using ingest = new Daemon({ once: true });
    ingest.store.before = (act) => {
      if (act === "delete") throw new SluiceError("delete", "denied", "never");
    };
    await ingest.manifest("t", manifestOf(server, "t"));
    await ingest.put("t/1.csv", "1,a\n");
    assert.equal(await ingest.once(), 3);
    assert.equal(await idsOf(server), "1");
  }],

  ["a misfit that is mended is forgotten", async (server) => {
    await withTables(server, "t");
    await using ingest = new Daemon();
    await ingest.manifest("t", manifestOf(server, "t"));
    await ingest.put("t/manifest.yaml", "{}");
    ingest.start();
    await eventually("the misfit is told", () => /leave one/.test(ingest.daemon.notReady().join()));
    await ingest.store.delete("t/manifest.yaml");
    await eventually("all is well", () => ingest.daemon.notReady().length === 0);
  }],

  ["a manifest that is mended is tried at once, whatever the wait", async (server) => {
    await withTables(server, "t");
    // The next try is due in four minutes at the earliest, by a time that goes a hundredth as fast.
    await using ingest = new Daemon({ pollMs: 0.5 }, openWarehouse, 0.01);
    await ingest.manifest("t", manifestOf(server, "t", { columns: ["id", "nme"] }));
    await ingest.put("t/1.csv", "1,a\n");
    ingest.start();
    await eventually("it is told", () => /did you mean/.test(ingest.daemon.notReady().join()));
    await ingest.manifest("t", manifestOf(server, "t"));
    await eventually("it is loaded", () => ingest.keys.length === 1);
    await eventually("all is well", () => ingest.daemon.notReady().length === 0);
  }],
  ["a bad file that is taken away is forgotten", async (server) => {
    await withTables(server, "t");
    await using ingest = new Daemon();
    await ingest.manifest("t", manifestOf(server, "t", { "on-error": "stop" }));
    await ingest.put("t/1.csv", "x,a\n");
    ingest.start();
    await eventually("it is told", () => /1\.csv/.test(ingest.daemon.notReady().join()));
    await ingest.store.delete("t/1.csv");
    await eventually("all is well", () => ingest.daemon.notReady().length === 0);
  }],

  [
    "a file that cannot be moved aside is tried again, and its siblings are done",
    async (server) => {
      await withTables(server, "t");
      await using ingest = new Daemon();
      let isClosed = true;
      ingest.store.before = (act, key) => {
        if (isClosed && act === "put" && key.includes("_rejected")) {
          throw new SluiceError(`put ${key}`, "denied", "no");
        }
      };
      await ingest.manifest("t", manifestOf(server, "t"));
      await ingest.put("t/1.csv", "1,a\n");
      await ingest.put("t/2.csv", "x,a\n");
      ingest.start();
      await eventually("it is told", () => /_rejected/.test(ingest.daemon.notReady().join()));
      assert.deepEqual(ingest.keys, ["t/2.csv", "t/manifest.json"]);
      isClosed = false;
      await eventually("it is moved", () => !ingest.keys.includes("t/2.csv"));
      assert.equal(ingest.keys.length, 3);
    },
  ],

  ["--once loads what was put anew while it was read", async (server) => {
    await withTables(server, "t");
    await using ingest = new Daemon({ once: true });
    let puts = 0;
    const { store } = ingest;
    store.before = (act, key) => {
      if (act === "get" && key === "t/1.csv" && puts++ < 2) void ingest.put(key, `${puts + 1},b\n`);
    };
    await ingest.manifest("t", manifestOf(server, "t"));
    await ingest.put("t/1.csv", "1,a\n");
    assert.equal(await ingest.once(), 0);
    assert.equal(await idsOf(server), "3");
    assert.deepEqual(ingest.keys, ["t/manifest.json"]);
  }],

  ["--once tells when a file does not stop changing", async (server) => {
    await withTables(server, "t");
    await using ingest = new Daemon({ once: true });
    ingest.store.before = (act, key) => {
      if (act === "get" && key === "t/1.csv") void ingest.put(key, "1,b\n");
    };
    await ingest.manifest("t", manifestOf(server, "t"));
    await ingest.put("t/1.csv", "1,a\n");
    assert.equal(await ingest.once(), 3);
    assert.equal(await idsOf(server), "");
  }],

  ["a locked table keeps no worker from others, and no stop from its end", async (server) => {
    await withTables(server, "t", "u");
    const warehouse = await openWarehouse(new Secret(server.url), realWorld(() => {}));
    const session = await warehouse.connect();
    await session.execute("BEGIN; LOCK TABLE t");
    await using ingest = new Daemon({ workers: 2 });
    for (let n = 0; n < 5; n++) {
      await ingest.manifest(`a${n}`, manifestOf(server, "t"));
      await ingest.put(`a${n}/1.csv`, `${n},a\n`);
    }
    for (let n = 0; n < 3; n++) {
      await ingest.manifest(`b${n}`, manifestOf(server, "u"));
      await ingest.put(`b${n}/1.csv`, `${n},a\n`);
    }
    ingest.start();
    const isLoaded = () => ingest.keys.filter((key) => key.startsWith("b")).length === 3;
    await eventually("the other table is loaded", isLoaded);
    assert.equal(await idsOf(server, "u"), "0 1 2");
    // The lock itself would be waited for for five minutes.
    assert.ok(await within(ingest.stop(), 120_000), "the stop was not heeded");
    await session.close();
    await warehouse.close();
    assert.equal(await server.psql("SELECT count(*) FROM t"), "0");
    assert.equal(await ledgerOf(server), 3);
  }],

  ["a stop that comes before a load has asked for its lock is heeded, too", async (server) => {
    await withTables(server, "t");
    const holder = await openWarehouse(new Secret(server.url), realWorld(() => {}));
    const lock = await holder.connect();
    await lock.execute("BEGIN; LOCK TABLE t");
    const begun = Promise.withResolvers<void>();
    let stopped: Promise<void> | undefined;
    await using ingest = new Daemon({}, async (...given) => {
      const real = await openWarehouse(...given);
      return replacing(real, {
        connect: async (options) => {
          const session = await real.connect(options);
          return replacing(session, {
            execute: async (sql) => {
              const rows = await session.execute(sql);
              if (sql === "BEGIN") begun.resolve(stopped ??= ingest.stop());
              return rows;
            },
          });
        },
      });
    });
    await ingest.manifest("t", manifestOf(server, "t"));
    await ingest.put("t/1.csv", "1,a\n");
    ingest.start();
    // The lock itself would be waited for for five minutes.
    assert.ok(await within(begun.promise, 120_000), "the stop was not heeded");
    await lock.close();
    await holder.close();
    assert.equal(await server.psql("SELECT count(*) FROM t"), "0");
  }],

  ["--check refuses what a load would", async (server) => {
    await withTables(server, "t", "u");
    await server.psql("ALTER TABLE u ADD must int NOT NULL");
    const wrong: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
      [{ options: ["CSV", "LZOP"] }, /LZOP/],
      [{ "pre-sql": ["COMMIT"] }, /COMMIT ends the transaction/],
      [{ "post-sql": ["SELECT 1; END"] }, /END ends the transaction/],
      [{ "staging-select": "DELETE FROM {{table}}" }, /begins with DELETE/],
      [{ columns: ["id", "nme"] }, /did you mean "name"/],
      [{ table: "u" }, /column "must" must not be NULL/],
    ];
    for (const [more, complaint] of wrong) {
      await using ingest = new Daemon();
      await ingest.manifest("t", manifestOf(server, "t", more));
      const { worst } = await checkDirectories(ingest.tools);
      assert.match(String(worst), complaint);
      assert.equal((worst as SluiceError).fault, "usage");
    }
    await using ingest = new Daemon();
    await ingest.manifest("t", manifestOf(server, "t"));
    assert.deepEqual(await checkDirectories(ingest.tools), { directories: 1, worst: null });
    await ingest.put("t/manifest.yaml", "{}");
    assert.match(String((await checkDirectories(ingest.tools)).worst), /leave one of them/);
  }],
];

Deno.test("Trouble of one directory, file or table is not another one's", async (t) => {
  await using server = await startPostgres();
  for (const [what, act] of steps) await t.step(what, () => act(server));
});
