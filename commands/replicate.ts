import { type BigQueryClient, openBigQuery } from "../lib/clients/bigquery/bigquery.ts";
import { openObjectStore } from "../lib/clients/gcs.ts";
import { Stdout } from "../lib/clients/stdio.ts";
import { usageError } from "../lib/core/errors.ts";
import { Exit, type ExitCode } from "../lib/core/exit.ts";
import { visible } from "../lib/core/visible.ts";
import { CopyQuota } from "../lib/replicate/copy_quota.ts";
import { Counts } from "../lib/replicate/counts.ts";
import { ReplicateDaemon } from "../lib/replicate/daemon.ts";
import { planJson, planText } from "../lib/replicate/plan.ts";
import { registerReplicateMetrics } from "../lib/replicate/replicate_metrics.ts";
import { replicateView } from "../lib/replicate/replicate_view.ts";
import { checkSession, planSession, type SessionTools } from "../lib/replicate/session.ts";
import { Teller } from "../lib/replicate/teller.ts";
import { type CommandContext, defineCommand } from "./command.ts";
import { GoogleLogin } from "./google_options.ts";
import { checkReporting } from "./reporting.ts";
import { replicateOptions, replicateSettings, type ReplicateValues } from "./replicate_options.ts";
import { Watching } from "./watching.ts";

/** `sluice replicate` */
export const replicate = defineCommand({
  name: "replicate",
  summary:
    "Copy tables of a BigQuery dataset into another project or location, and keep it in step",
  description:
    "Compares two datasets and copies the tables that the destination lacks, the newest names first: " +
    "by copy jobs where BigQuery takes them, else through files in a bucket, in a format that brings " +
    "every value back as it was. A copy has the schema, partitions, clustering, labels, descriptions, " +
    "constraints and expiration of its source. A table with policy tags, row access policies or a key " +
    "of its own that have no counterpart is refused.\n\nA table appears whole or not at all, its rows " +
    "are counted, and the next run goes on where one was killed: ids of jobs are derived from what " +
    "they do, so that no job is begun twice. What was copied is in labels of the copy (sluice_*).\n\n" +
    "SIGTERM or SIGINT: finish the tables that were begun, and stop; a second one stops at once. " +
    "Jobs of BigQuery run on, and the next run finds them.",
  daemon: true,
  options: replicateOptions,
  exits: {
    ok: "everything wanted is in the destination, or there was nothing to do",
    failed: "no table could be copied, or the run could not begin",
    usage: "an option is wrong",
    partial: "some tables were copied, and some failed or were refused",
    unreachable: "BigQuery or Cloud Storage cannot be reached",
    denied: "Google refuses the credentials, or they lack rights",
    interrupted: "stopped by a signal before all was done; the next run goes on",
  },
  examples: [
    "sluice replicate --source-project shop --source-dataset web --destination-dataset web_eu " +
    "--google-cloud-bucket gs://shop-staging",
    "sluice replicate -s shop -i web -p shop-eu -g gs://shop-staging -f 'visits_.*' -n 30 -a 16",
    "sluice replicate --config /etc/sluice/replicate.yaml --watch 1h --changed",
    "sluice replicate -s shop -i web -d web_eu --dry-run",
  ],
  run,
});

async function run(values: ReplicateValues, context: CommandContext): Promise<ExitCode> {
  const { abort: signal } = context;
  const settings = replicateSettings(values);
  const watching = new Watching(values, context.world);
  const { world } = watching;
  if (values["dry-run"] && values.watch > 0) {
    throw usageError("use --dry-run and --watch together", "leave one of them out");
  }
  const login = new GoogleLogin(values);
  const client: BigQueryClient = await openBigQuery({
    ...await login.options(values["bigquery-endpoint"], "BIGQUERY_EMULATOR_HOST"),
    signal,
  }, world);
  const store = settings.bucket === null ? null : await openObjectStore({
    ...await login.options(values["storage-endpoint"], "STORAGE_EMULATOR_HOST"),
    signal,
  }, world);
  const quota = new CopyQuota(() => world.nowMs());
  const tools: SessionTools = { client, store, world, settings, quota };
  if (values.check) {
    await checkReporting(values);
    return await check(tools, signal);
  }
  if (values["dry-run"]) return await dryRun(tools, values, signal);
  return await work(tools, values, watching, context.drain);
}

async function check(tools: SessionTools, signal: AbortSignal): Promise<ExitCode> {
  const doubts = await checkSession(tools, signal);
  for (const doubt of doubts) tools.world.log("warn", "This may not work", { doubt });
  tools.world.log("info", "All can be reached");
  return Exit.ok;
}

async function dryRun(
  tools: SessionTools,
  { json }: ReplicateValues,
  signal: AbortSignal,
): Promise<ExitCode> {
  const plan = await planSession(tools, signal);
  const lines = json
    ? planJson(plan).map((one) => JSON.stringify(one))
    : planText(plan).map((text) => text.split("\n").map(visible).join("\n"));
  await new Stdout().print(lines.map((line) => `${line}\n`).join(""));
  const refused = plan.tables.filter((one) => one.refused !== null).length;
  if (refused === 0) return Exit.ok;
  return refused === plan.tables.length ? Exit.failed : Exit.partial;
}

async function work(
  tools: SessionTools,
  values: ReplicateValues,
  watching: Watching,
  drain: AbortSignal,
): Promise<ExitCode> {
  const { world } = tools;
  const isDaemon = values.watch > 0;
  const stdout = new Stdout();
  let writing = Promise.resolve();
  const write = (text: string) => {
    writing = writing.then(() => stdout.print(text));
  };
  const teller = new Teller(world, { isJson: values.json, isDaemon, write }, () => daemon.left);
  const counts = new Counts();
  const daemon: ReplicateDaemon = new ReplicateDaemon(
    { ...tools, world: { ...world, log: teller.log } },
    teller,
    {
      watchMs: isDaemon ? values.watch : null,
      cleansAll: values.clean,
      counts,
      onReport: (report) => teller.finished(report),
    },
  );
  registerReplicateMetrics(watching.metrics, counts, daemon);
  const onDrain = () => {
    if (daemon.left === 0) return;
    teller.log("info", "Stopping when the tables that were begun are done", { left: daemon.left });
  };
  drain.addEventListener("abort", onDrain);
  try {
    watching.serve({
      ...{ command: replicate.name, options: replicateOptions },
      view: replicateView(daemon, counts, teller.table, () => world.nowMs()),
      notReady: () => daemon.notReady(),
    });
    await watching.begin(drain);
    return await daemon.run(drain);
  } finally {
    drain.removeEventListener("abort", onDrain);
    teller.close();
    await writing;
    await watching.stop();
  }
}
