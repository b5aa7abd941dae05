import type { Store, StoredObject } from "../clients/store/store.ts";
import type { Warehouse } from "../clients/warehouse/warehouse.ts";
import { faultOf, reasonOf, usageError } from "../core/errors.ts";
import { networkRetry, type RetryPolicy } from "../core/retry.ts";
import type { Secret } from "../core/secret.ts";
import type { World } from "../core/world.ts";
import { quoteTable, readTableName } from "../formats/sql_text.ts";
import type { BadFile } from "./bad_file.ts";
import type { Counts } from "./counts.ts";
import { Ledger } from "./ledger.ts";
import { withMaxErrors } from "./left_out.ts";
import { Load, type LoadOutcome } from "./load.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { quarantine } from "./quarantine.ts";
import { refuseUnloadable } from "./refusals.ts";
import { remove } from "./remove.ts";
import { nameOf, type Unit } from "./scan.ts";
import type { IngestSettings } from "./settings.ts";
import { dialectOf } from "./target.ts";
import type { Targets } from "./targets.ts";
import { markOf, type Watch } from "./watch.ts";

/** What the work on a directory needs. */
export interface DirectoryTools {
  readonly world: World;
  readonly store: Store;
  readonly targets: Targets;
  readonly counts: Counts;
  readonly settings: IngestSettings;
  readonly resolve: (reference: string) => Promise<Secret>;
  /** Takes the time of each load, seconds. */
  readonly timeImport: (seconds: number) => void;
  /** Aborted when what is under way is to be brought to an end, and nothing new begun. */
  readonly drain: AbortSignal;
}

/** What is wrong waits for a person. */
export const wrongRetry: RetryPolicy = { firstMs: 5_000, mostMs: 300_000 };

/** So many names fit into the statement that prunes the ledger. */
const pruneNamesMost = 1_000;

/** No manifest is longer. */
const manifestBytesMost = 1024 * 1024;

/** What a pass came to. */
export interface Passed {
  /** Files that were moved aside. */
  readonly rejected: number;
  /** Files that were changed while they were read: they are to be listed anew and tried again. */
  readonly changed: number;
}

const nothingPassed: Passed = { rejected: 0, changed: 0 };

/** Works on directories: one pass over one of them at a time. */
export class Directories {
  readonly #tables = new Map<string, string>();

  constructor(private readonly tools: DirectoryTools) {}

  /**
   * Loads what waits, then deletes what is loaded: a file that cannot be deleted holds up no other one.
   * Its table must be claimed.
   *
   * @throws {SluiceError} when something was not loaded; the next pass does it.
   */
  async pass(unit: Unit, watch: Watch, manifest: Manifest): Promise<Passed> {
    const { waiting, kept, leftover } = watch.parted(unit);
    const { counts, world } = this.tools;
    watch.done = new Set(kept.map(markOf));
    const isDue = waiting.length > 0 && watch.loading.isOver(world.monotonicMs());
    if (!isDue) {
      await this.#remove(watch, leftover);
      return nothingPassed;
    }
    counts.importingFiles += waiting.length;
    const gone: StoredObject[] = [...leftover];
    try {
      return await this.tools.targets.use(
        manifest.targetUrl,
        (warehouse) => this.#load(unit, watch, manifest, waiting, warehouse, gone),
      );
    } finally {
      counts.importingFiles -= waiting.length;
      await this.#remove(watch, gone);
    }
  }

  /** The manifest as it is now; read once for each of its versions. */
  async readManifest(unit: Unit, watch: Watch): Promise<Manifest> {
    const { key, etag, sizeBytes } = unit.manifest;
    if (watch.manifest !== null && watch.manifestEtag === etag) return watch.manifest;
    watch.manifest = null;
    watch.manifestEtag = etag;
    // What was wrong may be right now: nobody should have to wait for it.
    watch.loading.retry();
    if (sizeBytes > manifestBytesMost) {
      throw usageError(`read manifest ${key}`, `it is longer than ${manifestBytesMost} bytes`);
    }
    const source = await this.tools.store.get(key);
    const pieces: Uint8Array[] = [];
    try {
      for (let piece; (piece = await source.next()) !== undefined;) pieces.push(piece.slice());
    } finally {
      source.close();
    }
    const bytes = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
    const manifest = await readManifest(key, bytes, this.tools.resolve);
    return watch.manifest = withMaxErrors(manifest, this.tools.settings.maxErrors);
  }

  /** What stands for the table of a manifest in this process; the URL, which is secret, is not in it. */
  async tableOf({ targetUrl, table }: Manifest): Promise<string> {
    const key = `${(await targetUrl.fresh()).reveal()}\n${quoteTable(readTableName(table))}`;
    const name = this.#tables.get(key) ?? `table ${this.#tables.size + 1}`;
    this.#tables.set(key, name);
    return name;
  }

  /** The ledger of a directory and its target. */
  ledgerOf(directory: string, manifest: Manifest, warehouse: Warehouse): Ledger {
    const { store, settings } = this.tools;
    const target = readTableName(manifest.table);
    const url = store.url.replace(/\/+$/, "");
    return new Ledger(
      dialectOf(warehouse.kind),
      target,
      settings.ledgerTable,
      directory === "" ? url : `${url}/${directory}`,
    );
  }

  /** @param gone takes the files that are to be deleted. */
  async #load(
    unit: Unit,
    watch: Watch,
    manifest: Manifest,
    files: readonly StoredObject[],
    warehouse: Warehouse,
    gone: StoredObject[],
  ): Promise<Passed> {
    const { world, store, counts, drain, settings } = this.tools;
    refuseUnloadable(manifest, warehouse, store);
    const ledger = this.ledgerOf(unit.directory, manifest, warehouse);
    const target = readTableName(manifest.table);
    const loadId = crypto.randomUUID();
    const begunMs = world.monotonicMs();
    const load = new Load({ loadId, manifest, target, files }, {
      ...{ world, store, warehouse, ledger, counts, drain },
      iamRole: settings.iamRole,
    });
    const outcome = await load.run();
    this.tools.timeImport((world.monotonicMs() - begunMs) / 1000);
    this.#count(outcome);
    if (outcome.isCommitted) {
      world.log("info", "Loaded", {
        ...{ directory: unit.directory, table: quoteTable(target), load: loadId },
        ...{ files: outcome.done.length - outcome.skipped, rows: outcome.rows },
        ...{ rejected: outcome.rejected.length },
      });
    }
    if (settings.keep) watch.done = new Set([...watch.done, ...outcome.done.map(markOf)]);
    else gone.push(...outcome.done);
    await this.#moveAside(loadId, outcome.rejected, gone);
    if (outcome.changed.length > 0) {
      const names = outcome.changed.map(({ key }) => nameOf(key)).slice(0, 10);
      world.log("info", "Files changed while they were read; they are loaded next", { names });
    }
    if (outcome.isCommitted) await this.#prune(ledger, warehouse, unit, settings);
    return { rejected: outcome.rejected.length, changed: outcome.changed.length };
  }

  #count({ done, skipped, rows, bytes, rejected, leftOutRows }: LoadOutcome): void {
    const { counts } = this.tools;
    counts.files += done.length - skipped;
    counts.ledgerSkips += skipped;
    counts.rows += rows;
    counts.bytes += bytes;
    counts.rejectedFiles += rejected.length;
    counts.rejectedRows += leftOutRows;
  }

  async #moveAside(
    loadId: string,
    rejected: readonly BadFile[],
    gone: StoredObject[],
  ): Promise<void> {
    const { store, world } = this.tools;
    for (const bad of rejected) {
      const to = await quarantine(store, loadId, bad, world.nowMs());
      gone.push(bad.file);
      world.log("error", "Moved a file aside that cannot be loaded", {
        ...{ file: bad.file.key, to, line: bad.row.line, column: bad.row.column },
        reason: bad.row.reason,
      });
    }
  }

  /** Deletes files; what is still there then is tried again later. */
  async #remove(watch: Watch, files: readonly StoredObject[]): Promise<void> {
    const { world } = this.tools;
    watch.leftover = new Set();
    if (files.length === 0) return;
    const left = watch.deleting.isOver(world.monotonicMs())
      ? await remove(this.tools, files)
      : { files, failure: null };
    watch.leftover = new Set(left.files.map(markOf));
    if (left.files.length === 0) {
      if (watch.deleting.pass()) {
        world.log("info", "Deleting again", { directory: watch.directory });
      }
      return;
    }
    if (left.failure === null) return;
    const reason = `${reasonOf(left.failure)}; it is done with and is not loaded again`;
    const isTransient = faultOf(left.failure) === "transient";
    const { isNew } = watch.deleting.failed(
      reason,
      isTransient ? networkRetry : wrongRetry,
      world.monotonicMs(),
      world.random(),
    );
    if (!isNew) return;
    world.log(isTransient ? "warn" : "error", "Cannot delete files that were loaded, trying on", {
      ...{ directory: watch.directory, files: left.files.length, reason },
    });
  }

  /** Housekeeping: a failure is told and forgotten. */
  async #prune(
    ledger: Ledger,
    warehouse: Warehouse,
    unit: Unit,
    { ledgerAgeMs }: IngestSettings,
  ): Promise<void> {
    if (unit.files.length > pruneNamesMost) return;
    try {
      const session = await warehouse.connect();
      try {
        await session.execute(ledger.pruneSql(unit.files, ledgerAgeMs));
      } finally {
        await session.close();
      }
    } catch (thrown) {
      this.tools.world.log("debug", "Cannot prune the ledger", { reason: reasonOf(thrown) });
    }
  }
}
