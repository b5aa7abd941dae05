// deno-lint-ignore-file no-console -- a benchmark speaks to a person
import { droppedBucket, droppedFolder, type DropPlace } from "../tests/support/ingest_load.ts";
import { dropDirectories, type Poll, pollsOf } from "../tests/support/ingest_load_polls.ts";
import { startS3 } from "../tests/support/s3_server.ts";
import { tellBroken } from "./bounds.ts";
import { spreadOf, spreadText } from "./usage.ts";

/** What has to hold: how much the second half of the polls may have resident over the first, MB. */
const bounds = { growthMbMost: 8 } as const;

function report(name: string, polls: readonly Poll[]): void {
  const [first, ...later] = polls;
  if (first === undefined || later.length < 4) throw new Error("too few polls");
  const seconds = spreadOf(later.map(({ seconds }) => seconds));
  const megabytes = later.map(({ residentBytes }) => residentBytes / 1e6);
  const half = later.length >> 1;
  const growth = Math.max(...megabytes.slice(half)) - Math.max(...megabytes.slice(0, half));
  const calls = new Set(later.map(({ calls }) => JSON.stringify(calls)));
  console.log(
    `  ${name}: ${first.watched} directories, first poll ${first.seconds.toFixed(1)} s ` +
      `${JSON.stringify(first.calls)}, each of ${later.length} later ones ` +
      `${spreadText(seconds, 2)} s ${[...calls].join(" or ")}, ` +
      `${spreadText(spreadOf(megabytes), 0)} MB resident, ${
        growth.toFixed(1)
      } MB more in their second half`,
  );
  if (growth > bounds.growthMbMost) {
    tellBroken([`${growth.toFixed(1)} MB more after ${half} polls`]);
  }
}

/**
 * Has ingest watch 10,000 directories with a manifest each, in a folder and in a versitygw, for 21
 * polls without a pause. Exits 1 when memory grows. `--quick` takes a tenth of the directories.
 */
export async function run(args: string[]): Promise<void> {
  const count = args.includes("--quick") ? 1_000 : 10_000;
  const look = async (name: string, drops: DropPlace, endpoint?: string) => {
    await dropDirectories(drops, count);
    report(name, await pollsOf(drops, 21, endpoint));
  };
  {
    await using folder = await droppedFolder();
    await look("folder", folder);
  }
  await using s3 = await startS3();
  await using bucket = await droppedBucket(s3);
  for (const [name, value] of Object.entries(s3.env())) Deno.env.set(name, value);
  await look("S3", bucket, s3.endpoint);
}

if (import.meta.main) await run(Deno.args);
