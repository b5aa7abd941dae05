import { resolve } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { SluiceError } from "../../core/errors.ts";
import type { World } from "../../core/world.ts";
import { lockFolder } from "./pglite_lock.ts";
import { PgliteWire } from "./pglite_wire.ts";
import { applyOptions } from "./session_options.ts";
import { Turns } from "./turns.ts";
import type { Session, SessionOptions, Warehouse } from "./warehouse.ts";
import type { PglitePlace } from "./warehouse_url.ts";
import { WireSession } from "./wire_session.ts";

/** A session that waits longer than this for the one before it says so. */
const silentWaitMs = 10_000;

/**
 * Opens the database in a folder, which is made when it is not there. This takes seconds and some
 * hundred MB of memory.
 *
 * @throws {SluiceError} `permanent` when another process has it open, or it holds something else.
 */
export async function openPglite(place: PglitePlace, world: World): Promise<Warehouse> {
  const action = `open ${place.url}`;
  const unlock = await lockFolder(action, place.folder);
  try {
    await checkFolder(action, place.folder);
    const engine = await startEngine(place.folder);
    return new PgliteWarehouse(place, world, engine, unlock);
  } catch (thrown) {
    unlock();
    if (thrown instanceof SluiceError) throw thrown;
    const detail = "the engine does not start on this folder; is it a database of PGlite?";
    throw new SluiceError(action, "permanent", detail, { cause: thrown });
  }
}

/** As an absolute path: the engine takes some names, as "memory://", for something else. */
function startEngine(folder: string): Promise<PGlite> {
  return PGlite.create({ dataDir: resolve(folder) });
}

/** A folder with other things in it is left alone: the engine would lay a database among them. */
async function checkFolder(action: string, folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  if (names.length === 0 || names.includes("PG_VERSION")) return;
  const detail = "the folder holds something that is no database; name an empty or a new folder";
  throw new SluiceError(action, "permanent", detail);
}

/** The engine has one session at a time: the next one waits until it is closed. */
class PgliteWarehouse implements Warehouse {
  readonly kind = "pglite";
  readonly #turns = new Turns();
  #session: Session | undefined;
  #isClosed = false;
  #wire: PgliteWire | undefined;

  constructor(
    private readonly place: PglitePlace,
    private readonly world: World,
    private engine: PGlite,
    private readonly unlock: () => void,
  ) {}

  get url(): string {
    return this.place.url;
  }

  async connect(options: SessionOptions = {}): Promise<Session> {
    const patience = new AbortController();
    this.world.sleep(silentWaitMs, patience.signal).then(() => {
      if (patience.signal.aborted) return;
      this.world.log("warn", "Session waits for the one before it, as PGlite has one at a time", {
        database: this.url,
      });
    });
    const done = await this.#turns.take();
    patience.abort();
    if (this.#isClosed) {
      done();
      throw new SluiceError(`connect to ${this.url}`, "permanent", "it is closed");
    }
    const wire = await this.#nextWire().catch((thrown) => {
      done();
      throw thrown;
    });
    const session = new WireSession(this.kind, this.url, wire, done);
    this.#session = session;
    // Nothing watches the clock while the engine runs; yet who asks is told what was wished.
    return await applyOptions(session, options);
  }

  /** Starts the engine anew when it has failed as such: it recovers as after a crash. */
  async #nextWire(): Promise<PgliteWire> {
    if (this.#wire?.hasFailed) this.engine = await startEngine(this.place.folder);
    return this.#wire = new PgliteWire(this.engine);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#session?.close();
    if (!this.#wire?.hasFailed) await this.engine.close();
    this.unlock();
  }
}
