// deno-lint-ignore-file no-console -- a benchmark speaks to a person
import { droppedBucket, droppedFolder } from "../tests/support/ingest_load.ts";
import {
  dropDirectories,
  growthOf,
  type Poll,
  pollsOf,
} from "../tests/support/ingest_load_polls.ts";
import { startS3 } from "../tests/support/s3_server.ts";
import { tellBroken } from "./bounds.ts";
import { spreadOf, spreadText } from "./usage.ts";

/** What has to hold: how much more is alive after three quarters of the polls, and resident, MB. */
const bounds = { growthMbMost: 1, residentMbMost: 400 } as const;
const times = 41;

function report(name: string, polls: readonly Poll[]): string[] {
  const [first, ...later] = polls;
  if (first === undefined) throw new Error("no poll");
  const seconds = spreadOf(later.map(({ seconds }) => seconds));
  const resident = spreadOf(later.map(({ residentBytes }) => residentBytes / 1e6));
  const growth = growthOf(polls) / 1e6;
  const calls = new Set(later.map(({ calls }) => JSON.stringify(calls)));
  console.log(
    `  ${name}: ${first.watched} directories, first poll ${first.seconds.toFixed(1)} s ` +
      `${JSON.stringify(first.calls)}, each of ${later.length} later ones ` +
      `${spreadText(seconds, 2)} s ${[...calls].join(" or ")}, ` +
      `${spreadText(resident, 0)} MB resident, ${growth.toFixed(2)} MB more alive after the last ` +
      `than after a quarter`,
  );
  return [
    ...growth > bounds.growthMbMost ? [`${name}: ${growth.toFixed(2)} MB more alive`] : [],
    ...resident.most > bounds.residentMbMost ? [`${name}: ${resident.most.toFixed(0)} MB`] : [],
  ];
}

/**
 * Has ingest watch 10,000 directories with a manifest each, in a folder and in a versitygw, for 41
 * polls without a pause. Exits 1 when memory grows. `--quick` takes a tenth of the directories.
 */
export async function run(args: string[]): Promise<void> {
  const count = args.includes("--quick") ? 1_000 : 10_000;
  const broken: string[] = [];
  {
    await using folder = await droppedFolder();
    await dropDirectories(folder, count);
    broken.push(...report("folder", await pollsOf(folder, times)));
  }
  await using s3 = await startS3();
  await using bucket = await droppedBucket(s3);
  await dropDirectories(bucket, count);
  const { endpoint } = s3;
  broken.push(...report("S3", await pollsOf(bucket, times, { endpoint, env: s3.env() })));
  tellBroken(broken);
}

if (import.meta.main) await run(Deno.args);
