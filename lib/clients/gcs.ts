import type { Storage } from "@google-cloud/storage";
import type { AuthClient } from "google-auth-library";
import { answerInTime } from "../core/deadline.ts";
import type { World } from "../core/world.ts";
import { googleEndpoint, oneConnectionEach } from "../formats/google_endpoint.ts";
import { googleError, googleOrNull } from "../formats/google_error.ts";

/** An object of Cloud Storage, as a listing tells of it. */
export interface BucketObject {
  readonly name: string;
  readonly sizeBytes: number;
  /** Another one after every write of the same name; a 64-bit integer as text. */
  readonly generation: string;
  /** When it was written, milliseconds since 1970-01-01 UTC. */
  readonly createdMs: number;
}

/** Names an object. */
export interface ObjectPlace {
  readonly bucket: string;
  readonly name: string;
}

/**
 * Cloud Storage's JSON API, call by call, without hidden retries; see {@linkcode openObjectStore}.
 *
 * Every method throws {@linkcode SluiceError}: `transient` for 429, 5xx and a connection that fails or
 * takes too long, `denied` for missing rights and credentials, `permanent` for the rest.
 */
export interface ObjectStore {
  /** The objects whose names begin with `prefix`, in order of their names; one request per 1,000. */
  list(bucket: string, prefix: string): AsyncIterable<BucketObject>;
  /** Deletes an object; one that is not there is fine. One request. */
  delete(bucket: string, name: string): Promise<void>;
  /**
   * Copies an object within Cloud Storage, also to another location or class: requests with the
   * token of the one before until it is whole. What is there under the new name is replaced.
   */
  copy(from: ObjectPlace, to: ObjectPlace): Promise<void>;
  /** Where the bucket is, `US`, `EU`, `EUROPE-WEST2`; null when there is none. One request. */
  bucketLocation(bucket: string): Promise<string | null>;
}

/** How to reach Cloud Storage. */
export interface ObjectStoreOptions {
  /** From `signIn` of the client google_auth.ts; without it no credentials are sent (an emulator). */
  readonly auth?: AuthClient;
  /** `http://127.0.0.1:4443`. @default STORAGE_EMULATOR_HOST, else Google's */
  readonly endpoint?: string;
  /** How long one call may take, milliseconds. @default 60 s */
  readonly callMs?: number;
  /** Aborted: calls under way end as `transient`, later ones do not begin. */
  readonly signal?: AbortSignal;
}

const usualCallMs = 60_000;
const google = "https://storage.googleapis.com";

/**
 * Opens Cloud Storage; nothing is asked of it yet. Google's library is only loaded now.
 *
 * @throws {SluiceError} `usage` for an endpoint that is no URL.
 */
export async function openObjectStore(
  options: ObjectStoreOptions,
  world: World,
): Promise<ObjectStore> {
  const place = options.endpoint ?? Deno.env.get("STORAGE_EMULATOR_HOST") ?? google;
  const endpoint = googleEndpoint(place, {
    service: "Cloud Storage",
    hasCredentials: options.auth !== undefined,
  });
  const callMs = options.callMs ?? usualCallMs;
  const { Storage } = await import("@google-cloud/storage");
  const { PassThroughClient } = await import("google-auth-library");
  const library = new Storage({
    apiEndpoint: endpoint,
    // No call is about a project; without one the library would go and look for it.
    projectId: "sluice",
    authClient: options.auth ?? new PassThroughClient(),
    useAuthWithCustomEndpoint: true,
    retryOptions: { autoRetry: false, maxRetries: 0 },
    timeout: callMs,
    userAgent: "sluice",
  });
  const call: Call = <T>(action: string, request: Request) =>
    answerInTime(
      world,
      () => requestOnce<T>(library, endpoint, action, request),
      { action, endpoint, ms: callMs, signal: options.signal },
    );
  return {
    list: (bucket, prefix) => listed(call, bucket, prefix),
    delete: async (bucket, name) => {
      const path = ["b", bucket, "o", name];
      await googleOrNull(() => call(`delete gs://${bucket}/${name}`, { method: "DELETE", path }));
    },
    copy: (from, to) => copied(call, from, to),
    bucketLocation: async (bucket) => {
      const found = await googleOrNull(() =>
        call<{ readonly location: string }>(`read the bucket ${bucket}`, {
          path: ["b", bucket],
          query: { fields: "location" },
        })
      );
      return found?.location.toUpperCase() ?? null;
    },
  };
}

interface Request {
  readonly method?: "GET" | "POST" | "DELETE";
  /** Segments behind `/storage/v1/`, not encoded: a name's slashes are encoded, too. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly json?: unknown;
}

type Call = <T>(action: string, request: Request) => Promise<T>;

function requestOnce<T>(
  library: Storage,
  endpoint: string,
  action: string,
  { method = "GET", path, query = {}, json }: Request,
): Promise<T> {
  const uri = [endpoint, "storage", "v1", ...path.map(encodeURIComponent)].join("/");
  const qs = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
  return new Promise((resolve, reject) => {
    library.request(
      {
        ...{ method, uri, qs, maxRetries: 0, headers: oneConnectionEach },
        ...(json === undefined ? {} : { json }),
      },
      (error, body) => error ? reject(googleError(action, error)) : resolve(body as T),
    );
  });
}

interface ObjectPage {
  readonly items?: readonly {
    readonly name: string;
    readonly size: string;
    readonly generation: string;
    readonly timeCreated: string;
  }[];
  readonly nextPageToken?: string;
}

async function* listed(call: Call, bucket: string, prefix: string): AsyncGenerator<BucketObject> {
  let pageToken: string | undefined;
  do {
    const page: ObjectPage = await call(`list gs://${bucket}/${prefix}`, {
      path: ["b", bucket, "o"],
      query: {
        prefix,
        maxResults: 1_000,
        fields: "items(name,size,generation,timeCreated),nextPageToken",
        pageToken,
      },
    });
    for (const { name, size, generation, timeCreated } of page.items ?? []) {
      yield { name, sizeBytes: Number(size), generation, createdMs: Date.parse(timeCreated) };
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined && pageToken !== "");
}

async function copied(call: Call, from: ObjectPlace, to: ObjectPlace): Promise<void> {
  let rewriteToken: string | undefined;
  while (true) {
    const answer: { readonly done?: boolean; readonly rewriteToken?: string } = await call(
      `copy gs://${from.bucket}/${from.name} to gs://${to.bucket}/${to.name}`,
      {
        method: "POST",
        path: ["b", from.bucket, "o", from.name, "rewriteTo", "b", to.bucket, "o", to.name],
        query: { rewriteToken },
        json: {},
      },
    );
    if (answer.done !== false) return;
    rewriteToken = answer.rewriteToken;
  }
}
