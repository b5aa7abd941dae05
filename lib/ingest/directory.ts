import type { Store, StoredObject } from "../clients/store/store.ts";
import type { Warehouse } from "../clients/warehouse/warehouse.ts";
import { reasonOf, SluiceError, usageError } from "../core/errors.ts";
import { Permits } from "../core/permits.ts";
import type { Secret } from "../core/secret.ts";
import type { World } from "../core/world.ts";
import { quoteTable, readTableName } from "../formats/sql_text.ts";
import type { Counts } from "./counts.ts";
import { Ledger } from "./ledger.ts";
import { Load, type LoadOutcome } from "./load.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { quarantine } from "./quarantine.ts";
import { remove } from "./remove.ts";
import { nameOf, type Unit } from "./scan.ts";
import type { IngestSettings } from "./settings.ts";
import { refuseEnding } from "./sql_guard.ts";
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
}

/** So many names fit into the statement that prunes the ledger. */
const pruneNamesMost = 1_000;

/** Works on directories: one pass over one of them at a time, never two loads on one table. */
export class Directories {
  readonly #tables = new Map<string, Permits>();

  constructor(private readonly tools: DirectoryTools) {}

  /** @throws {SluiceError} when something was not done; the next pass does it. */
  async pass(unit: Unit, watch: Watch): Promise<void> {
    const manifest = await this.readManifest(unit, watch);
    const { waiting, loaded } = watch.parted(unit);
    const { counts, settings } = this.tools;
    if (loaded.length > 0 && !settings.keep) await this.#remove(loaded);
    if (waiting.length === 0) {
      watch.done = new Set(settings.keep ? loaded.map(markOf) : []);
      return;
    }
    counts.importingFiles += waiting.length;
    try {
      await this.tools.targets.use(manifest.targetUrl, async (warehouse) => {
        const table = `${warehouse.url}\n${manifest.table}`;
        await this.#turnOf(table).use(() => this.#load(unit, watch, manifest, waiting, warehouse));
      });
    } finally {
      counts.importingFiles -= waiting.length;
    }
  }

  /** The manifest as it is now; read once for each of its versions. */
  async readManifest(unit: Unit, watch: Watch): Promise<Manifest> {
    const { key, etag } = unit.manifest;
    if (watch.manifest !== null && watch.manifestEtag === etag) return watch.manifest;
    watch.manifest = null;
    watch.manifestEtag = etag;
    const source = await this.tools.store.get(key);
    const pieces: Uint8Array[] = [];
    try {
      for (let piece; (piece = await source.next()) !== undefined;) pieces.push(piece.slice());
    } finally {
      source.close();
    }
    const bytes = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
    return watch.manifest = await readManifest(key, bytes, this.tools.resolve);
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

  async #load(
    unit: Unit,
    watch: Watch,
    manifest: Manifest,
    files: readonly StoredObject[],
    warehouse: Warehouse,
  ): Promise<void> {
    const { world, store, counts, settings } = this.tools;
    const isRedshift = warehouse.kind === "redshift";
    if (isRedshift) {
      const detail = "loading into Redshift is not in this version; give postgres:// or pglite:DIR";
      throw usageError(`load into ${warehouse.url}`, detail);
    }
    refuseEnding("pre-sql", manifest.preSql, isRedshift);
    refuseEnding("post-sql", manifest.postSql, isRedshift);
    const ledger = this.ledgerOf(unit.directory, manifest, warehouse);
    const target = readTableName(manifest.table);
    const loadId = crypto.randomUUID();
    const begunMs = world.monotonicMs();
    const load = new Load({ loadId, manifest, target, files }, {
      ...{ world, store, warehouse, ledger, counts },
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
    await this.#conclude(watch, loadId, outcome);
    if (outcome.isCommitted) await this.#prune(ledger, warehouse, unit, settings);
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

  /** What follows the load in the store: done files go, bad ones move aside. */
  async #conclude(watch: Watch, loadId: string, outcome: LoadOutcome): Promise<void> {
    const { store, world, settings } = this.tools;
    watch.done = new Set([...settings.keep ? watch.done : [], ...outcome.done.map(markOf)]);
    for (const bad of outcome.rejected) {
      const to = await quarantine(store, loadId, bad, world.nowMs());
      world.log("error", "Moved a file aside that cannot be loaded", {
        ...{ file: bad.file.key, to, line: bad.row.line, column: bad.row.column },
        reason: bad.row.reason,
      });
    }
    if (!settings.keep) await this.#remove(outcome.done);
    if (outcome.changed.length > 0) {
      const names = outcome.changed.map(({ key }) => nameOf(key)).slice(0, 10);
      world.log("info", "Files changed while they were read; they are loaded next", { names });
    }
  }

  async #remove(files: readonly StoredObject[]): Promise<void> {
    const { store, counts } = this.tools;
    const trouble = await remove(store, files, counts);
    if (trouble === null) return;
    const detail = `${trouble}; they are in the table and are not loaded again`;
    throw new SluiceError("delete files that were loaded", "transient", detail);
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

  #turnOf(table: string): Permits {
    const turn = this.#tables.get(table) ?? new Permits(1);
    this.#tables.set(table, turn);
    return turn;
  }
}
