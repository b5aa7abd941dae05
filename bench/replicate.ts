// deno-lint-ignore-file no-console -- a benchmark speaks to a person
import type { BigQueryServer } from "../tests/support/bigquery_server.ts";
import {
  buckets,
  DatasetPair,
  plain,
  someRows,
  startReplicating,
} from "../tests/support/replicate_rig.ts";
import { SluiceProcess } from "../tests/support/sluice_process.ts";
import { tellBroken } from "./bounds.ts";
import { peakMbOf } from "./usage.ts";

/** What has to hold. */
const bounds = {
  /**
   * Of one file each, without polls: tables.get and rowAccessPolicies.list (only they tell the settings
   * and guards), two jobs.insert, tables.get (has it changed meanwhile?), tables.patch (what a load job
   * cannot set, and the mark), and the files' listing and deletion.
   */
  requestsATable: 8,
  /** Datasets, listings of both and of what is staged: once a run, listings once a thousand tables. */
  requestsARun: 5,
  /** Of what is alive, from the first look of the garbage collector at rest to the last. */
  growthMbMost: 4,
  residentMbMost: 300,
  speedUpLeast: 6,
} as const;

const agents = 16;
const jobLatencyMs = 2_000;

/** One run of the command. */
interface Run {
  readonly seconds: number;
  /** By kind: `jobs.get` are polls. */
  readonly requests: number;
  readonly polls: number;
  /** The most that was resident, MB: garbage that V8 had not looked for yet included. */
  readonly residentMb: number;
  /** What was alive after each time that V8 looked for garbage everywhere, MB. */
  readonly liveMb: readonly number[];
}

async function makeTables(server: BigQueryServer, name: string, tables: number) {
  const pair = await DatasetPair.make(server, name);
  for (let i = 0; i < tables; i++) {
    await pair.fill(`daily_${String(i).padStart(5, "0")}`, plain, someRows(2, i));
  }
  return pair;
}

/** Copies all tables from US to EU through files, which the US may write into a bucket of EU. */
async function replicate(pair: DatasetPair, agents: number): Promise<Run> {
  const { server, name } = pair;
  const { calls } = server.proxy;
  calls.length = 0;
  const begun = performance.now();
  await using sluice = await SluiceProcess.start(
    [
      ...["replicate", "--source-project", name, "--source-dataset", "web_us"],
      ...["--destination-dataset", "web_eu", "--google-cloud-bucket", `gs://${buckets.eu}/${name}`],
      ...["--via", "extract", "--number", "100000", "--number-of-agents", String(agents)],
      ...["--log-level", "warn"],
    ],
    server.env(),
    ["--allow-all", "--v8-flags=--trace-gc"],
  );
  let residentMb = 0;
  const look = () => peakMbOf(sluice.pid).then((now) => residentMb = now, () => {}); // it has just ended
  const timer = setInterval(look, 100);
  const { code } = await sluice.process.ended.finally(() => clearInterval(timer));
  const seconds = (performance.now() - begun) / 1_000;
  if (code !== 0) throw new Error(`replicate ended with ${code}:\n${await sluice.process.tail()}`);
  const isPoll = ({ template }: (typeof calls)[number]) =>
    template === "/projects/{project}/jobs/{job}";
  const polls = calls.filter(isPoll).length;
  await pair.assertAllSame(name);
  const liveMb = [...(await sluice.log()).matchAll(/Mark-Compact .*?-> ([\d.]+) /g)]
    .map(([, megabytes]) => Number(megabytes));
  return { seconds, requests: calls.length - polls, polls, residentMb, liveMb };
}

function check(isFine: boolean, complaint: string): void {
  tellBroken(isFine ? [] : [complaint]);
}

/** Requests and memory over many tables. */
async function many(server: BigQueryServer, tables: number): Promise<void> {
  const pair = await makeTables(server, "many", tables);
  const { seconds, requests, residentMb, liveMb } = await replicate(pair, agents);
  const most = tables * bounds.requestsATable + bounds.requestsARun +
    2 * (Math.ceil(tables / 1_000) - 1);
  // The first look is at the end of the start.
  const [, first = NaN, ...later] = liveMb;
  const growth = (later.at(-1) ?? NaN) - first;
  console.log(
    `  ${tables} tables, ${agents} agents: ${seconds.toFixed(0)} s, ${requests} requests, ` +
      `${
        ((requests - bounds.requestsARun) / tables).toFixed(2)
      } a table; alive after each look of ` +
      `the garbage collector: ${liveMb.join(", ")} MB; ${
        residentMb.toFixed(0)
      } MB resident at most`,
  );
  check(requests === most, `${requests} requests, ${most} are needed`);
  // A short run has no two looks.
  if (tables >= 1_000) {
    check(growth <= bounds.growthMbMost, `${growth.toFixed(1)} MB more alive at the end`);
  }
  check(residentMb <= bounds.residentMbMost, `${residentMb.toFixed(0)} MB resident`);
}

/** The same tables by one agent and by many, with jobs that take their time. */
async function sideBySide(server: BigQueryServer, tables: number): Promise<void> {
  const pairs = [await makeTables(server, "one", tables), await makeTables(server, "more", tables)];
  server.jobs.latencyMs = jobLatencyMs;
  const runs: Run[] = [];
  for (const [i, pair] of pairs.entries()) runs.push(await replicate(pair, i === 0 ? 1 : agents));
  const [one, more] = runs;
  if (one === undefined || more === undefined) throw new Error("no runs");
  const ratio = one.seconds / more.seconds;
  console.log(
    `  ${tables} tables, jobs of ${jobLatencyMs} ms: ${one.seconds.toFixed(1)} s by one agent, ` +
      `${more.seconds.toFixed(1)} s by ${agents}: ${ratio.toFixed(1)} times as fast; ` +
      `${(more.polls / tables).toFixed(1)} polls a table`,
  );
  check(ratio >= bounds.speedUpLeast, `${ratio.toFixed(1)} times as fast`);
}

/**
 * Copies 1,000 small tables and counts requests and memory; then 32 with slow jobs, by one agent and by
 * 16. Start of the program and the stand-ins' own time are in it. `--quick` copies 100 and 16.
 */
export async function run(args: string[]): Promise<void> {
  const isQuick = args.includes("--quick");
  await using server = await startReplicating();
  await many(server, isQuick ? 100 : 1_000);
  await sideBySide(server, isQuick ? 16 : 32);
}

if (import.meta.main) await run(Deno.args);
