import {
  type ArchiveListing,
  listArchive,
  type ListedPartition,
  nothingArchived,
} from "../lib/archive/listing.ts";
import { listingJson, listingLines } from "../lib/archive/verify/listing_report.ts";
import { summarize } from "../lib/archive/verify/summary.ts";
import type { Store } from "../lib/clients/store/store.ts";
import { Stdout } from "../lib/clients/stdio.ts";
import { Exit, type ExitCode } from "../lib/core/exit.ts";
import { toggle, type ValuesOf } from "../lib/core/options.ts";
import { archiveOperand, archiveReadOptions, filterOf, parallel } from "./archive_reading.ts";
import { type CommandContext, defineCommand } from "./command.ts";
import { storeOf, storeReadOptions } from "./store_options.ts";

const options = {
  "long": toggle({
    help: "ask for each object's notes, too: records, exact ends, timestamps; a request an object",
  }),
  "json": toggle({ help: "print one JSON document" }),
  ...archiveReadOptions,
  "parallel": parallel,
  ...storeReadOptions,
} as const;

/** `sluice archive ls` */
export const archiveLs = defineCommand({
  name: "archive ls",
  summary: "List what an archive holds: topics, partitions, offsets, sizes",
  description:
    "Prints a line for each partition: how many objects there are, their size as they are " +
    "stored, the offset at which the archive begins, the one at which its newest object begins, " +
    "and when that was written. This is what a listing of the store tells: the archive ends " +
    "behind the last offset that is printed, and --long tells where. Nothing is verified; that " +
    "is what archive verify does.",
  operands: archiveOperand,
  options,
  exits: {
    ok: "listed",
    failed: "nothing is archived there, or the store failed",
    usage: "an option or the URL is wrong",
    unreachable: "the store cannot be reached",
    denied: "the store refuses credentials or rights",
    interrupted: "stopped by a signal",
  },
  examples: [
    "sluice archive ls s3://company-archive/kafka",
    "sluice archive ls --long --topic 'orders|payments' s3://company-archive/kafka",
    "sluice archive ls --json file:///var/archive | jq -r '.partitions[].topic' | sort -u",
  ],
  run,
});

async function run(
  values: ValuesOf<typeof options>,
  { operands: [url = ""], world }: CommandContext,
): Promise<ExitCode> {
  const filter = filterOf(values);
  const store = await storeOf(url, values, world);
  try {
    const listing = await listArchive(store, filter);
    if (listing.partitions.length === 0) throw nothingArchived(store.url, listing, filter);
    const stdout = new Stdout();
    const summaryOf = (partition: ListedPartition) =>
      summarize(partition, { store, world, parallel: values.parallel });
    for await (const line of linesOf(store, listing, values, summaryOf)) {
      await stdout.print(`${line}\n`);
      if (stdout.isClosed) break;
    }
    return Exit.ok;
  } finally {
    await store.close();
  }
}

function linesOf(
  store: Store,
  listing: ArchiveListing,
  { json, long }: ValuesOf<typeof options>,
  summaryOf: (partition: ListedPartition) => ReturnType<typeof summarize>,
): AsyncGenerator<string> {
  const summary = long ? summaryOf : undefined;
  return json ? listingJson(store.url, listing, summary) : listingLines(listing, summary);
}
