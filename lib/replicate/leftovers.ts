import type { TableEntry } from "../clients/bigquery/bigquery.ts";
import { isTemporary, pairId } from "./job_ids.ts";
import { marksOf } from "./marks.ts";
import { bucketsOf } from "./configurations.ts";
import type { Performer, PerformerTools } from "./performer.ts";
import { pairFolder, stagedBy } from "./staging.ts";

/**
 * Deletes staged files that nobody needs any more. One listing of the pair's folder shows what runs have
 * left that were killed before they cleaned up: what belongs to a finished copy, or to one that came out
 * wrong, is deleted, as its marks name the job, and so is the table in which its partitions were put
 * together. All else may belong to a run that is going on, or be the work that this one goes on
 * with; `all` (nothing else is running) deletes it, too, and temporary tables.
 *
 * @returns how many objects and tables were deleted.
 */
export async function cleanLeftovers(
  performer: Performer,
  { client, store, context }: PerformerTools,
  destinations: ReadonlyMap<string, TableEntry>,
  all: boolean,
): Promise<{ readonly objects: number; readonly tables: number }> {
  const { settings, destination: { projectId, datasetId } } = context;
  let objects = 0;
  let tables = 0;
  for (const place of store === null ? [] : bucketsOf(context)) {
    // Both buckets hold the same names: below the first one's folder.
    const pair = pairFolder(settings.bucket ?? place, settings.source, settings.destination);
    const folders = new Set<string>();
    for await (const { name } of store?.list(place.bucket, pair) ?? []) {
      const staged = stagedBy(pair, name);
      if (staged === null) continue;
      if (all || isOver(destinations, staged)) folders.add(staged.folder);
    }
    for (const folder of folders) objects += await performer.emptyFolder(place.bucket, folder);
  }
  const finished = new Set<string | null>();
  for (const { labels } of destinations.values()) {
    const { source, state } = marksOf(labels);
    if (state === null) finished.add(source);
  }
  const ours = pairId(settings.source, settings.destination);
  for (const [tableId, { labels }] of destinations) {
    if (!isTemporary(tableId, ours) || !(all || finished.has(marksOf(labels).source))) continue;
    await client.deleteTable({ projectId, datasetId, tableId });
    tables++;
  }
  return { objects, tables };
}

/** Whether nobody loads these files any more: their copy is there, or came out wrong and is made anew. */
function isOver(
  destinations: ReadonlyMap<string, TableEntry>,
  { tableId, jobId }: { readonly tableId: string; readonly jobId: string },
): boolean {
  const { run, state } = marksOf(destinations.get(tableId)?.labels);
  return run === jobId && (state === null || state === "wrong");
}
