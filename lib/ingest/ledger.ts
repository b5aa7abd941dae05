import { serverReportOf, type Session } from "../clients/warehouse/warehouse.ts";
import type { StoredObject } from "../clients/store/store.ts";
import { SluiceError } from "../core/errors.ts";
import { quoteLiteral, quoteTable, type TableName } from "../formats/sql_text.ts";
import { nameOf } from "./scan.ts";

/** Names in one statement: Redshift takes 16 MB, and a name may have 1 KiB. */
const namesAtOnce = 1_000;

/**
 * The table that knows which files are in a target table. It is written in the very transaction that
 * brings their rows, so that a file is in both or in neither, whatever happens. A file is known by
 * directory, name and etag: put anew under the same name it is another one.
 */
export class Ledger {
  readonly #table: string;
  readonly #target: string;

  /**
   * @param target the table that is loaded; the ledger lies in its schema.
   * @param directory the full URL, so that instances with other prefixes know the same files.
   */
  constructor(
    private readonly kind: "postgres" | "redshift",
    target: TableName,
    name: string,
    private readonly directory: string,
  ) {
    this.#table = quoteTable({ schema: target.schema, name });
    this.#target = quoteTable(target);
  }

  get createSql(): string {
    return `CREATE TABLE IF NOT EXISTS ${this.#table} (target_table VARCHAR(600) NOT NULL, ` +
      "directory VARCHAR(1200) NOT NULL, name VARCHAR(1100) NOT NULL, etag VARCHAR(300) NOT NULL, " +
      "size_bytes BIGINT NOT NULL, load_id VARCHAR(64) NOT NULL, loaded_at TIMESTAMPTZ NOT NULL, " +
      "PRIMARY KEY (directory, name, etag, target_table))";
  }

  /** Makes sure that the table is there. @returns false when it was not, and `isDry`. */
  async ensure(session: Session, isDry = false): Promise<boolean> {
    for (let attempt = 1;; attempt++) {
      try {
        await session.query(`SELECT 1 FROM ${this.#table} WHERE 1 = 0`);
        return true;
      } catch (thrown) {
        if (!isMissing(thrown)) throw thrown;
      }
      if (isDry) return false;
      try {
        await session.execute(this.createSql);
      } catch (thrown) {
        // Two make it at the same moment: one of them is told that it, or its row type, is there.
        const state = serverReportOf(thrown)?.sqlState ?? "";
        if (attempt > 3 || !["23505", "42P07", "42710"].includes(state)) throw thrown;
      }
    }
  }

  /** Which of the files are in the target: their names with their etags. */
  async known(session: Session, files: readonly StoredObject[]): Promise<KnownFiles> {
    const known = new KnownFiles();
    for (let at = 0; at < files.length; at += namesAtOnce) {
      const names = files.slice(at, at + namesAtOnce).map(({ key }) => this.#literal(nameOf(key)));
      const { rows } = await session.query(
        `SELECT name, etag FROM ${this.#table} WHERE ${this.#here} AND name IN (${
          names.join(", ")
        })`,
      );
      for (const [name, etag] of rows) known.add(name ?? "", etag ?? "");
    }
    return known;
  }

  /** Writes down files of a load, in several statements when there are many. */
  recordSql(loadId: string, files: readonly StoredObject[]): string[] {
    const texts: string[] = [];
    const now = this.kind === "redshift" ? "GETDATE()" : "now()";
    for (let at = 0; at < files.length; at += namesAtOnce) {
      const rows = files.slice(at, at + namesAtOnce).map(({ key, etag, sizeBytes }) => {
        const values = [this.#target, this.directory, nameOf(key), etag].map((one) =>
          this.#literal(one)
        );
        return `(${values.join(", ")}, ${sizeBytes}, ${this.#literal(loadId)}, ${now})`;
      });
      texts.push(
        `INSERT INTO ${this.#table} (target_table, directory, name, etag, size_bytes, load_id, ` +
          `loaded_at) VALUES ${rows.join(", ")}`,
      );
    }
    return texts;
  }

  /** Whether a load has been committed. */
  async has(session: Session, loadId: string): Promise<boolean> {
    const { rows } = await session.query(
      `SELECT 1 FROM ${this.#table} WHERE ${this.#here} AND load_id = ${
        this.#literal(loadId)
      } LIMIT 1`,
    );
    return rows.length > 0;
  }

  /** Forgets files of this directory that are gone and were loaded so long ago. */
  pruneSql(present: readonly StoredObject[], ageMs: number): string {
    const seconds = Math.ceil(ageMs / 1000);
    const before = this.kind === "redshift"
      ? `GETDATE() - INTERVAL '${seconds} seconds'`
      : `now() - interval '${seconds} seconds'`;
    const names = present.map(({ key }) => this.#literal(nameOf(key)));
    const gone = names.length === 0 ? "" : ` AND name NOT IN (${names.join(", ")})`;
    return `DELETE FROM ${this.#table} WHERE ${this.#here} AND loaded_at < ${before}${gone}`;
  }

  get #here(): string {
    return `target_table = ${this.#literal(this.#target)} AND directory = ${
      this.#literal(this.directory)
    }`;
  }

  #literal(text: string): string {
    return quoteLiteral(text, this.kind);
  }
}

function isMissing(thrown: unknown): boolean {
  if (!(thrown instanceof SluiceError)) return false;
  const report = serverReportOf(thrown);
  // Redshift has 42P01, too.
  return report?.sqlState === "42P01";
}

/** Names with their etags. */
export class KnownFiles {
  readonly #known = new Set<string>();

  add(name: string, etag: string): void {
    this.#known.add(`${etag} ${name}`);
  }

  has({ key, etag }: StoredObject): boolean {
    return this.#known.has(`${etag} ${nameOf(key)}`);
  }
}
