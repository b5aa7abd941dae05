// deno-lint-ignore-file no-console -- a benchmark speaks to a person
import { fileURLToPath } from "node:url";
import { type PostgresServer, startPostgres } from "../tests/support/postgres_server.ts";
import { tellBroken } from "./bounds.ts";
import { timeCommand, type Timed } from "./timed_command.ts";
import { spreadOf, spreadText } from "./usage.ts";

/** What has to hold: times psql's time, MB resident. */
const bounds = { timeMost: 1.2, peakMbMost: 150 } as const;
const mainModule = fileURLToPath(new URL("../main.ts", import.meta.url));
const sql = "SELECT * FROM visits";

/** A dozen columns of mixed kinds, some of whose values need quotes, some of which are NULL. */
const fill = (rows: number) =>
  `CREATE TABLE visits AS SELECT g::int8 AS id, (g % 1000)::int4 AS shop,
    (g::int8 * 7919 % 1000000 / 100.0)::numeric(12,2) AS price, sqrt(g)::float8 AS score, g % 3 = 0 AS paid,
    date '2026-01-01' + g % 365 AS day, timestamptz '2026-01-01 00:00Z' + g * interval '1 second' AS at,
    md5(g::text)::uuid AS visitor, CASE WHEN g % 5 > 0 THEN 'host-' || g % 40 END AS host,
    'GET /search?q="a,b"&page=' || g AS request, jsonb_build_object('n', g, 'é', g % 7) AS extra,
    ARRAY[g, g + 1] AS pair FROM generate_series(1, ${rows}) g`;

/** Where a program writes: a file, as a person has it who wants one. */
function toFile(file: string, command: readonly string[], env: Record<string, string>) {
  return timeCommand(["bash", "-c", 'exec "$@" > "$0"', file, ...command], env);
}

function sluice(server: PostgresServer, file: string, ...args: string[]): Promise<Timed> {
  const command = [Deno.execPath(), "run", "--allow-all", mainModule, "query", ...args];
  return toFile(file, command, { SLUICE_QUERY_URL: server.url });
}

function psql(server: PostgresServer, file: string): Promise<Timed> {
  return toFile(file, ["psql", "--no-psqlrc", "--csv", "-c", sql, server.url], {});
}

function report(name: string, rows: number, runs: readonly Timed[]): void {
  const wall = spreadOf(runs.map(({ wallSeconds }) => wallSeconds));
  const rate = spreadOf(runs.map(({ wallSeconds }) => rows / wallSeconds / 1_000));
  const cpu = spreadOf(runs.map(({ cpuSeconds }) => cpuSeconds));
  const peak = spreadOf(runs.map(({ peakMb }) => peakMb));
  console.log(
    `  ${name.padEnd(20)} ${spreadText(wall, 2)} s   ${spreadText(rate, 0)} thousand rows/s   ` +
      `${spreadText(cpu, 2)} CPU s   ${spreadText(peak, 0)} MB resident`,
  );
}

/** @throws {Error} when the files differ: then times mean nothing. */
async function needSame(one: string, other: string): Promise<void> {
  const { success, stdout } = await new Deno.Command("cmp", { args: [one, other] }).output();
  if (!success) throw new Error(`The files differ: ${new TextDecoder().decode(stdout)}`);
}

/**
 * Compares `sluice query` with `psql --csv` on one PostgreSQL: a table of a dozen columns into a file,
 * whole-process time from start to exit, alternating; both files are the same to the byte. Exits 1
 * when a bound is broken. `--quick` takes fewer rows and pairs, for a look.
 */
export async function run(args: string[]): Promise<void> {
  const quick = args.includes("--quick");
  const { rows, pairs } = quick ? { rows: 200_000, pairs: 2 } : { rows: 1_000_000, pairs: 7 };
  console.log(`${rows} rows of 12 columns, ${pairs} pairs, whole processes, median (least..most)`);
  await using server = await startPostgres();
  await server.psql(fill(rows));
  await server.psql("VACUUM ANALYZE visits");
  const folder = await Deno.makeTempDir({ prefix: "sluice-bench-" });
  const files = { psql: `${folder}/psql.csv`, sluice: `${folder}/sluice.csv` };
  try {
    const runs = { psql: [] as Timed[], sluice: [] as Timed[] };
    // One pair unmeasured: pages are cold at first.
    for (let pair = -1; pair < pairs; pair++) {
      const order = pair % 2 === 0 ? ["psql", "sluice"] as const : ["sluice", "psql"] as const;
      for (const name of order) {
        const one = name === "psql"
          ? await psql(server, files.psql)
          : await sluice(server, files.sluice, sql);
        if (pair >= 0) runs[name].push(one);
      }
      await needSame(files.psql, files.sluice);
    }
    report("psql --csv", rows, runs.psql);
    report("sluice, csv", rows, runs.sluice);
    for (const format of ["tsv", "jsonl", "arrow", "table"]) {
      const one = await sluice(server, `${folder}/other`, `--format=${format}`, sql);
      report(`sluice, ${format}`, rows, [one]);
    }
    judge(runs);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function judge(runs: { readonly psql: readonly Timed[]; readonly sluice: readonly Timed[] }): void {
  const ratio = (of: (one: Timed) => number) =>
    spreadOf(runs.sluice.map((one, i) => of(one) / of(runs.psql[i] ?? one)));
  const time = ratio(({ wallSeconds }) => wallSeconds);
  const cpu = ratio(({ cpuSeconds }) => cpuSeconds);
  console.log(`  sluice / psql        time ${spreadText(time, 2)}   CPU ${spreadText(cpu, 2)}`);
  const peakMb = Math.max(...runs.sluice.map((one) => one.peakMb));
  const broken = [
    ...time.median > bounds.timeMost ? [`${time.median.toFixed(2)} times psql's time`] : [],
    ...peakMb > bounds.peakMbMost ? [`${peakMb.toFixed(0)} MB resident`] : [],
  ];
  tellBroken(broken);
}

if (import.meta.main) await run(Deno.args);
