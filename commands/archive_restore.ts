import { dryRun } from "../lib/archive/restore/dry_run.ts";
import type { ReaderTools } from "../lib/archive/restore/partition_reader.ts";
import { parseTopicMap, planRestore, type RestorePlan } from "../lib/archive/restore/plan.ts";
import type { RestoreRange } from "../lib/archive/restore/range.ts";
import { counted, reportJson, reportText, RestoreVerdict } from "../lib/archive/restore/report.ts";
import { type PartitionReport, restore } from "../lib/archive/restore/restore.ts";
import { StateFile } from "../lib/archive/restore/state.ts";
import {
  missingTopics,
  prepareTargets,
  targetTrouble,
  tooFewPartitions,
} from "../lib/archive/restore/targets.ts";
import { Throttle } from "../lib/archive/restore/throttle.ts";
import type { Cluster } from "../lib/clients/kafka/kafka.ts";
import { Stdout, tell } from "../lib/clients/stdio.ts";
import type { Store } from "../lib/clients/store/store.ts";
import { usageError } from "../lib/core/errors.ts";
import { Exit, type ExitCode, exitCodeOf } from "../lib/core/exit.ts";
import { choice, list, patterns, text, toggle, type ValuesOf } from "../lib/core/options.ts";
import { type CommandContext, defineCommand } from "./command.ts";
import { daemonOptions } from "./daemon_options.ts";
import { clusterOf } from "./kafka_cluster.ts";
import { kafkaOptions } from "./kafka_options.ts";
import { moment, offset, rate } from "./restore_options.ts";
import { storeOf, storeReadOptions } from "./store_options.ts";

const options = {
  ...kafkaOptions,
  ...storeReadOptions,
  "group": text({ placeholder: "NAME", help: "only what this consumer group has archived" }),
  "topic": patterns({ help: "only topics whose whole name matches one of these" }),
  "topic-map": list({
    placeholder: "FROM=TO,...",
    help: "restore topic FROM into topic TO; others keep their names",
  }),
  "create-topics": toggle({
    help: "make topics that are missing, with as many partitions as the archive has",
  }),
  "from-offset": offset({ help: "begin each partition at this offset" }),
  "to-offset": offset({ help: "end each partition before this offset" }),
  "from-time": moment({ help: "only records of this time or later" }),
  "to-time": moment({ help: "only records before this time" }),
  "rate": rate({ help: "write so many records in a second at most, all partitions together" }),
  "compression": choice(["none", "gzip", "snappy", "lz4", "zstd"], {
    fallback: "none",
    help: "codec of the record batches",
  }),
  "state": text({
    placeholder: "FILE",
    help: "keep here how far it has come: the same command goes on there, after whatever",
  }),
  "dry-run": toggle({ help: "tell what would be written, look at the topics, and write nothing" }),
  "json": toggle({ help: "print each partition's result as a line of JSON" }),
  "log-level": daemonOptions["log-level"],
  "log-format": daemonOptions["log-format"],
} as const;

type Values = ValuesOf<typeof options>;

/** `sluice archive restore` */
export const archiveRestore = defineCommand({
  name: "archive restore",
  summary: "Write archived records back into Kafka",
  description:
    "Writes what an archive holds back into Kafka: each partition into the one of the same number, " +
    "in order. Whole records (.records.gz) come back as they were, with key, value, headers and " +
    "time; values (.baldr.gz) without a key, with the time of their restore, and empty where there " +
    "was none. The archive is a folder or a bucket, at its root or at the folder of a group, a topic " +
    "or a partition.\n\nEvery object is read to its end and proven whole before a record of it is " +
    "written. A damaged one ends its partition there; the others go on. Nothing is written if a topic " +
    "is missing or has fewer partitions than the archive.\n\n--from-time and --to-time choose whole " +
    "records one by one, of values whole objects: those that hold something of that time. Values are " +
    "chosen by offset where no offset is missing in their object.\n\nWith --state a restore that was " +
    "killed goes on exactly where it was, as long as nobody else writes to the partition: what " +
    "the topic holds tells it. Without, a second run writes everything a second time.",
  operands: {
    placeholder: "URL",
    help: "the archive: s3://BUCKET/PREFIX or file:///FOLDER",
    isOne: true,
  },
  options,
  exits: {
    ok: "everything wanted is in Kafka; or --dry-run: it could be",
    failed: "a topic is missing or too small, or a record was refused",
    usage: "an option is wrong",
    partial: "everything is written, but the archive lacks offsets that nothing explains",
    unreachable: "Kafka or the store cannot be reached",
    denied: "Kafka or the store refuses the credentials",
    corrupt: "an object is damaged; its partition is written up to it, the others to their ends",
    interrupted: "stopped by a signal; with --state the same command goes on",
  },
  examples: [
    "sluice archive restore s3://company-archive/kafka --kafka kafka-1:9092 --dry-run",
    "sluice archive restore s3://company-archive --kafka kafka-1:9092 --topic-map orders=orders-2",
    "sluice archive restore file:///var/archive --kafka kafka-1:9092 --topic orders --rate 1000/s",
  ],
  run,
});

async function run(values: Values, context: CommandContext): Promise<ExitCode> {
  const [url = ""] = context.operands;
  const { world, abort: signal } = context;
  const range = rangeOf(values);
  const topicMap = parseTopicMap(values["topic-map"]);
  const cluster = await clusterOf(values, world, { clientId: "sluice-archive-restore" });
  const store = await storeOf(url, values, world);
  try {
    const plan = await planRestore(store, filterOf(values), topicMap);
    const throttle = new Throttle(world, values.rate ?? Infinity);
    const tools = { store, world, range, throttle, signal };
    if (values["dry-run"]) return await tellPlan(plan, values, cluster, tools);
    return await write(url, plan, values, cluster, tools);
  } finally {
    await cluster.close();
    await store.close();
  }
}

async function write(
  url: string,
  plan: RestorePlan,
  values: Values,
  cluster: Cluster,
  tools: ReaderTools & { readonly store: Store },
): Promise<ExitCode> {
  const { world, signal } = tools;
  const state = values.state === undefined
    ? null
    : await StateFile.open(values.state, requestOf(url, values), () => world.monotonicMs());
  await prepareTargets(cluster, plan.targets, world, { create: values["create-topics"] });
  const results = new Results(values);
  const onAbort = () => {
    const advice = state === null
      ? "there is no --state to go on with"
      : `the same command goes on, by ${values.state}`;
    tell(`sluice: stopped before all was restored; ${advice}`);
  };
  signal.addEventListener("abort", onAbort);
  try {
    const settings = { cluster, codec: values.compression, state };
    await restore(plan, settings, tools, (report) => results.add(report));
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  return await results.finish();
}

/** `--dry-run`: what would be written, and what the topics lack for it. */
async function tellPlan(
  plan: RestorePlan,
  values: Values,
  cluster: Cluster,
  tools: ReaderTools,
): Promise<ExitCode> {
  const { missing, tooSmall } = await targetTrouble(cluster, plan.targets);
  const results = new Results(values);
  await dryRun(plan, tools, (report) => results.add(report));
  const exit = await results.finish();
  const troubles = [
    ...(tooSmall.length > 0 ? [tooFewPartitions(tooSmall)] : []),
    ...(missing.length > 0 && !values["create-topics"] ? [missingTopics(missing)] : []),
  ];
  for (const trouble of troubles) tell(`sluice: ${trouble.message}`);
  const [first] = troubles;
  return first === undefined || exit === Exit.corrupt ? exit : exitCodeOf(first);
}

/** Tells the result of each partition as it comes, and all together at the end. */
class Results {
  readonly #verdict = new RestoreVerdict();
  readonly #stdout = new Stdout();

  constructor(private readonly values: Pick<Values, "json" | "dry-run">) {}

  async add(report: PartitionReport): Promise<void> {
    const isDryRun = this.values["dry-run"];
    this.#verdict.add(report);
    await this.#print(
      this.values.json ? JSON.stringify(reportJson(report)) : reportText(report, { isDryRun }),
    );
    if (report.error !== null) tell(`sluice: ${report.error.message}`);
  }

  async finish(): Promise<ExitCode> {
    const { partitions, records, objects, exit } = this.#verdict;
    if (!this.values.json) {
      const written = this.values["dry-run"] ? "would be written" : "written";
      await this.#print(
        `${counted(records, "record")} ${written} from ${counted(objects, "object")} ` +
          `of ${counted(partitions, "partition")}`,
      );
    }
    return exit;
  }

  #print(line: string): Promise<void> {
    return this.#stdout.print(`${line}\n`);
  }
}

function rangeOf(values: Values): RestoreRange {
  const { "from-offset": fromOffset, "to-offset": toOffset } = values;
  const { "from-time": fromTimeMs, "to-time": toTimeMs } = values;
  if (fromOffset !== undefined && toOffset !== undefined && toOffset <= fromOffset) {
    throw usageError("use --to-offset", `${toOffset} is not behind --from-offset ${fromOffset}`);
  }
  if (fromTimeMs !== undefined && toTimeMs !== undefined && toTimeMs <= fromTimeMs) {
    throw usageError("use --to-time", "it is not behind --from-time");
  }
  return {
    ...(fromOffset === undefined ? {} : { fromOffset }),
    ...(toOffset === undefined ? {} : { toOffset }),
    ...(fromTimeMs === undefined ? {} : { fromTimeMs }),
    ...(toTimeMs === undefined ? {} : { toTimeMs }),
  };
}

function filterOf({ group, topic }: Values) {
  const wanted = topic.map((pattern) => `(?:${pattern})`).join("|");
  return {
    ...(group === undefined ? {} : { group }),
    ...(topic.length === 0 ? {} : { topic: new RegExp(`^(?:${wanted})$`, "u") }),
  };
}

/** What makes a second run the same restore, by the names of its options. */
function requestOf(url: string, values: Values) {
  return {
    "URL": url,
    "--group": values.group ?? "",
    "--topic": values.topic,
    "--topic-map": values["topic-map"],
    "--from-offset": String(values["from-offset"] ?? ""),
    "--to-offset": String(values["to-offset"] ?? ""),
    "--from-time": String(values["from-time"] ?? ""),
    "--to-time": String(values["to-time"] ?? ""),
  };
}
