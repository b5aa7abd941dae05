import assert from "node:assert/strict";
import { openWarehouse, type WarehouseKind } from "../../lib/clients/warehouse/warehouse.ts";
import type { Typed } from "../../lib/clients/line_editor.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";
import { Ledger } from "../../lib/ingest/ledger.ts";
import { type Lines, Prompt } from "../../lib/query/prompt.ts";
import { Shell } from "../../lib/query/shell.ts";
import { Printed } from "../query/printed.ts";
import { startPostgres } from "../support/postgres_server.ts";
import { assertRedshiftTakes } from "../support/redshift_grammar.ts";
import { startRedshift } from "../support/redshift_stand_in.ts";
import { startS3 } from "../support/s3_server.ts";
import { TempFiles } from "../support/temp_files.ts";

/** A person who types these lines, each when the one before is done. */
class Typist implements Lines {
  readonly remembered: string[] = [];
  readonly #lines: string[];

  /** Ctrl-C. */
  giveUp: (() => void) | undefined;

  constructor(lines: readonly string[]) {
    this.#lines = [...lines];
  }

  read(): Promise<Typed> {
    const text = this.#lines.shift();
    return Promise.resolve(text === undefined ? { type: "end" } : { type: "line", text });
  }

  onInterrupt(act: (() => void) | undefined): void {
    this.giveUp = act;
  }

  remember(entry: string): void {
    this.remembered.push(entry);
  }

  close(): void {}
}

interface Stage {
  readonly shell: Shell;
  /** Types lines; gives what was printed. */
  type(...lines: string[]): Promise<string>;
  readonly prompt: () => Prompt;
}

function setUpSql(): string[] {
  const target = { schema: null, name: "visits" };
  const ledger = new Ledger("postgres", target, "sluice_ingest_ledger", "s3://drops/visits");
  const files = [1, 2].map((n) => ({ key: `visits/${n}.csv`, etag: `e${n}`, sizeBytes: 10 }));
  return [
    "CREATE TABLE visits (host varchar(20) NOT NULL, hits int, PRIMARY KEY (host))",
    "INSERT INTO visits VALUES ('a', 1), ('b', 2)",
    "CREATE VIEW busy AS SELECT host FROM visits WHERE hits > 1",
    ...[ledger.createSql, ...ledger.recordSql("load-1", files as never)],
  ];
}

async function onStage(
  kind: WarehouseKind,
  url: string,
  /** Writes; by default as query does. */
  write: ((sql: string) => Promise<unknown>) | undefined,
  test: (stage: Stage) => Promise<void>,
): Promise<void> {
  const world = realWorld(() => {});
  const warehouse = await openWarehouse(new Secret(url), world);
  try {
    const writer = await warehouse.connect();
    for (const sql of setUpSql()) await (write ?? ((one) => writer.execute(one)))(sql);
    await writer.close();
    const printed = new Printed();
    let typist = new Typist([]);
    let waits = 0;
    // Who watches has seen enough the third time.
    const sleep = () => Promise.resolve(++waits % 3 === 0 ? typist.giveUp?.() : undefined);
    const shell = new Shell({
      connect: () => warehouse.connect(),
      output: printed.output,
      style: () => ({
        ...{ format: "table", isForPeople: true, width: 120, height: 24, rowsMost: 40 },
      }),
      mayWrite: false,
      world: { ...world, sleep },
    });
    const prompt = () => new Prompt(shell, kind, "db", null);
    await test({
      shell,
      prompt,
      type: async (...lines) => {
        await prompt().talk(typist = new Typist(lines));
        return printed.take();
      },
    });
    await shell.close();
  } finally {
    await warehouse.close();
  }
}

/** What is the same wherever it is asked. */
async function assertCommands(kind: WarehouseKind, { type, prompt }: Stage): Promise<void> {
  assert.match(await type("\\d"), /│ busy +│ view [^]*│ visits +│ table [^]*\n3 rows\n/);
  assert.match(await type("\\dt vis*"), /│ visits +│ table [^]*\n1 row\n/);
  const described = await type("\\d visits");
  assert.match(described, /│ host +│ character varying\(20\) │ not null │/);
  assert.match(described, /│ visits_pkey │ PRIMARY KEY \(host\) │/);
  assert.match(await type("\\d busy"), /│ host +│ character varying\(20\) │/);
  assert.match(await type("\\l"), /│ +name +│ +owner +│[^]*\n\d+ rows?\n/);
  assert.match(
    await type("\\timing", "TABLE visits;"),
    /^Timing is on\n[^]*\n2 rows\nTime: [\d.]+ ms\n/,
  );
  assert.match(
    await type("\\x", "SELECT host FROM visits WHERE hits = 2;"),
    /^Expanded rows are on\n─── row 1 ───\nhost │ b\n1 row\n/,
  );
  assert.equal(await type("\\x"), "Expanded rows are off\n\n");
  assert.match(
    await type("SELECT host, hits FROM visits ORDER BY 1;", "\\chart"),
    /a │█+▌? 1\nb │█+ 2\n/,
  );
  assert.match(await type("SELECT hits FROM visits ORDER BY 1 \\chart line"), /2 ┤[^]*1 ┤/);
  const watched = await type("SELECT 42 AS n \\watch 0.1");
  assert.equal(watched.match(/every 0\.1 s\n[^]*?│ +42 │/g)?.length, 3, watched);
  const loads = await type("\\ledger");
  assert.match(loads, /│ load-1 +│ "visits" +│ s3:\/\/drops\/visits +│ +2 │ +20 │\n/);
  assert.match(await type("\\ledger none"), /there is no table none/);
  const complaint = kind === "redshift" ? /0 rows/ : /only Redshift keeps them/;
  assert.match(await type("\\load-errors"), complaint);
  assert.match(await type("DELETE FROM visits;"), /run DELETE: .*give --write/);
  const asked = prompt();
  await asked.talk(new Typist([]));
  assert.deepEqual((await asked.completer("SELECT * FROM vis")).candidates, ["visits"]);
  assert.deepEqual((await asked.completer("SELECT hi, host FROM visits WHERE hit")).candidates, [
    "hits",
  ]);
}

Deno.test("the prompt's commands on PostgreSQL", async () => {
  await using server = await startPostgres();
  await onStage("postgres", server.url, undefined, (stage) => assertCommands("postgres", stage));
});

Deno.test("the prompt's commands on PGlite", async () => {
  await using files = await TempFiles.of();
  await onStage(
    "pglite",
    `pglite:${files.path("50%off")}`,
    undefined,
    (stage) => assertCommands("pglite", stage),
  );
});

Deno.test("the prompt's commands on Redshift, in SQL that it takes", async () => {
  await using s3 = await startS3();
  await using redshift = await startRedshift({ s3 });
  await onStage(
    "redshift",
    redshift.url(),
    (sql) => redshift.psql(sql),
    async (stage) => {
      await assertCommands("redshift", stage);
      // Names are small letters there, whatever they were made as.
      assert.match(await stage.type('\\d "Visits"'), /│ host +│ character varying\(20\) │/);
    },
  );
  for (const sql of redshift.statements) {
    // What the person typed is theirs.
    if (!/^TABLE /.test(sql)) assertRedshiftTakes(sql);
  }
});
