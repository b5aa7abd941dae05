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
interface Refusal {
  readonly thrown: unknown;
  readonly sql: string;
}

export const savepoint = "SAVEPOINT sluice_file";
export const undo = "ROLLBACK TO SAVEPOINT sluice_file";
export const release = "RELEASE SAVEPOINT sluice_file";

/** So many files in a row have to fail alike before the manifest is suspected. */
export const suspiciousFiles = 4;

/** So many of the others are tried then. */
const samples = 4;

/**
 * Brings the rows of the staging table into the target on PostgreSQL; a file that the table refuses is
 * found by halving, with savepoints, and taken out. Before any file is blamed the same statements are
 * tried without one: what fails then is the fault of the manifest or of the table.
 */
export class Applier {
  constructor(
    private readonly session: Session,
    private readonly plan: SqlPlan,
    private readonly staged: Staged,
  ) {}

  /** @throws {SluiceError} `permanent` when it is no file's fault. */
  async apply(): Promise<void> {
    const { staged } = this;
    const front: BadFile[] = [];
    let isFirst = true;
    for (let copied; (copied = staged.copied()).length > 0; isFirst = false) {
      const { length } = copied;
      const refusal = await this.#try(0, length, true);
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
      const found = await this.#try(0, middle, false);
      if (found === undefined) good = middle;
      else [bad, last] = [middle, found];
    }
    return [bad - 1, last];
  }

  async #blameManifest(refusal: Refusal): Promise<void> {
    this.#refuseDelete(refusal);
    const without = await this.#try(0, 0, false);
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
      const found = await this.#try(at, at + 1, false);
      const { file } = copied[at] as Copied;
      if (!found || !areAlike([...front, { file, row: badRowOf(found.thrown) }])) return;
    }
    throw allAlike(front, this.#action);
  }

  get #action(): string {
    return `load into ${quoteTable(this.plan.target)}`;
  }

  /** Applies files `[from, to)`. @returns the data's failure, after which nothing has happened. */
  async #try(from: number, to: number, isFinal: boolean): Promise<Refusal | undefined> {
    const { session, plan } = this;
    const copied = this.staged.copied();
    await session.execute(savepoint);
    let sql = "";
    try {
      for (const [first, last] of outside(copied, from, to)) {
        await session.execute(takeOutSql(plan, first, last));
      }
      for (sql of applySql(plan)) {
        await session.execute(sql);
        if (sql.includes(`TABLE ${selectedName(plan)} `)) await this.#refuseNullKeys();
      }
      // Deferred constraints would fail at COMMIT, when no file could be named any more.
      sql = "SET CONSTRAINTS ALL IMMEDIATE";
      await session.execute(sql);
    } catch (thrown) {
      if (session.isBroken || !isDataFailure(thrown)) throw thrown;
      await session.execute(`${undo}; ${release}`);
      return { thrown, sql };
    }
    await session.execute(isFinal ? release : `${undo}; ${release}`);
    return undefined;
  }

  /** What staging-select gives may have keys that no file has. */
  async #refuseNullKeys(): Promise<void> {
    const { plan, session } = this;
    if (plan.pkColumns.length === 0) return;
    const { columns, rows: [row] } = await session.query(nullSelectedSql(plan));
    if (row === undefined) return;
    const values = columns.map(({ name }, i) => [name, row[i] ?? null] as const);
    const column =
      plan.pkColumns.find((key) =>
        values.some(([name, value]) => name === key && value === null)
      ) ?? null;
    const text = JSON.stringify(Object.fromEntries(values)).slice(0, 1024);
    throw new BadRowError({
      ...{ line: null, column, raw: text },
      reason: `staging-select gives a row with NULL in the key column "${column}": ${text}`,
    });
  }
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
