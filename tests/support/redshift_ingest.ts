import assert from "node:assert/strict";
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { openStore, type Store } from "../../lib/clients/store/store.ts";
import { openWarehouse } from "../../lib/clients/warehouse/warehouse.ts";
import type { World } from "../../lib/core/world.ts";
import { realWorld } from "../../lib/core/world.ts";
import { Secret } from "../../lib/core/secret.ts";
import type { BadFile } from "../../lib/ingest/bad_file.ts";
import { Counts } from "../../lib/ingest/counts.ts";
import { IngestDaemon } from "../../lib/ingest/daemon.ts";
import { openCopier } from "../../lib/ingest/open_copier.ts";
import type { IngestSettings } from "../../lib/ingest/settings.ts";
import { Targets } from "../../lib/ingest/targets.ts";
import { type Outcome, runSluice } from "./command_line.ts";
import { filesBelow } from "./files_below.ts";
import { ingestSettings } from "./ingest_settings.ts";
import { assertRedshiftTakes } from "./redshift_grammar.ts";
import { type RedshiftStandIn, startRedshift } from "./redshift_stand_in.ts";
import { s3ClientOf } from "./s3_client.ts";
import { openedWith } from "./own_environment.ts";
import { type S3Server, startS3 } from "./s3_server.ts";

/**
 * Stands beside what loads put into the store for COPY: this server removes folders that have become
 * empty, and refuses what another load puts there just then.
 */
const standing = ".sluice/ingest/stands";

/** What one pass of ingest came to. */
export interface Pass {
  readonly code: number;
  readonly counts: Counts;
  /** Every line of the log, with its fields as JSON. */
  readonly log: string;
}

/** A bucket and what stands in for Redshift, with ingest within this process between them. */
export class RedshiftIngest implements AsyncDisposable {
  readonly #client: S3Client;
  #open = 0;

  private constructor(readonly s3: S3Server, readonly redshift: RedshiftStandIn) {
    this.#client = s3ClientOf(s3);
  }

  static async start(): Promise<RedshiftIngest> {
    const s3 = await startS3();
    try {
      return new RedshiftIngest(s3, await startRedshift({ s3 }));
    } catch (thrown) {
      await s3.stop();
      throw thrown;
    }
  }

  /** A new bucket, empty but for what keeps a folder standing. */
  async place(): Promise<IngestPlace> {
    const bucket = `drops-${++this.#open}`;
    await this.s3.createBucket(bucket);
    const place = new IngestPlace(this.redshift, this.s3, bucket, this.#client);
    await place.put(standing, "x");
    return place;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
    await this.redshift.stop();
    await this.s3.stop();
  }
}

/** A bucket of its own. */
export class IngestPlace {
  constructor(
    private readonly redshift: RedshiftStandIn,
    private readonly s3: S3Server,
    private readonly bucket: string,
    private readonly client: S3Client,
  ) {}

  /** Without the prefix. */
  get url(): string {
    return `s3://${this.bucket}/in`;
  }

  async put(key: string, content: string | Uint8Array): Promise<void> {
    const Body = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await this.client.send(new PutObjectCommand({ Bucket: this.bucket, Key: `in/${key}`, Body }));
  }

  async delete(key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: `in/${key}` }));
  }

  /** A manifest of table t for a directory. */
  async manifest(more: Readonly<Record<string, unknown>>, directory = "t"): Promise<void> {
    const text = JSON.stringify({
      ...{ table: "t", columns: ["id", "v"], "pk-columns": ["id"], options: ["CSV"] },
      "target-url": this.redshift.url(),
      ...more,
    });
    await this.put(`${directory}/manifest.json`, text);
  }

  read(key: string): Promise<string> {
    return Deno.readTextFile(`${this.s3.folder}/data/${this.bucket}/in/${key}`);
  }

  /** All objects, in order. */
  async keys(): Promise<string[]> {
    const keys = await filesBelow(`${this.s3.folder}/data/${this.bucket}/in`);
    return keys.filter((key) => key !== standing);
  }

  /** Opens the bucket as ingest does. */
  store(world: World = realWorld(() => {})): Promise<Store> {
    const { endpoint, region } = this.s3;
    const options = { endpoint, region, pathStyle: true, world };
    return openedWith(this.s3.env(), () => openStore(this.url, options));
  }

  /** One pass as a process of its own. */
  process(env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    const { endpoint, region } = this.s3;
    const args = [`--s3-endpoint=${endpoint}`, `--s3-region=${region}`, "--s3-path-style"];
    return runSluice(["ingest", `--from=${this.url}`, "--once", ...args], {
      env: { ...this.s3.env(), ...env },
      timeoutMs: 240_000,
    });
  }

  /** What a dry run says of the files of directory t and table t. */
  async dryRun(columns: readonly string[]): Promise<readonly BadFile[]> {
    const world = realWorld(() => {});
    const store = await this.store(world);
    const warehouse = await openWarehouse(new Secret(this.redshift.url()), world);
    try {
      const copier = openCopier({
        ...{ session: await warehouse.connect(), store, world, columns: [] },
        manifest: { format: "csv", options: ["CSV"], onError: "quarantine" },
        plan: {
          ...{ kind: "redshift", target: { schema: null, name: "t" }, columns, pkColumns: [] },
          ...{ strategy: "append", orderBy: [] },
        },
        restart: () => Promise.reject(new Error("not in a dry run")),
      });
      const files = (await Array.fromAsync(store.list("t/"))).filter(({ key }) =>
        key.endsWith(".csv")
      );
      return await copier.dryRun?.(files) ?? [];
    } finally {
      await warehouse.close();
      await store.close();
    }
  }

  /** One pass over all of it; what is transient is tried on. */
  async pass(settings: Partial<IngestSettings> = {}, wrapped?: (store: Store) => Store) {
    let log = "";
    const world = realWorld((level, message, fields) => {
      log += `${level} ${message} ${JSON.stringify(fields ?? {})}\n`;
    });
    const opened = await this.store(world);
    const targets = new Targets(world);
    const counts = new Counts();
    const daemon = new IngestDaemon({
      ...{ world, targets, counts, store: wrapped?.(opened) ?? opened },
      resolve: (text) => Promise.resolve(new Secret(text)),
      timeImport: () => {},
      drain: new AbortController().signal,
      settings: ingestSettings({ once: true, workers: 2, ...settings }),
    });
    try {
      const code = await daemon.run();
      return { code, counts, log } satisfies Pass;
    } finally {
      await targets.close();
      await opened.close();
    }
  }
}

/** One of several checks on the same servers. */
export interface Check {
  readonly place: IngestPlace;
  readonly redshift: RedshiftStandIn;
  /** The rows of a table, fields between bars, in order. */
  rows(table?: string): Promise<string[]>;
}

/** By what they show. */
export type Checks = Readonly<Record<string, (check: Check) => Promise<void>>>;

/** Makes table t anew, runs a check, and looks whether anything was left that should not be. */
export async function onStage(
  t: Deno.TestContext,
  stage: RedshiftIngest,
  checks: Checks,
): Promise<void> {
  const { redshift } = stage;
  const rows = async (table = "t") => {
    const text = await redshift.psql(`SELECT * FROM ${table} ORDER BY 1, 2`);
    return text === "" ? [] : text.split("\n");
  };
  for (const [name, check] of Object.entries(checks)) {
    await t.step(name, async () => {
      const place = await stage.place();
      await redshift.psql("DROP TABLE IF EXISTS t; CREATE TABLE t (id int, v varchar(20))");
      await redshift.psql("DROP TABLE IF EXISTS sluice_ingest_ledger");
      redshift.faults.clear();
      redshift.statements.length = 0;
      await check({ place, redshift, rows });
      assertRedshiftTakes(...redshift.statements);
      assert.equal(redshift.faults.waiting, 0, "every fault has happened");
      const left = (await place.keys()).filter((key) => key.startsWith(".sluice/"));
      assert.deepEqual(left, [], "nothing of a load is left");
    });
  }
}
