import { BigQuery } from "@google-cloud/bigquery";
import { PassThroughClient } from "google-auth-library";
import { answerInTime } from "../../core/deadline.ts";
import { SluiceError } from "../../core/errors.ts";
import type { World } from "../../core/world.ts";
import { googleEndpoint, oneConnectionEach } from "../../formats/google_endpoint.ts";
import { googleError } from "../../formats/google_error.ts";
import type { BigQueryOptions } from "./bigquery.ts";

/** One request of the REST API. */
export interface Request {
  readonly method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Segments behind `/bigquery/v2/`, not encoded. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Makes requests. `action` is for the message of an error: "read the table p.d.t". */
export type Call = <T>(action: string, request: Request) => Promise<T>;

const usualCallMs = 60_000;
const google = "https://bigquery.googleapis.com";

/** Makes requests through Google's library: one each, never tried again by it. */
export function callerOf(options: BigQueryOptions, world: World): Call {
  const place = options.endpoint ?? Deno.env.get("BIGQUERY_EMULATOR_HOST") ?? google;
  const endpoint = googleEndpoint(place, {
    service: "BigQuery",
    hasCredentials: options.auth !== undefined,
  });
  const callMs = options.callMs ?? usualCallMs;
  const library = new BigQuery({
    apiEndpoint: endpoint,
    // Every URL names its project; without one the library would go and look for it.
    projectId: "sluice",
    authClient: options.auth ?? new PassThroughClient(),
    autoRetry: false,
    maxRetries: 0,
    userAgent: "sluice",
  });
  return <T>(action: string, request: Request) =>
    answerInTime(
      world,
      () => requestOnce<T>(library, { endpoint, callMs }, action, request),
      { action, endpoint, ms: callMs, signal: options.signal },
    );
}

function requestOnce<T>(
  library: BigQuery,
  { endpoint, callMs }: { readonly endpoint: string; readonly callMs: number },
  action: string,
  { method = "GET", path, query = {}, json, headers }: Request,
): Promise<T> {
  const uri = [endpoint, "bigquery", "v2", ...path.map(encodeURIComponent)].join("/");
  const qs = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
  return new Promise((resolve, reject) => {
    library.request(
      {
        method,
        uri,
        qs,
        maxRetries: 0,
        // Frees the connection; the deadline around it is what the caller sees.
        timeout: callMs,
        headers: {
          ...oneConnectionEach,
          ...headers,
          ...(json === undefined ? {} : { "Content-Type": "application/json" }),
        },
        // As a text: in a value the library would write a project over the words {{projectId}}.
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      },
      (error, body) => {
        if (error) reject(googleError(action, error));
        // A proxy's page where JSON should be comes as a text.
        else if (typeof body === "string" && body !== "") reject(notJson(action, endpoint));
        else resolve(body as T);
      },
    );
  });
}

function notJson(action: string, endpoint: string): SluiceError {
  return new SluiceError(action, "transient", `the answer of ${endpoint} is cut or no JSON`);
}
