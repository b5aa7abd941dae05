// deno-lint-ignore-file no-console -- a benchmark speaks to a person
import { fileURLToPath } from "node:url";
import { makeArchive } from "./baldr_archive.ts";
import { tellBroken } from "./bounds.ts";
import { peakMbOf, type Spread, spreadOf, spreadText } from "./usage.ts";

/** What has to hold (issue of the first release): times zcat's time, MB resident, milliseconds. */
const bounds = { rawMost: 1, countMost: 1, peakMbMost: 150, startMsMost: 150 } as const;

const mainModule = fileURLToPath(new URL("../main.ts", import.meta.url));

/** One run of one program. */
interface Measurement {
  readonly seconds: number;
  readonly peakMb: number;
  readonly output: string;
}

/** Runs a program to its end, with its output to /dev/null unless it is wanted. */
async function measure(
  command: string,
  args: readonly string[],
  wantsOutput = false,
): Promise<Measurement> {
  const begun = performance.now();
  const child = new Deno.Command(command, {
    args: [...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: wantsOutput ? "piped" : "null",
  }).spawn();
  let peakMb = 0;
  let hasEnded = false;
  const ended = child.status.then((status) => {
    hasEnded = true;
    return { ...status, seconds: (performance.now() - begun) / 1_000 };
  });
  const output = wantsOutput ? new Response(child.stdout).text() : Promise.resolve("");
  while (!hasEnded) {
    // It only grows, so the last look before the end tells; NaN when it has just ended.
    peakMb = Math.max(peakMb, await peakMbOf(child.pid).catch(() => 0) || 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { success, seconds } = await ended;
  if (!success) throw new Error(`${command} ${args.join(" ")} failed`);
  return { seconds, peakMb, output: await output };
}

const sluice = (args: readonly string[], wantsOutput = false) =>
  measure(Deno.execPath(), ["run", "--allow-all", mainModule, ...args], wantsOutput);

/** A form of cat to compare with zcat. */
interface Contender {
  readonly name: string;
  readonly args: readonly string[];
  /** Times zcat's time, the median of all pairs, at most; undefined: measured for the record. */
  readonly most: number | undefined;
}

const contenders: readonly Contender[] = [
  {
    name: "baldr cat --format raw",
    args: ["baldr", "cat", "--format", "raw"],
    most: bounds.rawMost,
  },
  { name: "baldr cat --count", args: ["baldr", "cat", "--count"], most: bounds.countMost },
  { name: "baldr cat", args: ["baldr", "cat"], most: undefined },
  {
    name: "baldr cat --format jsonl",
    args: ["baldr", "cat", "--format", "jsonl"],
    most: undefined,
  },
  { name: "baldr check", args: ["baldr", "check"], most: undefined },
];

/** Runs one form and zcat in turn, so that what else the machine does hits both. */
async function compare(contender: Contender, archive: string, pairs: number): Promise<string[]> {
  const { name, args, most } = contender;
  const ours: Measurement[] = [];
  const zcat: Measurement[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    ours.push(await sluice([...args, archive]));
    zcat.push(await measure("zcat", [archive]));
  }
  const secondsOf = (runs: readonly Measurement[]) => spreadOf(runs.map((run) => run.seconds));
  const ratio = spreadOf(ours.map(({ seconds }, i) => seconds / (zcat[i]?.seconds ?? NaN)));
  const peakMb = Math.max(...ours.map((run) => run.peakMb));
  console.log(
    `  ${name.padEnd(25)} ${spreadText(secondsOf(ours), 2)} s   ` +
      `zcat ${spreadText(secondsOf(zcat), 2)} s   ` +
      `ratio ${spreadText(ratio, 2)}   peak ${peakMb.toFixed(0)} MB`,
  );
  return [
    ...most !== undefined && ratio.median > most
      ? [`${name} takes ${ratio.median.toFixed(2)} of zcat's time, not ${most} at most`]
      : [],
    ...peakMb > bounds.peakMbMost ? [`${name} has ${peakMb.toFixed(0)} MB resident`] : [],
  ];
}

/** Starts `baldr cat` of a small file again and again. */
async function measureStart(folder: string, runs: number): Promise<string[]> {
  const small = `${folder}/small.baldr.gz`;
  await makeArchive(small, 1_000);
  await sluice(["baldr", "cat", small]);
  const ms = await repeated(runs, () => sluice(["baldr", "cat", small]));
  await Deno.writeTextFile(`${folder}/nothing.ts`, "");
  const bare = await repeated(
    runs,
    () => measure(Deno.execPath(), ["run", `${folder}/nothing.ts`]),
  );
  console.log(
    `  baldr cat of a small file: ${spreadText(ms, 0)} ms, of which the bare runtime ` +
      `${spreadText(bare, 0)} ms`,
  );
  return ms.median > bounds.startMsMost
    ? [`a start takes ${ms.median.toFixed(0)} ms, not ${bounds.startMsMost} at most`]
    : [];
}

async function repeated(runs: number, act: () => Promise<Measurement>): Promise<Spread> {
  const ms: number[] = [];
  for (let run = 0; run < runs; run++) ms.push((await act()).seconds * 1_000);
  return spreadOf(ms);
}

/**
 * Compares `baldr cat` with `zcat` on one archive of log records (1 GB before gzip), alternating
 * runs with output to /dev/null, and measures the start. Exits 1 when a bound is broken. `--quick`
 * takes a tenth of the records and fewer runs, for a look; its figures are not for publishing.
 */
export async function run(args: string[]): Promise<void> {
  const quick = args.includes("--quick");
  const plan = quick ? { bytes: 100e6, pairs: 3, starts: 7 } : { bytes: 1e9, pairs: 5, starts: 21 };
  const folder = await Deno.makeTempDir({ prefix: "sluice-bench-" });
  const broken: string[] = [];
  try {
    const archive = `${folder}/records.baldr.gz`;
    const records = await makeArchive(archive, plan.bytes);
    const { size } = await Deno.stat(archive);
    console.log(
      `${records} records, ${(plan.bytes / 1e6).toFixed(0)} MB, ${(size / 1e6).toFixed(0)} MB as ` +
        `gzip -6; ${plan.pairs} pairs, median (least..most)`,
    );
    const counted = await sluice(["baldr", "cat", "--count", archive], true);
    if (counted.output !== `${records}\n`) throw new Error(`counted ${counted.output}`);
    for (const one of contenders) broken.push(...await compare(one, archive, plan.pairs));
    broken.push(...await measureStart(folder, plan.starts));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  tellBroken(broken);
}

if (import.meta.main) await run(Deno.args);
