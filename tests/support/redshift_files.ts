import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import type { CopyClause, CopySwitches } from "./redshift_copy_clause.ts";
import { RedshiftError } from "./redshift_wire.ts";
import { s3ClientOf } from "./s3_client.ts";
import type { S3Server } from "./s3_server.ts";

/** A file to load. */
export interface LoadFile {
  readonly url: string;
  readonly bytes: Uint8Array;
}

/** Who may read the files: the keys of the S3 server, or this role. */
export interface LoadRights {
  readonly s3: S3Server;
  readonly role: string;
  readonly sessionToken: string | undefined;
}

interface Entry {
  readonly url: string;
  readonly isMandatory: boolean;
}

/**
 * Fetches the files of a COPY, in the order of their keys or of the manifest.
 * "Using a manifest to specify data files" (loading-data-files-using-manifest): full URLs, `mandatory`
 * false by default; no file at all is an error in any case. Without MANIFEST the key is a prefix
 * ("COPY from Amazon S3", copy-parameters-data-source-s3).
 *
 * @throws {RedshiftError} with the words of S3.
 */
export async function fetchFiles(clause: CopyClause, rights: LoadRights): Promise<LoadFile[]> {
  const { bucket, key, options } = clause;
  checkCredentials(options, rights);
  const { s3 } = rights;
  const client = s3ClientOf(s3);
  try {
    const entries = options.isManifest
      ? await manifestEntries(client, bucket, key)
      : await prefixEntries(client, bucket, key);
    const files: LoadFile[] = [];
    for (const { url, isMandatory } of entries) {
      const [, ofBucket = "", ofKey = ""] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
      const bytes = await get(client, ofBucket, ofKey);
      if (bytes) files.push({ url, bytes: await unpacked(bytes, url, options.compression) });
      else if (isMandatory) throw s3Error("The specified key does not exist.", 404, "NoSuchKey");
    }
    if (files.length === 0) {
      throw new RedshiftError(`The specified S3 prefix '${key}' does not exist`);
    }
    return files;
  } finally {
    client.destroy();
  }
}

/** "Authorization parameters" (copy-parameters-authorization). */
function checkCredentials(options: CopySwitches, { s3, role, sessionToken }: LoadRights): void {
  if (options.role !== undefined) {
    if (options.role === role) return;
    throw new RedshiftError(
      `User arn:aws:redshift:${s3.region}:123456789012:dbuser:stand-in/sluice is not authorized ` +
        `to assume IAM Role ${options.role}`,
    );
  }
  if (options.accessKey === undefined || options.secretKey === undefined) {
    throw new RedshiftError("CREDENTIALS argument is not supplied", "42601");
  }
  if (options.accessKey !== s3.accessKey) {
    const text = "The AWS Access Key Id you provided does not exist in our records.";
    throw s3Error(text, 403, "InvalidAccessKeyId");
  }
  if (options.secretKey !== s3.secretKey) {
    const text = "The request signature we calculated does not match the signature you provided. " +
      "Check your key and signing method.";
    throw s3Error(text, 403, "SignatureDoesNotMatch");
  }
  if (options.sessionToken !== sessionToken) {
    throw s3Error("The provided token is malformed or otherwise invalid.", 400, "InvalidToken");
  }
}

async function manifestEntries(client: S3Client, bucket: string, key: string): Promise<Entry[]> {
  const bytes = await get(client, bucket, key);
  if (!bytes) {
    const said = s3Error("The specified key does not exist.", 404, "NoSuchKey").message;
    throw new RedshiftError(`Problem reading manifest file - ${said}`);
  }
  const invalid = new RedshiftError(
    "Problem reading manifest file - Manifest file is not in correct json format",
  );
  try {
    const { entries } = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (!Array.isArray(entries)) throw invalid;
    return entries.map(({ url, mandatory = false }: { url?: unknown; mandatory?: unknown }) => {
      if (typeof url !== "string" || !/^s3:\/\/[^/]+\/.+/.test(url)) throw invalid;
      if (typeof mandatory !== "boolean") throw invalid;
      return { url, isMandatory: mandatory };
    });
  } catch {
    throw invalid;
  }
}

async function prefixEntries(client: S3Client, bucket: string, key: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: key,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    ).catch((thrown) => {
      throw asRedshift(thrown);
    });
    for (const one of page.Contents ?? []) {
      if (one.Key !== undefined && !one.Key.endsWith("/")) {
        entries.push({ url: `s3://${bucket}/${one.Key}`, isMandatory: true });
      }
    }
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return entries;
}

async function get(client: S3Client, bucket: string, key: string): Promise<Uint8Array | undefined> {
  try {
    const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return await answer.Body?.transformToByteArray() ?? new Uint8Array();
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === "NoSuchKey") return undefined;
    throw asRedshift(thrown);
  }
}

function asRedshift(thrown: unknown): RedshiftError {
  const { name, message } = thrown as Error;
  const status = (thrown as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return s3Error(message, status ?? 0, name);
}

function s3Error(text: string, status: number, code: string): RedshiftError {
  return new RedshiftError(
    `S3ServiceException:${text},Status ${status},Error ${code},Rid STANDIN,CanRetry 1`,
  );
}

/** "File compression parameters" (copy-parameters-file-compression): by the option, not by the name. */
async function unpacked(
  bytes: Uint8Array,
  url: string,
  compression: CopySwitches["compression"],
): Promise<Uint8Array> {
  try {
    if (compression === "none") return bytes;
    if (compression === "gzip") return gunzipSync(bytes);
    const child = new Deno.Command(compression, {
      args: ["-dc"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const written = new Blob([new Uint8Array(bytes)]).stream().pipeTo(child.stdin).catch(() => {});
    const { success, stdout } = await child.output();
    await written;
    if (!success) throw new Error(`${compression} has failed`);
    return stdout;
  } catch {
    throw new RedshiftError(`failed to decompress ${url}: it is not in ${compression} format`);
  }
}
