import { SluiceError, usageError } from "../core/errors.ts";
import { redactUrl } from "../core/secret.ts";

/** What the status server shows. */
export interface StatusSource {
  /** The page for Prometheus. */
  page(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Why no work is being done right now; empty when all is well. */
  notReady(): readonly string[];
}

/** Pages of other makers, for GET and HEAD. */
export interface Pages {
  /** The answer; null when the path is none of theirs. */
  answer(request: Request, path: string): Response | null;
  /** Ends answers that are under way and have no end of their own. */
  close(): void;
}

export interface StatusServer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves `/metrics`, `/healthz` (200 as long as the process answers) and `/readyz` (200, or 503 with
 * the reasons one a line), and whatever `pages` have.
 *
 * @throws {SluiceError} `usage` when `hostPort` is no HOST:PORT, else when it cannot be listened on.
 */
export function serveStatus(
  hostPort: string,
  source: StatusSource,
  pages?: Pages,
): StatusServer {
  const [, host = "", port = ""] = /^(\[[0-9a-fA-F:.]+\]|[^:\s\/]*):(\d{1,5})$/.exec(hostPort) ??
    [];
  if (port === "" || Number(port) > 65_535) {
    throw usageError(
      `serve HTTP on "${redactUrl(hostPort)}"`,
      "write HOST:PORT, for example 127.0.0.1:9108 or [::1]:9108",
    );
  }
  try {
    const server = Deno.serve({
      hostname: host.replace(/^\[|\]$/g, "") || "0.0.0.0",
      port: Number(port),
      onListen: () => {},
      onError: () => new Response("internal error\n", { status: 500 }),
    }, (request) => answer(request, source, pages));
    return {
      url: `http://${host || "0.0.0.0"}:${(server.addr as Deno.NetAddr).port}`,
      stop: async () => {
        pages?.close();
        await server.shutdown();
      },
    };
  } catch (thrown) {
    throw serveError(hostPort, thrown);
  }
}

function serveError(hostPort: string, thrown: unknown): SluiceError {
  const told = (fault: "permanent" | "denied", detail: string) =>
    new SluiceError(`serve HTTP on ${hostPort}`, fault, detail, { cause: thrown });
  if (thrown instanceof Deno.errors.AddrInUse) {
    return told("permanent", "another program listens there already; choose another port");
  }
  if (thrown instanceof Deno.errors.PermissionDenied) {
    return told("denied", "this user may not; choose a port of 1024 or more");
  }
  if (thrown instanceof Deno.errors.AddrNotAvailable) {
    return told("permanent", "this machine has no such address; 0.0.0.0 stands for all it has");
  }
  return told("permanent", thrown instanceof Error ? thrown.message : String(thrown));
}

async function answer(
  request: Request,
  source: StatusSource,
  pages: Pages | undefined,
): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("only GET and HEAD\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  const path = new URL(request.url).pathname;
  const page = pages?.answer(request, path) ?? null;
  if (page !== null) return page;
  switch (path) {
    case "/metrics": {
      const { contentType, text } = await source.page();
      return new Response(text, { headers: { "content-type": contentType } });
    }
    case "/healthz":
      return new Response("ok\n");
    case "/readyz": {
      const reasons = source.notReady();
      return reasons.length === 0
        ? new Response("ready\n")
        : new Response(reasons.map((reason) => `${reason}\n`).join(""), { status: 503 });
    }
    default:
      return new Response("not found; there are /metrics, /healthz and /readyz\n", { status: 404 });
  }
}
