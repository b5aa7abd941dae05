import type { Store, StoredObject } from "../clients/store/store.ts";
import { serverReportOf, type Session } from "../clients/warehouse/warehouse.ts";
import { reasonOf, SluiceError } from "../core/errors.ts";
import { copyClauseOf } from "../formats/copy_clause.ts";
import { parseCopyOptions } from "../formats/copy_options.ts";
import type { TargetColumn } from "../formats/target_column.ts";
import { Applier, release, savepoint, undo } from "./apply.ts";
import { type BadFile, type BadRow, badRowOf, isDataFailure, textOf } from "./bad_file.ts";
import { FileText, type Reading, refuseUnreadable } from "./file_text.ts";
import type { Manifest } from "./manifest.ts";
import { nameOf } from "./scan.ts";
import { copyInSql, nullKeySql, renumberSql, type SqlPlan, takeOutSql } from "./sql_load.ts";

/** A file whose rows are in the staging table. */
export interface Copied {
  readonly file: StoredObject;
  /** The numbers of its rows in the staging table; none when `first` is behind `last`. */
  readonly first: number;
  readonly last: number;
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
  copySql(files: readonly StoredObject[]): readonly string[];
  /**
   * Has the server read the files without loading anything (Redshift's NOLOAD); left out where there
   * is no such thing. Nothing is written anywhere that outlives the call.
   *
   * @returns the files that would not be loaded, and why.
   */
  dryRun?(files: readonly StoredObject[]): Promise<readonly BadFile[]>;
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

  /** @throws {SluiceError} `usage` for options that cannot be honoured here. */
  constructor(
    private readonly session: Session,
    private readonly plan: SqlPlan,
    private readonly manifest: Pick<Manifest, "format" | "options" | "onError">,
    columns: readonly TargetColumn[],
    private readonly store: Store,
  ) {
    const options = parseCopyOptions(manifest.options, "postgres");
    refuseUnreadable(options);
    this.#reading = { format: manifest.format, options, columns };
    this.#copySql = copyInSql(plan, copyClauseOf(options));
  }

  get copied(): readonly Copied[] {
    return this.#copied;
  }

  /** It is the same for each of them. */
  copySql(): readonly string[] {
    return [this.#copySql];
  }

  async copyAll(files: readonly StoredObject[]): Promise<void> {
    for (const file of files) await this.#copy(file);
    if (this.plan.pkColumns.length > 0) await this.#refuseNullKeys();
  }

  async #copy(file: StoredObject): Promise<void> {
    const { session } = this;
    const text = new FileText(this.#reading);
    await session.execute(savepoint);
    let failure: unknown;
    let rows = 0;
    try {
      rows = await session.copyIn(this.#copySql, text.pieces(this.store, file.key));
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
    const { count: leftOut, first: faults } = text.rewriter.faults;
    const leftOutRows = faults.map((fault) => ({ ...fault, raw: textOf(fault.raw) }));
    const last = this.#next - 1;
    this.#copied.push({ file, first, last, rows, bytes: text.bytes, leftOut, leftOutRows });
  }

  async #undo(): Promise<void> {
    await this.session.execute(`${undo}; ${release}; ${renumberSql(this.plan, this.#next)}`);
  }

  #reject(bad: BadFile): void {
    if (this.manifest.onError === "stop") {
      const { line, column, reason } = bad.row;
      const where = `${line === null ? "" : `, line ${line}`}${column ? `, column ${column}` : ""}`;
      throw new SluiceError(`load ${bad.file.key}${where}`, "permanent", reason);
    }
    this.rejected.push(bad);
  }

  /** What is wrong, with the line of the file where the server tells the number of a row. */
  async #rowOf(file: StoredObject, failure: unknown): Promise<BadRow> {
    const row = badRowOf(failure);
    const number = serverReportOf(failure)?.copy?.line;
    return number === undefined ? row : { ...row, ...await this.#find(file, number, row.reason) };
  }

  /** Reads a file again up to a row. */
  async #find(file: StoredObject, row: number, reason: string): Promise<Partial<BadRow>> {
    const text = new FileText(this.#reading, row);
    try {
      const pieces = text.pieces(this.store, file.key);
      while (text.rewriter.faults.found === null && !(await pieces.next()).done);
      await pieces.return(undefined);
    } catch (thrown) {
      // Only the line is missing then; that the file is bad is known, and why.
      if (text.rewriter.faults.found === null) {
        return { reason: `${reason}; its line is not known: ${reasonOf(thrown)}` };
      }
    }
    const { found } = text.rewriter.faults;
    return found === null ? {} : { line: found.line, raw: textOf(found.raw) };
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
        ...await this.#find(copied.file, Number(number) - copied.first + 1, reason),
      };
      await this.#takeOut(copied);
      this.#reject({ file: copied.file, row });
    }
  }

  async #takeOut(copied: Copied): Promise<void> {
    await this.session.execute(takeOutSql(this.plan, copied.first, copied.last));
    this.#copied = this.#copied.filter((one) => one !== copied);
  }

  async apply(): Promise<void> {
    await new Applier(this.session, this.plan, {
      copied: () => this.#copied,
      takeOut: (copied) => this.#takeOut(copied),
      reject: (bad) => this.#reject(bad),
    }).apply();
  }
}

/** A line for people about a bad file. */
export function complaintOf({ file, row }: BadFile): string {
  return `${nameOf(file.key)}${row.line === null ? "" : ` line ${row.line}`}: ${row.reason}`;
}
