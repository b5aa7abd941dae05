import { openWarehouse, type Warehouse } from "../clients/warehouse/warehouse.ts";
import type { Secret } from "../core/secret.ts";
import type { World } from "../core/world.ts";

interface Used {
  readonly warehouse: Promise<Warehouse>;
  users: number;
}

/**
 * The databases that manifests name, each opened once. PGlite is closed when nobody uses it: while it
 * is open no other process can have a look.
 */
export class Targets {
  readonly #open = new Map<string, Used>();
  readonly #closing = new Map<string, Promise<void>>();

  /** @param open opens a warehouse; another one in tests. */
  constructor(private readonly world: World, private readonly open = openWarehouse) {}

  /** How often databases are in use now. */
  get uses(): number {
    return [...this.#open.values()].reduce((sum, { users }) => sum + users, 0);
  }

  async use<T>(url: Secret, act: (warehouse: Warehouse) => Promise<T>): Promise<T> {
    const fresh = await url.fresh();
    const key = fresh.reveal();
    for (let closing; (closing = this.#closing.get(key)) !== undefined;) await closing;
    // From here to `users++` nothing may be awaited: two would open it, or one use what is closed.
    let used = this.#open.get(key);
    if (used === undefined) {
      used = { warehouse: this.open(fresh, this.world), users: 0 };
      this.#open.set(key, used);
    }
    used.users++;
    try {
      return await act(await used.warehouse);
    } finally {
      used.users--;
      await this.#left(key, used);
    }
  }

  async #left(key: string, used: Used): Promise<void> {
    if (used.users > 0) return;
    const warehouse = await used.warehouse.catch(() => undefined);
    // Somebody may have come while we waited.
    if (used.users > 0 || this.#open.get(key) !== used) return;
    if (warehouse !== undefined && warehouse.kind !== "pglite") return;
    this.#open.delete(key);
    const closed = (warehouse?.close() ?? Promise.resolve())
      .finally(() => this.#closing.delete(key));
    // Who waits for it wants to know that it is over, not how it went.
    this.#closing.set(key, closed.catch(() => {}));
    await closed;
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    for (const { warehouse } of all) await (await warehouse.catch(() => undefined))?.close();
  }
}
