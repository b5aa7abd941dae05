import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type GoogleCall,
  type RecordedCall,
  Refusal,
  type Reply,
  type Route,
  routeOf,
} from "./google_proxy_calls.ts";
import { type FaultAct, GoogleFaults } from "./google_proxy_faults.ts";
import { delay } from "./waiting.ts";

/** A call's body is given up here: no test sends more. */
const bodyBytesMax = 64 * 1024 * 1024;

/**
 * The HTTP server that clients see in place of BigQuery and Cloud Storage: finds the route, lets calls
 * meet their faults, and records every one.
 */
export class GoogleProxy implements AsyncDisposable {
  readonly faults = new GoogleFaults();
  /** Every call so far, in the order of their ends. */
  readonly calls: RecordedCall[] = [];
  /** Calls that are to end their jobs with an error, when the handler looks. */
  readonly failing = new WeakMap<GoogleCall, FaultAct & { do: "failJob" }>();
  readonly #server: Server;
  readonly #routes: readonly Route[];

  private constructor(routes: readonly Route[]) {
    this.#routes = routes;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
  }

  /** Listens on 127.0.0.1. */
  static async start(routes: readonly Route[], port = 0): Promise<GoogleProxy> {
    const proxy = new GoogleProxy(routes);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(port, "127.0.0.1", () => resolve());
    });
    return proxy;
  }

  /** The URL to give as endpoint, of both services. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://localhost");
    const method = request.method ?? "GET";
    const found = routeOf(this.#routes, method, url.pathname);
    const body = await bodyOf(request);
    const call: GoogleCall = {
      service: found?.route.service ??
        (url.pathname.startsWith("/bigquery") ? "bigquery" : "storage"),
      method,
      template: found?.route.template ?? url.pathname,
      names: found?.names ?? {},
      query: url.searchParams,
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      ),
      body,
    };
    const acts = this.faults.draw(call);
    const reply = await this.#replyTo(call, found?.route, acts);
    this.calls.push({
      service: call.service,
      method,
      template: call.template,
      names: call.names,
      query: Object.fromEntries(call.query),
      status: reply?.status ?? 0,
    });
    if (reply === null) request.socket.destroy();
    else if (acts.some((act) => act.do === "cutReply")) sendHalf(request, reply);
    else send(response, reply);
  }

  /** The answer; null when the connection is to end without one. */
  async #replyTo(
    call: GoogleCall,
    route: Route | undefined,
    acts: readonly FaultAct[],
  ): Promise<Reply | null> {
    for (const act of acts) {
      if (act.do === "loseRequest") return null;
      if (act.do === "answer") {
        return new Refusal(act.status, act.reason, act.message ?? `It is ${act.reason}`).reply;
      }
      if (act.do === "stall") await delay(act.ms);
      if (act.do === "failJob") this.failing.set(call, act);
      if (act.do === "run") await act.act(call);
    }
    const reply = await answered(call, route);
    for (const act of acts) if (act.do === "runAfter") await act.act(call);
    return acts.some((act) => act.do === "loseReply") ? null : reply;
  }
}

async function answered(call: GoogleCall, route: Route | undefined): Promise<Reply> {
  try {
    if (!route) throw new Refusal(501, "notImplemented", `No ${call.method} ${call.template} here`);
    return await route.handle(call);
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.reply;
    // A defect of the stand-in: no reason that anybody would try again for.
    const message = thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
    return new Refusal(501, "notImplemented", message).reply;
  }
}

function send(response: ServerResponse, { status, body }: Reply): void {
  const text = body === undefined ? "" : JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json; charset=UTF-8",
    "content-length": new TextEncoder().encode(text).length,
  });
  response.end(text);
}

/** Past the response, which would not let go of a part: the head and half of the body. */
function sendHalf({ socket }: IncomingMessage, { status, body }: Reply): void {
  const text = JSON.stringify(body ?? "");
  const head = `HTTP/1.1 ${status} OK\r\ncontent-type: application/json\r\n`;
  const length = `content-length: ${new TextEncoder().encode(text).length}\r\n\r\n`;
  socket.end(head + length + text.slice(0, text.length / 2), () => socket.destroy());
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of request) {
    parts.push(part);
    bytes += part.length;
    if (bytes > bodyBytesMax) throw new RangeError(`The body has more than ${bodyBytesMax} bytes`);
  }
  const whole = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  const text = new TextDecoder().decode(whole);
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
