import type { Store } from "../clients/store/store.ts";
import type { ByteSource } from "../core/bytes.ts";
import { SluiceError } from "../core/errors.ts";
import { isUrl, type OpenSource, openSource } from "./inputs.ts";

/** Opens the store of a URL. */
export type OpenStore = (url: string) => Promise<Store>;

/**
 * The operands of a command, those that are URLs replaced by the objects that they stand for: the
 * object of that name, else all below it.
 */
export class UrlInputs {
  /** Operands as they were, and the URLs of objects. */
  readonly names: string[] = [];
  readonly #opened = new Map<string, Promise<Store>>();
  /** How to read each object, or why an operand stands for none. */
  readonly #sources = new Map<string, () => Promise<ByteSource>>();

  private constructor(private readonly openStore: OpenStore) {}

  /**
   * Looks every URL up. One that stands for nothing stays among the names, and says why when it is
   * opened: the others are read all the same.
   *
   * @throws {SluiceError} `usage` for URLs that no store can have.
   */
  static async of(operands: readonly string[], openStore: OpenStore): Promise<UrlInputs> {
    const inputs = new UrlInputs(openStore);
    for (const operand of operands) {
      if (isUrl(operand)) await inputs.#add(operand);
      else inputs.names.push(operand);
    }
    return inputs;
  }

  /** Opens one of the names. */
  readonly open: OpenSource = (name) => this.#sources.get(name)?.() ?? openSource(name);

  async close(): Promise<void> {
    for (const store of this.#opened.values()) await (await store).close();
  }

  async #add(url: string): Promise<void> {
    const { parent, name } = partsOf(url);
    const store = await this.#store(parent);
    try {
      const keys = await keysOf(store, name);
      if (keys.length === 0) throw nothingAt(url);
      for (const key of keys) {
        const object = `${parent.replace(/\/+$/, "")}/${isFile(url) ? encodePath(key) : key}`;
        this.names.push(object);
        this.#sources.set(object, () => store.get(key));
      }
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      this.names.push(url);
      this.#sources.set(url, () => Promise.reject(thrown));
    }
  }

  #store(url: string): Promise<Store> {
    let store = this.#opened.get(url);
    if (store === undefined) {
      store = this.openStore(url);
      this.#opened.set(url, store);
    }
    return store;
  }
}

function nothingAt(url: string): SluiceError {
  const detail = `no object has this name, and none below it ends in ${suffixes.join(" or ")}`;
  return new SluiceError(`read ${url}`, "permanent", detail);
}

/** The folder that a URL's last step is in, and that step; empty when the URL ends in a slash. */
function partsOf(url: string): { readonly parent: string; readonly name: string } {
  const rootEnd = url.indexOf("/", url.indexOf("://") + 3);
  if (rootEnd < 0) return { parent: url, name: "" }; // a whole bucket
  const slash = url.lastIndexOf("/");
  const parent = slash === rootEnd ? url.slice(0, slash + 1) : url.slice(0, slash);
  const name = url.slice(slash + 1);
  return { parent, name: isFile(url) ? decodePath(url, name) : name };
}

function isFile(url: string): boolean {
  return /^file:/i.test(url);
}

function decodePath(url: string, name: string): string {
  try {
    return decodeURIComponent(name);
  } catch (thrown) {
    throw new SluiceError(`read ${url}`, "usage", "a % in a URL stands before two digits", {
      cause: thrown,
    });
  }
}

function encodePath(key: string): string {
  return encodeURI(key).replace(/[?#]/g, encodeURIComponent);
}

const suffixes = [".baldr.gz", ".records.gz", ".baldr", ".records"] as const;

/** The object of this name, else those below it whose names tell what they are, else those that begin so. */
async function keysOf(store: Store, name: string): Promise<string[]> {
  if (name !== "" && await store.head(name) !== undefined) return [name];
  const below = await listed(store, name === "" ? "" : `${name}/`);
  return below.length > 0 || name === "" ? below : await listed(store, name);
}

async function listed(store: Store, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) {
    if (suffixes.some((suffix) => key.endsWith(suffix))) keys.push(key);
  }
  return keys.sort(byPlace);
}

/**
 * Orders keys as they are to be read: folder by folder, partitions by number; within one, what is
 * named by an offset by its number, then the others by name.
 */
export function byPlace(one: string, other: string): number {
  const a = one.split("/");
  const b = other.split("/");
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const isName = i === a.length - 1 || i === b.length - 1;
    const order = byStep(a[i] ?? "", b[i] ?? "", isName ? offsetName : partitionStep);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

const offsetName = /^(\d+)\.(?:baldr|records)(?:\.gz)?$/;
const partitionStep = /^partition=(\d+)$/;

function byStep(one: string, other: string, form: RegExp): number {
  const a = form.exec(one)?.[1];
  const b = form.exec(other)?.[1];
  if (a === undefined || b === undefined || BigInt(a) === BigInt(b)) {
    if ((a === undefined) !== (b === undefined)) return a === undefined ? 1 : -1;
    return one < other ? -1 : one > other ? 1 : 0;
  }
  return BigInt(a) < BigInt(b) ? -1 : 1;
}
