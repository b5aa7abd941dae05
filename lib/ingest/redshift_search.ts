import type { Store, StoredObject } from "../clients/store/store.ts";
import type { Session } from "../clients/warehouse/warehouse.ts";
import type { ByteSource } from "../core/bytes.ts";
import { reasonOf } from "../core/errors.ts";
import type { CopyOptions } from "../formats/copy_options.ts";
import { rowsLeftOutMost } from "../formats/row_faults.ts";
import { allAlike, suspiciousFiles } from "./apply.ts";
import { areAlike, type BadFile, type BadRow, BadRowError, badRowOf } from "./bad_file.ts";
import { openedFile } from "./file_text.ts";
import { CopyFailure, type RedshiftCopy } from "./redshift_copy.ts";
import { type LoadError, loadErrorsOf, mayBeData } from "./redshift_errors.ts";
import { type RedshiftRoom, urlOf } from "./redshift_room.ts";
import { type SqlPlan, stageSql, stagingIdSql } from "./sql_load.ts";

/** Columns of names of files in Redshift's system tables are so long. */
const urlCharacters = 256;

/** So much of a row is reported. */
const rawBytesMost = 1024;

/** A COPY that has failed for its data, and where Redshift notes why. */
export interface Failed {
  readonly thrown: unknown;
  readonly tableId: string;
}

/** What a search works with. */
export interface SearchTools {
  readonly session: Session;
  readonly plan: SqlPlan;
  readonly store: Store;
  readonly room: RedshiftRoom;
  readonly copy: RedshiftCopy;
  readonly options: CopyOptions;
}

/**
 * Finds out which files a COPY has failed for: by what Redshift has noted of it, else by halving, each
 * try a transaction of its own which is undone, for there are no savepoints. The transaction of the load
 * must be undone before.
 */
export class RedshiftSearch {
  constructor(private readonly tools: SearchTools) {}

  /**
   * @param check more that is asked of the rows of a try, when nothing was noted; throws what is wrong.
   * @returns one file at least.
   */
  async badAmong(
    files: readonly StoredObject[],
    failed: Failed,
    isDry = false,
    check: () => Promise<void> = () => Promise.resolve(),
  ): Promise<BadFile[]> {
    const noted = await this.#noted(files, failed.tableId);
    // Where rows may be left out, the first files use that up, as on PostgreSQL: of several files with
    // bad rows only one may be too many.
    const mayLeaveOut = rowsLeftOutMost(this.tools.options.maxError) > 0;
    if (mayLeaveOut ? noted.length === 1 : noted.length > 0) return noted;
    let [good, bad, last] = [0, files.length, failed];
    while (bad - good > 1) {
      const middle = (good + bad) >> 1;
      const found = await this.tryOut(files.slice(0, middle), isDry, check);
      if (found === undefined) good = middle;
      else [bad, last] = [middle, found];
    }
    const file = files[bad - 1] as StoredObject;
    const [row] = await this.#noted([file], last.tableId);
    if (row !== undefined) return [row];
    // Nothing is noted of damaged files, nor of troubles that are no file's: by reading alone, without
    // loading anything, only the former fail.
    const isOurs = last.thrown instanceof BadRowError;
    if (!isDry && !isOurs && await this.tryOut([file], true) === undefined) throw last.thrown;
    return [{ file, row: badRowOf(last.thrown) }];
  }

  /**
   * Throws when the files that failed so far, and one that has not been looked at, fail alike: the
   * manifest or the table is more likely to be wrong than all files.
   */
  async suspectAll(
    rejected: readonly BadFile[],
    rest: readonly StoredObject[],
    action: string,
    isDry = false,
  ): Promise<void> {
    const { length } = rejected;
    // Not after each file: each look is a COPY.
    const isTime = length >= suspiciousFiles && (length & (length - 1)) === 0;
    const other = rest.at(-1);
    if (!isTime || other === undefined || !areAlike(rejected)) return;
    const failed = await this.tryOut([other], isDry);
    if (failed === undefined) return;
    const found = await this.badAmong([other], failed, isDry);
    if (areAlike([...rejected, ...found])) throw allAlike(rejected, action);
  }

  /** Copies files into a staging table of a transaction that is undone. @returns why it failed. */
  async tryOut(
    files: readonly StoredObject[],
    isDry = false,
    check: () => Promise<void> = () => Promise.resolve(),
  ): Promise<Failed | undefined> {
    const { session, plan, copy, room } = this.tools;
    await session.execute("BEGIN");
    for (const sql of stageSql(plan)) await session.execute(sql);
    const tableId = await stagingIdOf(session, plan);
    let thrown: unknown;
    try {
      await copy.run(room, { ...copy.filesOf(files), isDry });
      await check();
    } catch (caught) {
      thrown = dataFailureOf(session, caught);
    }
    await session.execute("ROLLBACK");
    return thrown === undefined ? undefined : { thrown, tableId };
  }

  async #noted(files: readonly StoredObject[], tableId: string): Promise<BadFile[]> {
    const errors = await this.errorsOf(files, tableId);
    const bad: BadFile[] = [];
    for (const file of files) {
      const [error] = errors.get(file) ?? [];
      if (error !== undefined) {
        bad.push({ file, row: (await this.rowsOf(file, [error]))[0] as BadRow });
      }
    }
    return bad;
  }

  /** What Redshift has noted of each file; left out is what may be about none or several of them. */
  async errorsOf(
    files: readonly StoredObject[],
    tableId: string,
  ): Promise<ReadonlyMap<StoredObject, readonly LoadError[]>> {
    const found = new Map<StoredObject, LoadError[]>();
    const errors = await loadErrorsOf(this.tools.session, tableId);
    for (const [url, noted] of Map.groupBy(errors, ({ url }) => url)) {
      const file = this.#fileOf(files, url);
      if (file !== undefined) found.set(file, [...found.get(file) ?? [], ...noted]);
    }
    return found;
  }

  /** The file of this URL, which may be cut off; undefined when none or several may be meant. */
  #fileOf(files: readonly StoredObject[], url: string): StoredObject | undefined {
    const matching = files.filter(({ key }) => {
      const full = urlOf(this.tools.store, key);
      // The column's room is counted in bytes or characters: what was cut off is shorter than either.
      return full === url || (url.length > urlCharacters / 4 && full.length > url.length &&
        new TextEncoder().encode(full).length > urlCharacters && full.startsWith(url));
    });
    return matching.length === 1 ? matching[0] : undefined;
  }

  /** What was wrong with rows of a file, each as it stands there. */
  async rowsOf(file: StoredObject, errors: readonly LoadError[]): Promise<BadRow[]> {
    const read = await this.#lines(file, new Set(errors.map(({ line }) => line)));
    return errors.map(({ line, column, reason, raw }) => ({
      line: line > 0 ? line : null,
      ...{ column, reason, raw: read.get(line) ?? raw },
    }));
  }

  /** Lines of a file as they stand there, 1 KiB at most of each; what cannot be read is not there. */
  async #lines({ key }: StoredObject, wanted: ReadonlySet<number>): Promise<Map<number, string>> {
    const { store, options } = this.tools;
    const lines = new Map<number, string>();
    try {
      const source = await openedFile(store, key, options.compression);
      try {
        await readLines(source, wanted, lines);
      } finally {
        source.close();
      }
    } catch {
      // The report has a line's number and reason without it.
    }
    return lines;
  }
}

async function readLines(
  source: ByteSource,
  wanted: ReadonlySet<number>,
  lines: Map<number, string>,
): Promise<void> {
  const last = Math.max(0, ...wanted);
  let kept: number[] = [];
  let line = 1;
  const end = () => {
    if (wanted.has(line)) {
      lines.set(line, new TextDecoder().decode(new Uint8Array(kept)).replace(/\r$/, ""));
    }
    kept = [];
    line++;
  };
  for (let piece; line <= last && (piece = await source.next()) !== undefined;) {
    for (let at = 0; at < piece.length && line <= last;) {
      const feed = piece.indexOf(10, at);
      const stop = feed < 0 ? piece.length : feed;
      if (wanted.has(line)) {
        kept.push(...piece.subarray(at, Math.min(stop, at + rawBytesMost - kept.length)));
      }
      if (feed >= 0) end();
      at = stop + 1;
    }
  }
  if (line <= last && kept.length > 0) end();
}

/**
 * What has failed when it may be the data.
 *
 * @throws what was thrown, without keys, when it is anything else.
 */
export function dataFailureOf(session: Session, caught: unknown): unknown {
  const thrown = caught instanceof CopyFailure ? caught.thrown : caught;
  const shown = caught instanceof CopyFailure ? caught.shown : caught;
  if (session.isBroken || !mayBeData(thrown)) throw shown;
  return shown instanceof Error ? shown : new Error(reasonOf(shown));
}

/** The number of the staging table. */
export async function stagingIdOf(session: Session, plan: SqlPlan): Promise<string> {
  const { rows: [row] } = await session.query(stagingIdSql(plan));
  return row?.[0] ?? "";
}
