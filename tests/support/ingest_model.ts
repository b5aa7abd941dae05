/**
 * What ingest should do, in the plainest way: tables are lists of rows, and a load goes over them one
 * by one. It shares nothing with lib/.
 */

/** A value as the server writes it; null is NULL. */
export type Value = string | null;

/** The values of a row by column. */
export type ModelRow = Readonly<Record<string, Value>>;

/** A file as it is meant: rows over the columns of the files, in the order of its lines. */
export interface ModelFile {
  readonly name: string;
  readonly rows: readonly (readonly Value[])[];
}

/** A column that decides which of the rows with one key wins, and what its values are. */
export interface ModelOrder {
  readonly column: string;
  readonly isDescending?: boolean;
  readonly as: "number" | "text";
}

/** What a load does to a table. */
export interface ModelRules {
  /** Of the files. */
  readonly columns: readonly string[];
  readonly keys: readonly string[];
  readonly strategy: "merge" | "replace" | "append";
  readonly orderBy?: readonly ModelOrder[];
  readonly deleteWhen?: (row: ModelRow) => boolean;
  /** What `staging-select` makes of all rows of a load. */
  readonly select?: (rows: readonly ModelRow[]) => readonly ModelRow[];
  /** What the columns hold that no file brings. */
  readonly defaults?: ModelRow;
}

/** The table after the load of these files. */
export function loaded(
  table: readonly ModelRow[],
  rules: ModelRules,
  files: readonly ModelFile[],
): ModelRow[] {
  const { keys, strategy } = rules;
  let staged: readonly ModelRow[] = inOrder(files).flatMap(({ rows }) =>
    rows.map((row) =>
      Object.fromEntries(rules.columns.map((column, i) => [column, row[i] ?? null]))
    )
  );
  if (rules.select !== undefined) staged = rules.select(staged);
  const come = keys.length === 0 ? staged : winners(staged, rules);
  const kept = come.filter((row) => !rules.deleteWhen?.(row));
  const added = kept.map((row) => ({ ...rules.defaults, ...row }));
  if (strategy === "replace") return added;
  if (keys.length === 0) return [...table, ...added];
  const isThere = (row: ModelRow, rows: readonly ModelRow[]) =>
    rows.some((one) => keys.every((key) => one[key] === row[key]));
  if (strategy === "append") return [...table, ...added.filter((row) => !isThere(row, table))];
  return [...table.filter((row) => !isThere(row, come)), ...added];
}

/** By the bytes of their names, as a store lists them. */
export function inOrder<F extends { readonly name: string }>(files: readonly F[]): F[] {
  const encoder = new TextEncoder();
  return [...files].sort((a, b) => compareBytes(encoder.encode(a.name), encoder.encode(b.name)));
}

/** One row for each key: the first by `orderBy`, and of the same there the last that came. */
function winners(rows: readonly ModelRow[], { keys, orderBy = [] }: ModelRules): ModelRow[] {
  const best = new Map<string, ModelRow>();
  for (const row of rows) {
    const key = JSON.stringify(keys.map((one) => row[one]));
    const before = best.get(key);
    if (before === undefined || compareRows(row, before, orderBy) <= 0) best.set(key, row);
  }
  return [...best.values()];
}

/** Negative when `a` comes first. NULL comes last either way. */
function compareRows(a: ModelRow, b: ModelRow, orderBy: readonly ModelOrder[]): number {
  for (const { column, isDescending, as } of orderBy) {
    const [one, other] = [a[column] ?? null, b[column] ?? null];
    if (one === other) continue;
    if (one === null) return 1;
    if (other === null) return -1;
    const order = as === "number" ? Number(one) - Number(other) : compareTexts(one, other);
    if (order !== 0) return isDescending ? -order : order;
  }
  return 0;
}

function compareTexts(a: string, b: string): number {
  const encoder = new TextEncoder();
  return compareBytes(encoder.encode(a), encoder.encode(b));
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = (a[i] ?? 0) - (b[i] ?? 0);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
