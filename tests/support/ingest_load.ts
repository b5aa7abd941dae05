import assert from "node:assert/strict";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { filesBelow } from "./files_below.ts";
import { s3ClientOf } from "./s3_client.ts";
import type { S3Server } from "./s3_server.ts";
import { SluiceProcess } from "./sluice_process.ts";
import { within } from "./waiting.ts";

/** Where files are dropped for ingest, and what is left there can be seen without its help. */
export interface DropPlace extends AsyncDisposable {
  /** For `--from`. */
  readonly url: string;
  /** More arguments that tell how to reach it. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly tellsEtags: boolean;
  /** Drops a file: there is all of it at once. @returns its etag; empty without `tellsEtags` */
  put(key: string, content: string | Uint8Array): Promise<string>;
  delete(key: string): Promise<void>;
  /** What lies there now, in order. */
  keys(): Promise<string[]>;
  read(key: string): Promise<string>;
}

/** A new folder, removed at the end. */
export async function droppedFolder(): Promise<DropPlace> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-drops-" });
  return {
    ...{ url: `file://${folder}`, args: [], env: {}, tellsEtags: false },
    put: async (key, content) => {
      await Deno.mkdir(`${folder}/${directoryOf(key)}`, { recursive: true });
      // As a program that drops files should: under a name of its own, outside, and then moved in.
      const draft = await Deno.makeTempFile({ prefix: "sluice-draft-" });
      await Deno.writeFile(draft, bytesOf(content));
      await Deno.rename(draft, `${folder}/${key}`);
      return "";
    },
    delete: (key) => Deno.remove(`${folder}/${key}`),
    keys: () => filesBelow(folder),
    read: (key) => Deno.readTextFile(`${folder}/${key}`),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/**
 * A new bucket of a running server; it goes when the server goes.
 *
 * @param through HOST:PORT of a proxy before the server, for ingest alone.
 */
export async function droppedBucket(server: S3Server, through?: string): Promise<DropPlace> {
  const Bucket = `b-${crypto.randomUUID()}`;
  await server.createBucket(Bucket);
  const endpoint = through === undefined ? server.endpoint : `http://${through}`;
  const client = s3ClientOf(server);
  const folder = `${server.folder}/data/${Bucket}`;
  return {
    url: `s3://${Bucket}`,
    args: [`--s3-endpoint=${endpoint}`, `--s3-region=${server.region}`, "--s3-path-style"],
    env: server.env(),
    tellsEtags: true,
    put: async (Key, content) => {
      const { ETag } = await client.send(
        new PutObjectCommand({ Bucket, Key, Body: bytesOf(content) }),
      );
      return ETag ?? "";
    },
    delete: async (Key) => {
      await client.send(new DeleteObjectCommand({ Bucket, Key }));
    },
    // The server has a room of its own there, for parts of uploads.
    keys: () => filesBelow(folder, ".sgwtmp"),
    read: (key) => Deno.readTextFile(`${folder}/${key}`),
    [Symbol.asyncDispose]: () => Promise.resolve(client.destroy()),
  };
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

function directoryOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf("/")));
}

/** Starts ingest as a daemon that polls often, without waiting for it. */
export function launchIngest(
  place: DropPlace,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<SluiceProcess> {
  return SluiceProcess.start(
    ["ingest", `--from=${place.url}`, ...place.args, "--poll-interval=100ms", ...args],
    { ...place.env, ...env },
  );
}

/** One pass over what is there, to its end. @returns the exit code */
export async function ingestAll(
  place: DropPlace,
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<number> {
  await using sluice = await SluiceProcess.start(
    ["ingest", `--from=${place.url}`, ...place.args, "--once", ...args],
    { ...place.env, ...env },
  );
  if (!await within(sluice.process.ended, 240_000)) {
    throw new Error(`ingest --once runs for four minutes:\n${await sluice.process.tail()}`);
  }
  const { code } = await sluice.process.ended;
  if (code !== 0 && code !== 3) assert.fail(`code ${code}: ${await sluice.process.tail(60)}`);
  return code;
}

/** Ends the daemon by SIGTERM; it must end well, and soon. */
export async function stopIngest(sluice: SluiceProcess): Promise<void> {
  sluice.process.signal("SIGTERM");
  if (!await within(sluice.process.ended, 90_000)) {
    throw new Error(`ingest does not stop within 90 s:\n${await sluice.process.tail()}`);
  }
  assert.equal((await sluice.process.ended).code, 0, await sluice.process.tail(60));
}
