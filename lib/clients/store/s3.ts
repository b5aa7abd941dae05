import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  type StorageClass,
} from "@aws-sdk/client-s3";
import type { ByteSource } from "../../core/bytes.ts";
import { SluiceError } from "../../core/errors.ts";
import { Secret } from "../../core/secret.ts";
import { bodyOf, checkNotGivenUp, readPiece } from "./body.ts";
import { checkKey } from "./keys.ts";
import { connect, type Patience, usualPatience } from "./s3_client.ts";
import { md5Of } from "./s3_digest.ts";
import { hasStatus, notS3Error, s3Error } from "./s3_failures.ts";
import { decodeMetadata, encodeMetadata } from "./s3_metadata.ts";
import { putInParts, type UploadName } from "./s3_multipart.ts";
import { probe } from "./s3_probe.ts";
import { type AnswerBody, AnswerSource, emptySource } from "./s3_source.ts";
import { type BucketPlace, placeOf } from "./s3_url.ts";
import type {
  ByteRange,
  ObjectHead,
  PutBody,
  PutOptions,
  PutOutcome,
  Store,
  StoredObject,
  StoreKeys,
  StoreOptions,
} from "./store.ts";

export type { Patience };

/** S3 takes no smaller parts, but for the last. */
const leastPartBytes = 5 * 1024 * 1024;
const usualPartBytes = 5 * 1024 * 1024;

/**
 * Opens a bucket as a store; nothing is asked of it yet.
 *
 * @throws {SluiceError} `usage` for a URL that is not `s3://BUCKET[/PREFIX]`, or a bad endpoint.
 */
export async function openS3(
  url: string,
  options: StoreOptions,
  patience: Patience = usualPatience,
): Promise<Store> {
  const place = placeOf(url);
  return new S3Store(url, place, options, await connect(options, patience));
}

class S3Store implements Store {
  #hasConditionalPut = true;
  readonly #partBytes: number;

  constructor(
    readonly url: string,
    private readonly place: BucketPlace,
    private readonly options: StoreOptions,
    private readonly client: S3Client,
  ) {
    this.#partBytes = Math.max(options.partBytes ?? usualPartBytes, leastPartBytes);
  }

  get hasConditionalPut(): boolean {
    return this.#hasConditionalPut;
  }

  async check(): Promise<void> {
    const { bucket, prefix } = this.place;
    const action = `use bucket ${bucket}`;
    const key = `${prefix}.sluice-probe-${crypto.randomUUID().slice(0, 8)}`;
    try {
      await this.#pages({ Prefix: prefix, MaxKeys: 1 }).next();
      const { isConditional, isRemoved } = await probe(this.client, this.#object(key, {}));
      this.#hasConditionalPut = isConditional;
      const { log } = this.options.world;
      if (!isConditional) {
        log("warn", "Store cannot write only what is absent, so it looks first", {
          store: this.url,
        });
      }
      if (!isRemoved) {
        log("warn", "Store does not let the probe be removed; it stays", { store: this.url, key });
      }
    } catch (thrown) {
      throw s3Error(action, thrown);
    }
  }

  async put(
    key: string,
    body: Uint8Array | PutBody,
    options: PutOptions = {},
  ): Promise<PutOutcome> {
    const action = this.#action("put", key);
    const { signal, ifAbsent = false } = options;
    const content = bodyOf(body);
    const object = this.#object(this.place.prefix + key, options);
    const condition = ifAbsent && this.#hasConditionalPut ? { IfNoneMatch: "*" as const } : {};
    try {
      checkNotGivenUp(action, signal);
      // Where the store does not know the condition: two at the same moment may both get by here.
      if (ifAbsent && !this.#hasConditionalPut && await this.head(key)) return refused;
      if (content.sizeBytes > this.#partBytes) {
        const large = { action, body: content, partBytes: this.#partBytes, signal };
        const etag = await putInParts(this.client, { ...large, object, condition });
        return this.#done(action, etag);
      }
      const Body = await readPiece(action, content, 0, content.sizeBytes);
      checkNotGivenUp(action, signal);
      const { ETag = "" } = await this.client.send(
        new PutObjectCommand({ ...object, ...condition, Body, ContentMD5: md5Of(Body) }),
        signal ? { abortSignal: signal } : {},
      );
      content.release?.(Body);
      return this.#done(action, ETag);
    } catch (thrown) {
      if (ifAbsent && hasStatus(thrown, 412)) return refused;
      throw s3Error(action, thrown);
    }
  }

  /** An object without an etag was not put: something else than S3 has answered. */
  #done(action: string, etag: string): PutOutcome {
    if (etag === "") throw notS3Error(action);
    return { isNew: true, etag };
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    const action = this.#action("look at", key);
    try {
      const found = await this.client.send(new HeadObjectCommand(this.#name(key)));
      if (!found.ETag) throw notS3Error(action);
      return {
        key,
        sizeBytes: found.ContentLength ?? 0,
        etag: found.ETag,
        modifiedMs: found.LastModified?.getTime() ?? 0,
        metadata: decodeMetadata(found.Metadata ?? {}),
      };
    } catch (thrown) {
      if (hasStatus(thrown, 404)) return undefined;
      throw s3Error(action, thrown);
    }
  }

  async get(key: string, range?: ByteRange): Promise<ByteSource> {
    const action = this.#action("get", key);
    const { from = 0, length } = range ?? {};
    if (length === 0) {
      // There is no way to ask for nothing.
      if (await this.head(key)) return emptySource;
      throw new SluiceError(action, "permanent", "there is no such object");
    }
    const last = length === undefined ? "" : from + length - 1;
    const wanted = range ? { Range: `bytes=${from}-${last}` } : {};
    try {
      const found = await this.client.send(
        new GetObjectCommand({ ...this.#name(key), ...wanted }),
      );
      if (!found.ETag) throw notS3Error(action);
      if (!found.Body) return emptySource;
      return new AnswerSource(action, found.Body as AnswerBody, found.ContentLength ?? 0);
    } catch (thrown) {
      if (range && hasStatus(thrown, 416)) return emptySource;
      throw s3Error(action, thrown);
    }
  }

  async *list(
    prefix: string,
    options: { readonly after?: string } = {},
  ): AsyncGenerator<StoredObject> {
    const base = this.place.prefix;
    const after = options.after ? { StartAfter: base + options.after } : {};
    for await (const { Contents = [] } of this.#pages({ Prefix: base + prefix, ...after })) {
      for (const { Key = "", Size = 0, ETag = "", LastModified } of Contents) {
        const key = Key.slice(base.length);
        // Some tools make an empty object for the prefix itself.
        if (key === "") continue;
        yield { key, sizeBytes: Size, etag: ETag, modifiedMs: LastModified?.getTime() ?? 0 };
      }
    }
  }

  async *folders(prefix: string): AsyncGenerator<string> {
    const base = this.place.prefix;
    const asked = { Prefix: base + prefix, Delimiter: "/" };
    for await (const { CommonPrefixes = [] } of this.#pages(asked)) {
      for (const { Prefix = "" } of CommonPrefixes) yield Prefix.slice(base.length);
    }
  }

  /**
   * Looks first, for the store does not tell whether there was anything. With `ifEtag` the store is
   * told of it, too; one that does not heed it (MinIO) may remove what was put in between.
   */
  async delete(key: string, options: { readonly ifEtag?: string } = {}): Promise<boolean> {
    const action = this.#action("delete", key);
    const head = await this.head(key);
    if (!head || (options.ifEtag !== undefined && head.etag !== options.ifEtag)) return false;
    const condition = options.ifEtag === undefined ? {} : { IfMatch: options.ifEtag };
    try {
      await this.client.send(new DeleteObjectCommand({ ...this.#name(key), ...condition }));
      return true;
    } catch (thrown) {
      if (hasStatus(thrown, 404, 412)) return false;
      throw s3Error(action, thrown);
    }
  }

  async removeOrphans(prefix: string, olderThanMs: number): Promise<number> {
    const { bucket: Bucket, prefix: base } = this.place;
    const beforeMs = this.options.world.nowMs() - olderThanMs;
    let count = 0;
    let from: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
    try {
      while (from) {
        const page: ListMultipartUploadsCommandOutput = await this.client.send(
          new ListMultipartUploadsCommand({ Bucket, Prefix: base + prefix, ...from }),
        );
        for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
          if ((Initiated?.getTime() ?? Infinity) > beforeMs) continue;
          if (await this.#abort({ Bucket, Key, UploadId })) count++;
        }
        from = nextMarker(page);
      }
      return count;
    } catch (thrown) {
      throw s3Error(`clean bucket ${Bucket} below ${base}${prefix}`, thrown);
    }
  }

  async keys(): Promise<StoreKeys> {
    try {
      const found = await this.client.config.credentials();
      return {
        accessKeyId: new Secret(found.accessKeyId),
        secretAccessKey: new Secret(found.secretAccessKey),
        sessionToken: found.sessionToken === undefined ? null : new Secret(found.sessionToken),
      };
    } catch (thrown) {
      throw s3Error(`find the keys for bucket ${this.place.bucket}`, thrown);
    }
  }

  close(): Promise<void> {
    this.client.destroy();
    return Promise.resolve();
  }

  /** False: it was finished or aborted by somebody else. */
  async #abort(upload: UploadName): Promise<boolean> {
    try {
      await this.client.send(new AbortMultipartUploadCommand(upload));
      return true;
    } catch (thrown) {
      if (hasStatus(thrown, 404)) return false;
      throw thrown;
    }
  }

  async *#pages(
    asked: Omit<ListObjectsV2CommandInput, "Bucket">,
  ): AsyncGenerator<ListObjectsV2CommandOutput> {
    const { bucket: Bucket } = this.place;
    const action = `list bucket ${Bucket}${asked.Prefix ? ` below ${asked.Prefix}` : ""}`;
    let next: { ContinuationToken?: string } | undefined = {};
    while (next) {
      let page: ListObjectsV2CommandOutput;
      try {
        page = await this.client.send(new ListObjectsV2Command({ ...asked, Bucket, ...next }));
      } catch (thrown) {
        throw s3Error(action, thrown);
      }
      // A web server's page would be an empty listing else.
      if (page.IsTruncated === undefined && page.KeyCount === undefined) throw notS3Error(action);
      yield page;
      const { IsTruncated, NextContinuationToken } = page;
      next = IsTruncated && NextContinuationToken
        ? { ContinuationToken: NextContinuationToken }
        : undefined;
    }
  }

  #action(act: string, key: string): string {
    const { bucket, prefix } = this.place;
    const action = `${act} ${prefix}${key} in bucket ${bucket}`;
    checkKey(action, key, prefix);
    return action;
  }

  #name(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.place.bucket, Key: this.place.prefix + key };
  }

  /** What every new object is put with. */
  #object(fullKey: string, { metadata, contentType }: PutOptions): PutObjectCommandInput {
    const { sse, sseKmsKey, storageClass } = this.options;
    return {
      Bucket: this.place.bucket,
      Key: fullKey,
      ContentType: contentType ?? "application/octet-stream",
      ...(metadata ? { Metadata: encodeMetadata(metadata) } : {}),
      ...(sse ? { ServerSideEncryption: sse } : {}),
      ...(sseKmsKey ? { SSEKMSKeyId: sseKmsKey } : {}),
      ...(storageClass ? { StorageClass: storageClass as StorageClass } : {}),
    };
  }
}

const refused: PutOutcome = { isNew: false, etag: "" };

function nextMarker(page: ListMultipartUploadsCommandOutput) {
  if (!page.IsTruncated || page.NextKeyMarker === undefined) return undefined;
  return {
    KeyMarker: page.NextKeyMarker,
    ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }),
  };
}
