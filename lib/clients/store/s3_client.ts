import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { usageError } from "../../core/errors.ts";
import type { StoreOptions } from "./store.ts";

/** How long to wait for the other side, in milliseconds. */
export interface Patience {
  /** For a connection. @default 5 s */
  readonly connectMs: number;
  /** For any byte to be taken or given. @default 60 s */
  readonly idleMs: number;
}

export const usualPatience: Patience = { connectMs: 5_000, idleMs: 60_000 };

/** What is tried of a request by the client itself, with a short pause in between. */
const attempts = 3;

/**
 * A client for S3. Credentials are found when the first request is made, by the usual chain:
 * environment, profile files, web identity, container, instance role.
 *
 * @throws {SluiceError} `usage` for an endpoint that is no URL of a server, or a file of authorities
 *   that cannot be read.
 */
export async function connect(options: StoreOptions, patience: Patience): Promise<S3Client> {
  const endpoint = options.endpoint ?? Deno.env.get("AWS_ENDPOINT_URL_S3") ??
    Deno.env.get("AWS_ENDPOINT_URL");
  if (endpoint !== undefined) checkEndpoint(endpoint);
  const config: S3ClientConfig = {
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: options.pathStyle ?? endpoint !== undefined,
    // A bucket's own region is found by asking.
    followRegionRedirects: true,
    maxAttempts: attempts,
    // Each put brings its MD5, which every store checks; the newer sums are not known to all.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // To be asked to go on before each body costs a round trip, and a connection of its own.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: patience.connectMs,
      socketTimeout: patience.idleMs,
      ...(endpoint?.startsWith("http:") ? {} : await trust()),
    },
  };
  const region = options.region ?? Deno.env.get("AWS_REGION") ?? Deno.env.get("AWS_DEFAULT_REGION");
  if (region) return new S3Client({ ...config, region });
  const client = new S3Client(config);
  try {
    await client.config.region(); // the profile's
    return client;
  } catch {
    client.destroy();
    return new S3Client({ ...config, region: "us-east-1" });
  }
}

/** The authorities that the tools of AWS are told to trust, in place of the usual ones. */
async function trust(): Promise<{ readonly httpsAgent?: { readonly ca: string } }> {
  const path = Deno.env.get("AWS_CA_BUNDLE");
  if (!path) return {};
  try {
    return { httpsAgent: { ca: await Deno.readTextFile(path) } };
  } catch (thrown) {
    const detail = "the file of AWS_CA_BUNDLE cannot be read; correct the variable or remove it";
    throw usageError(`read ${path}`, detail, thrown);
  }
}

function checkEndpoint(endpoint: string): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw usageError("use the endpoint for S3", "give it as https://HOST[:PORT]");
  }
  if (url.username || url.password) {
    const detail = "credentials do not belong into its URL; set AWS_ACCESS_KEY_ID and " +
      "AWS_SECRET_ACCESS_KEY";
    throw usageError(`use the endpoint ${url.host} for S3`, detail);
  }
}
