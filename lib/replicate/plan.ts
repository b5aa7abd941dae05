import type { BigQueryClient } from "../clients/bigquery/bigquery.ts";
import type { Chosen } from "./choosing.ts";
import { type Context, isAcross, isMoved } from "./configurations.ts";
import { copiesAcrossADay } from "./copy_quota.ts";
import { etagMark } from "./marks.ts";
import { choosePartitions } from "./partitions.ts";
import { courseOf, isPutTogether, standingOf } from "./planning.ts";
import type { Known } from "./states.ts";
import { skippedViews } from "./table_choice.ts";
import { decide } from "./way_choice.ts";

/** What a run would do with one table. */
export interface Planned {
  readonly name: string;
  readonly rows: string;
  readonly bytes: string;
  readonly how: string;
  /** Jobs of BigQuery. */
  readonly jobs: number;
  /** What would not be in the copy. */
  readonly losses: readonly string[];
  readonly refused: string | null;
}

/** All of it. */
export interface Plan {
  readonly tables: readonly Planned[];
  readonly skipped: Chosen["skipped"];
  readonly views: number;
  readonly unchanged: number;
  readonly totals: {
    readonly bytes: bigint;
    readonly copyJobs: number;
    /** Of them, those to another location. */
    readonly copiesAcross: number;
    readonly extractJobs: number;
    readonly loadJobs: number;
    readonly queries: number;
    /** Bytes that the fingerprints would read. */
    readonly queriedBytes: bigint;
  };
  /** What is worth knowing about quotas, a sentence each. */
  readonly quotas: readonly string[];
}

/** BigQuery's daily quotas of a project. */
const extractsADay = 100_000;
const loadsADay = 100_000;

/** Looks at every chosen table and tells what would be done; nothing is changed. */
export async function planRun(
  client: BigQueryClient,
  chosen: Chosen,
  context: Context,
): Promise<Plan> {
  const { agents } = context.settings;
  const tables: Planned[] = [];
  const totals = { ...noJobs, bytes: 0n, queries: 0 };
  let queriedBytes = 0n;
  for (let at = 0; at < chosen.tables.length; at += agents) {
    const some = chosen.tables.slice(at, at + agents);
    for (const planned of await Promise.all(some.map((one) => planTable(client, one, context)))) {
      tables.push(planned.told);
      totals.copyJobs += planned.copyJobs;
      totals.copiesAcross += planned.copiesAcross;
      totals.extractJobs += planned.extractJobs;
      totals.loadJobs += planned.loadJobs;
      if (planned.told.refused !== null) continue;
      totals.bytes += BigInt(planned.told.bytes);
      if (context.settings.verify !== "fingerprint") continue;
      totals.queries += 2;
      queriedBytes += 2n * BigInt(planned.told.bytes);
    }
  }
  const { views, unchanged } = chosen;
  const { includeViews } = context.settings;
  const skipped = [...chosen.skipped, ...includeViews ? [] : skippedViews(views)];
  const all = { ...totals, queriedBytes };
  const quotas = quotasOf(all, context);
  return {
    tables,
    skipped,
    views: includeViews ? views.length : 0,
    unchanged,
    totals: all,
    quotas,
  };
}

/** How many jobs of each kind. */
type Jobs = Pick<Plan["totals"], "copyJobs" | "copiesAcross" | "extractJobs" | "loadJobs">;

const noJobs = { copyJobs: 0, copiesAcross: 0, extractJobs: 0, loadJobs: 0 };

async function planTable(
  client: BigQueryClient,
  { tableId, destination }: Chosen["tables"][number],
  context: Context,
): Promise<Jobs & { readonly told: Planned }> {
  const { settings } = context;
  const reference = { ...settings.source, tableId };
  const table = await client.getTable(reference);
  const policies = await Array.fromAsync(client.listRowAccessPolicies(reference));
  const { numRows: rows = "0", numBytes: bytes = "0" } = table ?? {};
  const sized = { name: tableId, rows, bytes, how: "", jobs: 0, losses: [] };
  const refused = (why: string) => ({ ...noJobs, told: { ...sized, refused: why } });
  if (table === null) return refused("it is not there any more");
  const decision = decide(table, policies, context);
  if ("refused" in decision) return refused(decision.refused);
  const { access, losses } = decision;
  const there = destination === null
    ? null
    : await client.getTable({ ...settings.destination, tableId });
  const mark = etagMark(table.etag);
  const { before, replaces } = standingOf(there, mark);
  const course = courseOf({ source: table, access, mark, replaces }, there, context);
  if (typeof course === "object") return refused(course.barred);
  const planned = (how: string, jobs: Jobs) => {
    const count = jobs.copyJobs + jobs.extractJobs + jobs.loadJobs;
    return { ...jobs, told: { ...sized, how, jobs: count, losses, refused: null } };
  };
  if (course === "create") return planned("made empty", noJobs);
  if (course === "finish") return planned("there already, its settings are set", noJobs);
  const isPartial = course === "partitions";
  const isSplit = isPutTogether(table, decision.way);
  if (!isPartial && !isSplit) return planned(...jobsOf(decision, context, 1));
  const choice = await choosePartitions(client, context, table, isPartial ? before : null);
  if (choice.needsAll) return planned(...jobsOf(decision, context, 1));
  const [how, jobs] = jobsOf(decision, context, choice.changed.size);
  if (isPartial) return planned(`${how}, its ${choice.changed.size} changed partitions`, jobs);
  // They are put together in a table that is then copied.
  return planned(`${how}, one partition at a time`, { ...jobs, copyJobs: 1 });
}

/** @param pieces tables or partitions that are copied one by one. */
function jobsOf(
  { way, format }: Pick<Known, "way" | "format">,
  context: Context,
  pieces: number,
): [how: string, jobs: Jobs] {
  if (way === "copy") {
    if (!isAcross(context)) return ["copy job", { ...noJobs, copyJobs: pieces }];
    return ["copy job across locations", { ...noJobs, copyJobs: pieces, copiesAcross: pieces }];
  }
  const moved = isMoved(context) ? ", moved to the other bucket" : "";
  const jobs = { ...noJobs, extractJobs: pieces, loadJobs: pieces };
  return [`extract as ${format}${moved}, load`, jobs];
}

function quotasOf(
  { copiesAcross, extractJobs, loadJobs, queriedBytes }: Plan["totals"],
  context: Context,
): string[] {
  const quotas: string[] = [];
  if (copiesAcross > 0) {
    const left = copiesAcrossADay - context.quota.used;
    quotas.push(`${copiesAcross} of ${left} copy jobs across locations that are left today`);
  }
  if (extractJobs > 0) quotas.push(`${extractJobs} of ${extractsADay} extract jobs a day`);
  if (loadJobs > 0) quotas.push(`${loadJobs} of ${loadsADay} load jobs a day`);
  if (queriedBytes > 0n) {
    quotas.push(`fingerprints read ${queriedBytes} bytes${costOf(queriedBytes)}`);
  }
  return quotas;
}

/** Of a query on demand, in US dollars; 6.25 a TiB is the list price in the US. */
export function costOf(bytes: bigint): string {
  const dollars = Number(bytes) / 2 ** 40 * 6.25;
  return `, about $${dollars < 0.01 ? dollars.toFixed(4) : dollars.toFixed(2)} at $6.25 a TiB`;
}

/** The plan as lines for people. */
export function planText(plan: Plan): string[] {
  const lines = plan.tables.map(({ name, rows, bytes, how, losses, refused }) => {
    const lost = losses.map((loss) => `\n  ${loss}`).join("");
    if (refused !== null) return `${name}: refused: ${refused}`;
    return `${name}: ${rows} rows, ${bytes} bytes: ${how}${lost}`;
  });
  for (const { tableId, reason } of plan.skipped) lines.push(`${tableId}: skipped: ${reason}`);
  const { bytes, copyJobs, extractJobs, loadJobs } = plan.totals;
  const refused = plan.tables.filter((one) => one.refused !== null).length;
  lines.push(
    `${plan.tables.length - refused} tables, ${bytes} bytes: ${copyJobs} copy, ${extractJobs} ` +
      `extract and ${loadJobs} load jobs${refused > 0 ? `; ${refused} refused` : ""}` +
      (plan.views > 0 ? `; ${plan.views} views and the routines` : ""),
  );
  return [...lines, ...plan.quotas];
}

/** The plan as lines of JSON: one a table, then one for all. */
export function planJson(plan: Plan): Record<string, unknown>[] {
  const { bytes, queriedBytes, ...counts } = plan.totals;
  return [
    ...plan.tables.map((one) => ({ ...one, status: one.refused === null ? "planned" : "refused" })),
    ...plan.skipped.map(({ tableId, reason }) => ({ name: tableId, status: "skipped", reason })),
    {
      ...counts,
      bytes: String(bytes),
      queriedBytes: String(queriedBytes),
      unchanged: plan.unchanged,
      quotas: plan.quotas,
    },
  ];
}
