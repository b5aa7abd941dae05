import assert from "node:assert/strict";
import { queryMessage } from "../../lib/clients/warehouse/messages.ts";
import type { PgliteWire } from "../../lib/clients/warehouse/pglite_wire.ts";
import {
  openWarehouse,
  type Session,
  type Warehouse,
} from "../../lib/clients/warehouse/warehouse.ts";
import { faultOf, reasonOf } from "../../lib/core/errors.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";
import { checkContract, pieces, rejectsWith, rowsOf } from "../clients/warehouse/contract.ts";
import { programRights } from "../../scripts/rights.ts";
import { makeCertificates } from "../support/certificates.ts";
import { growthDuring } from "../support/flat_memory.ts";
import { freeze } from "../support/freezing.ts";
import { type PostgresServer, startPostgres, untilActive } from "../support/postgres_server.ts";
import { TempFiles } from "../support/temp_files.ts";
import { delay, eventually, within } from "../support/waiting.ts";

const world = realWorld(() => {});
const megabyte = 1024 * 1024;

function open(url: string): Promise<Warehouse> {
  return openWarehouse(new Secret(url), world);
}

/** A session named "victim". */
function victim(warehouse: Warehouse): Promise<Session> {
  return warehouse.connect({ applicationName: "victim" });
}

/** Rows for `COPY ... FROM STDIN` without an end, as fast as they are taken. */
async function* endless(): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode("1\tx\n".repeat(10_000));
  while (true) {
    await new Promise((resolve) => setTimeout(resolve));
    yield bytes;
  }
}

/** The lost connection, as each of these must tell of it. */
const losses: readonly (readonly [
  name: string,
  cut: (server: PostgresServer) => Promise<unknown>,
  sqlState: string | undefined,
])[] = [
  [
    "pg_terminate_backend",
    (server) => server.terminateBackends("application_name = 'victim'"),
    "57P01",
  ],
  ["a fast stop", (server) => server.kill("SIGINT"), "57P01"],
  ["kill -9 of the server and its backends", (server) => server.crash(), undefined],
];

/** What is under way when the connection is lost. */
const underWay: readonly (readonly [string, (session: Session) => Promise<unknown>])[] = [
  ["a COPY whose source goes on", (session) => session.copyIn("COPY t FROM STDIN", endless())],
  ["a COPY whose source is stuck", (session) => session.copyIn("COPY t FROM STDIN", stuck())],
  ["a COMMIT", async (session) => {
    await session.execute("BEGIN; INSERT INTO slow VALUES (1)");
    await session.execute("COMMIT");
  }],
  ["a stream", async (session) => {
    const sql = "SELECT i, pg_sleep(0.001) FROM generate_series(1, 1000000) i";
    await rowsOf(await session.stream(sql));
  }],
];

async function* stuck(): AsyncGenerator<Uint8Array> {
  yield* pieces("1\tx\n");
  await new Promise(() => {});
}

const tables = "CREATE TABLE t (id int, s text); CREATE TABLE slow (id int); " +
  // COMMIT takes its time: a trigger at its end sleeps.
  "CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS " +
  "'BEGIN PERFORM pg_sleep(60); RETURN NULL; END'; " +
  "CREATE CONSTRAINT TRIGGER nap AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED " +
  "FOR EACH ROW EXECUTE FUNCTION nap()";

Deno.test("PostgreSQL keeps the contract of warehouses", async (t) => {
  await using server = await startPostgres();
  const warehouse = await open(server.url);
  assert.equal(warehouse.kind, "postgres");
  assert.ok(!warehouse.url.includes(server.password));
  await checkContract(t, warehouse);
  await warehouse.close();
});

Deno.test("PGlite keeps the contract of warehouses", async (t) => {
  await using files = await TempFiles.of();
  const warehouse = await open(`pglite:${files.path("new/db")}`);
  assert.equal(warehouse.kind, "pglite");
  await checkContract(t, warehouse);
  await warehouse.close();
  await warehouse.close();
});

Deno.test("A lost connection is transient and breaks the session, whatever was under way", async (t) => {
  await using server = await startPostgres();
  await server.psql(tables);
  const warehouse = await open(server.url);
  for (const [how, cut, sqlState] of losses) {
    for (const [what, run] of underWay) {
      await t.step(`${what}, by ${how}`, async () => {
        const session = await victim(warehouse);
        const lost = rejectsWith(run(session), "transient", sqlState);
        await untilActive(server, "victim");
        await cut(server);
        await lost;
        assert.equal(session.isBroken, true);
        await rejectsWith(session.query("SELECT 1"), "transient", undefined);
        await session.close();
        if (cut !== losses[0]?.[1]) await server.restart();
      });
    }
  }
  const session = await warehouse.connect();
  assert.deepEqual((await session.query("SELECT count(*) FROM t")).rows, [["0"]]);
  await warehouse.close();
});

Deno.test("A server that is not there, starting or full is transient, and is used when it is back", async () => {
  await using server = await startPostgres({ settings: { max_connections: "5" } });
  const warehouse = await open(server.url);
  const sessions: Session[] = [];
  await rejectsWith(
    (async () => {
      // Three of the five are kept for superusers or for replication, as the version has it.
      while (true) sessions.push(await warehouse.connect());
    })(),
    "transient",
    "53300",
  );
  await Promise.all(sessions.map((session) => session.close()));
  await server.kill("SIGINT");
  await rejectsWith(warehouse.connect(), "transient", undefined);
  await server.restart();
  const session = await warehouse.connect();
  assert.deepEqual((await session.query("SELECT 7")).rows, [["7"]]);
  await warehouse.close();
  assert.equal(session.isBroken, true);
});

Deno.test("A frozen server does not keep a session from being closed", async () => {
  await using server = await startPostgres();
  await server.psql(tables);
  const warehouse = await open(server.url);
  const session = await victim(warehouse);
  const copy = session.copyIn("COPY t FROM STDIN", endless());
  const lost = rejectsWith(copy, "transient", undefined);
  await untilActive(server, "victim");
  await server.pause();
  const hasty = await open(`${server.url}?connect_timeout=1`);
  await rejectsWith(hasty.connect(), "transient", undefined);
  assert.ok(await within(session.close(), 60_000));
  await lost;
  await server.resume();
});

Deno.test("A statement is cancelled, or given up by its time-out, and the session goes on", async () => {
  await using server = await startPostgres();
  await server.psql(tables);
  const warehouse = await open(server.url);
  const session = await victim(warehouse);
  await session.cancel(); // nothing to do
  for (
    const run of [
      () => session.query("SELECT pg_sleep(60)"),
      () => session.copyIn("COPY t FROM STDIN", stuck()),
    ]
  ) {
    const cancelled = rejectsWith(run(), "transient", "57014");
    await untilActive(server, "victim");
    await session.cancel();
    await cancelled;
    assert.deepEqual((await session.query("SELECT 7")).rows, [["7"]]);
  }
  const hasty = await warehouse.connect({ statementTimeoutMs: 200 });
  await rejectsWith(hasty.query("SELECT pg_sleep(60)"), "transient", "57014");
  await rejectsWith(hasty.copyIn("COPY t FROM STDIN", endless()), "transient", "57014");
  // On a busy machine any statement may take longer than that.
  const goesOn = () => hasty.query("SELECT 7").then(({ rows }) => rows, () => undefined);
  assert.deepEqual(await eventually("the session goes on", goesOn), [["7"]]);
  await warehouse.close();
});

Deno.test("A server that hears of a cancel before it reads the statement is told again", async () => {
  await using server = await startPostgres();
  const warehouse = await open(server.url);
  const session = await victim(warehouse);
  const { rows } = await session.query("SELECT pg_backend_pid()");
  const backend = Number(rows[0]?.[0]);
  await freeze(backend);
  const cancelled = rejectsWith(session.query("SELECT pg_sleep(600)"), "transient", "57014");
  await delay(0); // the statement is on its way
  await session.cancel();
  Deno.kill(backend, "SIGCONT");
  await cancelled;
  assert.deepEqual((await session.query("SELECT 7")).rows, [["7"]]);
  await warehouse.close();
});

Deno.test("Wrong passwords and missing rights are denied, other errors of logging in are not", async () => {
  await using server = await startPostgres();
  await server.psql("CREATE ROLE poor LOGIN PASSWORD 'p'; CREATE TABLE private (id int)");
  const at = `127.0.0.1:${server.port}`;
  const cases = [
    [`postgres://sluice:wrong@${at}/sluice`, "denied", "28P01"],
    [`postgres://nobody:x@${at}/sluice`, "denied", "28P01"],
    [`postgres://sluice@${at}/sluice`, "denied", undefined],
    [server.urlOf("nowhere"), "permanent", "3D000"],
    [`${server.url}?sslmode=require`, "permanent", undefined],
    ["postgres://u:p@127.0.0.1:1/d", "transient", undefined],
    ["postgres://u:p@nowhere.invalid/d", "transient", undefined],
  ] as const;
  for (const [url, fault, sqlState] of cases) {
    const warehouse = await open(url);
    await rejectsWith(warehouse.connect(), fault, sqlState);
  }
  const poor = await open(`postgres://poor:p@${at}/sluice?application_name=shown`);
  const session = await poor.connect();
  await rejectsWith(session.query("SELECT * FROM private"), "denied", "42501");
  const name = await session.query("SELECT current_setting('application_name')");
  assert.deepEqual(name.rows, [["shown"]]);
  await poor.close();
});

Deno.test("TLS is spoken as the URL says, and cancels go over it, too", async (t) => {
  await using files = await TempFiles.of();
  const ssl = await makeCertificates(files.folder);
  await using server = await startPostgres({ ssl, onlyTls: true });
  // The certificate is for 127.0.0.1 and localhost; this is the same machine under another name.
  const otherName = server.url.replace("127.0.0.1", "127.1");
  const cases = [
    ["", "tls"],
    ["sslmode=require", "tls"],
    ["sslmode=disable", "denied 28000"],
    [`sslmode=verify-full&sslrootcert=${ssl.ca}`, "tls"],
    [`sslmode=verify-ca&sslrootcert=${ssl.ca}`, "tls"],
    [`sslmode=verify-full&sslrootcert=${ssl.wrongCa}`, "permanent"],
    [`sslmode=verify-ca&sslrootcert=${ssl.wrongCa}`, "permanent"],
    ["sslmode=verify-full", "permanent"],
    ["sslmode=verify-full&sslrootcert=/nowhere.pem", "usage"],
  ] as const;
  const outcome = async (url: string): Promise<string> => {
    const warehouse = await open(url);
    try {
      const session = await victim(warehouse);
      const sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
      const isTls = (await session.query(sql)).rows[0]?.[0] === "t";
      const cancelled = rejectsWith(session.query("SELECT pg_sleep(60)"), "transient", "57014");
      await untilActive(server, "victim");
      await session.cancel();
      await cancelled;
      return isTls ? "tls" : "plain";
    } catch (thrown) {
      const state = /\((\w{5})\)$/.exec(reasonOf(thrown))?.[1];
      return [faultOf(thrown), ...(state ? [state] : [])].join(" ");
    } finally {
      await warehouse.close();
    }
  };
  for (const [query, expected] of cases) {
    const shown = query.replaceAll(files.folder, "");
    await t.step(`"${shown}" gives ${expected}`, async () => {
      assert.equal(await outcome(`${server.url}?${query}`), expected);
    });
  }
  await t.step("another name than the certificate's is only refused by verify-full", async () => {
    const trusted = `sslrootcert=${ssl.ca}`;
    assert.equal(await outcome(`${otherName}?sslmode=verify-ca&${trusted}`), "tls");
    assert.equal(await outcome(`${otherName}?sslmode=verify-full&${trusted}`), "permanent");
  });
});

/** So much text in rows of 1 KiB, made as it is taken. */
async function* muchText(bytes: number): AsyncGenerator<Uint8Array> {
  const piece = new TextEncoder().encode(`1\t${"x".repeat(1021)}\n`.repeat(64));
  for (let at = 0; at < bytes; at += piece.length) {
    await Promise.resolve();
    yield piece;
  }
}

Deno.test("Rows without number go in and out with flat memory", async (t) => {
  await using server = await startPostgres();
  await server.psql(tables);
  await using files = await TempFiles.of();
  for (const url of [server.url, `pglite:${files.path("db")}`]) {
    const warehouse = await open(url);
    const session = await warehouse.connect();
    await session.execute("CREATE TEMP TABLE big (id int, s text)");
    await t.step(`${warehouse.kind}: 128 MB by COPY`, async () => {
      await session.copyIn("COPY big FROM STDIN", muchText(8 * megabyte)); // warm
      const growth = await growthDuring(async () => {
        await session.copyIn("COPY big FROM STDIN", muchText(128 * megabyte));
      });
      assert.ok(growth < 40 * megabyte, `${growth} bytes more`);
    });
    await t.step(`${warehouse.kind}: 300,000 rows by a slow reader`, async () => {
      const sql = "SELECT i, repeat('x', 400) FROM generate_series(1, 300000) i";
      let count = 0;
      const growth = await growthDuring(async () => {
        for await (const batch of await session.stream(sql)) {
          count += batch.length;
          if (count % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
        }
      });
      assert.equal(count, 300_000);
      assert.ok(growth < 40 * megabyte, `${growth} bytes more`);
    });
    await warehouse.close();
  }
});

Deno.test("A folder of PGlite is one process's alone, and keeps what was committed", async () => {
  await using files = await TempFiles.of();
  const url = `pglite:${files.path("db")}`;
  const warehouse = await open(url);
  const session = await warehouse.connect();
  await session.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
  await rejectsWith(open(url), "permanent", undefined);
  // The next session waits for this one.
  const next = warehouse.connect();
  assert.equal(await within(next, 100), false);
  await session.execute("BEGIN; INSERT INTO t VALUES (2)");
  await session.close();
  assert.deepEqual((await (await next).query("SELECT id FROM t")).rows, [["1"]]);
  await warehouse.close();
  const again = await open(url);
  const reader = await again.connect();
  assert.deepEqual((await reader.query("SELECT id FROM t")).rows, [["1"]]);
  await again.close();
  await Deno.mkdir(files.path("full"));
  await files.write("full/letter.txt", "dear");
  await rejectsWith(open(`pglite:${files.path("full")}`), "permanent", undefined);
});

Deno.test("An engine of PGlite that fails as such is started anew, and has what was committed", async () => {
  await using files = await TempFiles.of();
  const warehouse = await open(`pglite:${files.path("db")}`);
  const session = await warehouse.connect();
  await session.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
  await session.execute("BEGIN; INSERT INTO t VALUES (2)");
  // The end of all input in the midst of COPY: nothing that a session does lets that happen.
  const { wire } = session as unknown as { readonly wire: PgliteWire };
  await wire.write(queryMessage("COPY t FROM STDIN"));
  await assert.rejects(wire.read());
  assert.equal(session.isBroken, true);
  await session.close();
  const next = await warehouse.connect();
  assert.deepEqual((await next.query("SELECT id FROM t")).rows, [["1"]]);
  await warehouse.close();
});

Deno.test("A session on Redshift refuses COPY with STDIN before it asks the server", async () => {
  await using server = await startPostgres();
  const warehouse = await open(`${server.url.replace("postgres:", "redshift:")}?sslmode=disable`);
  assert.equal(warehouse.kind, "redshift");
  const session = await warehouse.connect({ statementTimeoutMs: 60_000 });
  assert.deepEqual((await session.query("SELECT 7")).rows, [["7"]]);
  await rejectsWith(session.copyIn("COPY t FROM STDIN", pieces("1\n")), "permanent", undefined);
  await rejectsWith(
    session.copyOut("COPY t TO STDOUT")[Symbol.asyncIterator]().next(),
    "permanent",
    undefined,
  );
  await warehouse.close();
});

Deno.test("The compiled program's rights are enough, and the process ends", async (t) => {
  await using files = await TempFiles.of();
  const ssl = await makeCertificates(files.folder);
  await using server = await startPostgres({ ssl });
  const socket = `postgres:///sluice?host=${server.folder}&port=${server.port}` +
    `&user=${server.user}&password=${server.password}`;
  const program = new URL("../support/warehouse_program.ts", import.meta.url).pathname;
  const urls = [
    ["TCP", `${server.url}?sslmode=disable`, "postgres"],
    ["TLS", `${server.url}?sslmode=verify-full&sslrootcert=${ssl.ca}`, "postgres"],
    ["a Unix socket", socket, "postgres"],
    ["PGlite", `pglite:${files.path("db")}`, "pglite"],
  ] as const;
  for (const [name, url, kind] of urls) {
    await t.step(`by ${name}`, async () => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", ...programRights, program, url],
        signal: AbortSignal.timeout(180_000),
      }).output();
      const said = new TextDecoder().decode(stdout).trim() || new TextDecoder().decode(stderr);
      const wanted = JSON.stringify({ kind, copied: 100, count: 100 });
      assert.deepEqual({ code, said }, { code: 0, said: wanted });
    });
  }
});
