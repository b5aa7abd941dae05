import { homedir } from "node:os";
import { openStdin, stdinIsTerminal, Stdout, TerminalGuard } from "../lib/clients/stdio.ts";
import { readAllText } from "../lib/clients/file.ts";
import { HistoryFile } from "../lib/clients/history_file.ts";
import {
  hasPassword,
  openWarehouse,
  type Session,
  type Warehouse,
  withPassword,
} from "../lib/clients/warehouse/warehouse.ts";
import { usageError } from "../lib/core/errors.ts";
import { Exit, type ExitCode } from "../lib/core/exit.ts";
import {
  choice,
  duration,
  number,
  secret,
  text,
  toggle,
  type ValuesOf,
} from "../lib/core/options.ts";
import { Secret } from "../lib/core/secret.ts";
import { visible } from "../lib/core/visible.ts";
import { chartKinds } from "../lib/query/chart_rows.ts";
import { runMeta } from "../lib/query/meta.ts";
import { queryFormats, type Style, writerOf } from "../lib/query/printing.ts";
import { TextOutput } from "../lib/query/row_writer.ts";
import { runScript } from "../lib/query/script.ts";
import { Shell } from "../lib/query/shell.ts";
import { splitStatements } from "../lib/query/statements.ts";
import { optional } from "./baldr_inputs.ts";
import { type CommandContext, defineCommand } from "./command.ts";

/** Rows of a table on a terminal unless --max-rows says so, as DuckDB has it. */
const usualRows = 40;

const options = {
  "file": text({
    placeholder: "FILE",
    letter: "f",
    help: "run the statements of this file; - is standard input",
  }),
  "format": choice(queryFormats, {
    help: "how results are printed (default: table on a terminal, csv otherwise)",
  }),
  "max-rows": optional(number({
    fallback: 0,
    help: "show so many rows of a table, the first and the last ones; 0 is all " +
      `(default: ${usualRows} on a terminal, all otherwise)`,
  })),
  "chart": choice(chartKinds, { help: "draw two columns, a label and a number, instead" }),
  "write": toggle({ help: "allow statements that change something" }),
  "timeout": optional(duration({
    fallback: 0,
    least: 1,
    help: "have the server give up a statement after so long (default: as the server is set)",
  })),
  "url": secret({
    help: "the URL, when it is not an argument; it may have a password in it",
  }),
  "password": secret({ help: "the password, when the URL has none" }),
  "history": text({
    placeholder: "FILE",
    help: "where the prompt keeps what was typed (default: ~/.local/state/sluice/query_history)",
  }),
} as const;

type Values = ValuesOf<typeof options>;

/** `sluice query` */
export const query = defineCommand({
  name: "query",
  summary: "Ask PostgreSQL, Redshift or PGlite: a prompt, or SQL in and CSV or another format out",
  description:
    "Runs SQL on postgres://USER@HOST/DATABASE, redshift://USER@HOST/DATABASE or pglite:FOLDER. The " +
    "SQL is the argument behind the URL, a file (-f), or standard input; without any of these, on a " +
    "terminal, there is a prompt: \\? tells what it can. Several statements are run one after the " +
    "other, up to the first that fails.\n\nA password in the URL on the command line is refused, as " +
    "any user of the machine could read it there. Leave it out and give it by --password-file, " +
    "SLUICE_QUERY_PASSWORD, PGPASSWORD or the credential `password`; or give the whole URL by " +
    "--url-file, SLUICE_QUERY_URL or the credential `url`, and no URL as an argument.\n\nNothing is " +
    "changed unless there is --write: statements that may write are refused before anything is run, " +
    "and the rest runs in transactions that the server holds to reading. What functions do outside of " +
    "the database is a matter of the user's rights.\n\nResults " +
    'of any size are printed as they come. Of NULL and the empty text csv makes nothing and "", tsv ' +
    '\\N and nothing, jsonl null and "". arrow is Arrow\'s IPC stream; numeric is text in it.',
  operands: {
    placeholder: "URL SQL",
    help: "the database, unless --url-file or SLUICE_QUERY_URL names it; then what to run there",
  },
  drains: true,
  options,
  exits: {
    ok: "all statements were run, or the reader of a pipe had enough; or the prompt was left",
    failed: "the server refuses a statement; those behind it were not run",
    usage:
      "an option, an argument or the URL is wrong; or a statement needs --write: nothing was run",
    unreachable: "the server cannot be reached, or the connection was lost",
    denied: "the server refuses user, password or rights",
    interrupted: "stopped by a signal; the statement is cancelled",
  },
  examples: [
    "sluice query postgres://ada@db-1/shop",
    "sluice query postgres://ada@db-1/shop 'SELECT * FROM orders' > orders.csv",
    "sluice query pglite:./shop --format jsonl -f report.sql | jq .total",
    "sluice query redshift://ada@cluster.example/dev --chart bar 'SELECT day, hits FROM visits'",
  ],
  run,
});

async function run(values: Values, context: CommandContext): Promise<ExitCode> {
  const [url, sql] = placesOf(values, context.operands);
  const stdout = new Stdout();
  if (values.format === "arrow" && stdout.isTerminal) {
    throw usageError("use --format arrow", "Arrow is not for terminals; redirect it to a file");
  }
  const script = await scriptOf(values, sql, stdout.isTerminal);
  const warehouse = await openWarehouse(
    values.password ? withPassword(url, values.password) : url,
    context.world,
  );
  const shell = new Shell({
    connect: () => open(warehouse, values),
    output: new TextOutput(stdout.isTerminal ? new TerminalGuard(stdout) : stdout),
    style: () => styleOf(values, stdout.isTerminal),
    mayWrite: values.write,
    world: context.world,
  });
  try {
    if (script === undefined) return await ask(shell, warehouse, values, context);
    if (/^\s*\\/.test(script)) return await runMetaLines(shell, script, context);
    return await runText(script, shell, values, context);
  } finally {
    await warehouse.close();
  }
}

const schemes = /^\s*(?:jdbc:)?(?:postgres|postgresql|redshift|pglite):/i;

/** The URL, and the SQL of the arguments. */
function placesOf(values: Values, operands: readonly string[]): [Secret, string | undefined] {
  const [first, second, ...more] = operands;
  const isUrl = first !== undefined && (schemes.test(first) || values.url === undefined);
  if (isUrl) {
    const url = new Secret(first);
    if (hasPassword(url)) {
      throw usageError(
        "take a password in the URL of an argument",
        "any user of this machine could read it there; leave it out of the URL and give " +
          "--password-file with the path of a file that holds it, or set SLUICE_QUERY_PASSWORD; or " +
          "give the whole URL by --url-file or SLUICE_QUERY_URL",
      );
    }
    refuseMore(more);
    return [url, second];
  }
  if (values.url === undefined) {
    throw usageError(
      "query",
      "give postgres://USER@HOST/DATABASE, redshift://USER@HOST/DATABASE or pglite:FOLDER",
    );
  }
  refuseMore(operands.slice(1));
  return [values.url, first];
}

function refuseMore(more: readonly string[]): void {
  if (more.length === 0) return;
  throw usageError("run more than one SQL argument", "put it between quotes, as one argument");
}

/** The SQL to run; undefined when a person is to be asked for it. */
async function scriptOf(
  values: Values,
  sql: string | undefined,
  isTerminal: boolean,
): Promise<string | undefined> {
  if (sql !== undefined && values.file !== undefined) {
    throw usageError("take --file besides SQL as an argument", "leave one of them out");
  }
  if (sql !== undefined) return sql;
  if (values.file !== undefined && values.file !== "-") {
    return await readAllText(values.file, "statements");
  }
  if (values.file === "-" || !stdinIsTerminal()) return await readStdin();
  if (isTerminal) return undefined;
  throw usageError("ask for SQL", "standard output is no terminal; give SQL, or -f FILE");
}

/** SQL of this many characters is read as a whole; more of it is no script but data. */
const textMost = 64 * 1024 * 1024;

async function readStdin(): Promise<string> {
  const source = openStdin();
  const decoder = new TextDecoder();
  let text = "";
  for (let piece; (piece = await source.next());) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > textMost) {
      const detail = `there are more than ${textMost >> 20} MiB of it; load data by COPY or ingest`;
      throw usageError("read SQL from standard input", detail);
    }
  }
  return text + decoder.decode();
}

function open(warehouse: Warehouse, { timeout }: Values): Promise<Session> {
  return warehouse.connect({
    applicationName: "sluice query",
    ...timeout === undefined ? {} : { statementTimeoutMs: timeout },
  });
}

/** A prompt, until the person leaves it. */
async function ask(
  shell: Shell,
  warehouse: Warehouse,
  values: Values,
  { drain }: CommandContext,
): Promise<ExitCode> {
  // Loaded only now: most runs have no terminal.
  const { Prompt } = await import("../lib/query/prompt.ts");
  const { kind } = await shell.session();
  const reads = values.write ? "" : ", for reading only (--write allows more)";
  await shell.say(`Connected to ${warehouse.url}${reads}. \\? tells what there is.`);
  const home = Deno.env.get("XDG_STATE_HOME") ?? `${homedir()}/.local/state`;
  const history = new HistoryFile(values.history ?? `${home}/sluice/query_history`);
  await new Prompt(shell, kind, databaseOf(warehouse), history).run(drain);
  return drain.aborted ? Exit.interrupted : Exit.ok;
}

/** What stands before what is typed. */
function databaseOf({ kind, url }: Warehouse): string {
  const name = url.replace(/\/+$/, "").replace(/^.*[/:]/, "");
  // A folder is written as it is.
  return visible(kind === "pglite" ? name : decodeURIComponent(name));
}

/** `\d` and its like as an argument or from a file. */
async function runMetaLines(
  shell: Shell,
  script: string,
  { drain }: CommandContext,
): Promise<ExitCode> {
  shell.begin();
  drain.addEventListener("abort", () => shell.interrupt());
  for (const line of script.split("\n")) {
    if (line.trim() !== "" && !await runMeta(shell, line)) break;
    if (drain.aborted) return Exit.interrupted;
  }
  return Exit.ok;
}

async function runText(
  text: string,
  shell: Shell,
  values: Values,
  { drain }: CommandContext,
): Promise<ExitCode> {
  const session = await shell.session();
  const { statements, rest } = splitStatements(text, session.kind === "redshift");
  const { output } = shell.tools;
  const style = shell.tools.style();
  return await runScript(rest ? [...statements, rest] : statements, {
    ...{ session, output, mayWrite: values.write, stop: drain },
    writer: await writerOf(style, output),
    onDone: async ({ hasColumns, tag }) => {
      if (style.isForPeople && !hasColumns && tag !== "") await shell.say(tag);
    },
  });
}

function styleOf(values: Values, isTerminal: boolean): Style {
  const format = values.format ?? (isTerminal ? "table" : "csv");
  const rows = values["max-rows"] ?? (isTerminal ? usualRows : 0);
  const { columns, rows: lines } = isTerminal ? Deno.consoleSize() : { columns: 0, rows: 0 };
  return {
    ...{ format, chart: values.chart, isForPeople: isTerminal },
    // Some terminals do not know how large they are.
    ...{ width: columns || 80, height: lines || 24 },
    rowsMost: rows === 0 ? Infinity : rows,
  };
}
