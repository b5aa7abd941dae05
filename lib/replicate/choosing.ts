import type { BigQueryClient, TableEntry, TableResource } from "../clients/bigquery/bigquery.ts";
import { etagMark, marksOf } from "./marks.ts";
import type { ReplicateSettings, Side } from "./settings.ts";
import { type Candidate, type Compared, compareListings } from "./table_choice.ts";

/** What a run is about to do. */
export interface Chosen {
  /** To be copied, the last name first. */
  readonly tables: readonly Candidate[];
  /** There, lately made, and without marks: copies of ours, perhaps, whose last step was missed. */
  readonly probes: readonly Candidate[];
  readonly views: readonly Candidate[];
  readonly skipped: Compared["skipped"];
  /** Tables that are as they were. */
  readonly unchanged: number;
  readonly sources: readonly TableEntry[];
  readonly destinations: ReadonlyMap<string, TableEntry>;
}

/** A copy that missed its last step longer ago is not looked for any more. */
const probedMs = 7 * 86_400_000;

/**
 * Lists both datasets and chooses. What the source was modified by only tables.get tells, so with
 * `changed` each table that is there costs one request, until there are enough.
 */
export async function chooseTables(
  client: BigQueryClient,
  settings: ReplicateSettings,
  { source, destination }: { readonly source: Side; readonly destination: Side },
  nowMs: number,
): Promise<Chosen> {
  const [sources, there] = await Promise.all([listed(client, source), listed(client, destination)]);
  const destinations = new Map(there.map((entry) => [entry.tableId, entry]));
  const { filter, choice, number } = settings;
  const compared = compareListings(sources, destinations, filter, choice);
  const { wanted, present, views, skipped } = compared;
  const isProbing = settings.via !== "extract" || settings.bucket !== null;
  const probes = isProbing ? present.filter((one) => isProbed(one, nowMs)) : [];
  const rest = { views, skipped, probes, sources, destinations };
  if (choice === "missing" || choice === "all") {
    return { ...rest, tables: wanted.slice(0, number), unchanged: 0 };
  }
  const changed = await chooseChanged(client, source, { wanted, present }, settings);
  return { ...rest, ...changed, probes: probes.filter((one) => !changed.tables.includes(one)) };
}

async function chooseChanged(
  client: BigQueryClient,
  { projectId, datasetId }: Side,
  { wanted, present }: Pick<Compared, "wanted" | "present">,
  { number, agents }: ReplicateSettings,
): Promise<{ readonly tables: readonly Candidate[]; readonly unchanged: number }> {
  const isWanted = new Set(wanted);
  const all = [...wanted, ...present].sort((a, b) => a.tableId < b.tableId ? 1 : -1);
  const tables: Candidate[] = [];
  let unchanged = 0;
  for (let at = 0; at < all.length && tables.length < number; at += agents) {
    const some = all.slice(at, at + agents);
    const verdicts = await Promise.all(some.map(async (candidate) => {
      if (isWanted.has(candidate)) return true;
      const { tableId } = candidate;
      const table = await client.getTable({ projectId, datasetId, tableId });
      return table !== null && isChanged(table, candidate.destination);
    }));
    some.forEach((candidate, i) => {
      if (!verdicts[i]) unchanged++;
      else if (tables.length < number) tables.push(candidate);
    });
  }
  return { tables, unchanged };
}

/** Whether the source is another one than was copied, as far as the copy's marks tell. */
export function isChanged(source: TableResource, destination: TableEntry | null): boolean {
  const marks = marksOf(destination?.labels);
  if (marks.source !== null) return marks.source !== etagMark(source.etag);
  // Not copied by us: whatever is not older than it.
  return Number(source.lastModifiedTime ?? Infinity) >= Number(destination?.creationTime ?? 0);
}

function isProbed({ destination }: Candidate, nowMs: number): boolean {
  const madeMs = Number(destination?.creationTime ?? 0);
  return marksOf(destination?.labels).source === null && nowMs - madeMs < probedMs;
}

async function listed(
  client: BigQueryClient,
  { projectId, datasetId }: Side,
): Promise<TableEntry[]> {
  const all: TableEntry[] = [];
  for await (const entry of client.listTables(projectId, datasetId)) all.push(entry);
  return all;
}
