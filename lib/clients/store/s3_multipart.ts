import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { checkNotGivenUp, readPiece } from "./body.ts";
import { md5Of } from "./s3_digest.ts";
import type { PutBody } from "./store.ts";

/** Parts of one upload that are under way at a time. */
const partsUnderWay = 2;
/** S3 takes no more parts of one object. */
const mostParts = 10_000;
/** To clean up after a failure must not take long: what is left, removeOrphans() finds. */
const abortMs = 10_000;

/** An object to be uploaded in parts. */
export interface LargePut {
  /** For messages. */
  readonly action: string;
  readonly body: PutBody;
  readonly partBytes: number;
  /** With bucket, key, notes. */
  readonly object: CreateMultipartUploadCommandInput;
  /** To be sent with the completion: whether the key must be free. */
  readonly condition: { readonly IfNoneMatch?: "*" };
  readonly signal: AbortSignal | undefined;
}

/**
 * Uploads in parts, read one after the other; nothing is seen of them before the last request, which
 * puts them under the key at once. After a failure the parts are removed; a part that was cut off by
 * the signal may come to be even so, which is why there is removeOrphans().
 *
 * @returns the new object's etag. @throws what the client throws.
 */
export async function putInParts(client: S3Client, put: LargePut): Promise<string> {
  const { action, object: { Bucket, Key }, signal } = put;
  const abortSignal = signal ? { abortSignal: signal } : {};
  const begun = await client.send(new CreateMultipartUploadCommand(put.object), abortSignal);
  const upload = { Bucket, Key, UploadId: begun.UploadId };
  try {
    const Parts = await uploadParts(client, upload, put);
    checkNotGivenUp(action, signal);
    const done = await client.send(
      new CompleteMultipartUploadCommand({
        ...upload,
        ...put.condition,
        MultipartUpload: { Parts },
      }),
      abortSignal,
    );
    return done.ETag ?? "";
  } catch (thrown) {
    await abortUpload(client, upload);
    throw thrown;
  }
}

/** Which upload, as all requests about it say. */
export interface UploadName {
  readonly Bucket: string | undefined;
  readonly Key: string | undefined;
  readonly UploadId: string | undefined;
}

async function uploadParts(
  client: S3Client,
  upload: UploadName,
  { action, body, partBytes, signal }: LargePut,
): Promise<CompletedPart[]> {
  const size = Math.max(partBytes, Math.ceil(body.sizeBytes / mostParts));
  const abortSignal = signal ? { abortSignal: signal } : {};
  const parts: CompletedPart[] = [];
  const underWay = new Set<Promise<void>>();
  let failure: { readonly thrown: unknown } | undefined;
  const send = async (PartNumber: number, Body: Uint8Array<ArrayBuffer>) => {
    try {
      const part = { ...upload, PartNumber, Body, ContentMD5: md5Of(Body) };
      const { ETag } = await client.send(new UploadPartCommand(part), abortSignal);
      parts[PartNumber - 1] = { PartNumber, ETag };
      // Not after a failure: a request that was given up may still be sending them.
      body.release?.(Body);
    } catch (thrown) {
      failure ??= { thrown };
    }
  };
  try {
    for (let at = 0, number = 1; at < body.sizeBytes; at += size, number++) {
      // No more than these are in memory: the next one is read when one has gone.
      if (underWay.size === partsUnderWay) await Promise.race(underWay);
      if (failure) throw failure.thrown;
      checkNotGivenUp(action, signal);
      const bytes = await readPiece(action, body, at, Math.min(size, body.sizeBytes - at));
      const sending = send(number, bytes).then(() => void underWay.delete(sending));
      underWay.add(sending);
    }
    await Promise.all(underWay);
    if (failure) throw (failure as { readonly thrown: unknown }).thrown;
    return parts;
  } finally {
    // The other part is not cut off: it might come to be after the upload was aborted.
    await Promise.all(underWay);
  }
}

/** Removes the parts of an upload, as far as that is possible now. */
export async function abortUpload(client: S3Client, upload: UploadName): Promise<void> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), abortMs);
  try {
    await client.send(new AbortMultipartUploadCommand(upload), { abortSignal: late.signal });
  } catch {
    // The failure that led here is the one to tell of, and removeOrphans() will find the parts.
  } finally {
    clearTimeout(timer);
  }
}
