import { sizeText } from "../lib/archive/verify/listing_report.ts";
import {
  partitionJson,
  summaryJson,
  type VerifySummary,
} from "../lib/archive/verify/report_json.ts";
import { partitionLines, restLines } from "../lib/archive/verify/report_text.ts";
import { TotalsBuilder, type Verdict } from "../lib/archive/verify/verdict.ts";
import { verifyArchive, type VerifyProgress } from "../lib/archive/verify/verify.ts";
import { KafkaReader } from "../lib/archive/verify/kafka_reader.ts";
import { ProgressLine } from "../lib/clients/progress.ts";
import { Stdout } from "../lib/clients/stdio.ts";
import { Exit, type ExitCode } from "../lib/core/exit.ts";
import { toggle, type ValuesOf } from "../lib/core/options.ts";
import type { World } from "../lib/core/world.ts";
import { archiveOperand, archiveReadOptions, filterOf, parallel } from "./archive_reading.ts";
import { type CommandContext, defineCommand } from "./command.ts";
import { clusterOf } from "./kafka_cluster.ts";
import { kafkaOptions } from "./kafka_options.ts";
import { storeOf, storeReadOptions } from "./store_options.ts";

const options = {
  "shallow": toggle({
    help: "look at names and notes only, not into the objects: gaps and overlaps, no damage",
  }),
  "strict-gaps": toggle({
    help: "exit 3 also for gaps by retention, and for those that are only possible",
  }),
  "json": toggle({ help: "print one JSON document" }),
  ...archiveReadOptions,
  "parallel": parallel,
  ...storeReadOptions,
  ...kafkaOptions,
} as const;

type Values = ValuesOf<typeof options>;

/** `sluice archive verify` */
export const archiveVerify = defineCommand({
  name: "archive verify",
  summary: "Prove that an archive is whole and without gaps, or say what is wrong where",
  description:
    "Reads every object: that the gzip data is whole and its checksum right, that records follow " +
    "each other without a rest, that counts, sizes, checksums, timestamps and offsets are those of the " +
    "object's notes, and that these are the same in the store's metadata and in the gzip header. " +
    "Then the chain of each partition: every object begins at the offset at which the one before " +
    "it ends. A damaged object is named with the byte, and the others are verified all the same." +
    "\n\nAn offset that no object answers for is a gap. Offsets that Kafka had deleted before " +
    "they were archived are known gaps: archive has left an empty object for them, so they are " +
    "told and are no error, as nothing can mend them. The predecessor's objects have no notes and do " +
    "not tell where they end: if there are fewer records than offsets up to the next object, that " +
    "is a possible gap. --strict-gaps makes errors of both.\n\nWith --kafka (or --zookeeper) the archive is held " +
    "against what Kafka still has: records before the archive begins and in gaps, how many " +
    "offsets are not archived yet, and, of possible gaps, whether Kafka has a record that is in " +
    "no object.",
  operands: archiveOperand,
  options,
  exits: {
    ok: "every object is whole and no offset is missing",
    failed: "nothing is archived there, or an object could not be read",
    usage: "an option or the URL is wrong",
    partial: "offsets are missing, or are in two objects",
    unreachable: "the store or Kafka cannot be reached",
    denied: "the store or Kafka refuses credentials or rights",
    corrupt: "an object is damaged or contradicts its notes (outweighs 3, and 3 the others)",
    interrupted: "stopped by a signal",
  },
  examples: [
    "sluice archive verify s3://company-archive/kafka",
    "sluice archive verify --kafka kafka-1:9092 --topic 'orders\\..*' s3://company-archive/kafka",
    "sluice archive verify --shallow --json s3://company-archive/kafka | jq .totals.counts",
    "sluice archive verify file:///var/archive/sluice/orders/partition=0",
  ],
  run,
});

const exitOf: Readonly<Record<Verdict, ExitCode>> = {
  ok: Exit.ok,
  corrupt: Exit.corrupt,
  partial: Exit.partial,
  transient: Exit.unreachable,
  denied: Exit.denied,
  permanent: Exit.failed,
  usage: Exit.usage,
};

async function run(
  values: Values,
  { operands: [url = ""], world }: CommandContext,
): Promise<ExitCode> {
  const filter = filterOf(values);
  const store = await storeOf(url, values, world);
  const kafka = await openKafka(values, world);
  const progress = { objects: 0, bytes: 0, totalObjects: 0, totalBytes: 0 };
  const line = values.json ? undefined : new ProgressLine(() => progressText(progress));
  try {
    const { json, shallow, parallel } = values;
    const printer = new Printer(store.url, { json, shallow }, () => line?.clear());
    const totals = new TotalsBuilder();
    const plan = { store, world, filter, shallow, parallel, kafka: kafka?.reader };
    const rest = await verifyArchive(plan, progress, async (report) => {
      totals.add(report);
      await printer.partition(report);
    });
    const verdict = totals.verdict(values["strict-gaps"]);
    const exit = exitOf[verdict];
    await printer.end({ verdict, exit, totals: totals.totals, rest });
    return exit;
  } finally {
    line?.close();
    await Promise.all([store.close(), kafka?.close()]);
  }
}

/** Undefined when the options name no Kafka. */
async function openKafka(values: Values, world: World) {
  if (values.kafka.length === 0 && values.zookeeper === undefined) return undefined;
  const cluster = await clusterOf(values, world, { clientId: "sluice-archive-verify" });
  try {
    const reader = await KafkaReader.open(cluster, world);
    return { reader, close: () => cluster.close() };
  } catch (thrown) {
    await cluster.close();
    throw thrown;
  }
}

function progressText({ objects, bytes, totalObjects, totalBytes }: VerifyProgress): string {
  if (totalObjects === 0) return "listing the archive";
  const share = totalBytes === 0 ? 100 : Math.floor(100 * Math.min(1, bytes / totalBytes));
  return `verified ${objects} of ${totalObjects} objects, ${sizeText(bytes)} of ` +
    `${sizeText(totalBytes)} (${share} %)`;
}

type Report = Parameters<typeof partitionJson>[0];

/** Prints reports as they come: lines for people, or one JSON document with a line a partition. */
class Printer {
  readonly #stdout = new Stdout();
  #partitions = 0;

  constructor(
    private readonly url: string,
    private readonly how: { readonly json: boolean; readonly shallow: boolean },
    private readonly before: () => void,
  ) {}

  async partition(report: Report): Promise<void> {
    if (!this.how.json) return await this.#print(partitionLines(report));
    const begin = this.#partitions++ === 0 ? this.#begin() : ",";
    await this.#print([`${begin}${JSON.stringify(partitionJson(report))}`]);
  }

  async end(summary: Pick<VerifySummary, "verdict" | "exit" | "totals" | "rest">): Promise<void> {
    if (!this.how.json) return await this.#print(restLines(summary.rest, summary.totals));
    await this.#print([`],${JSON.stringify(summaryJson(summary)).slice(1)}`]);
  }

  #begin(): string {
    const head = JSON.stringify({ archive: this.url, shallow: this.how.shallow });
    return `${head.slice(0, -1)},"partitions":[\n`;
  }

  async #print(lines: readonly string[]): Promise<void> {
    this.before();
    await this.#stdout.print(lines.map((line) => `${line}\n`).join(""));
  }
}
