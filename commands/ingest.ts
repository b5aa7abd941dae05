import { fileURLToPath } from "node:url";
import { findFile, readAllText } from "../lib/clients/file.ts";
import { Stdout } from "../lib/clients/stdio.ts";
import { usageError } from "../lib/core/errors.ts";
import { Exit, type ExitCode } from "../lib/core/exit.ts";
import { duration, number, text, toggle, type ValuesOf } from "../lib/core/options.ts";
import { checkDirectories } from "../lib/ingest/check.ts";
import { Counts } from "../lib/ingest/counts.ts";
import { IngestDaemon } from "../lib/ingest/daemon.ts";
import type { DirectoryTools } from "../lib/ingest/directory.ts";
import { dryRun } from "../lib/ingest/dry_run.ts";
import { dryLines } from "../lib/ingest/dry_text.ts";
import { registerIngestMetrics } from "../lib/ingest/ingest_metrics.ts";
import { ingestView } from "../lib/ingest/ingest_view.ts";
import { secretResolver } from "../lib/ingest/manifest_secret.ts";
import { checkRole } from "../lib/ingest/redshift_access.ts";
import type { IngestSettings } from "../lib/ingest/settings.ts";
import { Targets } from "../lib/ingest/targets.ts";
import { type CommandContext, defineCommand } from "./command.ts";
import { daemonOptions } from "./daemon_options.ts";
import { checkReporting } from "./reporting.ts";
import { storeOf, storeOptions } from "./store_options.ts";
import { Watching } from "./watching.ts";

const dayMs = 86_400_000;

const options = {
  "from": text({
    placeholder: "URL",
    help: "where files are dropped: s3://BUCKET/PREFIX or file:///FOLDER; required",
  }),
  ...storeOptions,
  "key-pattern": text({
    placeholder: "REGEX",
    fallback: ".*",
    help: "look only at directories whose whole key below --from matches this",
  }),
  "poll-interval": duration({
    fallback: 30_000,
    least: 100,
    most: dayMs,
    help: "how often the store is listed, give or take a tenth",
  }),
  "once": toggle({ help: "load what is there now, then stop; for cron" }),
  "dry-run": toggle({
    help: "tell which files would be loaded, in which order and by which SQL; nothing is written",
  }),
  "workers": number({
    fallback: 4,
    least: 1,
    most: 256,
    help: "directories that are loaded side by side; never two into one table",
  }),
  "keep": toggle({ help: "leave files where they are after they were loaded" }),
  "max-errors": number({
    fallback: 0,
    most: 99_999,
    help:
      "leave out so many rows of a load that cannot be loaded, and report them; MAXERROR in a " +
      "manifest's options goes before it",
  }),
  "ledger-table": text({
    placeholder: "NAME",
    fallback: "sluice_ingest_ledger",
    help: "the table that knows which files are loaded; it lies in the schema of each target table",
  }),
  "ledger-age": duration({
    fallback: 30 * dayMs,
    least: 3_600_000,
    help: "forget a loaded file that is gone from the store after so long",
  }),
  "redshift-iam-role": text({
    placeholder: "ARN",
    help:
      "the role by which Redshift's COPY reads the bucket, or default; without it sluice's own " +
      "keys for S3 are handed on (also: BLUESHIFT_S3_IAM_ROLE)",
  }),
  ...daemonOptions,
} as const;

type Values = ValuesOf<typeof options>;

/** `sluice ingest` */
export const ingest = defineCommand({
  name: "ingest",
  summary:
    "Load files that are dropped in S3 or a folder into PostgreSQL or Redshift, exactly once",
  description:
    "Looks for directories with a manifest (manifest.edn as Blueshift has it, .json or .yaml), which " +
    "tells into which table their files go, and how. All files of a directory are loaded in one " +
    "transaction, which also writes their names and etags into a ledger table beside the target; then " +
    "they are deleted. A file that is in the ledger is never loaded again, whatever crashed in " +
    "between. A file that cannot be loaded is moved to _rejected/ with a report, and the others " +
    "load.\n\nSIGTERM or SIGINT: finish the loads that are under way, and stop; a second one stops " +
    "at once. Nothing is lost or loaded twice either way.",
  daemon: true,
  options,
  exits: {
    ok: "stopped; or with --once: everything that was there is loaded",
    failed: "could not start",
    usage: "an option is wrong; --check, --dry-run: a manifest is",
    partial:
      "--once: some files were moved aside, left behind or changed while they were read, or " +
      "some directories could not be loaded; --dry-run: files or their header line are wrong",
    unreachable: "--once: the store cannot be reached; --check, --dry-run: or a database",
    denied: "--once: the store refuses the credentials; --check, --dry-run: or a database",
    interrupted: "stopped by a second signal",
  },
  examples: [
    "sluice ingest --from s3://company-drops --key-pattern 'production/.*'",
    "sluice ingest --from file:///var/drops --once",
    "sluice ingest --from s3://company-drops --check",
    "sluice ingest --from s3://company-drops --key-pattern 'production/people' --dry-run",
  ],
  run,
});

async function run(values: Values, context: CommandContext): Promise<ExitCode> {
  const settings = settingsOf(values);
  const watching = new Watching(values, context.world);
  const { metrics, world } = watching;
  const url = values.from;
  if (url === undefined) {
    throw usageError("ingest", "give --from s3://BUCKET/PREFIX or file:///DIR");
  }
  const store = await storeOf(url, values, world);
  await refuseMissing(url);
  const targets = new Targets(world);
  const resolve = secretResolver({
    env: (name) => Deno.env.get(name),
    readFile: (path) => readAllText(path, "secret"),
  });
  const tools: DirectoryTools = {
    ...{ world, store, targets, settings, resolve, counts: new Counts() },
    drain: context.drain,
    timeImport: metrics.timer("ingest_import_seconds", "Time of a load, from connect to commit"),
  };
  try {
    if (values.check) {
      await checkReporting(values);
      return await check(tools);
    }
    if (values["dry-run"]) return await tellDryRun(tools);
    return await ingestFrom(tools, watching);
  } finally {
    await targets.close();
    await store.close();
  }
}

/** A folder that is not there would be taken for an empty one, and a slip of the pen go unnoticed. */
async function refuseMissing(url: string): Promise<void> {
  if (!/^file:/i.test(url)) return;
  const found = await findFile(fileURLToPath(url));
  if (found === undefined) {
    throw usageError(`ingest from ${url}`, "there is no such folder; create it or correct --from");
  }
  if (found.isFile) throw usageError(`ingest from ${url}`, "it is a file; give its folder");
}

/** `--check`: every manifest, and everything that it names. */
async function check(tools: DirectoryTools): Promise<ExitCode> {
  await tools.store.check();
  const { directories, worst } = await checkDirectories(tools);
  if (worst !== null) throw worst;
  tools.world.log("info", "All is well", { store: tools.store.url, directories });
  return Exit.ok;
}

/** `--dry-run`: what a load would do, on standard output. */
async function tellDryRun(tools: DirectoryTools): Promise<ExitCode> {
  const stdout = new Stdout();
  const { worst, isPartial } = await dryRun(tools, async (found) => {
    await stdout.print(dryLines(found).map((line) => `${line}\n`).join(""));
  });
  if (worst !== null) throw worst;
  return isPartial ? Exit.partial : Exit.ok;
}

async function ingestFrom(tools: DirectoryTools, watching: Watching): Promise<ExitCode> {
  const { world, counts } = tools;
  const daemon = new IngestDaemon(tools);
  registerIngestMetrics(watching.metrics, daemon, counts);
  try {
    watching.serve({
      ...{ command: ingest.name, options },
      view: ingestView(daemon, counts, () => world.nowMs()),
      notReady: () => daemon.notReady(),
    });
    await watching.begin(tools.drain);
    return await daemon.run();
  } finally {
    await watching.stop();
  }
}

function settingsOf(values: Values): IngestSettings {
  const role = values["redshift-iam-role"] ?? (Deno.env.get("BLUESHIFT_S3_IAM_ROLE") || undefined);
  const pattern = patternOf(values["key-pattern"]);
  return {
    matches: (directory) => pattern.test(directory),
    pollMs: values["poll-interval"],
    once: values.once,
    workers: values.workers,
    keep: values.keep,
    maxErrors: values["max-errors"],
    ledgerTable: values["ledger-table"],
    ledgerAgeMs: values["ledger-age"],
    iamRole: role === undefined ? undefined : checkRole(role),
  };
}

function patternOf(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`, "u");
  } catch (thrown) {
    throw usageError(`read --key-pattern "${pattern}"`, "give a regular expression", thrown);
  }
}
