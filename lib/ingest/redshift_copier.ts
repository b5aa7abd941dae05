import type { StoredObject } from "../clients/store/store.ts";
import { SluiceError } from "../core/errors.ts";
import { quoteTable } from "../formats/sql_text.ts";
import { faultsKeptMost, rowsLeftOutMost } from "../formats/row_faults.ts";
import { Applier, applyRows, type Refusal } from "./apply.ts";
import { type BadFile, BadRowError } from "./bad_file.ts";
import { type Copied, type Copier, type CopierTools, rejectTo } from "./copier.ts";
import { RedshiftCopy } from "./redshift_copy.ts";
import { type LoadError, mayBeData } from "./redshift_errors.ts";
import { type NumberedFile, RedshiftNumbers } from "./redshift_numbers.ts";
import { isNumberable, readOptions } from "./redshift_options.ts";
import { RedshiftRoom } from "./redshift_room.ts";
import { dataFailureOf, RedshiftSearch, stagingIdOf } from "./redshift_search.ts";
import {
  anyNullKeySql,
  emptySql,
  nullKeySql,
  rowColumnName,
  takeOutSql,
  tiedSql,
} from "./sql_load.ts";

/** So many files are looked at side by side. */
const headsAtOnce = 16;

/**
 * Copies all files with one COPY on Redshift, by a list of exact URLs.
 *
 * Which row of a key wins: COPY reads files, and parts of large ones, side by side on all slices. What
 * comes first into the table has nothing to do with the order of files and lines, and an IDENTITY
 * column numbers rows as they come: each slice has numbers of its own ("CREATE TABLE": with COPY "the
 * data is loaded in parallel and distributed to the node slices", the values "might not match the order
 * of records in the source files"). So after the COPY the staging table is asked for keys for which
 * several rows come first by `order-by`. There mostly are none, and then no order is needed. Else
 * sluice reads the files once more and writes their rows, each with its number in front and otherwise
 * untouched, to the store, and COPY takes these in place of the files: the last file and line wins, as
 * on PostgreSQL. Where rows cannot be numbered (columnar files, LZOP and so on) rows that differ are
 * refused.
 *
 * There are no savepoints: what fails undoes all, and is done once more without the file that was at
 * fault; the lock is taken anew, and the ledger asked again.
 */
export class RedshiftCopier implements Copier {
  readonly rejected: BadFile[] = [];
  readonly changed: StoredObject[] = [];
  #copied: Copied[] = [];
  /** What the staging table of the open transaction holds; null when that has failed or is undone. */
  #staged: readonly Copied[] | null = null;
  #numbered: ReadonlyMap<StoredObject, NumberedFile> | null = null;
  readonly #copy: RedshiftCopy;
  readonly #search: RedshiftSearch;
  readonly #numbers: RedshiftNumbers;
  readonly #room: RedshiftRoom;

  constructor(private readonly tools: CopierTools) {
    const { session, plan, manifest, store, world, iamRole } = tools;
    const room = this.#room = tools.room ?? RedshiftRoom.apart({ store, world });
    const copy = this.#copy = new RedshiftCopy(session, plan, manifest, store, iamRole);
    const options = readOptions(manifest.options);
    this.#search = new RedshiftSearch({ session, plan, store, room, copy, options });
    this.#numbers = new RedshiftNumbers(manifest, store, rowColumnName(plan));
  }

  get copied(): readonly Copied[] {
    return this.#copied;
  }

  async copySql(files: readonly StoredObject[]): Promise<readonly string[]> {
    return [await this.#copy.shown(this.#room, this.#copy.filesOf(files))];
  }

  async copyAll(files: readonly StoredObject[]): Promise<void> {
    const good = await this.#copyGood(files);
    if (good.length === 0 || this.tools.plan.pkColumns.length === 0) return;
    const isNull = await this.#hasNullKey();
    if (isNumberable(this.tools.manifest.options)) {
      if (!isNull && !await this.#isTied(false)) return;
      await this.#number(good);
      if (isNull) await this.#refuseNullKeys();
    } else {
      if (isNull) await this.#refuseNullKeysByTrying();
      if (this.#copied.length > 0 && await this.#isTied(true)) throw this.#tied();
    }
  }

  /** Copies until nothing is at fault any more. @returns the files that are in the staging table. */
  async #copyGood(files: readonly StoredObject[]): Promise<readonly StoredObject[]> {
    let open = files;
    while (open.length > 0) {
      const { tableId, caught } = await this.#try(open);
      // What was read may be another file by now than the one that was listed.
      const changed = await this.#changedOf(open);
      if (caught === undefined && changed.length === 0) break;
      const bad: BadFile[] = [];
      if (changed.length > 0) {
        await this.tools.session.execute("ROLLBACK");
        this.changed.push(...changed);
      } else {
        const thrown = dataFailureOf(this.tools.session, caught);
        await this.tools.session.execute("ROLLBACK");
        bad.push(...await this.#search.badAmong(open, { thrown, tableId }));
        for (const one of bad) this.#reject(one);
      }
      const out = new Set([...changed, ...bad.map(({ file }) => file)]);
      open = open.filter((file) => !out.has(file));
      await this.#search.suspectAll(this.rejected, open, this.#action);
      await this.tools.restart(open);
    }
    this.#copied = await this.#copiedOf(open);
    this.#staged = this.#copied;
    return open;
  }

  async #try(files: readonly StoredObject[]): Promise<{ tableId: string; caught?: unknown }> {
    const { session, plan } = this.tools;
    const tableId = await stagingIdOf(session, plan);
    try {
      await this.#copy.run(this.#room, this.#copy.filesOf(files));
      return { tableId };
    } catch (caught) {
      if (session.isBroken) throw dataFailureOf(session, caught);
      return { tableId, caught };
    }
  }

  async #changedOf(files: readonly StoredObject[]): Promise<StoredObject[]> {
    const changed: StoredObject[] = [];
    for (let at = 0; at < files.length; at += headsAtOnce) {
      const some = files.slice(at, at + headsAtOnce);
      const heads = await Promise.all(some.map(({ key }) => this.tools.store.head(key)));
      changed.push(...some.filter(({ etag }, i) => heads[i]?.etag !== etag));
    }
    return changed;
  }

  /** The server counts rows of a COPY as a whole: they stand with the first file. */
  async #copiedOf(files: readonly StoredObject[]): Promise<Copied[]> {
    const rows = files.length === 0 ? 0 : await this.#count();
    const errors = await this.#leftOutOf(files);
    const copied: Copied[] = [];
    for (const [i, file] of files.entries()) {
      const left = errors.get(file) ?? [];
      copied.push({
        ...{ file, first: 1, last: 0, rows: i === 0 ? rows : 0, bytes: file.sizeBytes },
        leftOut: left.length,
        leftOutRows: left.length === 0
          ? []
          : await this.#search.rowsOf(file, left.slice(0, faultsKeptMost)),
      });
    }
    return copied;
  }

  async #count(): Promise<number> {
    const { rows: [row] } = await this.tools.session.query("SELECT PG_LAST_COPY_COUNT()");
    return Number(row?.[0] ?? 0);
  }

  /** The rows that MAXERROR has let be left out. */
  async #leftOutOf(
    files: readonly StoredObject[],
  ): Promise<ReadonlyMap<StoredObject, readonly LoadError[]>> {
    const { session, plan, manifest } = this.tools;
    if (files.length === 0 || rowsLeftOutMost(readOptions(manifest.options).maxError) === 0) {
      return new Map();
    }
    return await this.#search.errorsOf(files, await stagingIdOf(session, plan));
  }

  async #hasNullKey(): Promise<boolean> {
    const { rows } = await this.tools.session.query(anyNullKeySql(this.tools.plan));
    return rows.length > 0;
  }

  /** Whether only files and lines can tell which row of a key wins. */
  async #isTied(isStrict: boolean): Promise<boolean> {
    const { plan, session } = this.tools;
    const { stagingSelect } = plan;
    // What was selected has no order of files and lines any more, nowhere.
    if (stagingSelect !== undefined && stagingSelect !== "distinct") return false;
    return (await session.query(tiedSql(plan, isStrict))).rows.length > 0;
  }

  /** Puts the rows with their numbers into the staging table, in place of those without. */
  async #number(files: readonly StoredObject[]): Promise<void> {
    const { session, plan, world } = this.tools;
    const count = this.#copied.reduce((sum, { rows }) => sum + rows, 0);
    world.log("info", "Numbering rows, for some have the same key", { files: files.length });
    const numbered = await this.#numbers.write(this.#room, files, () => this.#stillThere())
      .catch(async (thrown) => {
        await this.#refuseChanged(files);
        throw thrown;
      });
    await this.#refuseChanged(files);
    this.#numbered = new Map(numbered.map((one) => [one.file, one]));
    await session.execute(emptySql(plan));
    this.#copied = this.#copied.map((copied) => {
      const { first = 1, last = 0 } = this.#numbered?.get(copied.file) ?? {};
      return { ...copied, first, last };
    });
    const again = await this.#copyNumbered(this.#copied);
    if (again !== count) throw this.#miscounted(count, again);
    this.#staged = this.#copied;
  }

  #stillThere(): void {
    if (!this.tools.session.isBroken) return;
    throw new SluiceError(this.#action, "transient", "the connection was cut");
  }

  async #copyNumbered(copied: readonly Copied[]): Promise<number> {
    const urls = copied.flatMap(({ file }) => this.#numbered?.get(file)?.urls ?? []);
    if (urls.length === 0) return 0;
    await this.#run(() => this.#copy.run(this.#room, { urls, isNumbered: true }));
    return await this.#count();
  }

  /** Runs what may only fail for reasons that are no file's. */
  async #run(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (caught) {
      throw dataFailureOf(this.tools.session, caught);
    }
  }

  async #refuseNullKeys(): Promise<void> {
    const { session, plan } = this.tools;
    while (this.#copied.length > 0) {
      const { rows: [found] } = await session.query(nullKeySql(plan));
      if (found === undefined) return;
      const [text = "0", ...flags] = found;
      const number = Number(text);
      const copied = this.#copied.find(({ first, last }) => first <= number && number <= last);
      const numbered = copied === undefined ? undefined : this.#numbered?.get(copied.file);
      if (copied === undefined || numbered === undefined) throw this.#miscounted(number, 0);
      const column = plan.pkColumns[flags.indexOf("1")] ?? null;
      const row = await this.#numbers.find(numbered, number);
      await session.execute(takeOutSql(plan, copied.first, copied.last));
      this.#takeOut(copied);
      this.#staged = this.#copied;
      this.#reject({
        file: copied.file,
        row: nullRow(column, row?.line ?? null, row?.raw ?? null),
      });
    }
  }

  /** Without numbers nothing tells a row's file: each try is a COPY of fewer files. */
  async #refuseNullKeysByTrying(): Promise<void> {
    const { session, plan } = this.tools;
    const check = async () => {
      const { rows: [flags] } = await session.query(anyNullKeySql(plan));
      if (flags === undefined) return;
      throw new BadRowError(nullRow(plan.pkColumns[flags.indexOf("1")] ?? null, null, null));
    };
    while (this.#copied.length > 0) {
      let thrown: unknown;
      await check().catch((caught) => thrown = caught);
      if (thrown === undefined) return;
      if (!(thrown instanceof BadRowError)) throw thrown;
      await session.execute("ROLLBACK");
      const open = this.#copied.map(({ file }) => file);
      const bad = await this.#search.badAmong(open, { thrown, tableId: "" }, false, check);
      for (const one of bad) this.#reject(one);
      const rest = open.filter((file) => !bad.some((one) => one.file === file));
      await this.tools.restart(rest);
      await this.#copyGood(rest);
    }
  }

  async apply(): Promise<void> {
    await new Applier(this.tools.plan, {
      copied: () => this.#copied,
      takeOut: (copied) => Promise.resolve(this.#takeOut(copied)),
      reject: (bad) => this.#reject(bad),
    }, (from, to, isFinal) => this.#tryToApply(from, to, isFinal)).apply();
  }

  /** Applies files `[from, to)`, in a transaction that is begun anew unless it holds just these. */
  async #tryToApply(from: number, to: number, isFinal: boolean): Promise<Refusal | undefined> {
    const { session, plan, restart } = this.tools;
    const wanted = this.#copied.slice(from, to);
    if (!isSame(this.#staged, wanted)) {
      const files = wanted.map(({ file }) => file);
      await restart(files);
      if (this.#numbered !== null) await this.#copyNumbered(wanted);
      else if (files.length > 0) {
        await this.#run(() => this.#copy.run(this.#room, this.#copy.filesOf(files)));
        await this.#refuseChanged(files);
      }
      this.#staged = wanted;
    }
    const refusal = await applyRows(session, plan, [], mayBeData);
    if (refusal !== undefined || !isFinal) this.#staged = null;
    return refusal;
  }

  /** Between two readings of a file: the next load takes what is there then. */
  async #refuseChanged(files: readonly StoredObject[]): Promise<void> {
    const [first] = await this.#changedOf(files);
    if (first === undefined) return;
    const detail = `${first.key} has changed in the meantime; it is tried again`;
    throw new SluiceError(this.#action, "transient", detail);
  }

  #takeOut(copied: Copied): void {
    this.#copied = this.#copied.filter((one) => one !== copied);
  }

  #reject(bad: BadFile): void {
    rejectTo(this.rejected, this.tools.manifest, bad);
  }

  /** Has Redshift read the files with NOLOAD; outside of any transaction. */
  async dryRun(files: readonly StoredObject[]): Promise<readonly BadFile[]> {
    const bad: BadFile[] = [];
    try {
      for (let open = files; open.length > 0;) {
        const failed = await this.#search.tryOut(open, true);
        if (failed === undefined) break;
        const found = await this.#search.badAmong(open, failed, true);
        bad.push(...found);
        open = open.filter((file) => !found.some((one) => one.file === file));
        await this.#search.suspectAll(bad, open, this.#action, true);
      }
      return bad;
    } finally {
      await this.#room.clear();
    }
  }

  get #action(): string {
    return `load into ${quoteTable(this.tools.plan.target)}`;
  }

  #tied(): SluiceError {
    const detail =
      "rows with the same key differ, and Redshift's COPY does not tell which of them is " +
      "the last one in files of this kind; give order-by, or files of csv, json or text with a " +
      "delimiter of one character";
    return new SluiceError(this.#action, "permanent", detail);
  }

  #miscounted(copied: number, again: number): SluiceError {
    const detail =
      `rows have the same key, and Redshift has read ${copied} rows where sluice sees ` +
      `${again}: which is the last one cannot be told; give order-by`;
    return new SluiceError(this.#action, "permanent", detail);
  }
}

function nullRow(column: string | null, line: number | null, raw: string | null) {
  return { line, column, reason: `NULL in the key column "${column}"`, raw };
}

function isSame(staged: readonly Copied[] | null, wanted: readonly Copied[]): boolean {
  return staged !== null && staged.length === wanted.length &&
    staged.every((one, i) => one === wanted[i]);
}
