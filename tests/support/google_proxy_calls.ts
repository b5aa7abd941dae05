/** The two services behind the proxy. */
export type GoogleService = "bigquery" | "storage";

/** A request as it came, and what it matches. */
export interface GoogleCall {
  readonly service: GoogleService;
  readonly method: string;
  /** `/projects/{project}/jobs`: the path with its variables' names. */
  readonly template: string;
  /** The variables of the path, by name. */
  readonly names: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed when it is JSON, else null. */
  // deno-lint-ignore no-explicit-any -- whatever a client sends
  readonly body: any;
}

/** A request that the proxy has answered, or left without an answer. */
export interface RecordedCall {
  readonly service: GoogleService;
  readonly method: string;
  readonly template: string;
  readonly names: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** 0: the connection was cut instead. */
  readonly status: number;
}

/** What goes back. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

/** A refusal in the shape that Google's services have. */
export class Refusal extends Error {
  constructor(readonly status: number, readonly reason: string, message: string) {
    super(message);
  }

  get reply(): Reply {
    const { status, reason, message } = this;
    const errors = [{ message, domain: "global", reason }];
    return { status, body: { error: { code: status, message, errors } } };
  }
}

/** An answer of 200. */
export function ok(body: unknown): Reply {
  return { status: 200, body };
}

/** 404 as BigQuery says it. */
export function notFound(what: string): Refusal {
  return new Refusal(404, "notFound", `Not found: ${what}`);
}

/** Answers one kind of call. */
export type Handler = (call: GoogleCall) => Promise<Reply> | Reply;

/** A method and a path with its handler. */
export interface Route {
  readonly service: GoogleService;
  readonly method: string;
  readonly template: string;
  readonly handle: Handler;
}

/** A route of BigQuery: `route("GET", "/projects/{project}/jobs/{job}", ...)`. */
export function bigQueryRoute(method: string, template: string, handle: Handler): Route {
  return { service: "bigquery", method, template, handle };
}

/** A route of Cloud Storage. */
export function storageRoute(method: string, template: string, handle: Handler): Route {
  return { service: "storage", method, template, handle };
}

const prefixes = { bigquery: "/bigquery/v2", storage: "/storage/v1" };

/** The route of a request and the variables in its path; undefined when there is none. */
export function routeOf(
  routes: readonly Route[],
  method: string,
  path: string,
): { readonly route: Route; readonly names: Record<string, string> } | undefined {
  for (const route of routes) {
    if (route.method !== method) continue;
    const names = namesIn(prefixes[route.service] + route.template, path);
    if (names) return { route, names };
  }
  return undefined;
}

function namesIn(template: string, path: string): Record<string, string> | undefined {
  const wanted = template.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const names: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const text = given[i] ?? "";
    if (part.startsWith("{")) names[part.slice(1, -1)] = decodeURIComponent(text);
    else if (part !== text) return undefined;
  }
  return names;
}
