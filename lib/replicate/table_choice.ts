import type { TableEntry } from "../clients/bigquery/bigquery.ts";
import { marksOf } from "./marks.ts";
import { isTemporary } from "./job_ids.ts";
import type { TableChoice } from "./settings.ts";

/** A table of the source, and what the destination has under its name. */
export interface Candidate {
  readonly tableId: string;
  readonly source: TableEntry;
  readonly destination: TableEntry | null;
}

/** A table that is not copied, with why. */
export interface Skipped {
  readonly tableId: string;
  readonly type: string;
  readonly reason: string;
}

/** What two listings tell; see {@linkcode compareListings}. */
export interface Compared {
  /** To be copied for sure, the last name first. */
  readonly wanted: readonly Candidate[];
  /** There already: whether they are copied again depends on what tables.get tells. The last name first. */
  readonly present: readonly Candidate[];
  /** Views and materialized views, the last name first. */
  readonly views: readonly Candidate[];
  readonly skipped: readonly Skipped[];
}

const whySkipped: Readonly<Record<string, string>> = {
  EXTERNAL: "an external table: its data lies elsewhere",
  SNAPSHOT: "a snapshot: it is not copied; copy the table it was made of",
  VIEW: "a view; --include-views copies it",
  MATERIALIZED_VIEW: "a materialized view; --include-views copies it",
};

/**
 * Compares two datasets by their listings. Names are in the order of the predecessor: by code units,
 * the last one first, which of daily tables is the newest.
 *
 * A table that was begun and not finished counts as missing: it is told by its labels.
 */
export function compareListings(
  sources: Iterable<TableEntry>,
  destinations: ReadonlyMap<string, TableEntry>,
  filter: RegExp,
  choice: TableChoice,
): Compared {
  const wanted: Candidate[] = [];
  const present: Candidate[] = [];
  const views: Candidate[] = [];
  const skipped: Skipped[] = [];
  for (const source of newestFirst(sources)) {
    const { tableId, type } = source;
    if (!filter.test(tableId) || isTemporary(tableId)) continue;
    const destination = destinations.get(tableId) ?? null;
    const candidate = { tableId, source, destination };
    if (type === "VIEW" || type === "MATERIALIZED_VIEW") views.push(candidate);
    else if (type !== "TABLE" && type !== "CLONE") {
      const reason = whySkipped[type] ?? `it is of the type ${type}, which is not known`;
      skipped.push({ tableId, type, reason });
    } else if (isWanted(destination, choice)) wanted.push(candidate);
    else present.push(candidate);
  }
  return { wanted, present, views, skipped };
}

function isWanted(destination: TableEntry | null, choice: TableChoice): boolean {
  if (destination === null || choice === "all") return true;
  return marksOf(destination.labels).state !== null;
}

/** By code units of the names, the last first. */
function newestFirst<T extends { readonly tableId: string }>(all: Iterable<T>): T[] {
  return [...all].sort((a, b) => a.tableId < b.tableId ? 1 : a.tableId > b.tableId ? -1 : 0);
}

/** Views as tables that are left out. */
export function skippedViews(views: readonly Candidate[]): Skipped[] {
  return views.map(({ tableId, source: { type } }) => ({
    tableId,
    type,
    reason: whySkipped[type] ?? type,
  }));
}

/**
 * A pattern that has to match whole names. Java's patterns may begin with flags, `(?i)`: those that
 * JavaScript has are understood.
 *
 * @throws {SyntaxError} for anything that is no pattern.
 */
export function wholeNamePattern(pattern: string): RegExp {
  const [, flags = "", rest = pattern] = /^\(\?([ism]+)\)([^]*)$/.exec(pattern) ?? [];
  return new RegExp(`^(?:${rest})$`, `u${[...new Set(flags)].join("")}`);
}
