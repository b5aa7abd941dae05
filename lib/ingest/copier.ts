import type { Store, StoredObject } from "../clients/store/store.ts";
import { serverReportOf, type Session } from "../clients/warehouse/warehouse.ts";
import { reasonOf, SluiceError } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import { copyClauseOf } from "../formats/copy_clause.ts";
import { parseCopyOptions } from "../formats/copy_options.ts";
import type { RowFault } from "../formats/data_error.ts";
import { faultsKeptMost, rowsLeftOutMost } from "../formats/row_faults.ts";
import type { TargetColumn } from "../formats/target_column.ts";
import { Applier, release, savepoint, savepointTrial, undo } from "./apply.ts";
import { type BadFile, type BadRow, badRowOf, isDataFailure, textOf } from "./bad_file.ts";
import { FileText, type Reading, refuseUnreadable } from "./file_text.ts";
import { LenientCopy, type RefusedRow, RefusedRowError } from "./lenient_copy.ts";
import type { Manifest } from "./manifest.ts";
import type { RedshiftRoom } from "./redshift_room.ts";
import { nameOf } from "./scan.ts";
import { copyInSql, nullKeySql, renumberSql, type SqlPlan, takeOutSql } from "./sql_load.ts";

/** A file whose rows are in the staging table. */
export interface Copied {
  readonly file: StoredObject;
  /** The numbers of its rows in the staging table; none when `first` is behind `last`. */
  readonly first: number;
  readonly last: number;
  /** On Redshift, which counts all files of a COPY as one, they stand with the first of them. */
  readonly rows: number;
  readonly bytes: number;
  /** How many rows MAXERROR or --max-errors let be left out. */
  readonly leftOut: number;
  /** The first of them, 1,000 at most. */
  readonly leftOutRows: readonly BadRow[];
}

/** Brings files into the staging table, and that into the target. */
export interface Copier {
  readonly copied: readonly Copied[];
  readonly rejected: readonly BadFile[];
  readonly changed: readonly StoredObject[];
  copyAll(files: readonly StoredObject[]): Promise<void>;
  apply(): Promise<void>;
  /** The statements that bring these files into the staging table, for people: no secret is in them. */
  copySql(files: readonly StoredObject[]): Promise<readonly string[]>;
  /**
   * Has the server read the files without loading anything (Redshift's NOLOAD); left out where there
   * is no such thing. Not within a transaction. Nothing is written anywhere that outlives the call.
   *
   * @returns the files that would not be loaded, and why.
   */
  dryRun?(files: readonly StoredObject[]): Promise<readonly BadFile[]>;
}

/** What a copier works with. */
export interface CopierTools {
  readonly session: Session;
  readonly plan: SqlPlan;
  readonly manifest: Pick<Manifest, "format" | "options" | "onError">;
  readonly columns: readonly TargetColumn[];
  readonly store: Store;
  readonly world: World;
  /** Where COPY finds what is not data, on Redshift; one of its own, for a dry run, without it. */
  readonly room?: RedshiftRoom;
  /** The role by which Redshift reads the store; by the store's keys without it. */
  readonly iamRole?: string | undefined;
  /**
   * Undoes the transaction and begins it anew, with the lock and an empty staging table, for these
   * files. On Redshift, which has no savepoints.
   *
   * @throws {SluiceError} `transient` when another one has loaded some of them in between.
   */
  restart(files: readonly StoredObject[]): Promise<void>;
}

/**
 * Copies file after file on PostgreSQL, in the order of their keys, each behind a savepoint: what a bad
 * one has done is undone, and the others go on.
 */
export class PostgresCopier implements Copier {
  #copied: Copied[] = [];
  readonly rejected: BadFile[] = [];
  readonly changed: StoredObject[] = [];
  readonly #reading: Reading;
  readonly #copySql: string;
  /** The number of the next row in the staging table. */
  #next = 1;
  /** How many more rows of this load may be left out. */
  #leftOutMost: number;
  /** The rows of each file that the server has refused, ascending. */
  readonly #refused = new Map<StoredObject, readonly number[]>();

  private readonly session: Session;
  private readonly plan: SqlPlan;
  private readonly manifest: CopierTools["manifest"];
  private readonly store: Store;

  /** @throws {SluiceError} `usage` for options that cannot be honoured here. */
  constructor({ session, plan, manifest, columns, store }: CopierTools) {
    [this.session, this.plan, this.manifest, this.store] = [session, plan, manifest, store];
    const options = parseCopyOptions(manifest.options, "postgres");
    refuseUnreadable(options);
    this.#reading = { format: manifest.format, options, columns };
    this.#leftOutMost = rowsLeftOutMost(options.maxError);
    this.#copySql = copyInSql(plan, copyClauseOf(options));
  }

  get copied(): readonly Copied[] {
    return this.#copied;
  }

  /** It is the same for each of them. */
  copySql(): Promise<readonly string[]> {
    return Promise.resolve([this.#copySql]);
  }

  async copyAll(files: readonly StoredObject[]): Promise<void> {
    for (const file of files) await this.#copy(file);
    if (this.plan.pkColumns.length > 0) await this.#refuseNullKeys();
  }

  async #copy(file: StoredObject): Promise<void> {
    const { session } = this;
    const text = new FileText(this.#reading, this.#leftOutMost);
    const { faults } = text.rewriter;
    const lenient = new LenientCopy({
      ...{ session, copySql: this.#copySql, leaveOut: () => faults.countOne() },
      renumberSql: (copied) => renumberSql(this.plan, this.#next + copied),
    });
    await session.execute(savepoint);
    let failure: unknown;
    let rows = 0;
    try {
      const pieces = text.pieces(this.store, file.key);
      rows = this.#leftOutMost === 0
        ? await session.copyIn(this.#copySql, pieces)
        : await lenient.copy(pieces);
    } catch (thrown) {
      failure = thrown;
    }
    if (session.isBroken) throw failure;
    // What was read may be another file by now than the one that was listed.
    if ((await this.store.head(file.key))?.etag !== file.etag) {
      this.changed.push(file);
      return await this.#undo();
    }
    if (failure !== undefined) {
      if (!isDataFailure(failure)) throw failure;
      await this.#undo();
      return this.#reject({ file, row: await this.#rowOf(file, failure) });
    }
    await session.execute(release);
    const first = this.#next;
    this.#next += rows;
    this.#leftOutMost -= faults.count;
    this.#refused.set(file, lenient.refused.map(({ number }) => number));
    this.#copied.push({
      ...{ file, first, last: this.#next - 1, rows, bytes: text.bytes, leftOut: faults.count },
      leftOutRows: await this.#leftOutRows(file, faults.first, lenient.refused),
    });
  }

  /** The rows of a file that were left out, by us and by the server, in the order of their lines. */
  async #leftOutRows(
    file: StoredObject,
    ours: readonly RowFault[],
    refused: readonly RefusedRow[],
  ): Promise<readonly BadRow[]> {
    const rows: BadRow[] = ours.map((fault) => ({ ...fault, raw: textOf(fault.raw) }));
    const kept = refused.slice(0, faultsKeptMost);
    const found = kept.length === 0
      ? null
      : await this.#findAll(file, kept.map(({ number }) => number)).catch(() => null);
    for (const { number, row } of kept) rows.push({ ...row, ...found?.get(number) });
    return rows.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)).slice(0, faultsKeptMost);
  }

  async #undo(): Promise<void> {
    await this.session.execute(`${undo}; ${release}; ${renumberSql(this.plan, this.#next)}`);
  }

  #reject(bad: BadFile): void {
    rejectTo(this.rejected, this.manifest, bad);
  }

  /** What is wrong, with the line of the file where the server tells the number of a row. */
  async #rowOf(file: StoredObject, failure: unknown): Promise<BadRow> {
    const row = badRowOf(failure);
    const number = failure instanceof RefusedRowError
      ? failure.number
      : serverReportOf(failure)?.copy?.line;
    return number === undefined ? row : { ...row, ...await this.#find(file, number, row.reason) };
  }

  /** Reads a file again up to a row. */
  async #find(file: StoredObject, row: number, reason: string): Promise<Partial<BadRow>> {
    try {
      return (await this.#findAll(file, [row])).get(row) ?? {};
    } catch (thrown) {
      // Only the line is missing then; that the file is bad is known, and why.
      return { reason: `${reason}; its line is not known: ${reasonOf(thrown)}` };
    }
  }

  /** Where rows stand in their file, by their numbers. */
  async #findAll(
    file: StoredObject,
    rows: readonly number[],
  ): Promise<ReadonlyMap<number, Pick<BadRow, "line" | "raw">>> {
    // What was left out once is left out again: the numbers are the same.
    const text = new FileText(this.#reading, Infinity, rows);
    const { faults } = text.rewriter;
    try {
      for await (const _ of text.pieces(this.store, file.key));
    } catch (thrown) {
      if (!faults.hasFoundAll) throw thrown;
    }
    return new Map(
      [...faults.found].map(([number, { line, raw }]) => [number, { line, raw: textOf(raw) }]),
    );
  }

  async #refuseNullKeys(): Promise<void> {
    while (this.#copied.length > 0) {
      const { rows: [found] } = await this.session.query(nullKeySql(this.plan));
      if (found === undefined) return;
      const [number = "0", ...flags] = found;
      const copied = this.#copied.find(({ last }) => Number(number) <= last) as Copied;
      const column = this.plan.pkColumns[flags.indexOf("1")] ?? null;
      const reason = `NULL in the key column "${column}"`;
      const row = {
        ...{ line: null, column, reason, raw: null },
        ...await this.#find(copied.file, this.#numberIn(copied, Number(number)), reason),
      };
      await this.#takeOut(copied);
      this.#reject({ file: copied.file, row });
    }
  }

  /** The number of a staged row among the rows of its file, those that were refused with them. */
  #numberIn({ file, first }: Copied, staged: number): number {
    let number = staged - first + 1;
    for (const refused of this.#refused.get(file) ?? []) if (refused <= number) number++;
    return number;
  }

  async #takeOut(copied: Copied): Promise<void> {
    await this.session.execute(takeOutSql(this.plan, copied.first, copied.last));
    this.#copied = this.#copied.filter((one) => one !== copied);
  }

  async apply(): Promise<void> {
    const copied = () => this.#copied;
    await new Applier(this.plan, {
      copied,
      takeOut: (copied) => this.#takeOut(copied),
      reject: (bad) => this.#reject(bad),
    }, savepointTrial(this.session, this.plan, { copied })).apply();
  }
}

/**
 * Puts a bad file to the others.
 *
 * @throws {SluiceError} `permanent` when the manifest wants to stop at one.
 */
export function rejectTo(
  rejected: BadFile[],
  { onError }: Pick<Manifest, "onError">,
  bad: BadFile,
): void {
  if (onError === "stop") {
    const { line, column, reason } = bad.row;
    const where = `${line === null ? "" : `, line ${line}`}${column ? `, column ${column}` : ""}`;
    throw new SluiceError(`load ${bad.file.key}${where}`, "permanent", reason);
  }
  rejected.push(bad);
}

/** A line for people about a bad file. */
export function complaintOf({ file, row }: BadFile): string {
  return `${nameOf(file.key)}${row.line === null ? "" : ` line ${row.line}`}: ${row.reason}`;
}
