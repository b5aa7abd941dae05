import { openBigQuery } from "../lib/clients/bigquery/bigquery.ts";
import { readAllText } from "../lib/clients/file.ts";
import { ProgressLine } from "../lib/clients/progress.ts";
import { openStdin, stdinIsTerminal, Stdout, tell } from "../lib/clients/stdio.ts";
import { usageError } from "../lib/core/errors.ts";
import { Exit, type ExitCode } from "../lib/core/exit.ts";
import {
  choice,
  duration,
  list,
  type Option,
  size,
  text,
  toggle,
  type ValuesOf,
} from "../lib/core/options.ts";
import { visible } from "../lib/core/visible.ts";
import { nameOf } from "../lib/replicate/configurations.ts";
import {
  estimate,
  materialize as runQuery,
  type MaterializeTools,
} from "../lib/replicate/materialize.ts";
import {
  type Materialization,
  type Parameter,
  parseParameter,
  parseRange,
} from "../lib/replicate/materialize_job.ts";
import { costOf } from "../lib/replicate/plan.ts";
import { type CommandContext, defineCommand } from "./command.ts";
import { daemonOptions } from "./daemon_options.ts";
import { checkDataset, GoogleLogin, googleOptions } from "./google_options.ts";

const options = {
  "project-id": text({
    placeholder: "PROJECT",
    letter: "p",
    help: "the project of the table, which also runs and pays for the query; required",
  }),
  "dataset-id": text({
    placeholder: "DATASET",
    letter: "d",
    help: "the dataset of the table, which has to exist; required",
  }),
  "table-id": text({
    placeholder: "TABLE",
    letter: "t",
    help: "the table to write, TABLE or TABLE$PARTITION; required",
  }),
  "file": text({
    placeholder: "FILE",
    letter: "f",
    help: "read the query from here; without it from standard input",
  }),
  "force": toggle({ help: "replace what is in the table; without it the table has to be empty" }),
  "append": toggle({ help: "add to what is in the table" }),
  "parameter": parameters(),
  "maximum-bytes-billed": size({
    fallback: 0,
    help: "do not run a query that would be billed for more; 0 is no limit",
  }),
  "time-partitioning-type": choice(["HOUR", "DAY", "MONTH", "YEAR"], {
    help: "partition a new table by time: by --time-partitioning-field, or by the time of loading",
  }),
  "time-partitioning-field": text({
    placeholder: "COLUMN",
    help: "the column to partition by, by days unless --time-partitioning-type says otherwise",
  }),
  "time-partitioning-expiration": duration({
    fallback: 0,
    help: "partitions are dropped when they are so old; 0 is never",
  }),
  "range-partitioning": text({
    placeholder: "COLUMN,START,END,INTERVAL",
    help: "partition a new table by ranges of an integer column",
  }),
  "clustering": list({
    placeholder: "COLUMN,...",
    help: "cluster a new table by these, at most 4",
  }),
  "label": list({ placeholder: "KEY=VALUE,...", help: "labels of the job" }),
  "run-id": text({
    placeholder: "NAME",
    help: "names this run: the same query of the same name runs once; for cron the date",
  }),
  "location": text({
    placeholder: "LOCATION",
    help: "where the query runs; without it where the dataset is",
  }),
  "use-legacy-sql": toggle({ help: "the query is Legacy SQL" }),
  "priority": choice(["interactive", "batch"], {
    fallback: "interactive",
    help: "batch waits until there is room for it",
  }),
  "retry-for": duration({
    fallback: 600_000,
    most: 86_400_000,
    help: "how long to try again what may pass",
  }),
  "dry-run": toggle({ help: "check the query, tell how many bytes it reads, and write nothing" }),
  "json": toggle({ help: "print the result as JSON" }),
  ...googleOptions,
  "log-level": daemonOptions["log-level"],
  "log-format": daemonOptions["log-format"],
} as const;

type Values = ValuesOf<typeof options>;

/** `sluice materialize` */
export const materialize = defineCommand({
  name: "materialize",
  summary: "Write the result of a query into a BigQuery table",
  description:
    "Runs a query and has BigQuery write its result into a table, all rows in one moment. Without " +
    "--force or --append the table has to be new or empty.\n\nThe job's id is derived from the query " +
    "and all that belongs to it: the same command, run again while the job runs, waits for that job " +
    "and begins no second one. With --run-id it also finds one that is over, and does nothing twice.\n\n" +
    "SIGTERM or SIGINT: stop waiting; the job goes on.",
  drains: true,
  options,
  exits: {
    ok: "the table is written; or --dry-run: the query is right",
    failed: "BigQuery refused the query, or the table has rows",
    usage: "an option is wrong, or there is no query",
    unreachable: "BigQuery cannot be reached",
    denied: "Google refuses the credentials, or they lack rights",
    interrupted: "stopped by a signal; the job goes on",
  },
  examples: [
    "sluice materialize -p shop -d reports -t visits --force < visits.sql",
    "sluice materialize -p shop -d reports -t 'daily$20260101' --force -f daily.sql " +
    "--parameter day:DATE:2026-01-01 --run-id 2026-01-01",
    "sluice materialize -p shop -d reports -t visits --dry-run -f visits.sql",
  ],
  run,
});

async function run(values: Values, { world, drain, abort }: CommandContext): Promise<ExitCode> {
  const wanted = { ...wish(values), sql: await readQuery(values.file) };
  const login = new GoogleLogin(values);
  const client = await openBigQuery({
    ...await login.options(values["bigquery-endpoint"], "BIGQUERY_EMULATOR_HOST"),
    signal: abort,
  }, world);
  let state = "the query is sent";
  const progress = new ProgressLine(() => state);
  const beganMs = world.monotonicMs();
  const tools: MaterializeTools = {
    ...{ client, world, patienceMs: values["retry-for"], location: values.location ?? null },
    stop: drain,
    onJob: ({ jobReference, status }) => {
      const seconds = Math.floor((world.monotonicMs() - beganMs) / 1000);
      state = `${jobReference.jobId}: ${status.state.toLowerCase()}, ${seconds} s`;
    },
  };
  try {
    const line = values["dry-run"]
      ? await dryRun(wanted, tools, values.json)
      : await write(wanted, tools, values.json);
    progress.close();
    await new Stdout().print(`${visible(line)}\n`);
    return Exit.ok;
  } catch (thrown) {
    if (!drain.aborted) throw thrown;
    progress.close();
    tell(`sluice: stopped waiting; ${state}. The same command finds it`);
    return Exit.interrupted;
  } finally {
    progress.close();
  }
}

async function dryRun(
  wanted: Materialization,
  tools: MaterializeTools,
  isJson: boolean,
): Promise<string> {
  const { bytes, statement } = await estimate(wanted, tools);
  if (isJson) return JSON.stringify({ status: "planned", bytes: String(bytes), statement });
  return `the query reads ${bytes} bytes${costOf(bytes)}`;
}

async function write(
  wanted: Materialization,
  tools: MaterializeTools,
  isJson: boolean,
): Promise<string> {
  const { rows, bytes, processedBytes, billedBytes, jobId, isOld } = await runQuery(wanted, tools);
  const table = nameOf(wanted.table);
  if (isJson) {
    return JSON.stringify({
      ...{ table, status: isOld ? "was done before" : "written", rows, bytes, jobId },
      processedBytes: String(processedBytes),
      billedBytes: String(billedBytes),
    });
  }
  const how = isOld ? ", written by an earlier run of that name" : "";
  return `${table}: ${rows} rows${how}; the query read ${processedBytes} bytes` +
    (billedBytes > 0n ? `, billed ${billedBytes}${costOf(billedBytes)}` : "");
}

/** Everything but the query. */
function wish(values: Values): Omit<Materialization, "sql"> {
  const { force, append, parameter, clustering } = values;
  if (force && append) throw usageError("use --force and --append together", "give one of them");
  if (clustering.length > 4) {
    throw usageError("use --clustering", "BigQuery takes 4 columns at most");
  }
  const names = new Set(parameter.map(({ name }) => name === ""));
  if (names.size > 1) {
    throw usageError("use --parameter", "give all of them a name, or none");
  }
  const limit = values["maximum-bytes-billed"];
  return {
    table: tableOf(values),
    disposition: force ? "WRITE_TRUNCATE" : append ? "WRITE_APPEND" : "WRITE_EMPTY",
    parameters: parameter,
    maximumBytesBilled: limit === 0 ? null : limit,
    timePartitioning: timePartitioningOf(values),
    rangePartitioning: values["range-partitioning"] === undefined
      ? null
      : parseRange(values["range-partitioning"]),
    clustering,
    labels: labelsOf(values.label),
    isLegacySql: values["use-legacy-sql"],
    isBatch: values.priority === "batch",
    runId: values["run-id"] ?? null,
  };
}

function tableOf(values: Values): Materialization["table"] {
  const { "project-id": projectId, "dataset-id": datasetId, "table-id": tableId } = values;
  if (projectId === undefined || datasetId === undefined || tableId === undefined) {
    throw usageError(
      "materialize",
      "give --project-id PROJECT --dataset-id DATASET --table-id TABLE",
    );
  }
  checkDataset({ projectId, datasetId });
  if (!/^[\p{L}\p{M}\p{N}\p{Pc}\p{Pd}\p{Zs}]{1,1024}(?:\$\w+)?$/u.test(tableId)) {
    throw usageError(
      `use the table "${tableId}"`,
      "give its id without project and dataset: letters, digits and underscores, then $PARTITION",
    );
  }
  return { projectId, datasetId, tableId };
}

function timePartitioningOf(values: Values): Record<string, string> | null {
  const type = values["time-partitioning-type"];
  const field = values["time-partitioning-field"];
  const expirationMs = values["time-partitioning-expiration"];
  if (type === undefined && field === undefined) {
    if (expirationMs === 0) return null;
    throw usageError(
      "use --time-partitioning-expiration",
      "give --time-partitioning-type or --time-partitioning-field, too",
    );
  }
  if (values["range-partitioning"] !== undefined) {
    throw usageError("partition by time and by ranges", "give one of them");
  }
  return {
    type: type ?? "DAY",
    ...(field === undefined ? {} : { field }),
    ...(expirationMs === 0 ? {} : { expirationMs: String(expirationMs) }),
  };
}

function labelsOf(pairs: readonly string[]): ReadonlyMap<string, string> {
  return new Map(pairs.map((pair) => {
    const [, key, value] =
      /^([\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62})=([\p{Ll}\p{Lo}\p{N}_-]{0,63})$/u
        .exec(pair) ?? [];
    if (key !== undefined && value !== undefined) return [key, value];
    throw usageError(
      `use --label "${pair}"`,
      "give KEY=VALUE of small letters, digits, - and _, at most 63 each",
    );
  }));
}

/** Several parameters: the flag may be repeated. Commas belong to the value. */
function parameters(): Option<readonly Parameter[]> {
  return {
    kind: "list",
    placeholder: "NAME:TYPE:VALUE",
    help: "a parameter of the query, as bq has them: day:DATE:2026-01-01, or :INT64:5 for a ?",
    fallback: [],
    fallbackText: "",
    read: (written) => [parseParameter(written)],
  };
}

async function readQuery(file: string | undefined): Promise<string> {
  const sql = file === undefined || file === "-"
    ? await readStdin()
    : await readAllText(file, "query");
  if (sql.trim() !== "") return sql;
  throw usageError("materialize", "the query is empty");
}

async function readStdin(): Promise<string> {
  if (stdinIsTerminal()) tell("sluice: reading the query from the terminal; end it with Ctrl-D");
  const source = openStdin();
  const decoder = new TextDecoder();
  let sql = "";
  for (let piece; (piece = await source.next());) sql += decoder.decode(piece, { stream: true });
  return sql + decoder.decode();
}
