import { serverReportOf } from "../clients/warehouse/warehouse.ts";
import { usageError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { parseDurationMs } from "../core/units.ts";
import { readTableName } from "../formats/sql_text.ts";
import {
  columnsSql,
  databasesSql,
  keysSql,
  ledgerSql,
  loadErrorsSql,
  relationsSql,
  schemasWithSql,
} from "./catalog.ts";
import { chartKinds } from "./chart_rows.ts";
import { readNamePattern } from "./name_pattern.ts";
import { isPlainQuery } from "./read_only.ts";
import type { Shell } from "./shell.ts";

const help =
  `\\d [NAME]         tables and views; the columns, keys and indexes of one (sales.*, ord*)
\\dt [NAME]        tables only
\\l                databases
\\load-errors      the last errors of COPY, on Redshift
\\ledger [TABLE]   the last loads of ingest, by its ledger
\\chart [bar|line] the last statement again, as a chart; or behind a statement, instead of ;
\\watch [SECONDS]  the last statement again and again until Ctrl-C; or behind a statement
\\x                a value a line, or tables again
\\timing           tell how long statements take, or not
\\q, Ctrl-D        leave
Ctrl-C            give up the statement that runs, or the one that is typed
Tab               complete a keyword, a table, a column`;

type Act = (shell: Shell, argument: string) => Promise<void>;

const acts: Readonly<Record<string, Act>> = {
  "\\?": (shell) => shell.say(help),
  "\\d": (shell, name) => describe(shell, name, false),
  "\\dt": (shell, name) => describe(shell, name, true),
  "\\l": async (shell) => void await shell.run(databasesSql),
  "\\load-errors": loadErrors,
  "\\ledger": ledger,
  "\\chart": (shell, kind) => chart(shell, lastOf(shell, "\\chart"), kind),
  "\\watch": (shell, pause) => watch(shell, lastOf(shell, "\\watch"), pause),
  "\\x": async (shell) => {
    shell.isExpanded = !shell.isExpanded;
    await shell.say(`Expanded rows are ${shell.isExpanded ? "on" : "off"}`);
  },
  "\\timing": async (shell) => {
    shell.isTiming = !shell.isTiming;
    await shell.say(`Timing is ${shell.isTiming ? "on" : "off"}`);
  },
};

/** Commands of the prompt that begin with a backslash. */
export const metaNames: readonly string[] = [...Object.keys(acts), "\\q"].sort();

/**
 * Does what a line that begins with a backslash asks for.
 *
 * @returns false when it asks to leave.
 * @throws {SluiceError} `usage` for what is not known; and as statements do.
 */
export async function runMeta(shell: Shell, line: string): Promise<boolean> {
  const [, name = "", argument = ""] = /^\s*(\\\S*)\s*([^]*?)[\s;]*$/.exec(line) ?? [];
  const word = name.replace(/;$/, "");
  if (word === "\\q") return false;
  const act = acts[word];
  if (!act) {
    const near = nearest(word, metaNames);
    throw usageError(`run ${word}`, near ? `did you mean ${near}?` : "\\? tells what there is");
  }
  await act(shell, argument);
  return true;
}

/** A statement that ends in one of these instead of a semicolon: what to run, and how. */
export interface Suffixed {
  readonly sql: string;
  readonly act: (shell: Shell) => Promise<void>;
}

/** Reads the end of `SELECT ... \chart bar`; undefined when there is none. */
export function suffixOf(text: string): Suffixed | undefined {
  const [, sql = "", word = "", argument = ""] =
    /^([^]*\S)\s*\\(chart|watch|g|gx)(?:[ \t]+(\S+))?\s*$/.exec(text) ?? [];
  const statement = sql.replace(/[\s;]+$/, "");
  if (statement === "") return undefined;
  const run = {
    g: async (shell: Shell) => void await shell.run(statement),
    gx: async (shell: Shell) => void await shell.run(statement, { isExpanded: true }),
    chart: (shell: Shell) => chart(shell, statement, argument),
    watch: (shell: Shell) => watch(shell, statement, argument),
  }[word];
  return run && { sql: statement, act: run };
}

function lastOf(shell: Shell, word: string): string {
  if (shell.last === undefined) throw usageError(`run ${word}`, "run a statement first");
  if (!isPlainQuery(shell.last)) {
    throw usageError(`run ${word}`, "the last statement was none that only reads");
  }
  return shell.last;
}

async function chart(shell: Shell, sql: string, word: string): Promise<void> {
  const kind = word === "" ? "bar" : chartKinds.find((one) => one === word);
  if (kind === undefined) throw usageError(`draw ${word}`, `give ${chartKinds.join(" or ")}`);
  await shell.run(sql, { chart: kind });
}

async function watch(shell: Shell, sql: string, pause: string): Promise<void> {
  const ms = pause === ""
    ? 2_000
    : /^[\d.]+$/.test(pause)
    ? Number(pause) * 1_000
    : parseDurationMs(pause);
  if (!(ms >= 100)) throw usageError(`watch every ${pause}`, "give seconds, 0.1 at least");
  while (!shell.isStopped) {
    await shell.say(`${new Date(shell.tools.world.nowMs()).toISOString()}, every ${ms / 1_000} s`);
    await shell.run(sql);
    if (!shell.isStopped) await shell.wait(ms);
  }
}

async function describe(shell: Shell, name: string, onlyTables: boolean): Promise<void> {
  const { kind } = await shell.session();
  const pattern = name === "" ? null : readNamePattern(name);
  if (pattern === null || pattern.isWild || onlyTables) {
    await shell.run(relationsSql(kind, pattern, onlyTables));
    return;
  }
  const { rows } = await shell.ask(relationsSql(kind, pattern, false));
  if (rows.length === 0) {
    throw usageError(
      `describe ${name}`,
      "there is no such table or view; \\d lists those there are",
    );
  }
  try {
    await shell.run(columnsSql(kind, pattern, kind === "redshift"));
  } catch (thrown) {
    // What only Redshift's catalogs have may be missing in one that is like it.
    if (kind !== "redshift" || serverReportOf(thrown) === null) throw thrown;
    await shell.run(columnsSql(kind, pattern, false));
  }
  const keys = keysSql(kind, pattern);
  if ((await shell.ask(keys)).rows.length > 0) await shell.run(keys);
}

async function loadErrors(shell: Shell): Promise<void> {
  const { kind } = await shell.session();
  if (kind !== "redshift") {
    throw usageError(
      "list load errors",
      "only Redshift keeps them; ingest writes a report beside each file that it moves aside",
    );
  }
  const [newer = "", older = ""] = loadErrorsSql;
  try {
    await shell.run(newer);
  } catch (thrown) {
    // Clusters of old have no such view.
    if (serverReportOf(thrown) === null) throw thrown;
    await shell.run(older);
  }
}

const usualLedger = "sluice_ingest_ledger";

async function ledger(shell: Shell, argument: string): Promise<void> {
  const { kind } = await shell.session();
  const { schema, name } = argument === ""
    ? { schema: null, name: usualLedger }
    : readTableName(argument);
  const found = (await shell.ask(schemasWithSql(kind, name))).rows.map(([one]) => one ?? "");
  const schemas = schema === null ? found : found.filter((one) => one === schema);
  if (schemas.length === 0) {
    throw usageError(
      "list loads",
      `there is no table ${argument || name}; ingest makes it, and --ledger-table names another`,
    );
  }
  await shell.run(ledgerSql(schemas, name));
}
