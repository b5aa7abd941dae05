import assert from "node:assert/strict";
import { openBigQuery } from "../../lib/clients/bigquery/bigquery.ts";
import { realWorld } from "../../lib/core/world.ts";
import { etagMark, marksOf, ownLabels } from "../../lib/replicate/marks.ts";
import { keyOf, type TableSettings } from "./bigquery_catalog.ts";
import { type BigQueryServer, startBigQuery } from "./bigquery_server.ts";
import type { TableName } from "./bigquery_upstream.ts";
import { type Outcome, type RunOptions, runSluice } from "./command_line.ts";
import type { GoogleCall } from "./google_proxy_calls.ts";

/** Where files are staged: beside the source, and beside the destination. */
export const buckets = { us: "staging-us", eu: "staging-eu" } as const;

/** A line of `--json` about one table. */
export interface TableLine {
  readonly name: string;
  readonly kind: string;
  readonly status: string;
  readonly way?: string;
  readonly rows?: string;
  readonly reason?: string;
  readonly notes?: readonly string[];
}

/** A run of `replicate --json`. */
export interface Replicated extends Outcome {
  /** By the table's name; the last line of a name counts. */
  readonly tables: ReadonlyMap<string, TableLine>;
}

/** A BigQuery with buckets in US and EU. */
export async function startReplicating(
  options: Parameters<typeof startBigQuery>[0] = {},
): Promise<BigQueryServer> {
  const server = await startBigQuery({ shardRows: 2, ...options });
  try {
    await server.createBucket(buckets.us, "US");
    await server.createBucket(buckets.eu, "EU");
    return server;
  } catch (thrown) {
    await server.stop();
    throw thrown;
  }
}

/** A dataset in US and one in EU that is to become the same, in a project of their own. */
export class DatasetPair {
  /** @param name of the project, and of the folder of staged files. */
  private constructor(readonly server: BigQueryServer, readonly name: string) {}

  static async make(server: BigQueryServer, name: string): Promise<DatasetPair> {
    await server.createDataset(name, "web_us", "US");
    await server.createDataset(name, "web_eu", "EU");
    return new DatasetPair(server, name);
  }

  /** A table of the source. */
  us(tableId: string): TableName {
    return { projectId: this.name, datasetId: "web_us", tableId };
  }

  /** Its copy. */
  eu(tableId: string): TableName {
    return { projectId: this.name, datasetId: "web_eu", tableId };
  }

  /** Whether a call is about this pair. */
  owns({ names, query }: GoogleCall): boolean {
    const object = query.get("prefix") ?? names["object"] ?? "";
    return names["project"] === this.name || object.startsWith(`${this.name}/`);
  }

  /** Makes a table of the source with its rows, which an object has by partition. */
  async fill(
    tableId: string,
    settings: TableSettings,
    rows: RowsOfTable = [],
  ): Promise<void> {
    await this.server.createTable(this.us(tableId), settings);
    await this.add(tableId, rows);
  }

  /** Adds rows to the source's table. */
  async add(tableId: string, rows: RowsOfTable): Promise<void> {
    if (Array.isArray(rows)) {
      if (rows.length > 0) await this.server.insert(this.us(tableId), rows);
      return;
    }
    for (const [partition, some] of Object.entries(rows)) {
      await this.server.insert(this.us(`${tableId}$${partition}`), some);
    }
  }

  /** The arguments that name both datasets and both buckets. */
  get args(): string[] {
    return [
      ...["replicate", "--json", "--source-project", this.name],
      ...["--source-dataset", "web_us", "--destination-dataset", "web_eu"],
      ...["--google-cloud-bucket", `gs://${buckets.us}/${this.name}`],
      ...["--destination-bucket", `gs://${buckets.eu}`, "--number", "1000"],
    ];
  }

  /** Runs the real command to its end. */
  async run(args: readonly string[] = [], options: RunOptions = {}): Promise<Replicated> {
    const env = { ...this.server.env(), ...options.env };
    const outcome = await runSluice([...this.args, ...args], { ...options, env });
    return { ...outcome, tables: tablesIn(outcome.stdout) };
  }

  /** Grants rows of a source's table to some, as a row access policy. */
  restrict(tableId: string, policyId: string, filterPredicate: string): void {
    const name = this.us(tableId);
    const policy = {
      rowAccessPolicyReference: { ...name, policyId },
      filterPredicate,
      grantees: ["user:somebody"],
    };
    this.server.catalog.policies.set(`${keyOf(name)}/${policyId}`, policy);
  }

  /** The row access policies of a table: id, rows, and who. */
  policiesOf(name: TableName): unknown[] {
    return [...this.server.catalog.policies].filter(([key]) => key.startsWith(`${keyOf(name)}/`))
      .map(([key, policy]) => [
        ...[key.slice(key.indexOf("/") + 1), policy["filterPredicate"], policy["grantees"]],
      ]);
  }

  /** Drops all copies. */
  async dropCopies(): Promise<void> {
    const client = await openBigQuery({ endpoint: this.server.endpoint }, realWorld(() => {}));
    for (const tableId of this.tablesOf("eu")) {
      await client.deleteTable(this.eu(tableId));
      for (const key of this.server.catalog.policies.keys()) {
        if (key.startsWith(`${keyOf(this.eu(tableId))}/`)) this.server.catalog.policies.delete(key);
      }
    }
  }

  /** Tables of a side, by name; temporary ones, too. */
  tablesOf(side: "us" | "eu"): string[] {
    return this.server.catalog.tablesOf(this.name, `web_${side}`)
      .map(({ name }) => name.tableId);
  }

  /** Everything staged for this pair, in both buckets. */
  async staged(): Promise<string[]> {
    const found = await Promise.all(
      Object.values(buckets).map(async (bucket) => {
        const objects = await this.server.objects.list(bucket, `${this.name}/`);
        return objects.map(({ name }) => `${bucket}/${name}`);
      }),
    );
    return found.flat();
  }

  /**
   * A finished copy: the same rows in the same partitions, the same settings, the marks of a copy.
   *
   * @param mapped settings that the copy has in place of its source's.
   */
  async assertSame(
    tableId: string,
    what = tableId,
    mapped: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    const [source, copy] = [
      this.server.table(this.us(tableId)),
      this.server.table(this.eu(tableId)),
    ];
    assert.ok(source !== undefined && copy !== undefined, `${what}: not on both sides`);
    if (source["type"] === "TABLE") {
      const [there, here] = [
        await this.server.rows(this.us(tableId)),
        await this.server.rows(this.eu(tableId)),
      ];
      assert.deepEqual(here, there, `${what}: rows`);
    }
    const [asked, made] = [this.policiesOf(this.us(tableId)), this.policiesOf(this.eu(tableId))];
    assert.deepEqual(made, asked, `${what}: row access policies`);
    assert.deepEqual(settingsOf(copy), { ...settingsOf(source), ...mapped }, `${what}: settings`);
    const marks = marksOf(copy["labels"] as Record<string, string>);
    assert.equal(marks.state, null, `${what}: not finished`);
    assert.equal(marks.source, etagMark(String(source["etag"])), `${what}: of another source`);
  }

  /** All tables are the same, and there is nothing besides them. */
  async assertAllSame(what: string): Promise<void> {
    for (const tableId of this.tablesOf("us")) {
      await this.assertSame(tableId, `${tableId}, ${what}`);
    }
    assert.deepEqual(this.tablesOf("eu"), this.tablesOf("us"), what);
    assert.deepEqual(await this.staged(), [], what);
  }
}

/** Rows of a table, or of its partitions by their ids. */
export type RowsOfTable =
  | Record<string, unknown>[]
  | Readonly<Record<string, Record<string, unknown>[]>>;

/** What a run with `--json` has printed. */
export function tablesIn(stdout: string): Map<string, TableLine> {
  const lines = stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  return new Map(
    lines.filter((one) => typeof one.name === "string").map((one) => [one.name, one]),
  );
}

/** What has to be equal: all but what tells where and when a table is. */
function settingsOf(table: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const elsewhere = [
    "etag",
    "id",
    "tableReference",
    "location",
    "creationTime",
    "lastModifiedTime",
  ];
  const settings = Object.entries(table).filter(([name]) => !elsewhere.includes(name));
  const labels = ownLabels(table["labels"] as Record<string, string> | undefined);
  return { ...Object.fromEntries(settings), labels };
}

/** Two columns. */
export const plain: TableSettings = {
  schema: { fields: [{ name: "id", type: "INTEGER" }, { name: "text", type: "STRING" }] },
};

/** Rows for them. */
export function someRows(count: number, first = 0): { id: number; text: string }[] {
  return Array.from({ length: count }, (_, i) => ({ id: first + i, text: `text ${first + i}` }));
}

/** A file with a query, gone at the end of its block. */
export async function queryFile(sql: string): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempFile({ prefix: "sluice-query-" });
  await Deno.writeTextFile(path, sql);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}
