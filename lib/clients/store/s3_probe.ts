import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { hasStatus } from "./s3_failures.ts";
import { abortUpload } from "./s3_multipart.ts";

/** What a probe found. */
export interface Findings {
  /** Whether a second conditional put of the same key is refused, in one piece and in parts. */
  readonly isConditional: boolean;
  /** False: the credentials may not remove the probe. */
  readonly isRemoved: boolean;
}

/**
 * Writes an object and tries to write it again under the condition that it is not there.
 *
 * @param object bucket, key of the probe, and what goes with every put.
 * @throws what the client throws when the bucket cannot be written to.
 */
export async function probe(client: S3Client, object: PutObjectCommandInput): Promise<Findings> {
  const { Bucket, Key } = object;
  const Body = new TextEncoder().encode("sluice looks whether it can write here\n");
  await client.send(new PutObjectCommand({ ...object, Body }));
  let isRemoved = false;
  let isConditional: boolean;
  try {
    isConditional = await isRefused(() =>
      client.send(new PutObjectCommand({ ...object, Body, IfNoneMatch: "*" }))
    ) && await isRefusedInParts(client, object, Body);
  } finally {
    // Whatever the probe came to, nothing is to be left.
    isRemoved = await remove(client, Bucket, Key);
  }
  return { isConditional, isRemoved };
}

/** Some stores know the condition of a put but not that of a completion. */
async function isRefusedInParts(
  client: S3Client,
  object: PutObjectCommandInput,
  Body: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const begun = await client.send(new CreateMultipartUploadCommand(object));
  const upload = { Bucket: object.Bucket, Key: object.Key, UploadId: begun.UploadId };
  let refused = true;
  try {
    const part = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body }));
    const Parts = [{ PartNumber: 1, ETag: part.ETag }];
    refused = await isRefused(() =>
      client.send(
        new CompleteMultipartUploadCommand({
          ...upload,
          IfNoneMatch: "*",
          MultipartUpload: { Parts },
        }),
      )
    );
    return refused;
  } finally {
    if (refused) await abortUpload(client, upload);
  }
}

/** 412: the condition is known. 501 and what else says no: it is not, and is not to be sent. */
async function isRefused(send: () => Promise<unknown>): Promise<boolean> {
  try {
    await send();
    return false;
  } catch (thrown) {
    if (hasStatus(thrown, 412)) return true;
    if (hasStatus(thrown, 400, 501)) return false;
    throw thrown;
  }
}

async function remove(
  client: S3Client,
  Bucket: string | undefined,
  Key: string | undefined,
): Promise<boolean> {
  try {
    await client.send(new DeleteObjectCommand({ Bucket, Key }));
    return true;
  } catch (thrown) {
    if (hasStatus(thrown, 401, 403)) return false;
    throw thrown;
  }
}
