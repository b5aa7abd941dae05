import { PGlite } from "@electric-sql/pglite";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { openWarehouse } from "../../lib/clients/warehouse/warehouse.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";
import { filesBelow } from "./files_below.ts";
import type { TargetKind } from "./ingest_cases_type.ts";
import type { PostgresServer } from "./postgres_server.ts";
import { folded } from "./redshift_sql.ts";
import type { RedshiftStandIn } from "./redshift_stand_in.ts";
import { s3ClientOf } from "./s3_client.ts";
import type { S3Server } from "./s3_server.ts";

/** A database to load into, for those who look from outside. */
export interface CaseTarget {
  readonly kind: TargetKind;
  readonly url: string;
  /** Runs statements of this server's own dialect, then some of PostgreSQL. */
  make(own: readonly string[], texts: readonly string[]): Promise<void>;
  /** Runs statements of PostgreSQL. */
  run(texts: readonly string[]): Promise<void>;
  /** Asks, and gives the one value of each answer. */
  ask(texts: readonly string[]): Promise<string[]>;
}

/** Where files are dropped. */
export interface CaseStore {
  /** For `--from`. */
  readonly url: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** The keys of all files, in order. */
  keys(): Promise<string[]>;
}

/** Stands beside what loads into Redshift put into the store. */
const standing = ".sluice/ingest/stands";

const inUtc = "SET TIME ZONE 'UTC'; SET extra_float_digits = 1;";

/** A database of its own on a real PostgreSQL. */
export async function postgresTarget(
  server: PostgresServer,
  database: string,
): Promise<CaseTarget> {
  await server.createDatabase(database);
  return psqlTarget("postgres", server.urlOf(database), (sql) => server.psql(sql, database));
}

/** What stands in for Redshift; `make` goes through it, the rest to the PostgreSQL behind. */
export function redshiftTarget(redshift: RedshiftStandIn): CaseTarget {
  const target = psqlTarget("redshift", redshift.url(), (sql) => redshift.psql(folded(sql)));
  const make = async (own: readonly string[], texts: readonly string[]) => {
    const warehouse = await openWarehouse(new Secret(redshift.url()), realWorld(() => {}));
    try {
      const session = await warehouse.connect();
      for (const text of own) await session.execute(text);
      await session.close();
    } finally {
      await warehouse.close();
    }
    await target.run(texts);
  };
  return { ...target, make };
}

function psqlTarget(
  kind: TargetKind,
  url: string,
  psql: (sql: string) => Promise<string>,
): CaseTarget {
  const run = async (texts: readonly string[]) => void await psql(`${texts.join(";\n")};`);
  const ask = async (texts: readonly string[]) => {
    const said = await psql(`${inUtc} ${texts.join(";\n")};`);
    return said.split("\n");
  };
  const make = (own: readonly string[], texts: readonly string[]) => run([...own, ...texts]);
  return { kind, url, make, run, ask };
}

/** A database of PGlite in a folder, which only one may have open at a time. */
export function pgliteTarget(folder: string): CaseTarget {
  const using = async <T>(act: (db: PGlite) => Promise<T>): Promise<T> => {
    const db = await PGlite.create({ dataDir: folder });
    try {
      return await act(db);
    } finally {
      await db.close();
    }
  };
  const run = (texts: readonly string[]) =>
    using(async (db) => void await db.exec(`${texts.join(";\n")};`));
  const ask = (texts: readonly string[]) =>
    using(async (db) => {
      await db.exec(inUtc);
      const answers: string[] = [];
      for (const text of texts) {
        const { rows } = await db.query<[string]>(text, [], { rowMode: "array" });
        answers.push(rows[0]?.[0] ?? "");
      }
      return answers;
    });
  const make = (own: readonly string[], texts: readonly string[]) => run([...own, ...texts]);
  return { kind: "pglite", url: `pglite:${folder}`, make, run, ask };
}

/** A new bucket on a real S3 server. */
export async function bucketStore(
  server: S3Server,
  bucket: string,
): Promise<CaseStore & Disposable> {
  await server.createBucket(bucket);
  const client = s3ClientOf(server);
  const put = async (key: string, bytes: Uint8Array) => {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: `drops/${key}`, Body: bytes }));
  };
  // This server removes folders that have become empty, and refuses what somebody puts there just then.
  await put(standing, new Uint8Array([10]));
  return {
    url: `s3://${bucket}/drops`,
    args: [`--s3-endpoint=${server.endpoint}`, `--s3-region=${server.region}`, "--s3-path-style"],
    env: server.env(),
    put,
    // The server keeps each object in a file of its name.
    keys: async () =>
      (await filesBelow(`${server.folder}/data/${bucket}/drops`)).filter((key) => key !== standing),
    [Symbol.dispose]: () => client.destroy(),
  };
}

/** A folder. */
export function folderStore(folder: string): CaseStore {
  return {
    url: `file://${folder}`,
    args: [],
    env: {},
    put: async (key, bytes) => {
      const path = `${folder}/${key}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeFile(path, bytes);
    },
    keys: () => filesBelow(folder),
  };
}
