import { createHash } from "node:crypto";

/** The Content-MD5 of bytes: S3 refuses what was damaged on its way. */
export function md5Of(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("base64");
}
