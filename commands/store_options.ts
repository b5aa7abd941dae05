import { openStore, type Store } from "../lib/clients/store/store.ts";
import { usageError } from "../lib/core/errors.ts";
import { choice, text, toggle, type ValuesOf } from "../lib/core/options.ts";
import type { World } from "../lib/core/world.ts";

/**
 * The options of every command that reads a store of objects. Credentials are no options: they are
 * where Amazon's tools look for them (AWS_ACCESS_KEY_ID and its like, profiles, the machine's role).
 */
export const storeReadOptions = {
  "s3-endpoint": text({
    placeholder: "URL",
    help: "a server that speaks S3, instead of Amazon's",
  }),
  "s3-region": text({
    placeholder: "REGION",
    help: "the bucket's region (default: AWS_REGION, else the profile's, else us-east-1)",
  }),
  "s3-path-style": toggle({
    help: "name the bucket in the path of requests; implied by --s3-endpoint",
  }),
  "s3-host-style": toggle({
    help: "name the bucket in the host name of requests, though there is an --s3-endpoint",
  }),
} as const;

/** The options of every command that also writes into a store. */
export const storeOptions = {
  ...storeReadOptions,
  "s3-sse": choice(["AES256", "aws:kms"], {
    help: "have S3 encrypt what is put (default: as the bucket is set)",
  }),
  "s3-sse-kms-key": text({
    placeholder: "KEY",
    help: "the key for --s3-sse aws:kms (default: the account's own for S3)",
  }),
  "s3-storage-class": text({
    placeholder: "CLASS",
    help: "storage class of new objects: STANDARD_IA (default: as the bucket is set)",
  }),
} as const;

type StoreValues =
  & ValuesOf<typeof storeReadOptions>
  & Partial<ValuesOf<typeof storeOptions>>;

/**
 * The store of a URL, with what the options say. Nothing is asked of it yet.
 *
 * @throws {SluiceError} `usage` for a URL that names no store, and for contradictions.
 */
export async function storeOf(url: string, values: StoreValues, world: World): Promise<Store> {
  const { "s3-endpoint": endpoint, "s3-region": region } = values;
  const { "s3-sse": sse, "s3-sse-kms-key": sseKmsKey, "s3-storage-class": storageClass } = values;
  refuseContradictions(url, values);
  return await openStore(url, {
    world,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(values["s3-path-style"] ? { pathStyle: true } : {}),
    ...(values["s3-host-style"] ? { pathStyle: false } : {}),
    ...(sse === undefined ? {} : { sse }),
    ...(sseKmsKey === undefined ? {} : { sseKmsKey }),
    ...(storageClass === undefined ? {} : { storageClass }),
  });
}

function refuseContradictions(url: string, values: StoreValues): void {
  if (values["s3-path-style"] && values["s3-host-style"]) {
    throw usageError("use --s3-path-style and --s3-host-style together", "give one of them");
  }
  if (values["s3-sse-kms-key"] !== undefined && values["s3-sse"] !== "aws:kms") {
    throw usageError("use --s3-sse-kms-key", "give --s3-sse aws:kms with it");
  }
  if (values["s3-sse"] !== undefined && /^file:/i.test(url)) {
    // Whoever gives it believes that the files are encrypted.
    throw usageError("use --s3-sse with a folder", "only S3 encrypts what is put");
  }
}
