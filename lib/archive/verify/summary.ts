import type { Store } from "../../clients/store/store.ts";
import type { World } from "../../core/world.ts";
import { type ListedPartition, listObjects } from "../listing.ts";
import { ChainCheck } from "./chain_check.ts";
import { inOrder } from "./in_order.ts";
import { lookAtObject } from "./look_at_object.ts";
import { type PartitionReport, ReportBuilder } from "./partition_report.ts";

/**
 * What the notes of a partition's objects say together, without reading what is in them: one
 * request an object. It proves nothing; {@linkcode PartitionReport.findings} are those of the notes.
 *
 * @throws {SluiceError} when the partition cannot be listed.
 */
export async function summarize(
  partition: ListedPartition,
  { store, world, parallel }: {
    readonly store: Store;
    readonly world: World;
    readonly parallel: number;
  },
): Promise<PartitionReport> {
  const builder = new ReportBuilder(partition);
  const chain = new ChainCheck();
  const tools = { store, world, shallow: true };
  const objects = listObjects(store, partition);
  for await (const facts of inOrder(objects, parallel, (one) => lookAtObject(tools, one))) {
    builder.addObject(facts);
    for (const finding of chain.add(facts).findings) builder.addFinding(finding);
  }
  return builder.report(chain.end, undefined);
}
