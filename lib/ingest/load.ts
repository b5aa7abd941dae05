import { crashPoint } from "../clients/crash_point.ts";
import type { Store, StoredObject } from "../clients/store/store.ts";
import type { Session, Warehouse } from "../clients/warehouse/warehouse.ts";
import { reasonOf, SluiceError } from "../core/errors.ts";
import { retry } from "../core/retry.ts";
import type { World } from "../core/world.ts";
import { quoteTable, type TableName } from "../formats/sql_text.ts";
import { allAlike, suspiciousFiles } from "./apply.ts";
import { areAlike, type BadFile } from "./bad_file.ts";
import type { Copied, Copier } from "./copier.ts";
import type { Counts } from "./counts.ts";
import type { KnownFiles, Ledger } from "./ledger.ts";
import { reportLeftOut } from "./left_out.ts";
import type { Manifest } from "./manifest.ts";
import { openCopier } from "./open_copier.ts";
import { RedshiftRoom } from "./redshift_room.ts";
import { lockSql, type SqlPlan, stageSql } from "./sql_load.ts";
import { targetColumns } from "./target.ts";
import { refuseMissing } from "./target_check.ts";

/** What a load works with. */
export interface LoadTools {
  readonly world: World;
  readonly store: Store;
  readonly warehouse: Warehouse;
  readonly ledger: Ledger;
  readonly counts: Counts;
  /** The role by which Redshift reads the store; by the store's own keys without it. */
  readonly iamRole?: string | undefined;
  /** Aborted when we are to stop: a load that has begun goes on, but waits for nobody any more. */
  readonly drain: AbortSignal;
}

/** What is to be loaded. */
export interface LoadTask {
  readonly loadId: string;
  readonly manifest: Manifest;
  readonly target: TableName;
  readonly files: readonly StoredObject[];
}

/** What a load came to; nothing of it has touched the store. */
export interface LoadOutcome {
  /** Files whose rows are in the target now: by this load, or by an earlier one. */
  readonly done: readonly StoredObject[];
  /** How many of them an earlier load had brought in. */
  readonly skipped: number;
  readonly rejected: readonly BadFile[];
  /** Files that were changed or removed while they were read: the next pass has another look. */
  readonly changed: readonly StoredObject[];
  readonly rows: number;
  readonly bytes: number;
  /** Rows that MAXERROR or --max-errors let be left out. */
  readonly leftOutRows: number;
  readonly isCommitted: boolean;
}

/** The steps of a load; each says which is next. */
type Step = "open" | "lock" | "ledger" | "stage" | "copy" | "apply" | "commit" | "recover" | "end";

/** How long somebody else's lock is waited for when we are to stop. */
const lastTryMs = 5_000;

/**
 * One transaction over all files of a directory:
 *
 * open, lock the target, ask the ledger, stage, copy, apply with the ledger's rows, commit; and when
 * the answer to COMMIT is lost, recover: the lock is to be had only when that transaction is over, and
 * then the ledger tells how it ended. A crash before COMMIT leaves nothing behind; after it the ledger
 * knows the files, and they are deleted by whoever sees them next.
 */
export class Load {
  #session: Session | undefined;
  #open: readonly StoredObject[] = [];
  #skipped: readonly StoredObject[] = [];
  #copier: Copier | undefined;
  #room: RedshiftRoom | undefined;
  #isCommitted = false;
  /** COMMIT was sent, and nobody here knows what has become of it. */
  #isUnknown = false;
  /** Reports of rows that are left out, by their keys. */
  readonly #reports: string[] = [];

  constructor(private readonly task: LoadTask, private readonly tools: LoadTools) {}

  /** @throws {SluiceError} when nothing was loaded; the target is as it was then. */
  async run(): Promise<LoadOutcome> {
    const steps: Readonly<Record<Exclude<Step, "end">, () => Promise<Step>>> = {
      open: () => this.#connect(),
      lock: () => this.#lock(),
      ledger: () => this.#askLedger(),
      stage: () => this.#stage(),
      copy: () => this.#copy(),
      apply: () => this.#apply(),
      commit: () => this.#commit(),
      recover: () => this.#recover(),
    };
    this.tools.counts.imports++;
    try {
      for (let step: Step = "open"; step !== "end";) step = await steps[step]();
      return this.#outcome();
    } catch (thrown) {
      this.tools.counts.rollbacks++;
      if (!this.#isUnknown) await this.#dropReports();
      throw thrown;
    } finally {
      // What is open is undone by that, too.
      await this.#session?.close();
      await this.#room?.clear();
    }
  }

  get #current(): Session {
    if (this.#session === undefined) throw new Error("A load has no session before it is opened");
    return this.#session;
  }

  get #plan(): SqlPlan {
    const { manifest, target } = this.task;
    return { ...manifest, target, kind: this.tools.warehouse.kind };
  }

  async #connect(): Promise<Step> {
    this.#session = await this.#newSession();
    await this.tools.ledger.ensure(this.#session);
    const { target, loadId } = this.task;
    if (this.#plan.kind === "redshift") {
      this.#room = await RedshiftRoom.of(this.tools, target, loadId);
    }
    return "lock";
  }

  #newSession(statementTimeoutMs = this.task.manifest.timeoutMs): Promise<Session> {
    const applicationName = `sluice ingest ${this.task.loadId}`;
    return this.tools.warehouse.connect({ statementTimeoutMs, applicationName });
  }

  async #lock(): Promise<Step> {
    await this.#current.execute("BEGIN");
    await this.#takeLock();
    return "ledger";
  }

  /**
   * Takes the lock, which may be somebody else's: the wait is given up as soon as we are to stop. When we
   * were to stop before it began, there is one short try.
   */
  async #takeLock(): Promise<void> {
    const { drain, world } = this.tools;
    const session = this.#current;
    const cancel = () => void session.cancel().catch(() => {});
    const over = new AbortController();
    if (!drain.aborted) drain.addEventListener("abort", cancel, { signal: over.signal });
    else void world.sleep(lastTryMs, over.signal).then(() => over.signal.aborted || cancel());
    try {
      await session.execute(lockSql(this.#plan));
    } finally {
      over.abort();
    }
  }

  /** Within the lock: whoever loaded the same files before us has committed by now. */
  async #askLedger(): Promise<Step> {
    const { files } = this.task;
    const known = await this.#known(files);
    this.#skipped = files.filter((file) => known.has(file));
    this.#open = files.filter((file) => !known.has(file));
    await this.#room?.sweep();
    if (this.#open.length > 0) return "stage";
    await this.#current.execute("ROLLBACK");
    return "end";
  }

  /**
   * What the ledger knows. On Redshift another session asks it: where transactions are serializable,
   * two that read the ledger and then write to it are a conflict (1023), though they load different
   * tables. Nobody adds to the rows of this target while we have the lock.
   */
  async #known(files: readonly StoredObject[]): Promise<KnownFiles> {
    const { warehouse, ledger } = this.tools;
    if (warehouse.kind !== "redshift") return await ledger.known(this.#current, files);
    const session = await this.#newSession();
    try {
      return await ledger.known(session, files);
    } finally {
      await session.close();
    }
  }

  async #stage(): Promise<Step> {
    const { manifest, target } = this.task;
    const columns = await targetColumns(this.#current, target, manifest.columns);
    await refuseMissing(this.#current, target, manifest.columns);
    await this.#prepare();
    this.#copier = openCopier({
      ...{ session: this.#current, plan: this.#plan, manifest, columns },
      ...{ store: this.tools.store, world: this.tools.world, iamRole: this.tools.iamRole },
      ...(this.#room === undefined ? {} : { room: this.#room }),
      restart: (files) => this.#restart(files),
    });
    return "copy";
  }

  async #prepare(): Promise<void> {
    for (const sql of this.task.manifest.preSql) await this.#current.execute(sql);
    for (const sql of stageSql(this.#plan)) await this.#current.execute(sql);
  }

  /** The transaction once more from its beginning; without the lock another one may have come first. */
  async #restart(files: readonly StoredObject[]): Promise<void> {
    await this.#current.execute("ROLLBACK");
    await this.#lock();
    const known = await this.#known(files);
    if (files.some((file) => known.has(file))) {
      const detail =
        "another one has loaded some of the files in the meantime; the rest is tried again";
      throw new SluiceError(`load into ${quoteTable(this.task.target)}`, "transient", detail);
    }
    await this.#prepare();
  }

  async #copy(): Promise<Step> {
    const copier = this.#copier as Copier;
    await copier.copyAll(this.#open);
    crashPoint("after-copy");
    return copier.copied.length > 0 ? "apply" : await this.#loadNothing();
  }

  /** No file is left to be loaded. That all of several are bad in the same way is hardly their fault. */
  async #loadNothing(): Promise<Step> {
    await this.#current.execute("ROLLBACK");
    const rejected = this.#copier?.rejected ?? [];
    if (
      rejected.length >= suspiciousFiles && rejected.length === this.#open.length &&
      areAlike(rejected)
    ) {
      throw allAlike(rejected, `load into ${quoteTable(this.task.target)}`);
    }
    this.tools.counts.rollbacks++;
    return "end";
  }

  async #apply(): Promise<Step> {
    const { manifest, loadId } = this.task;
    const copier = this.#copier as Copier;
    await copier.apply();
    if (copier.copied.length === 0) return await this.#loadNothing();
    for (const sql of manifest.postSql) await this.#current.execute(sql);
    const files = copier.copied.map(({ file }) => file);
    for (const sql of this.tools.ledger.recordSql(loadId, files)) await this.#current.execute(sql);
    await this.#report(copier.copied);
    crashPoint("before-commit");
    return "commit";
  }

  /** What rows are left out is written down before it is final. */
  async #report(copied: readonly Copied[]): Promise<void> {
    const { store, world } = this.tools;
    for (const one of copied) {
      if (one.leftOut === 0) continue;
      const key = await reportLeftOut(store, this.task.loadId, one, world.nowMs());
      this.#reports.push(key);
      world.log("warn", "Leaving rows out that cannot be loaded", {
        ...{ file: one.file.key, rows: one.leftOut, report: key },
      });
    }
  }

  /** The load was undone: its reports are not true. One that cannot be removed harms nobody. */
  async #dropReports(): Promise<void> {
    for (const key of this.#reports.splice(0)) {
      await this.tools.store.delete(key).catch(() => false);
    }
  }

  async #commit(): Promise<Step> {
    try {
      await this.#current.execute("COMMIT");
    } catch (thrown) {
      // An answer that came is the truth: the server has undone it all.
      if (!this.#current.isBroken) throw thrown;
      this.tools.world.log("warn", "The answer to COMMIT was lost: asking the ledger", {
        load: this.task.loadId,
        reason: reasonOf(thrown),
      });
      return "recover";
    }
    this.#committed();
    return "end";
  }

  /**
   * The transaction may still be under way over there: the lock is to be had when it is over. When we
   * are to stop, there is one short try; the ledger tells the next run what became of the load.
   */
  async #recover(): Promise<Step> {
    const { world, ledger, counts, drain } = this.tools;
    const { loadId } = this.task;
    this.#isUnknown = true;
    await this.#session?.close();
    const has = await retry(world, async () => {
      const session = await this.#newSession(drain.aborted ? lastTryMs : undefined);
      this.#session = session;
      try {
        await session.execute("BEGIN");
        await this.#takeLock();
        const has = await ledger.has(session, loadId);
        await session.execute("ROLLBACK");
        return has;
      } finally {
        await session.close();
      }
    }, { what: `learn whether load ${loadId} was committed`, signal: drain });
    this.#isUnknown = false;
    if (!has) {
      counts.rollbacks++;
      await this.#dropReports();
      return "open";
    }
    counts.recoveredCommits++;
    this.#committed();
    return "end";
  }

  #committed(): void {
    crashPoint("after-commit");
    this.#isCommitted = true;
    this.tools.counts.commits++;
  }

  #outcome(): LoadOutcome {
    const copied = this.#isCommitted ? this.#copier?.copied ?? [] : [];
    return {
      done: [...this.#skipped, ...copied.map(({ file }) => file)],
      skipped: this.#skipped.length,
      rejected: this.#copier?.rejected ?? [],
      changed: this.#copier?.changed ?? [],
      rows: copied.reduce((sum, { rows }) => sum + rows, 0),
      bytes: copied.reduce((sum, { bytes }) => sum + bytes, 0),
      leftOutRows: copied.reduce((sum, { leftOut }) => sum + leftOut, 0),
      isCommitted: this.#isCommitted,
    };
  }
}
