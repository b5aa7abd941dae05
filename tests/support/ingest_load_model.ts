import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { DropPlace } from "./ingest_load.ts";
import type { PostgresServer } from "./postgres_server.ts";
import { eventually } from "./waiting.ts";

/** A row of any of the tables. */
type Row = readonly [id: number, part: number, tag: string];

/** A directory and its table. */
interface Drop {
  readonly directory: string;
  readonly table: string;
  readonly keys: readonly ("id" | "part")[];
}

/** Two directories of one table, one with a key of two columns, one without any key. */
const drops: readonly Drop[] = [
  { directory: "shop/north", table: "merged", keys: ["id"] },
  { directory: "shop/south", table: "merged", keys: ["id"] },
  { directory: "parts", table: "parted", keys: ["id", "part"] },
  { directory: "deep/down/all", table: "appended", keys: [] },
];

const createSql = "CREATE TABLE merged (id int PRIMARY KEY, part int, tag text); " +
  "CREATE TABLE parted (id int, part int, tag text, PRIMARY KEY (id, part)); " +
  "CREATE TABLE appended (id int, part int, tag text)";

/** What every version of a file holds, by its etag; where a store tells none there is one, by "". */
type Versions = Map<string, readonly Row[]>;

/** What the model came to, for people. */
export interface LoadFigures {
  readonly files: number;
  readonly versions: number;
  readonly loads: number;
  readonly rows: number;
}

/**
 * Files that are dropped over and over, and the model of what the tables hold when all are loaded.
 *
 * Which files are loaded together is a matter of chance. The model takes from the ledger which were,
 * and in which order (transactions on one table go one by one, and are numbered), and applies them as
 * ingest has promised: by the order of their names, the last row of a key wins. That everything was
 * loaded, and once, it knows by itself.
 */
export class LoadModel {
  readonly #files = new Map<string, Versions>();
  /** The last version of each file. */
  readonly #last = new Map<string, string>();
  #dropped = 0;
  #rows = 0;

  /** @param database is made; the names of databases are one word. */
  constructor(
    readonly place: DropPlace,
    readonly server: PostgresServer,
    readonly database: string,
  ) {}

  /** Makes the tables and drops the manifests. */
  async begin(more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.server.createDatabase(this.database);
    await this.server.psql(createSql, this.database);
    for (const { directory, table, keys } of drops) {
      const manifest = {
        ...{ table, columns: ["id", "part", "tag"], "pk-columns": keys, options: ["CSV", "GZIP"] },
        ...{ strategy: keys.length > 0 ? "merge" : "append", "target-url": "env:DROPS_TARGET" },
        ...more,
      };
      await this.place.put(`${directory}/manifest.json`, JSON.stringify(manifest));
    }
  }

  /** For the processes that load. @param url of the database as they see it */
  env(url = this.server.urlOf(this.database)): Record<string, string> {
    return { DROPS_TARGET: url };
  }

  /** Drops so many files of up to 150 rows; where the store tells etags, each tenth is put over another. */
  async drop(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const number = this.#dropped++;
      const { directory } = drops[number % drops.length] as Drop;
      const isAgain = this.place.tellsEtags && number > 40 && number % 10 === 9;
      const named = isAgain ? number - drops.length * 5 : number;
      const key = `${directory}/${String(named).padStart(6, "0")}.csv.gz`;
      const rows = Array.from({ length: 1 + Math.floor(Math.random() * 150) }, (_, line): Row => {
        const id = Math.floor(Math.random() * 400);
        return [id, Math.floor(Math.random() * 3), `${number}:${line}`];
      });
      const text = rows.map((row) => `${row.join(",")}\n`).join("");
      const versions = this.#files.get(key) ?? new Map();
      this.#files.set(key, versions);
      const etag = await this.place.put(key, new Uint8Array(gzipSync(text)));
      versions.set(etag, rows);
      this.#last.set(key, etag);
    }
  }

  /** How many files are not loaded as they were put last. */
  async missing(): Promise<number> {
    const loaded = new Set<string>();
    for (const { key, etag } of await this.#ledger()) loaded.add(`${etag} ${key}`);
    return [...this.#last].filter(([key, etag]) => !loaded.has(`${etag} ${key}`)).length;
  }

  /** Asserts that the tables are what the model says, and that nothing is left behind. */
  async assertExact(): Promise<LoadFigures> {
    const { place, server, database } = this;
    assert.equal(await this.missing(), 0, "files that are not in the ledger");
    const ledger = await this.#ledger();
    const loads = Map.groupBy(ledger, ({ load }) => load);
    const model = new Map<string, Map<string, Row>>();
    this.#rows = 0;
    for (const files of loads.values()) this.#apply(files, model);
    for (const table of new Set(drops.map(({ table }) => table))) {
      const seen = await server.psql(`SELECT id, part, tag FROM ${table}`, database);
      const rows = [...model.get(table)?.values() ?? []].map((row) => row.join("|"));
      assert.deepEqual(seen.split("\n").sort(), rows.sort(), `table ${table}`);
    }
    const manifests = drops.map(({ directory }) => `${directory}/manifest.json`).sort();
    assert.deepEqual(await place.keys(), manifests, "what is left in the store");
    await assertNothingOpen(server, database);
    const versions = [...this.#files.values()].reduce((sum, { size }) => sum + size, 0);
    return { files: this.#files.size, versions, loads: loads.size, rows: this.#rows };
  }

  /** One load, as its manifest promises it. */
  #apply(files: readonly LedgerRow[], model: Map<string, Map<string, Row>>): void {
    const [{ key: first, table } = { key: "", table: "" }] = files;
    const drop = drops.find(({ directory }) => first.startsWith(`${directory}/`));
    assert.equal(table, drop?.table, `the table of ${first}`);
    const rows = model.get(table) ?? new Map<string, Row>();
    model.set(table, rows);
    for (const { key, etag } of [...files].sort((a, b) => a.key < b.key ? -1 : 1)) {
      const version = this.#files.get(key)?.get(etag);
      assert.ok(version, `a version of ${key} that nobody has put: ${etag}`);
      this.#rows += version.length;
      for (const row of version) {
        const [id, part, tag] = row;
        const by = { 0: tag, 1: `${id}`, 2: `${id} ${part}` }[drop?.keys.length ?? 0] ?? "";
        assert.ok(drop?.keys.length !== 0 || !rows.has(by), `${tag} was loaded twice`);
        rows.set(by, row);
      }
    }
  }

  /** All files that were loaded, load by load in their order. */
  async #ledger(): Promise<LedgerRow[]> {
    const exists = "SELECT to_regclass('sluice_ingest_ledger') IS NOT NULL";
    if (await this.server.psql(exists, this.database) !== "t") return [];
    const sql = "SELECT load_id, target_table, directory, name, etag FROM sluice_ingest_ledger " +
      "ORDER BY xmin::text::bigint, directory, name";
    const text = await this.server.psql(sql, this.database);
    return text.split("\n").filter((line) => line !== "").map((line) => {
      const [load = "", table = "", directory = "", name = "", etag = ""] = line.split("|");
      const key = `${directory.slice(this.place.url.length + 1)}/${name}`;
      return {
        ...{ load, key, table: table.replaceAll('"', "") },
        etag: this.place.tellsEtags ? etag : "",
      };
    });
  }
}

interface LedgerRow {
  readonly load: string;
  readonly table: string;
  readonly key: string;
  readonly etag: string;
}

/** Waits until there is no session of ingest any more, and none of its temporary tables. */
export async function assertNothingOpen(server: PostgresServer, database: string): Promise<void> {
  let left = "";
  await eventually("an end of all sessions", async () => {
    left = await server.psql(
      "SELECT 'session ' || state || ': ' || query FROM pg_stat_activity " +
        "WHERE application_name LIKE 'sluice%' AND datname = current_database() " +
        "UNION ALL SELECT 'table ' || relname FROM pg_class WHERE relpersistence = 't' " +
        "UNION ALL SELECT 'prepared ' || gid FROM pg_prepared_xacts",
      database,
    );
    return left === "";
  }, { timeoutMs: 60_000 }).catch((thrown) => {
    throw new Error(`Left open: ${left}`, { cause: thrown });
  });
}
