import { usageError } from "../../core/errors.ts";
import { checkKey } from "./keys.ts";

/** Where in S3 a store's objects are. */
export interface BucketPlace {
  readonly bucket: string;
  /** What all keys begin with: empty, or ending in "/". */
  readonly prefix: string;
}

/**
 * Reads `s3://BUCKET[/PREFIX]`. The prefix is taken as it stands, not percent-decoded, as other
 * tools for S3 have it.
 *
 * @throws {SluiceError} `usage`
 */
export function placeOf(url: string): BucketPlace {
  const advice = "give s3://BUCKET or s3://BUCKET/PREFIX";
  const found = /^s3:\/\/([^/]*)(?:\/(.*))?$/is.exec(url);
  const bucket = found?.[1] ?? "";
  if (!found || bucket.includes("@") || bucket.includes(":")) {
    // Not repeated: there may be a secret in it.
    const detail = `it is not the URL of a bucket; ${advice}. Credentials are taken from AWS_*`;
    throw usageError("use the URL as a store", detail);
  }
  if (!/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i.test(bucket)) {
    throw usageError(`use ${url} as a store`, `no bucket can be named "${bucket}"; ${advice}`);
  }
  const prefix = (found[2] ?? "").replace(/\/$/, "");
  if (prefix === "") return { bucket, prefix };
  try {
    checkKey("", prefix);
  } catch (thrown) {
    const detail = `its prefix is no beginning of keys; ${advice}`;
    throw usageError(`use ${url} as a store`, detail, thrown);
  }
  return { bucket, prefix: `${prefix}/` };
}
