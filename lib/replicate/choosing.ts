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

/** No job takes longer: what was changed earlier before a copy was there is in it. */
const jobMostMs = 86_400_000;

/**
 * Whether the source is another one than was copied, as far as the copy's marks tell. A copy without
 * any may be one of ours whose last step was missed, and whose source was changed while its job ran: it
 * is looked at more closely, and gone on with if it is of this very source.
 */
function isChanged(source: TableResource, destination: TableEntry | null): boolean {
  const marks = marksOf(destination?.labels);
  if (marks.source !== null) return marks.source !== etagMark(source.etag);
  const madeMs = Number(destination?.creationTime ?? 0);
  return Number(source.lastModifiedTime ?? Infinity) >= madeMs - jobMostMs;
}

function isProbed({ destination }: Candidate, nowMs: number): boolean {
  const madeMs = Number(destination?.creationTime ?? 0);
  return marksOf(destination?.labels).source === null && nowMs - madeMs < probedMs;
}

function listed(client: BigQueryClient, { projectId, datasetId }: Side): Promise<TableEntry[]> {
  return Array.fromAsync(client.listTables(projectId, datasetId));
}
