import assert from "node:assert/strict";
import { type PostgresServer, startPostgres } from "../support/postgres_server.ts";
import { Daemon } from "./ingesting.ts";

const base = { table: "t", columns: ["id", "name"], "pk-columns": ["id"] };

/** A header line and two rows, as the program packs them. */
const rowsInBzip2 = "QlpoOTFBWSZTWaAwe34AAAbZAAAQAAQwADYjIAAxANNNBAMQIEFFl0b17fi7kinChIUBg9vw";

async function emptied(server: PostgresServer): Promise<void> {
  await server.psql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  await server.psql("CREATE TABLE t (id int PRIMARY KEY, name varchar(5))");
}

function textOf(ingest: Daemon, key: RegExp): string {
  const found = [...ingest.store.objects].find(([name]) => key.test(name));
  return found === undefined ? "" : new TextDecoder().decode(found[1].bytes);
}

function manifestOf(server: PostgresServer, options: readonly string[]) {
  return { ...base, options, "target-url": server.url };
}

type Act = (server: PostgresServer) => Promise<void>;

const steps: readonly (readonly [what: string, act: Act])[] = [
  ["fewer than MAXERROR says, over all files, with their lines and bytes", async (server) => {
    await emptied(server);
    await using ingest = new Daemon({ once: true });
    await ingest.manifest("t", manifestOf(server, ["CSV IGNOREHEADER 1", "MAXERROR 5"]));
    await ingest.put("t/1.csv", 'id,name\n1,a\nx,b\n2,"c\nd"\n3\n4,too long\n5,e\n');
    await ingest.put("t/2.csv", "id,name\n6,f\ny,g\n7,h\n");
    assert.equal(await ingest.once(), 0, ingest.said.join("\n"));
    assert.equal(
      await server.psql("SELECT id, replace(name, chr(10), '/') FROM t ORDER BY id"),
      "1|a\n2|c/d\n5|e\n6|f\n7|h",
    );
    assert.equal(ingest.counts.rejectedRows, 4);
    assert.equal(ingest.counts.rejectedFiles, 0);
    const report = JSON.parse(textOf(ingest, /_rejected\/[^/]+\/1\.csv\.rows\.json$/));
    assert.equal(report.rowsLeftOut, 3);
    assert.deepEqual(
      report.rows.map(({ line, column, raw }: Record<string, unknown>) => [line, column, raw]),
      [[3, "id", "x,b"], [6, null, "3"], [7, "name", "4,too long"]],
    );
    assert.match(report.rows[0].reason, /invalid input syntax/);
    const other = JSON.parse(textOf(ingest, /2\.csv\.rows\.json$/));
    assert.deepEqual([other.file, other.rows[0].line], ["t/2.csv", 3]);
    assert.equal(ingest.keys.length, 3);
  }],

  [
    "a file with one row too many is moved aside, and takes none from the others",
    async (server) => {
      await emptied(server);
      await using ingest = new Daemon({ once: true });
      await ingest.manifest("t", manifestOf(server, ["CSV", "MAXERROR 2"]));
      await ingest.put("t/1.csv", "1,a\nx,b\ny,c\n2,d\n");
      await ingest.put("t/2.csv", "3,e\nz,f\n4,g\n");
      assert.equal(await ingest.once(), 3);
      assert.equal(await server.psql("SELECT id FROM t ORDER BY id"), "3\n4");
      const report = JSON.parse(textOf(ingest, /1\.csv\.json$/));
      assert.deepEqual([report.line, report.column, report.raw], [3, "id", "y,c"]);
      assert.equal(ingest.counts.rejectedRows, 1);
    },
  ],

  ["MAXERROR 0 and 1 allow none", async (server) => {
    for (const option of ["MAXERROR 0", "MAXERROR 1"]) {
      await emptied(server);
      await using ingest = new Daemon({ once: true });
      await ingest.manifest("t", manifestOf(server, ["CSV", option]));
      await ingest.put("t/1.csv", "1,a\nx,b\n");
      assert.equal(await ingest.once(), 3);
      assert.equal(await server.psql("SELECT count(*) FROM t"), "0");
    }
  }],

  [
    "--max-errors does the same, and a manifest's own MAXERROR goes before it",
    async (server) => {
      await emptied(server);
      await using ingest = new Daemon({ once: true, maxErrors: 1 });
      await ingest.manifest("t", manifestOf(server, ["CSV"]));
      await ingest.put("t/1.csv", "1,a\nx,b\n");
      await ingest.put("t/2.csv", "2,a\ny,b\n");
      assert.equal(await ingest.once(), 3);
      assert.equal(await server.psql("SELECT id FROM t"), "1");
      await using own = new Daemon({ once: true, maxErrors: 1 });
      await own.manifest("t", manifestOf(server, ["CSV", "MAXERROR 3"]));
      await own.put("t/3.csv", "3,a\nx,b\ny,c\n");
      assert.equal(await own.once(), 0);
      assert.equal(await server.psql("SELECT id FROM t ORDER BY id"), "1\n3");
    },
  ],

  ["bad rows at the ends of pieces, and rows numbered on behind them", async (server) => {
    await emptied(server);
    await using ingest = new Daemon({ once: true, maxErrors: 99_999 });
    await ingest.manifest("t", {
      ...manifestOf(server, ["CSV"]),
      strategy: "append",
      "pk-columns": [],
    });
    const isBad = (n: number) => n % 4_000 === 0 || n === 59_999;
    const lines = Array.from({ length: 60_000 }, (_, n) => `${isBad(n) ? "x" : n},"a"\n`);
    await ingest.put("t/1.csv", lines.join(""));
    await ingest.put("t/2.csv", "60000,b\n");
    assert.equal(await ingest.once(), 0, ingest.said.join("\n"));
    assert.equal(await server.psql("SELECT count(*), count(DISTINCT id) FROM t"), "59985|59985");
    const { rows } = JSON.parse(textOf(ingest, /1\.csv\.rows\.json$/));
    assert.deepEqual(
      rows.map(({ line }: { line: number }) => line - 1),
      Array.from({ length: 60_000 }, (_, n) => n).filter(isBad),
    );
  }],

  ["a NULL key is named with its line behind rows that were left out", async (server) => {
    await emptied(server);
    await using ingest = new Daemon({ once: true, maxErrors: 10 });
    await ingest.manifest("t", manifestOf(server, ["CSV"]));
    await ingest.put("t/1.csv", "1,a\nx,b\n2,c\ny,d\n,e\n");
    assert.equal(await ingest.once(), 3);
    const report = JSON.parse(textOf(ingest, /1\.csv\.json$/));
    assert.deepEqual([report.line, report.raw], [5, ",e"]);
  }],

  ["bzip2, and what is cut in it", async (server) => {
    await emptied(server);
    await using ingest = new Daemon({ once: true });
    const packed = Uint8Array.from(atob(rowsInBzip2), (one) => one.charCodeAt(0));
    await ingest.manifest("t", manifestOf(server, ["CSV BZIP2 IGNOREHEADER 1"]));
    await ingest.store.put("t/1.csv.bz2", packed);
    await ingest.store.put("t/2.csv.bz2", packed.subarray(0, packed.length - 9));
    assert.equal(await ingest.once(), 3);
    assert.equal(await server.psql("SELECT id, name FROM t ORDER BY id"), "1|a\n2|b");
    assert.match(textOf(ingest, /2\.csv\.bz2\.json$/), /decompress bzip2/);
  }],
];

Deno.test("Rows that cannot be loaded are left out where that was asked for", async (t) => {
  await using server = await startPostgres();
  for (const [what, act] of steps) await t.step(what, () => act(server));
});
