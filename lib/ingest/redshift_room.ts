import type { Store, StoredObject } from "../clients/store/store.ts";
import type { Warehouse } from "../clients/warehouse/warehouse.ts";
import { reasonOf } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import { quoteTable, type TableName } from "../formats/sql_text.ts";
import { ownFolder } from "./scan.ts";

/** What is put there for a load is of no use to anybody after so long, whatever became of it. */
const staleMs = 30 * 86_400_000;

const base = `${ownFolder}/ingest`;

/**
 * Where a load keeps what COPY reads besides the data: the list of its files, and rows with numbers. It
 * is below `.sluice/ingest/` of the store, where no scan looks, in a folder for each table and load:
 * `.sluice/ingest/TABLE/LOAD/`. Objects are put there only while the load has the table locked. So who
 * has the lock knows that the objects of other loads of this table are left from processes that were
 * killed.
 */
export class RedshiftRoom {
  constructor(
    private readonly store: Store,
    private readonly world: World,
    private readonly table: string,
    private readonly loadId: string,
  ) {}

  static async of(
    tools: { readonly store: Store; readonly world: World; readonly warehouse: Warehouse },
    target: TableName,
    loadId: string,
  ): Promise<RedshiftRoom> {
    const { store, world, warehouse } = tools;
    const name = new TextEncoder().encode(`${warehouse.url}\n${quoteTable(target)}`);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", name));
    return new RedshiftRoom(store, world, digest.toHex().slice(0, 24), loadId);
  }

  /** A room of its own, for what is done without the lock. */
  static apart(tools: { readonly store: Store; readonly world: World }): RedshiftRoom {
    return new RedshiftRoom(tools.store, tools.world, "dry-run", crypto.randomUUID());
  }

  /** The URL of an object of the room. */
  urlOf(name: string): string {
    return urlOf(this.store, this.#keyOf(name));
  }

  /** @returns the URL. */
  async put(name: string, bytes: Uint8Array, contentType: string): Promise<string> {
    const key = this.#keyOf(name);
    await this.store.put(key, bytes, { contentType });
    return urlOf(this.store, key);
  }

  /** Writes the list of files that a COPY reads. @returns its URL. */
  async putManifest(
    name: string,
    urls: readonly string[],
    sizes?: readonly number[],
  ): Promise<string> {
    const entries = urls.map((url, i) => ({
      url,
      mandatory: true,
      // Columnar files need it, others do not ("Using a manifest to specify data files").
      ...(sizes === undefined ? {} : { meta: { content_length: sizes[i] } }),
    }));
    const text = `${JSON.stringify({ entries })}\n`;
    return await this.put(name, new TextEncoder().encode(text), "application/json");
  }

  /** Removes what this load has put there. A failure is told; whoever locks the table next tries again. */
  async clear(): Promise<void> {
    await this.#remove(`${base}/${this.table}/${this.loadId}/`, () => true);
  }

  /** Removes what killed loads of this table have left behind, and what is very old; needs the lock. */
  async sweep(): Promise<void> {
    const before = this.world.nowMs() - staleMs;
    const own = `${base}/${this.table}/`;
    await this.#remove(
      `${base}/`,
      ({ key, modifiedMs }) =>
        key.startsWith(own) ? !key.startsWith(`${own}${this.loadId}/`) : modifiedMs < before,
    );
  }

  async #remove(prefix: string, isWanted: (object: StoredObject) => boolean): Promise<void> {
    try {
      for await (const object of this.store.list(prefix)) {
        if (isWanted(object)) await this.store.delete(object.key);
      }
    } catch (thrown) {
      this.world.log("warn", "Cannot clean up what COPY has read; the next load tries again", {
        reason: reasonOf(thrown),
      });
    }
  }

  #keyOf(name: string): string {
    return `${base}/${this.table}/${this.loadId}/${name}`;
  }
}

/** The full URL of a key, as COPY's list of files wants it: not percent-encoded. */
export function urlOf(store: Store, key: string): string {
  return `${store.url.replace(/\/+$/, "").replace(/^s3:/i, "s3:")}/${key}`;
}
