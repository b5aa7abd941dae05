import assert from "node:assert/strict";
import {
  bigQueryRoute,
  type GoogleCall,
  type Reply,
  storageRoute,
} from "../../support/google_proxy_calls.ts";
import { GoogleProxy } from "../../support/google_proxy.ts";

/** A service that gives these answers in turn, whatever it is asked, and remembers the requests. */
export class Stub implements AsyncDisposable {
  /** Requests in the form "GET /bigquery/v2/projects/p?a=b", with the body where there is one. */
  readonly asked: string[] = [];
  readonly headers: Readonly<Record<string, string>>[] = [];

  private constructor(readonly proxy: GoogleProxy) {}

  static async of(answers: readonly (Reply | unknown)[]): Promise<Stub> {
    const left = [...answers];
    let stub: Stub | undefined = undefined;
    const handle = (call: GoogleCall): Reply => {
      const path = Object.values(call.names).map(encodeURIComponent).join("/");
      if (call.service === "bigquery") {
        // The library's own addition to every request.
        assert.equal(call.query.get("prettyPrint"), "false");
        call.query.delete("prettyPrint");
      }
      const query = call.query.size > 0 ? `?${call.query}` : "";
      const body = call.body === null ? "" : ` ${JSON.stringify(call.body)}`;
      stub?.asked.push(`${call.method} /${path}${query}${body}`);
      stub?.headers.push(call.headers);
      const answer = left.shift();
      return isReply(answer) ? answer : { status: 200, body: answer };
    };
    const routes = ["GET", "POST", "PATCH", "PUT", "DELETE"].flatMap((method) =>
      [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((depth) => {
        const template = Array.from({ length: depth }, (_, i) => `/{${i}}`).join("");
        return [
          bigQueryRoute(method, template, handle),
          storageRoute(method, template, handle),
        ];
      })
    );
    stub = new Stub(await GoogleProxy.start(routes));
    return stub;
  }

  get endpoint(): string {
    return this.proxy.endpoint;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
  }
}

function isReply(answer: unknown): answer is Reply {
  return typeof answer === "object" && answer !== null && "status" in answer &&
    typeof answer.status === "number";
}

/** An answer that refuses, as Google's services do. */
export function refusal(status: number, reason: string): Reply {
  const message = `it is ${reason}`;
  const errors = [{ message, domain: "global", reason }];
  return { status, body: { error: { code: status, message, errors } } };
}
