// deno-lint-ignore-file no-console -- a benchmark speaks to a person
import { fileURLToPath } from "node:url";
import { readTableName } from "../lib/formats/sql_text.ts";
import { applySql, lockSql, type SqlPlan, stageSql } from "../lib/ingest/sql_load.ts";
import { type PostgresServer, startPostgres } from "../tests/support/postgres_server.ts";
import { droppedBucket, type DropPlace } from "../tests/support/ingest_load.ts";
import { type S3Server, startS3 } from "../tests/support/s3_server.ts";
import { tellBroken } from "./bounds.ts";
import { type DropPlan, dropRows } from "./drop_rows.ts";
import { timeCommand, type Timed } from "./timed_command.ts";
import { spreadOf, spreadText } from "./usage.ts";

/** What has to hold: times the pipeline's time, MB resident. */
const bounds = { ratioMost: 1.1, peakMbMost: 200 } as const;
const mainModule = fileURLToPath(new URL("../main.ts", import.meta.url));

const plan: SqlPlan = {
  kind: "postgres",
  target: readTableName("orders"),
  columns: ["id", "customer", "placed_at", "amount", "status", "note"],
  pkColumns: ["id"],
  strategy: "merge",
  orderBy: [],
};

const tableSql = "CREATE TABLE orders (id bigint PRIMARY KEY, customer int NOT NULL, " +
  "placed_at timestamp NOT NULL, amount numeric(12, 2) NOT NULL, status text NOT NULL, note text)";

/** The servers, with the files in one and the table in the other. */
interface Bench {
  readonly s3: S3Server;
  readonly drops: DropPlace;
  readonly postgres: PostgresServer;
  readonly keys: readonly string[];
}

/**
 * The peer: a pipeline as somebody would write it who wants it fast. One curl fetches all files over
 * one connection, one gunzip inflates them, one COPY takes them; then the very statements of sluice.
 */
async function pipeline({ s3, drops, postgres, keys }: Bench, database: string): Promise<Timed> {
  const columns = plan.columns.map((one) => `"${one}"`).join(", ");
  const script = [
    ...["BEGIN", lockSql(plan), ...stageSql(plan)].map((sql) => `${sql};`),
    `\\copy "sluice_staging" (${columns}) FROM pstdin ` +
    // As on Redshift, and so in sluice, a text that is empty is not NULL.
    'WITH (FORMAT csv, FORCE_NOT_NULL ("note"))',
    ...[...applySql(plan), "COMMIT"].map((sql) => `${sql};`),
  ];
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, script.join("\n"));
    const bucket = drops.url.slice("s3://".length);
    const urls = keys.map((key) => `${s3.endpoint}/${bucket}/${key}`);
    const fetchAll = `curl -sSf --aws-sigv4 aws:amz:${s3.region}:s3 --user "$WHO" ` +
      `-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' ${urls.join(" ")}`;
    const command = `set -o pipefail; ${fetchAll} | gunzip | psql -X -q -v ON_ERROR_STOP=1 -f "$0"`;
    return await timeCommand(["bash", "-c", command, file], {
      ...postgres.env(database),
      WHO: `${s3.accessKey}:${s3.secretKey}`,
    });
  } finally {
    await Deno.remove(file);
  }
}

async function sluice({ drops, postgres }: Bench, database: string): Promise<Timed> {
  // The files stay: the next run needs them.
  return await timeCommand([
    ...[Deno.execPath(), "run", "--allow-all", mainModule, "ingest", `--from=${drops.url}`],
    ...[...drops.args, "--once", "--keep"],
  ], { ...drops.env, BENCH_TARGET: postgres.urlOf(database) });
}

/** Puts the files and the manifest into the bucket. */
async function drop(drops: DropPlace, what: DropPlan): Promise<string[]> {
  const manifest = {
    ...{ table: "orders", columns: plan.columns, "pk-columns": plan.pkColumns },
    ...{ options: ["CSV", "GZIP"], "target-url": "env:BENCH_TARGET" },
    "execute-opts": { "timeout-millis": 3_600_000 },
  };
  await drops.put("orders/manifest.json", JSON.stringify(manifest));
  const keys: string[] = [];
  for (let file = 0; file < what.files; file++) {
    const key = `orders/${String(file).padStart(3, "0")}.csv.gz`;
    await drops.put(key, dropRows(what, file));
    keys.push(key);
  }
  return keys;
}

/** The table as each run finds it: a fifth as many rows as will come, every other one replaced. */
async function makeBase(postgres: PostgresServer, rows: number): Promise<void> {
  await postgres.createDatabase("base");
  await postgres.psql(tableSql, "base");
  const insert = "INSERT INTO orders SELECT n, n % 1000, '2026-01-01', n % 1000, 'old', 'there' " +
    `FROM generate_series(${Math.floor(rows * 0.9)}, ${Math.floor(rows * 1.1)}) n`;
  await postgres.psql(insert, "base");
  await postgres.psql("VACUUM ANALYZE orders", "base");
}

/** Runs one of the two against a database of its own. @returns also what the table holds then */
async function measure(bench: Bench, name: "pipeline" | "sluice") {
  const { postgres } = bench;
  await postgres.psql('CREATE DATABASE "run" TEMPLATE "base"', "postgres");
  await postgres.psql("CHECKPOINT", "run");
  const timed = await (name === "pipeline" ? pipeline : sluice)(bench, "run");
  const digest = "SELECT count(*), sum(hashtextextended(o::text, 0)) FROM orders o";
  const table = await postgres.psql(digest, "run");
  await postgres.psql('DROP DATABASE "run" WITH (FORCE)', "postgres");
  return { timed, table };
}

function report(name: string, rows: number, runs: readonly Timed[]): void {
  const seconds = spreadOf(runs.map(({ wallSeconds }) => wallSeconds));
  const rate = spreadOf(runs.map(({ wallSeconds }) => rows / wallSeconds / 1_000));
  const cpu = spreadOf(runs.map(({ cpuSeconds }) => cpuSeconds / rows * 1e6));
  const peak = spreadOf(runs.map(({ peakMb }) => peakMb));
  console.log(
    `  ${name.padEnd(10)} ${spreadText(seconds, 1)} s   ${spreadText(rate, 0)} thousand rows/s   ` +
      `${spreadText(cpu, 2)} CPU s/M outside the database   ${spreadText(peak, 0)} MB resident`,
  );
}

/**
 * Compares ingest with `curl | gunzip | psql \copy` into a temporary table plus the same SQL: gzip CSV
 * in a versitygw, merged into a keyed table of a PostgreSQL, whole processes from start to exit,
 * alternating. Exits 1 when a bound is broken. `--quick` takes fewer rows and pairs, for a look;
 * `--rows N` and `--pairs N` as wished.
 */
export async function run(args: string[]): Promise<void> {
  const isQuick = args.includes("--quick");
  const asked = (name: string) => Number(args[args.indexOf(name) + 1]);
  const rows = args.includes("--rows") ? asked("--rows") : isQuick ? 500_000 : 5_000_000;
  const pairs = args.includes("--pairs") ? asked("--pairs") : isQuick ? 2 : 5;
  await using s3 = await startS3();
  await using postgres = await startPostgres({
    settings: { shared_buffers: "1GB", max_wal_size: "8GB", checkpoint_timeout: "1h" },
  });
  await using drops = await droppedBucket(s3);
  const keys = await drop(drops, { rows, files: 20 });
  await makeBase(postgres, rows);
  console.log(
    `${rows} rows in ${keys.length} gzip CSV files, merged into a keyed table of ` +
      `${Math.floor(rows / 5)} rows, ${pairs} pairs, whole processes, median (least..most)`,
  );
  const bench = { s3, drops, postgres, keys };
  const runs = { pipeline: [] as Timed[], sluice: [] as Timed[] };
  const tables = new Set<string>();
  for (let pair = 0; pair < pairs; pair++) {
    const order = pair % 2 === 0
      ? ["pipeline", "sluice"] as const
      : ["sluice", "pipeline"] as const;
    for (const name of order) {
      const { timed, table } = await measure(bench, name);
      runs[name].push(timed);
      tables.add(table);
    }
  }
  report("pipeline", rows, runs.pipeline);
  report("sluice", rows, runs.sluice);
  const ratio = spreadOf(
    runs.sluice.map((one, i) => one.wallSeconds / (runs.pipeline[i]?.wallSeconds ?? NaN)),
  );
  console.log(
    `  sluice / pipeline: time ${spreadText(ratio, 2)}; the table after each: ${
      [...tables].join(" or ")
    }`,
  );
  const peakMb = Math.max(...runs.sluice.map((one) => one.peakMb));
  const broken = [
    ...ratio.median > bounds.ratioMost
      ? [`${ratio.median.toFixed(2)} times the pipeline's time`]
      : [],
    ...peakMb > bounds.peakMbMost ? [`${peakMb.toFixed(0)} MB resident`] : [],
    ...tables.size > 1 ? ["the tables differ"] : [],
  ];
  tellBroken(broken);
}

if (import.meta.main) await run(Deno.args);
