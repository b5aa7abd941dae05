import {
  type GoogleCall,
  notFound,
  ok,
  Refusal,
  type Reply,
  type Route,
  storageRoute as route,
} from "./google_proxy_calls.ts";
import { isSamePlace } from "./bigquery_catalog.ts";

/** The bucket through which the emulator and the objects pass files to each other; not for clients. */
export const spoolBucket = "sluice-spool";

/** An object, as the tests look at it. */
export interface FoundObject {
  readonly name: string;
  readonly size: number;
}

/** Cloud Storage's objects: a real server keeps them, over a folder that the emulator sees, too. */
export class Objects {
  /** Where each bucket is, in capitals: the server has one place for all. */
  readonly #locations = new Map<string, string>();
  /** How many requests a rewrite to another location takes. */
  rewriteSteps = 1;
  readonly #steps = new Map<string, number>();

  /**
   * @param endpoint of the server.
   * @param folder where it keeps the objects.
   */
  constructor(readonly endpoint: string, readonly folder: string) {}

  async createBucket(name: string, location: string): Promise<void> {
    await this.#call("POST", "/storage/v1/b?project=sluice", { name });
    this.#locations.set(name, location.toUpperCase());
  }

  /** Where a bucket is; throws 404 without it. */
  locationOf(bucket: string): string {
    const found = this.#locations.get(bucket);
    if (found === undefined) throw notFound(`bucket ${bucket}`);
    return found;
  }

  /** Writes an object, as a client would. */
  async put(bucket: string, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const query = `uploadType=media&name=${encodeURIComponent(name)}`;
    const url = `${this.endpoint}/upload/storage/v1/b/${bucket}/o?${query}`;
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: bytes,
    });
    if (!response.ok) throw new Error(`Cannot put ${bucket}/${name}: ${await response.text()}`);
    await response.body?.cancel();
  }

  /** The objects whose names begin so, in order. */
  async list(bucket: string, prefix = ""): Promise<FoundObject[]> {
    const query = `prefix=${encodeURIComponent(prefix)}&maxResults=100000`;
    const { body } = await this.#call("GET", `/storage/v1/b/${bucket}/o?${query}`);
    const { items = [] } = body as { readonly items?: { name: string; size: string }[] };
    return items.map(({ name, size }) => ({ name, size: Number(size) }));
  }

  /** The objects that a URI names: `gs://bucket/a/*` is a prefix and an ending, over slashes too. */
  async matching(uri: string): Promise<string[]> {
    const [, bucket = "", pattern = ""] = /^gs:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
    const [prefix = "", ending] = pattern.split("*");
    const found = await this.list(bucket, prefix);
    return found.map(({ name }) => name)
      .filter((name) => ending === undefined ? name === prefix : name.endsWith(ending))
      .filter((name) => name.length >= prefix.length + (ending?.length ?? 0))
      .map((name) => `gs://${bucket}/${name}`);
  }

  /** The calls that clients make. */
  routes(): Route[] {
    return [
      route("GET", "/b/{bucket}", ({ names }) => {
        const name = names["bucket"] ?? "";
        const location = this.locationOf(name);
        return ok({ kind: "storage#bucket", id: name, name, location });
      }),
      route("GET", "/b/{bucket}/o", (call) => this.#passOn(call, "o")),
      route("DELETE", "/b/{bucket}/o/{object}", (call) => {
        return this.#passOn(call, `o/${encodeURIComponent(call.names["object"] ?? "")}`);
      }),
      route(
        "POST",
        "/b/{bucket}/o/{object}/rewriteTo/b/{toBucket}/o/{toObject}",
        (call) => this.#rewrite(call),
      ),
    ];
  }

  async #passOn(call: GoogleCall, rest: string): Promise<Reply> {
    const bucket = call.names["bucket"] ?? "";
    this.locationOf(bucket);
    const query = new URLSearchParams(call.query);
    // It knows other fields than the service; more than was asked for does no harm.
    query.delete("fields");
    return await this.#call(call.method, `/storage/v1/b/${bucket}/${rest}?${query}`, undefined);
  }

  async #rewrite(call: GoogleCall): Promise<Reply> {
    const { bucket = "", object = "", toBucket = "", toObject = "" } = call.names;
    const isFar = !isSamePlace(this.locationOf(bucket), this.locationOf(toBucket));
    const token = call.query.get("rewriteToken") ?? crypto.randomUUID();
    const step = (this.#steps.get(token) ?? 0) + 1;
    if (isFar && step < this.rewriteSteps) {
      this.#steps.set(token, step);
      return ok({ kind: "storage#rewriteResponse", done: false, rewriteToken: token });
    }
    this.#steps.delete(token);
    const from = `${bucket}/o/${encodeURIComponent(object)}`;
    const to = `${toBucket}/o/${encodeURIComponent(toObject)}`;
    return await this.#call("POST", `/storage/v1/b/${from}/rewriteTo/b/${to}`, {});
  }

  async #call(method: string, path: string, body?: unknown): Promise<Reply> {
    const response = await fetch(this.endpoint + path, {
      method,
      ...(body === undefined ? {} : {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    });
    const text = await response.text();
    if (response.status === 404) throw notFound(`object of ${path.split("?")[0]}`);
    if (!response.ok) throw new Refusal(response.status, "backendError", text);
    return { status: response.status, ...(text === "" ? {} : { body: JSON.parse(text) }) };
  }
}
