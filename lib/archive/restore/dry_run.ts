import { SluiceError } from "../../core/errors.ts";
import { PartitionReader, type ReaderTools } from "./partition_reader.ts";
import type { RestorePlan } from "./plan.ts";
import type { PartitionReport } from "./restore.ts";
import { CountingTaker } from "./target_writer.ts";

/** Partitions at once: what is read of most objects is their notes, and that is waiting. */
const partitionsMost = 8;

/**
 * Tells what a restore would write, and writes nothing. Objects of which all is wanted are believed
 * what their notes say; the others are read.
 */
export async function dryRun(
  plan: RestorePlan,
  tools: ReaderTools,
  tell: (report: PartitionReport) => Promise<void>,
): Promise<void> {
  const waiting = plan.partitions[Symbol.iterator]();
  await Promise.all(Array.from({ length: partitionsMost }, async () => {
    for (const partition of waiting) {
      const reader = new PartitionReader(tools, partition.from);
      let error: SluiceError | null = null;
      try {
        await reader.count(new CountingTaker());
      } catch (thrown) {
        if (!(thrown instanceof SluiceError)) throw thrown;
        error = thrown;
      }
      const { objects, records, gaps } = reader;
      await tell({ plan: partition, objects, records, gaps, error });
    }
  }));
}
