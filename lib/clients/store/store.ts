import type { ByteSource } from "../../core/bytes.ts";
import { usageError } from "../../core/errors.ts";
import type { Secret } from "../../core/secret.ts";
import type { World } from "../../core/world.ts";

/** An object as a listing tells of it. */
export interface StoredObject {
  /** Relative to the prefix in the store's URL. */
  readonly key: string;
  readonly sizeBytes: number;
  /** The mark of these very bytes, in quotes; another put gives another one. */
  readonly etag: string;
  /** When it was put, milliseconds since 1970-01-01 UTC. */
  readonly modifiedMs: number;
}

/** An object with the notes that were put with it. */
export interface ObjectHead extends StoredObject {
  /**
   * Lower-case names and their values, any Unicode text. A folder keeps none: there it is empty, and
   * files carry their notes inside.
   */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes that can be read again from any place, for retries and parts. */
export interface PutBody {
  readonly sizeBytes: number;
  /** Exactly `length` bytes from `at` on; they must stay as they are until the put is done. */
  read(at: number, length: number): Promise<Uint8Array>;
  /** Is told that bytes it gave are not needed any more, so that their memory can be given back. */
  release?(bytes: Uint8Array): void;
}

/** What a store lets somebody in with. */
export interface StoreKeys {
  readonly accessKeyId: Secret;
  readonly secretAccessKey: Secret;
  /** Only temporary keys have one. */
  readonly sessionToken: Secret | null;
}

/** How to put an object. */
export interface PutOptions {
  /** Lower-case names; values may hold any Unicode text. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** @default "application/octet-stream" */
  readonly contentType?: string;
  /** Write only when nothing has this key. */
  readonly ifAbsent?: boolean;
  /** Gives the put up: nothing is seen under the key then, unless it was done already. */
  readonly signal?: AbortSignal;
}

/** What a put came to. */
export interface PutOutcome {
  /** False: `ifAbsent` was asked for and something is there. */
  readonly isNew: boolean;
  /** Of the object that was put; empty when {@linkcode PutOutcome.isNew} is false. */
  readonly etag: string;
}

/**
 * A place for objects: a bucket, or a folder. Keys are relative to the prefix in its URL, are made of
 * segments with `/` between them, and have no segment that is empty, `.`, or `..`.
 *
 * Every method throws {@linkcode SluiceError}: `transient` for a store that cannot be reached, is
 * overloaded or breaks off, `denied` for missing rights and wrong credentials, `permanent` for the
 * rest. Its text names the act, the bucket or folder, and the key. A request is tried three times at
 * most; to go on trying is the caller's affair.
 */
export interface Store {
  /** As given, for messages; there are no secrets in it. */
  readonly url: string;
  /**
   * Whether `ifAbsent` is atomic, as {@linkcode Store.check} found out. Where it is not, a put looks
   * first and writes then: two writers at the same moment may both be told that theirs is new.
   */
  readonly hasConditionalPut: boolean;
  /**
   * Makes sure that the store can be reached, listed and written to: a probe of the name
   * `.sluice-probe-RANDOM` is put twice and deleted. A killed process leaves the probe behind. Who
   * only reads has no need of it.
   */
  check(): Promise<void>;
  /**
   * Writes an object; there is all of it afterwards, or nothing new.
   *
   * `isNew: false` may be about our own bytes: a reply that is lost lets the client ask once more,
   * and the second request finds what the first has written. Compare the notes to tell.
   */
  put(key: string, body: Uint8Array | PutBody, options?: PutOptions): Promise<PutOutcome>;
  /** What is known of an object; undefined when there is none. */
  head(key: string): Promise<ObjectHead | undefined>;
  /**
   * An object's bytes, or those of a range; a range that begins at the end or behind it has none.
   * A source that is not asked for a minute may break off, as `transient`: ask for the rest then.
   *
   * @throws {SluiceError} `permanent` when there is no such object; `transient` from `next()` when
   *   the bytes end before the object does.
   */
  get(key: string, range?: ByteRange): Promise<ByteSource>;
  /**
   * The objects whose keys begin with `prefix`, in the order of their keys' UTF-8 bytes.
   *
   * @param options.after only keys behind this one, which need not exist.
   */
  list(prefix: string, options?: { readonly after?: string }): AsyncGenerator<StoredObject>;
  /**
   * What goes on behind `prefix`, up to the next `/` and with it: `folders("a/")` gives `a/b/`.
   * In the order of UTF-8 bytes.
   */
  folders(prefix: string): AsyncGenerator<string>;
  /** Removes an object. False: it was not there, or has another etag than `ifEtag`. */
  delete(key: string, options?: { readonly ifEtag?: string }): Promise<boolean>;
  /**
   * Removes what unfinished puts of dead processes have left under the prefix.
   *
   * @param olderThanMs where it cannot be told whether a put's process lives, as with S3, what is
   *   younger is left alone. A put that loses its ground so fails as `transient`.
   * @returns how many it were.
   */
  removeOrphans(prefix: string, olderThanMs: number): Promise<number>;
  /**
   * The keys that S3 is asked with at this moment, for a server that reads the objects on our behalf;
   * left out by stores that know of no keys.
   */
  keys?(): Promise<StoreKeys>;
  /** Lets go of connections. */
  close(): Promise<void>;
}

/** A part of an object. */
export interface ByteRange {
  readonly from: number;
  /** To the end without it. */
  readonly length?: number;
}

/** How to open a store. All but `world` and `partBytes` is for S3. */
export interface StoreOptions {
  /** The URL of a server that speaks S3; Amazon's without it. */
  readonly endpoint?: string;
  /** @default AWS_REGION, else the profile's, else "us-east-1" */
  readonly region?: string;
  /** The bucket in the path, not in the host name. @default true when there is an endpoint */
  readonly pathStyle?: boolean;
  /** Encryption by the server. @default the bucket's */
  readonly sse?: "AES256" | "aws:kms";
  /** The key for `aws:kms`. @default the account's own for S3 */
  readonly sseKmsKey?: string;
  /** Of new objects: "STANDARD_IA". @default the bucket's */
  readonly storageClass?: string;
  /** A longer body goes in parts of this size; two are in memory. At least and by default 5 MiB. */
  readonly partBytes?: number;
  readonly world: World;
}

/**
 * Opens the store of a URL: `s3://BUCKET[/PREFIX]` or `file:///FOLDER`. Nothing is asked of it yet.
 * The client for S3 is only loaded when it is needed.
 *
 * @throws {SluiceError} `usage` for any other URL.
 */
export async function openStore(url: string, options: StoreOptions): Promise<Store> {
  const scheme = /^[A-Za-z0-9+.-]*:/.exec(url)?.[0].toLowerCase();
  if (scheme === "file:") {
    return (await import("./folder.ts")).openFolder(url, options.world);
  }
  if (scheme === "s3:") return await (await import("./s3.ts")).openS3(url, options);
  // What stands before "://" only: the rest may hold a secret by mistake.
  const named = scheme === undefined ? "a URL without a scheme" : `a URL that begins ${scheme}`;
  throw usageError(`use ${named} as a store`, "give s3://BUCKET/PREFIX or file:///FOLDER");
}
