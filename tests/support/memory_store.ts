import type { ByteSource } from "../../lib/core/bytes.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import type {
  ByteRange,
  ObjectHead,
  PutBody,
  PutOptions,
  PutOutcome,
  Store,
  StoredObject,
} from "../../lib/clients/store/store.ts";

interface Kept {
  readonly bytes: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
  readonly etag: string;
  readonly modifiedMs: number;
}

/** A store in memory, for flows whose logic is under test; with real stores they run in tests/live. */
export class MemoryStore implements Store {
  readonly hasConditionalPut = true;
  readonly objects = new Map<string, Kept>();
  /** Called before each request; what it throws, the request throws. */
  before: (act: string, key: string) => void = () => {};
  /** Bytes of a piece of `get`. */
  pieceBytes = 1_000;
  #puts = 0;

  constructor(readonly url = "s3://bucket") {}

  check(): Promise<void> {
    return Promise.resolve();
  }

  async put(
    key: string,
    body: Uint8Array | PutBody,
    { metadata = {}, ifAbsent = false }: PutOptions = {},
  ): Promise<PutOutcome> {
    this.before("put", key);
    if (ifAbsent && this.objects.has(key)) return { isNew: false, etag: "" };
    const bytes = body instanceof Uint8Array ? body : await body.read(0, body.sizeBytes);
    const etag = `"${++this.#puts}"`;
    this.objects.set(key, { bytes: bytes.slice(), metadata, etag, modifiedMs: this.#puts * 1_000 });
    return { isNew: true, etag };
  }

  head(key: string): Promise<ObjectHead | undefined> {
    this.before("head", key);
    const kept = this.objects.get(key);
    if (kept === undefined) return Promise.resolve(undefined);
    return Promise.resolve({ ...this.#listed(key, kept), metadata: kept.metadata });
  }

  get(key: string, { from, length = Infinity }: ByteRange = { from: 0 }): Promise<ByteSource> {
    this.before("get", key);
    const kept = this.objects.get(key);
    if (kept === undefined) {
      throw new SluiceError(`get ${key}`, "permanent", "there is no such object");
    }
    const bytes = kept.bytes.slice(from, from + length);
    let at = 0;
    return Promise.resolve({
      next: () => {
        if (at >= bytes.length) return Promise.resolve(undefined);
        at += this.pieceBytes;
        return Promise.resolve(bytes.subarray(at - this.pieceBytes, at));
      },
      close: () => {},
    });
  }

  async *list(
    prefix: string,
    { after = "" }: { readonly after?: string } = {},
  ): AsyncGenerator<StoredObject> {
    this.before("list", prefix);
    for (const key of [...this.objects.keys()].sort()) {
      const kept = this.objects.get(key);
      if (!key.startsWith(prefix) || key <= after || kept === undefined) continue;
      yield await Promise.resolve(this.#listed(key, kept));
    }
  }

  async *folders(prefix: string): AsyncGenerator<string> {
    const found = new Set<string>();
    for await (const { key } of this.list(prefix)) {
      const end = key.indexOf("/", prefix.length);
      if (end >= 0) found.add(key.slice(0, end + 1));
    }
    yield* found;
  }

  // Async: what `before` throws rejects, as with a real store.
  // deno-lint-ignore require-await
  async delete(key: string, { ifEtag }: { readonly ifEtag?: string } = {}): Promise<boolean> {
    this.before("delete", key);
    const kept = this.objects.get(key);
    if (kept === undefined || (ifEtag !== undefined && kept.etag !== ifEtag)) return false;
    return this.objects.delete(key);
  }

  removeOrphans(): Promise<number> {
    return Promise.resolve(0);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #listed(key: string, { bytes, etag, modifiedMs }: Kept): StoredObject {
    return { key, sizeBytes: bytes.length, etag, modifiedMs };
  }
}
