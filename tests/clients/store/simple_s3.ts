/** A request that a {@linkcode SimpleS3} got. */
export interface Got {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
}

/**
 * A server that speaks just enough S3 for puts, and heeds no condition, as some old stores do: there
 * is none of these to be installed here. What it is asked is kept.
 */
export class SimpleS3 implements AsyncDisposable {
  readonly got: Got[] = [];
  readonly objects = new Map<string, Uint8Array>();
  /** Answers before all others do, when it has one. */
  answer: (got: Got) => Response | undefined | Promise<undefined> = () => undefined;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** @param tls the server's certificate and key. */
  constructor(private readonly tls?: { readonly cert: string; readonly key: string }) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...tls },
      (request) => this.#serve(request),
    );
  }

  get endpoint(): string {
    return `http${this.tls ? "s" : ""}://localhost:${this.#server.addr.port}`;
  }

  async #serve(request: Request): Promise<Response> {
    const { pathname, search, searchParams } = new URL(request.url);
    const got = { method: request.method, target: pathname + search, headers: request.headers };
    this.got.push(got);
    const body = await request.bytes();
    const answer = await this.answer(got);
    if (answer) return answer;
    const etag = { headers: { etag: `"${this.got.length}"` } };
    switch (request.method) {
      case "PUT":
        if (!searchParams.has("partNumber")) this.objects.set(pathname, body);
        return new Response(null, etag);
      case "POST":
        if (searchParams.has("uploads")) return xml("<UploadId>1</UploadId>");
        this.objects.set(pathname, new Uint8Array());
        return xml(`<ETag>"done"</ETag>`);
      case "HEAD":
        return new Response(null, { ...etag, status: this.objects.has(pathname) ? 200 : 404 });
      case "DELETE":
        this.objects.delete(pathname);
        return new Response(null, { status: 204 });
      default:
        return xml("<KeyCount>0</KeyCount>");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** An error as S3 tells it. */
export function refusal(status: number, code: string): Response {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>Said so</Message></Error>`;
  return new Response(body, { status, headers: { "content-type": "application/xml" } });
}

function xml(inside: string): Response {
  // The client looks at what is in the outermost element, whatever its name.
  return new Response(`<?xml version="1.0"?><Result>${inside}</Result>`, {
    headers: { "content-type": "application/xml" },
  });
}
