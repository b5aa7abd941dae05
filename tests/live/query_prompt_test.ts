import assert from "node:assert/strict";
import {
  type PostgresServer,
  startPostgres,
  untilAsleep,
  untilNobodySleeps,
} from "../support/postgres_server.ts";
import { TempFiles } from "../support/temp_files.ts";
import { Terminal } from "../support/terminal.ts";
import { loginTo, openUrl, queryWords } from "./querying.ts";

/** A prompt on a server of its own, with two tables and an empty history. */
async function atPrompt(
  test: (stage: {
    readonly server: PostgresServer;
    readonly terminal: Terminal;
    readonly files: TempFiles;
  }) => Promise<void>,
  ...args: string[]
): Promise<void> {
  await using server = await startPostgres();
  await server.psql(
    "CREATE TABLE visits AS SELECT 'host' || g AS host, g AS hits FROM generate_series(1, 1000) g",
  );
  await using files = await TempFiles.of();
  const words = queryWords(openUrl(server.url), `--history=${files.path("history")}`, ...args);
  await using terminal = await Terminal.start(words, { ...loginTo(server), NO_COLOR: "1" });
  await terminal.shows(/^sluice=>$/m);
  await test({ server, terminal, files });
}

Deno.test("a statement over several lines, completed by Tab, is a table with a count", () =>
  atPrompt(async ({ terminal }) => {
    await terminal.type("sel");
    await terminal.key("Tab");
    await terminal.shows(/=> select$/m);
    await terminal.type(" hos");
    await terminal.type("t, hits\n");
    await terminal.shows(/^sluice->$/m);
    await terminal.type("from vis");
    await terminal.key("Tab");
    await terminal.shows(/-> from visits$/m);
    await terminal.type(";\n");
    const screen = await terminal.shows(/1,000 rows, 40 shown\nsluice=>$/);
    assert.match(screen, /│ host1000 │ 1000 │/);
  }));

Deno.test("Ctrl-C gives up what is typed, and what runs; Ctrl-D leaves with 0", () =>
  atPrompt(async ({ server, terminal }) => {
    await terminal.type("select 'open\n");
    await terminal.shows(/^sluice'>$/m);
    await terminal.key("C-c");
    await terminal.shows(/\^C\nsluice=>$/);
    await terminal.type("select pg_sleep(600);\n");
    await untilAsleep(server, "sluice query");
    await terminal.key("C-c");
    await terminal.shows(/\nCancelled\nsluice=>$/);
    await terminal.type("select 40 + 2 as answer;\n");
    await terminal.shows(/│ +42 │[^]*\nsluice=>$/);
    await terminal.key("C-d");
    await terminal.shows(/^exit 0$/m);
  }));

Deno.test("SIGTERM ends the prompt and what runs in it with 130", () =>
  atPrompt(async ({ server, files }) => {
    const words = queryWords(openUrl(server.url), `--history=${files.path("other")}`);
    const script = `echo $$ > ${files.path("pid")}; exec "$@"`;
    await using one = await Terminal.start(["sh", "-c", script, "sh", ...words], loginTo(server));
    await one.shows(/^sluice=>$/m);
    await one.type("select pg_sleep(600);\n");
    await untilAsleep(server, "sluice query");
    Deno.kill(Number(await Deno.readTextFile(files.path("pid"))), "SIGTERM");
    await one.shows(/^exit 130$/m);
    await untilNobodySleeps(server);
  }));

Deno.test("an error is told, nothing is written, and a lost connection is made anew", () =>
  atPrompt(async ({ server, terminal }) => {
    await terminal.type("selec 1;\n");
    await terminal.shows(/did you mean SELECT\?/);
    await terminal.type("select 1 fro visits;\n");
    await terminal.shows(/syntax error at or near "visits"/);
    await terminal.type("drop table visits;\n");
    await terminal.shows(/run DROP: it may change/);
    await server.terminateBackends("application_name = 'sluice query'");
    await terminal.type("select 1 as first;\n");
    // The server may say so only now.
    await terminal.shows(/the connection was lost|terminating connection/);
    await terminal.type("select 2 as second;\n");
    await terminal.shows(/│ second │/);
    await terminal.type("with a as (delete from visits returning 1) table a;\n");
    await terminal.shows(/│ second │[^]*read-only transaction/);
    await terminal.type("select pg_sleep(600);\n");
    await untilAsleep(server, "sluice query");
    await server.terminateBackends("application_name = 'sluice query'");
    await terminal.shows(/│ second │[^]*terminating connection/);
    // It has been told of already.
    await terminal.type("select 3 as third;\n");
    await terminal.shows(/│ third │/);
    await terminal.type("\\q\n");
    await terminal.shows(/^exit 0$/m);
  }));

Deno.test("what was typed comes back by the upper arrow and in the next session, but no passwords", () =>
  atPrompt(async ({ server, terminal, files }) => {
    await terminal.type("select 1\nas one;\n");
    await terminal.shows(/│ one +│[^]*\nsluice=>$/);
    await terminal.type("create role a password 'secret-4711';\n");
    await terminal.shows(/\nCREATE ROLE\nsluice=>$/);
    await terminal.type("select 'postgres://ada:pw-4711@db/x' as url;\n");
    await terminal.shows(/│ postgres:\/\/ada:pw-4711@db\/x │[^]*\nsluice=>$/);
    await terminal.key("Up");
    await terminal.key("Up");
    await terminal.shows(/=> create role a password 'secret-4711';$/m);
    await terminal.key("Up");
    await terminal.shows(/=> select 1 as one;$/m);
    await terminal.key("C-c");
    assert.equal(await Deno.readTextFile(files.path("history")), "select 1 as one;\n");
    assert.equal(((await Deno.stat(files.path("history"))).mode ?? 0) & 0o777, 0o600);
    const words = queryWords(openUrl(server.url), `--history=${files.path("history")}`);
    await using again = await Terminal.start(words, loginTo(server));
    await again.shows(/^sluice=>$/m);
    await again.key("Up");
    await again.shows(/=> select 1 as one;$/m);
  }, "--write"));

Deno.test("what is in a table commands no terminal, in any format", () =>
  atPrompt(async ({ server, terminal }) => {
    const sql = "select e'\\x1b]2;taken\\x07\\x1b[2Jover' as a";
    await terminal.type("\\q\n");
    await terminal.shows(/^exit 0$/m);
    for (const format of ["table", "csv", "tsv", "jsonl", "markdown"]) {
      const words = queryWords(openUrl(server.url), `--format=${format}`, sql);
      await using one = await Terminal.start(words, loginTo(server));
      const screen = await one.shows(/^exit 0$/m);
      assert.match(
        screen,
        format === "markdown" ? / \\\]2;taken {2}\\\[2Jover/ : /u001b\]2;taken.*u001b\[2Jover/,
      );
    }
  }));

Deno.test("commands: \\d, \\x, \\timing, \\chart, \\watch and \\?", () =>
  atPrompt(async ({ terminal }) => {
    await terminal.type("\\d visits\n");
    await terminal.shows(/│ hits +│ integer +│/);
    await terminal.type("\\x\nselect 1 as one;\n");
    await terminal.shows(/─── row 1 ───\none │ 1\n1 row/);
    await terminal.type("\\x\n\\timing\nselect 2 as two;\n");
    await terminal.shows(/│ +2 │\n└─+┘\n1 row\nTime: [\d.]+ ms\nsluice=>$/);
    await terminal.type("select host, hits from visits limit 2;\n\\chart\n");
    await terminal.shows(/host1 │█+[▏▎▍▌▋▊▉]? 1\nhost2 │█+[▏▎▍▌▋▊▉]? 2/);
    await terminal.type("select hits from visits \\chart line\n");
    await terminal.shows(/1,000 ┤ +[⠀-⣿]+[^]*\nsluice=>$/);
    await terminal.key("C-l");
    await terminal.type("select count(*) as n from visits \\watch 0.1\n");
    await terminal.shows(/every 0.1 s[^]*every 0.1 s[^]*every 0.1 s/);
    await terminal.key("C-c");
    await terminal.shows(/sluice=>$/);
    await terminal.type("\\nonsense\n");
    await terminal.shows(/Cannot run \\nonsense/);
    await terminal.type("\\?\n");
    await terminal.shows(/\\ledger \[TABLE\] +the last loads/);
  }));
