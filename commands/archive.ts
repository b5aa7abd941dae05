import { Deflater } from "../lib/clients/deflate/deflate.ts";
import type { Cluster } from "../lib/clients/kafka/kafka.ts";
import { Spool } from "../lib/clients/spool.ts";
import type { Store } from "../lib/clients/store/store.ts";
import { registerArchiveMetrics } from "../lib/archive/archive_metrics.ts";
import { archiveView } from "../lib/archive/archive_view.ts";
import { ArchiveDaemon } from "../lib/archive/daemon.ts";
import type { ArchiveSettings } from "../lib/archive/settings.ts";
import { usageError } from "../lib/core/errors.ts";
import { Exit, type ExitCode } from "../lib/core/exit.ts";
import {
  choice,
  duration,
  number,
  patterns,
  size,
  text,
  toggle,
  type ValuesOf,
} from "../lib/core/options.ts";
import { version } from "../lib/core/version.ts";
import { type CommandContext, defineCommand } from "./command.ts";
import { daemonOptions } from "./daemon_options.ts";
import { clusterOf } from "./kafka_cluster.ts";
import { kafkaOptions } from "./kafka_options.ts";
import { checkReporting } from "./reporting.ts";
import { storeOf, storeOptions } from "./store_options.ts";
import { Watching } from "./watching.ts";

const mebibyte = 1024 * 1024;

const options = {
  "to": text({
    placeholder: "URL",
    help: "where objects are put: s3://BUCKET/PREFIX or file:///FOLDER; required",
  }),
  ...storeOptions,
  ...kafkaOptions,
  "group": text({
    placeholder: "NAME",
    fallback: "sluice",
    help: "consumer group; its members share the partitions, and its name is part of the keys",
  }),
  "include": patterns({
    help: "archive only topics whose whole name matches one of these",
  }),
  "exclude": patterns({
    help: "leave out topics whose whole name matches one of these",
  }),
  "internal-topics": toggle({ help: "archive Kafka's own topics (__consumer_offsets), too" }),
  "format": choice(["value", "record"], {
    fallback: "value",
    help:
      "values only (.baldr.gz), or whole records with key, headers and time (.records.gz); the same " +
      "for all members of the group: stop them all to change it",
  }),
  "isolation": choice(["read-committed", "read-uncommitted"], {
    fallback: "read-committed",
    help: "whether records of open and aborted transactions are left out",
  }),
  "rotate-interval": duration({
    fallback: 60_000,
    least: 100,
    most: 7 * 86_400_000,
    help: "end an object when its first record was taken so long ago",
  }),
  "rotate-bytes": size({
    fallback: 128 * mebibyte,
    least: 1024,
    help: "end an object when its file is so large",
  }),
  "rotate-records": number({
    fallback: 0,
    help: "end an object with the batch that brings it to so many records; 0 is no limit",
  }),
  "memory": size({
    fallback: 24 * mebibyte,
    least: 8 * mebibyte,
    help: "bytes of records in memory, all partitions together; beyond that nothing is read",
  }),
  "spool-dir": text({
    placeholder: "DIR",
    fallback: "/tmp",
    help: "where unfinished objects larger than 64 KiB are kept; nothing of it is needed later",
  }),
  "spool-bytes": size({
    fallback: 2048 * mebibyte,
    least: mebibyte,
    help: "bytes of unfinished objects on disk; beyond that nothing is read",
  }),
  "gzip-level": number({ fallback: 6, least: 1, most: 9, help: "1 is fastest, 9 smallest" }),
  "gzip-workers": number({
    fallback: 0,
    most: 64,
    help: "threads that compress; 0 is one for each processor, at most 2",
  }),
  "uploaders": number({ fallback: 4, least: 1, most: 256, help: "objects that are put at once" }),
  "rebalance": choice(["cooperative", "eager"], {
    fallback: "cooperative",
    help: "how the members of the group hand partitions over; the same for all of them",
  }),
  "session-timeout": duration({
    fallback: 45_000,
    least: 1_000,
    most: 1_800_000,
    help: "after so long without a sign of life the group goes on without this instance",
  }),
  "discover-interval": duration({
    fallback: 10_000,
    least: 100,
    most: 3_600_000,
    help: "how often new topics and partitions are looked for",
  }),
  "notify-topic": text({
    placeholder: "TOPIC",
    help: "write an event (JSON) to this topic for every object that is in the store",
  }),
  "once": toggle({ help: "archive what is there now, then stop; for cron" }),
  "resume": choice(["group", "store"], {
    fallback: "group",
    help: "go on at the group's committed offsets, or after the newest object of each partition",
  }),
  ...daemonOptions,
} as const;

type Values = ValuesOf<typeof options>;

/** `sluice archive` */
export const archive = defineCommand({
  name: "archive",
  summary: "Write every topic of Kafka to S3 or a folder, each record exactly once",
  description:
    "Reads all topics, or those that --include and --exclude leave, as a member of a consumer " +
    "group, and puts them as gzip files of baldr records: one chain of objects for each partition, " +
    "each beginning at the offset where the one before it ends. An object is written only where " +
    "there is none, so that no crash, rebalance or frozen process can make a gap or an overlap. What " +
    "fails is tried again for ever; meanwhile Kafka keeps the records.\n\nSIGTERM or SIGINT: put " +
    "what was read, commit, and stop; a second one stops at once. Nothing is lost either way.",
  daemon: true,
  options,
  exits: {
    ok: "stopped; or with --once: everything that was there is archived",
    failed: "could not start",
    usage: "an option is wrong",
    partial: "--once: some partitions could not be archived",
    unreachable: "--check: Kafka or the store cannot be reached",
    denied: "Kafka or the store refuses the credentials",
    interrupted: "stopped by a second signal",
  },
  examples: [
    "sluice archive --kafka kafka-1:9092 --to s3://company-archive/kafka",
    "sluice archive --kafka kafka-1:9092 --to file:///var/archive --include 'orders|payments\\..*'",
    "sluice archive --kafka kafka-1:9092 --to s3://company-archive --format record --once",
  ],
  run,
});

/** Each takes some 20 MB; two compress 200 to 300 MB of records a second. */
const workersUsual = 2;
/** How long an answer may take in a `--check`: a person waits for it. */
const checkRequestMs = 5_000;

async function run(values: Values, context: CommandContext): Promise<ExitCode> {
  const { drain, abort } = context;
  const settings = settingsOf(values);
  const watching = new Watching(values, context.world);
  const { world } = watching;
  const url = values.to;
  if (url === undefined) throw usageError("archive", "give --to s3://BUCKET/PREFIX or file:///DIR");
  const store = await storeOf(url, values, world);
  const cluster = await clusterOf(values, world, {
    clientId: "sluice-archive",
    ...(values.check ? { requestTimeoutMs: checkRequestMs } : {}),
  });
  try {
    if (values.check) return await check(values, settings, { store, cluster, world });
    return await archiveTo(store, settings, values, { cluster, watching, drain, abort });
  } finally {
    await cluster.close();
    await store.close();
  }
}

/** `--check`: everything that archiving needs, once. */
async function check(
  values: Values,
  settings: ArchiveSettings,
  { store, cluster, world }: Pick<CommandContext, "world"> & {
    readonly store: Store;
    readonly cluster: Cluster;
  },
): Promise<ExitCode> {
  const deflater = deflaterOf(values);
  try {
    // Its workers are files of their own, which a program may have been built without.
    await deflater.deflate(new ArrayBuffer(1), 1);
  } finally {
    deflater.close();
  }
  await (await Spool.open(values["spool-dir"])).close();
  const topics = await cluster.listTopics();
  await store.check();
  await checkReporting(values);
  const wanted = topics.filter(({ name, isInternal }) => settings.wants(name, isInternal));
  world.log("info", "All is well", { store: store.url, topics: wanted.map(({ name }) => name) });
  return Exit.ok;
}

function deflaterOf(values: Values): Deflater {
  return new Deflater({
    level: values["gzip-level"],
    workers: values["gzip-workers"] || Math.min(workersUsual, navigator.hardwareConcurrency),
  });
}

async function archiveTo(
  store: Store,
  settings: ArchiveSettings,
  values: Values,
  { cluster, watching, drain, abort }: Pick<CommandContext, "drain" | "abort"> & {
    readonly cluster: Cluster;
    readonly watching: Watching;
  },
): Promise<ExitCode> {
  const { metrics, world } = watching;
  const spool = await Spool.open(values["spool-dir"]);
  const deflater = deflaterOf(values);
  const daemon = new ArchiveDaemon(settings, {
    ...{ world, cluster, store, spool, deflater },
    version: version().version,
    writer: crypto.randomUUID(),
    timePut: metrics.timer("archive_put_seconds", "Time to put an object"),
  });
  registerArchiveMetrics(metrics, daemon);
  abort.addEventListener("abort", () => daemon.abandon());
  try {
    watching.serve({
      ...{ command: archive.name, options },
      view: archiveView(() => daemon),
      notReady: () => daemon.notReady(),
    });
    await watching.begin(drain);
    return await daemon.run(drain);
  } finally {
    deflater.close();
    await spool.close();
    await watching.stop();
  }
}

function settingsOf(values: Values): ArchiveSettings {
  const include = values.include.map(wholeName);
  const exclude = values.exclude.map(wholeName);
  const notifyTopic = values["notify-topic"];
  const isWanted = (topic: string, isInternal: boolean) =>
    // Events about objects would become objects, which make events.
    topic !== notifyTopic && (!isInternal || values["internal-topics"]) &&
    (include.length === 0 || include.some((one) => one.test(topic))) &&
    !exclude.some((one) => one.test(topic));
  return {
    group: values.group,
    format: values.format,
    isolation: values.isolation,
    wants: isWanted,
    rotateMs: values["rotate-interval"],
    rotateBytes: values["rotate-bytes"],
    rotateRecords: values["rotate-records"],
    memoryBytes: values.memory,
    spoolBytes: values["spool-bytes"],
    uploaders: values.uploaders,
    rebalance: values.rebalance,
    sessionMs: values["session-timeout"],
    discoverMs: values["discover-interval"],
    resume: values.resume,
    once: values.once,
    ...(notifyTopic === undefined ? {} : { notifyTopic }),
  };
}

function wholeName(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, "u");
}
