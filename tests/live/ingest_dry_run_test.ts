import assert from "node:assert/strict";
import { openWarehouse, type Warehouse } from "../../lib/clients/warehouse/warehouse.ts";
import { type DryDirectory, dryRun } from "../../lib/ingest/dry_run.ts";
import { dryLines } from "../../lib/ingest/dry_text.ts";
import { type PostgresServer, startPostgres } from "../support/postgres_server.ts";
import { RedshiftIngest } from "../support/redshift_ingest.ts";
import { overheard, replacing } from "../support/stand_between.ts";
import { Daemon, Drops, gzip, ingestOnce } from "./ingesting.ts";
import { runSluice } from "../support/command_line.ts";

const base = { table: "t", columns: ["id", "name"], "pk-columns": ["id"] };

/** Opens warehouses that write down what they are told to run. */
function listening(heard: string[]) {
  return async (...given: Parameters<typeof openWarehouse>): Promise<Warehouse> => {
    const real = await openWarehouse(...given);
    return replacing(real, {
      connect: async (options) =>
        overheard(await real.connect(options), (_, [sql]) => {
          if (typeof sql === "string") heard.push(sql);
        }),
    });
  };
}

async function dried(ingest: Daemon) {
  const found: DryDirectory[] = [];
  const result = await dryRun(ingest.tools, (one) => Promise.resolve(void found.push(one)));
  return { ...result, found, text: found.flatMap(dryLines).join("\n") };
}

function tablesOf(server: PostgresServer): Promise<string> {
  return server.psql(
    "SELECT string_agg(relname, ' ') FROM pg_class WHERE relkind = 'r' AND " +
      "relnamespace = 'public'::regnamespace",
  );
}

Deno.test("A dry run tells files, order, ledger, header and the SQL that a load runs, and writes nothing", async () => {
  await using server = await startPostgres();
  const heard: string[] = [];
  await using ingest = new Daemon({ once: true }, listening(heard));
  await server.psql("CREATE TABLE t (id int PRIMARY KEY, name text)");
  await ingest.manifest("a/t", {
    ...{ ...base, "target-url": server.url, options: ["CSV IGNOREHEADER 1"] },
    ...{ "data-pattern": ".*csv", "order-by": ["name desc"], "delete-when": "name = 'x'" },
    ...{ "staging-select": "SELECT DISTINCT * FROM {{table}}" },
    ...{ "pre-sql": ["UPDATE t SET name = 'b'"], "post-sql": ["ANALYZE t;"] },
  });
  await ingest.put("a/t/1.csv", "id,name\n1,a\n");
  await ingest.put("a/t/2.csv", "id,name\n2,b\n");
  await ingest.put("a/t/README", "what is this\n");
  const keys = ingest.keys;
  const { worst, isPartial, found: [dry], text } = await dried(ingest);
  assert.deepEqual([worst, isPartial], [null, false]);
  assert.match(text, /^a\/t -> "t" of postgres:\/\/sluice@.* \(merge\)/);
  assert.match(text, /ledger: not there yet/);
  assert.match(
    text,
    /to load: 2 of 2 files, 24 bytes\n {4}a\/t\/1.csv {2}12 bytes\n {4}a\/t\/2.csv/,
  );
  assert.match(text, /and 1 that data-pattern leaves out/);
  assert.match(text, /header: names the columns/);
  assert.ok(!text.includes(server.password));
  assert.deepEqual(ingest.keys, keys);
  assert.equal(await tablesOf(server), "t");

  heard.length = 0;
  assert.equal(await ingest.once(), 0, ingest.said.join("\n"));
  const plain = (sql: string) => sql.replace(/'LOAD-ID'|'[0-9a-f-]{36}'/g, "ID");
  const run = heard.map(plain);
  let at = 0;
  for (const sql of dry?.sql.map(plain) ?? []) {
    const next = run.indexOf(sql, at);
    assert.ok(next >= at, `not run, or in another order: ${sql}`);
    at = next + 1;
  }
  assert.equal(at, run.lastIndexOf("COMMIT") + 1);
});

Deno.test("A dry run tells what is loaded, and what a header line, a manifest or a file is wrong in", async (t) => {
  await using server = await startPostgres();
  await server.psql("CREATE TABLE t (id int PRIMARY KEY, name text)");
  const options = ["CSV IGNOREHEADER 1"];
  const manifest = { ...base, "target-url": server.url, options };

  await t.step("files that the ledger has", async () => {
    await using drops = await Drops.make();
    await drops.manifest("t", manifest);
    await drops.put("t/1.csv", "id,name\n1,a\n");
    assert.equal((await ingestOnce(drops.url, ["--keep"])).code, 0);
    await drops.put("t/2.csv", "id,name\n2,a\n");
    const args = ["ingest", `--from=${drops.url}`, "--dry-run"];
    const { code, stdout, stderr } = await runSluice(args);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /ledger: has 1 of these files\n {2}to load: 1 of 2 files/);
    assert.match(
      stdout,
      /t\/1\.csv {2}12 bytes {2}is loaded: only deleted\n {4}t\/2\.csv {2}12 bytes\n/,
    );
    assert.equal(await server.psql("SELECT count(*) FROM t"), "1");
    assert.equal((await drops.keys()).length, 3);
  });

  await t.step("a header line with other names, in gzip", async () => {
    await using drops = await Drops.make();
    await drops.manifest("t", { ...manifest, options: [...options, "GZIP"] });
    await drops.put("t/1.csv.gz", gzip(`name,id\n${"1,a\n".repeat(10_000)}`));
    const { code, stdout } = await runSluice(["ingest", `--from=${drops.url}`, "--dry-run"]);
    assert.equal(code, 3);
    assert.match(stdout, /header: WRONG: field 1 is "name" where the columns have "id"/);
    assert.match(stdout, /to load: 1 of 1 files, \d+ bytes, about 39\.1 KiB decompressed/);
  });

  await t.step("a first file that is not compressed as the options say", async () => {
    await using ingest = new Daemon();
    await ingest.manifest("t", { ...manifest, options: [...options, "GZIP"] });
    await ingest.put("t/1.csv", "id,name\n1,a\n");
    const { worst, isPartial, text } = await dried(ingest);
    assert.deepEqual([worst, isPartial], [null, true]);
    assert.match(text, /header: WRONG: t\/1\.csv is no GZIP as the options say/);
  });

  await t.step("a manifest that cannot be loaded", async () => {
    await using ingest = new Daemon();
    await ingest.manifest("t", { ...manifest, columns: ["id", "nme"] });
    await ingest.manifest("u", manifest);
    const { worst, found } = await dried(ingest);
    assert.match(String(worst), /did you mean "name"/);
    assert.deepEqual(found.map(({ directory }) => directory), ["u"]);
  });
});

Deno.test("On Redshift a dry run has the server read the files, and shows no key", async () => {
  await using ingest = await RedshiftIngest.start();
  const place = await ingest.place();
  await ingest.redshift.psql("CREATE TABLE t (id int, v text)");
  await place.manifest({});
  await place.put("t/1.csv", "1,a\n");
  await place.put("t/2.csv", "x,a\n");
  const args = ["ingest", `--from=${place.url}`, "--dry-run"];
  const { s3 } = ingest;
  const env = { ...s3.env() };
  const { code, stdout, stderr } = await runSluice(
    [...args, `--s3-endpoint=${s3.endpoint}`, `--s3-region=${s3.region}`],
    { env },
  );
  assert.equal(code, 3, `${stdout}${stderr}`);
  assert.match(stdout, /COPY .* FROM 's3:\/\/.*MANIFEST/s);
  assert.match(stdout, /would be moved aside: t\/2\.csv, line 1, column id/);
  assert.ok(!`${stdout}${stderr}`.includes(s3.secretKey), "no secret is shown");
  assert.deepEqual(await place.keys(), ["t/1.csv", "t/2.csv", "t/manifest.json"]);
  assert.equal(await ingest.redshift.psql("SELECT count(*) FROM t"), "0");
});
