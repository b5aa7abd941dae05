import assert from "node:assert/strict";
import { reasonOf } from "../../lib/core/errors.ts";
import type { ArchiveFolder } from "./archive_comparison.ts";
import type { S3Server } from "./s3_server.ts";
import { runSluice } from "./command_line.ts";
import { SluiceProcess } from "./sluice_process.ts";
import { within } from "./waiting.ts";

/** Where an archive goes, and where its files can be read without its store's help. */
export interface ArchivePlace extends ArchiveFolder, AsyncDisposable {
  /** For `--to`, `verify`, `ls` and `restore`. */
  readonly url: string;
  /** More arguments that tell how to reach it. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A new folder, removed at the end. */
export async function folderPlace(): Promise<ArchivePlace> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-archive-" });
  return {
    url: `file://${folder}`,
    args: [],
    env: {},
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/**
 * A new bucket of a running server; it goes when the server goes.
 *
 * @param options.through HOST:PORT of a proxy before the server.
 * @param options.prefix below the bucket. @default "archive"
 */
export async function s3Place(
  server: S3Server,
  options: { readonly through?: string; readonly prefix?: string } = {},
): Promise<ArchivePlace> {
  const bucket = `b-${crypto.randomUUID()}`;
  await server.createBucket(bucket);
  const { prefix = "archive" } = options;
  const endpoint = options.through === undefined ? server.endpoint : `http://${options.through}`;
  return {
    url: `s3://${bucket}/${prefix}`,
    args: [`--s3-endpoint=${endpoint}`, `--s3-region=${server.region}`, "--s3-path-style"],
    env: server.env(),
    folder: `${server.folder}/data/${bucket}/${prefix}`,
    notes: `${server.folder}/notes/${bucket}/${prefix}`,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** The counts that archive logs at its end. */
export type ArchiveCounts = Readonly<Record<string, number>>;

function wordsOf(place: ArchivePlace, bootstrap: string, args: readonly string[]): string[] {
  return ["archive", `--kafka=${bootstrap}`, `--to=${place.url}`, ...place.args, ...args];
}

/** Starts the daemon without waiting for it. */
export async function launchArchive(
  place: ArchivePlace,
  bootstrap: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<SluiceProcess> {
  return await SluiceProcess.start(
    wordsOf(place, bootstrap, ["--http=127.0.0.1:0", ...args]),
    { ...place.env, ...env },
  );
}

/** Starts the daemon and waits until it archives. */
export async function startArchive(
  place: ArchivePlace,
  bootstrap: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<SluiceProcess> {
  const sluice = await launchArchive(place, bootstrap, args, env);
  try {
    await sluice.said(`"Archiving"`);
  } catch (thrown) {
    await sluice[Symbol.asyncDispose]();
    throw thrown;
  }
  return sluice;
}

/** Archives what Kafka has now, by `--once`, and gives its counts; it must end well. */
export async function archiveOnce(
  place: ArchivePlace,
  bootstrap: string,
  args: readonly string[] = [],
  options: { readonly timeoutMs?: number } = {},
): Promise<ArchiveCounts> {
  const { timeoutMs = 240_000 } = options;
  await using sluice = await SluiceProcess.start(
    wordsOf(place, bootstrap, ["--once", ...args]),
    { ...place.env },
  );
  if (!await within(sluice.process.ended, timeoutMs)) {
    throw new Error(`archive --once runs for ${timeoutMs} ms:\n${await sluice.process.tail()}`);
  }
  return await countsOf(sluice);
}

/** Ends the daemon by SIGTERM and gives its counts; it must end well. */
export async function stopArchive(sluice: SluiceProcess): Promise<ArchiveCounts> {
  sluice.process.signal("SIGTERM");
  if (!await within(sluice.process.ended, 120_000)) {
    throw new Error(`archive does not stop within 120 s:\n${await sluice.process.tail()}`);
  }
  return await countsOf(sluice);
}

/** Asserts that `archive verify` finds nothing wrong with an archive of ours. */
export async function assertVerified(place: ArchivePlace): Promise<void> {
  const words = ["archive", "verify", place.url, ...place.args];
  const { code, stdout, stderr } = await runSluice(words, { env: place.env, timeoutMs: 120_000 });
  assert.equal(code, 0, stdout + stderr);
}

/** The counts of one that has ended. */
async function countsOf(sluice: SluiceProcess): Promise<ArchiveCounts> {
  const { code } = await sluice.process.ended;
  assert.equal(code, 0, await sluice.process.tail(60));
  return JSON.parse(await sluice.said(`"Stopped"`)) as ArchiveCounts;
}

/** A metric with labels: the sum over its lines that hold all of the words. */
export async function metricSum(
  sluice: SluiceProcess,
  name: string,
  ...words: string[]
): Promise<number> {
  const page = await (await fetch(`${await sluice.statusUrl()}/metrics`)).text();
  return page.split("\n")
    .filter((line) => line.startsWith(`sluice_${name}{`) || line.startsWith(`sluice_${name} `))
    .filter((line) => words.every((word) => line.includes(word)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

/** What /readyz says: its status, and the reasons when there are any. */
export async function readinessOf(
  sluice: SluiceProcess,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const answer = await fetch(`${await sluice.statusUrl()}/readyz`);
    return { status: answer.status, text: await answer.text() };
  } catch (thrown) {
    return { status: 0, text: reasonOf(thrown) };
  }
}
