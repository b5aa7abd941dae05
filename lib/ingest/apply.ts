import type { Session } from "../clients/warehouse/warehouse.ts";
import { reasonOf, SluiceError } from "../core/errors.ts";
import { quoteTable } from "../formats/sql_text.ts";
import {
  areAlike,
  type BadFile,
  BadRowError,
  badRowOf,
  isDataFailure,
  isDeleteRefused,
} from "./bad_file.ts";
import type { Copied } from "./copier.ts";
import { applySql, nullSelectedSql, selectedName, type SqlPlan, takeOutSql } from "./sql_load.ts";

/** The files in the staging table, as they get fewer. */
export interface Staged {
  copied(): readonly Copied[];
  /** Deletes a file's rows from the staging table. */
  takeOut(copied: Copied): Promise<void>;
  /** @throws {SluiceError} when the manifest wants to stop at a bad file. */
  reject(bad: BadFile): void;
}

/** What the server refused, and at which statement. */
export interface Refusal {
  readonly thrown: unknown;
  readonly sql: string;
}

/**
 * Applies the files `[from, to)` of those that are staged, and none before or behind them; unless it is
 * final, nothing has happened afterwards.
 *
 * @returns what the data was refused for, after which nothing has happened either.
 */
export type Trial = (from: number, to: number, isFinal: boolean) => Promise<Refusal | undefined>;

export const savepoint = "SAVEPOINT sluice_file";
export const undo = "ROLLBACK TO SAVEPOINT sluice_file";
export const release = "RELEASE SAVEPOINT sluice_file";

/** So many files in a row have to fail alike before the manifest is suspected. */
export const suspiciousFiles = 4;

/** So many of the others are tried then. */
const samples = 4;

/**
 * Brings the rows of the staging table into the target; a file that the table refuses is found by
 * halving, each try of which is undone, and taken out. Before any file is blamed the same statements are
 * tried without one: what fails then is the fault of the manifest or of the table.
 */
export class Applier {
  constructor(
    private readonly plan: SqlPlan,
    private readonly staged: Staged,
    private readonly trial: Trial,
  ) {}

  /** @throws {SluiceError} `permanent` when it is no file's fault. */
  async apply(): Promise<void> {
    const { staged } = this;
    const front: BadFile[] = [];
    let isFirst = true;
    for (let copied; (copied = staged.copied()).length > 0; isFirst = false) {
      const { length } = copied;
      const refusal = await this.trial(0, length, true);
      if (refusal === undefined) return;
      if (isFirst) await this.#blameManifest(refusal);
      const [index, last] = await this.#firstBad(length, refusal);
      this.#refuseDelete(last);
      const found = copied[index] as Copied;
      const bad = { file: found.file, row: badRowOf(last.thrown) };
      if (index === 0) front.push(bad);
      else front.length = 0;
      if (front.length >= suspiciousFiles) await this.#refuseAllAlike(front);
      await staged.takeOut(found);
      staged.reject(bad);
    }
  }

  /** The first file that cannot be applied together with those before it, by halving. */
  async #firstBad(length: number, refusal: Refusal): Promise<readonly [number, Refusal]> {
    let [good, bad, last] = [0, length, refusal];
    while (bad - good > 1) {
      const middle = (good + bad) >> 1;
      const found = await this.trial(0, middle, false);
      if (found === undefined) good = middle;
      else [bad, last] = [middle, found];
    }
    return [bad - 1, last];
  }

  async #blameManifest(refusal: Refusal): Promise<void> {
    this.#refuseDelete(refusal);
    const without = await this.trial(0, 0, false);
    if (without === undefined) return;
    const detail = `${reasonOf(without.thrown)}; it fails without any file, too: ` +
      "the manifest or the table is wrong, the files are left where they are";
    throw new SluiceError(this.#action, "permanent", detail, { cause: without.thrown });
  }

  /** Rows of the table that others refer to cannot be deleted, whatever file has brought their keys. */
  #refuseDelete({ thrown, sql }: Refusal): void {
    if (!sql.startsWith("DELETE ") || !isDeleteRefused(thrown)) return;
    const detail =
      `${reasonOf(thrown)}; ${this.plan.strategy} deletes rows and inserts them anew: ` +
      "declare the foreign key DEFERRABLE INITIALLY DEFERRED, or load with strategy append; " +
      "the files are left where they are";
    throw new SluiceError(this.#action, "permanent", detail, { cause: thrown });
  }

  /** After several files in a row that failed alike: do the others as well, as far as can be seen? */
  async #refuseAllAlike(front: readonly BadFile[]): Promise<void> {
    const copied = this.staged.copied();
    if (!areAlike(front)) return;
    const step = Math.max(1, Math.floor((copied.length - 1) / samples));
    for (let at = copied.length - 1; at > 0; at -= step) {
      const found = await this.trial(at, at + 1, false);
      const { file } = copied[at] as Copied;
      if (!found || !areAlike([...front, { file, row: badRowOf(found.thrown) }])) return;
    }
    throw allAlike(front, this.#action);
  }

  get #action(): string {
    return `load into ${quoteTable(this.plan.target)}`;
  }
}

/**
 * Runs the statements that bring the staging table into the target.
 *
 * @param behind statements that follow them.
 * @param isData tells whether a failure may be the data's own.
 * @returns the data's failure; the transaction is as the server has left it.
 */
export async function applyRows(
  session: Session,
  plan: SqlPlan,
  behind: readonly string[],
  isData: (thrown: unknown) => boolean,
): Promise<Refusal | undefined> {
  let sql = "";
  try {
    for (sql of [...applySql(plan), ...behind]) {
      await session.execute(sql);
      if (sql.includes(`TABLE ${selectedName(plan)} `)) await refuseNullKeys(session, plan);
    }
    return undefined;
  } catch (thrown) {
    if (session.isBroken || !isData(thrown)) throw thrown;
    return { thrown, sql };
  }
}

/** What staging-select gives may have keys that no file has. */
async function refuseNullKeys(session: Session, plan: SqlPlan): Promise<void> {
  if (plan.pkColumns.length === 0) return;
  const { columns, rows: [row] } = await session.query(nullSelectedSql(plan));
  if (row === undefined) return;
  const values = columns.map(({ name }, i) => [name, row[i] ?? null] as const);
  const column =
    plan.pkColumns.find((key) => values.some(([name, value]) => name === key && value === null)) ??
      null;
  const text = JSON.stringify(Object.fromEntries(values)).slice(0, 1024);
  throw new BadRowError({
    ...{ line: null, column, raw: text },
    reason: `staging-select gives a row with NULL in the key column "${column}": ${text}`,
  });
}

/** Tries with savepoints, on PostgreSQL. */
export function savepointTrial(
  session: Session,
  plan: SqlPlan,
  staged: Pick<Staged, "copied">,
): Trial {
  return async (from, to, isFinal) => {
    await session.execute(savepoint);
    for (const [first, last] of outside(staged.copied(), from, to)) {
      await session.execute(takeOutSql(plan, first, last));
    }
    // Deferred constraints would fail at COMMIT, when no file could be named any more.
    const refusal = await applyRows(
      session,
      plan,
      ["SET CONSTRAINTS ALL IMMEDIATE"],
      isDataFailure,
    );
    await session.execute(refusal === undefined && isFinal ? release : `${undo}; ${release}`);
    return refusal;
  };
}

/** The row numbers of all files but those in `[from, to)`. */
function outside(copied: readonly Copied[], from: number, to: number): [number, number][] {
  const ranges: [number, number][] = [];
  const end = copied.at(-1)?.last ?? 0;
  const first = copied[from]?.first ?? end + 1;
  if (from > 0 || to === 0) ranges.push([0, to === 0 ? end : first - 1]);
  const behind = copied[to]?.first;
  if (to > 0 && behind !== undefined) ranges.push([behind, end]);
  return ranges;
}

/** The error when all files of a directory fail in the same way. */
export function allAlike([bad]: readonly BadFile[], action: string): SluiceError {
  const detail = `all files fail alike, ${bad === undefined ? "" : `the first: ${told(bad)}; `}` +
    "correct the manifest or the table, or take the files away; they are left where they are";
  return new SluiceError(action, "permanent", detail);
}

function told({ file, row: { line, column, reason } }: BadFile): string {
  const where = `${file.key}${line === null ? "" : `, line ${line}`}`;
  return `${where}${column === null ? "" : `, column ${column}`}: ${reason}`;
}
