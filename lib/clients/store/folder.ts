import { fileURLToPath } from "node:url";
import { type ByteSource, ReadAhead } from "../../core/bytes.ts";
import { SluiceError, usageError } from "../../core/errors.ts";
import type { World } from "../../core/world.ts";
import { bodyOf, checkNotGivenUp, readPiece } from "./body.ts";
import {
  draftsBelow,
  FolderDraft,
  isAbandoned,
  isDraftName,
  makeFolder,
  parentOf,
  syncFolder,
} from "./folder_draft.ts";
import { codeOf, folderError } from "./folder_failures.ts";
import { foldersBehind, walkKeys } from "./folder_walk.ts";
import { checkKey } from "./keys.ts";
import { openPart } from "./folder_part.ts";
import type {
  ByteRange,
  ObjectHead,
  PutBody,
  PutOptions,
  PutOutcome,
  Store,
  StoredObject,
} from "./store.ts";

/** Bytes that are read of a body and written at a time. */
const pieceBytes = 1024 * 1024;
/** Files of a listing that are looked at together: more than twice as fast as one by one. */
const lookedAtOnce = 64;

/**
 * Opens a folder as a store; it is made when something is put into it.
 *
 * @throws {SluiceError} `usage` when the URL is not `file:///FOLDER`.
 */
export function openFolder(url: string, world: World): Store {
  let path: string;
  try {
    const parsed = new URL(url);
    if (!/^file:\/\/\//i.test(url) || parsed.search || parsed.hash) throw new TypeError(url);
    path = fileURLToPath(parsed);
  } catch (thrown) {
    throw usageError(`use ${url} as a store`, "write a folder as file:///FOLDER", thrown);
  }
  return new FolderStore(url, path.replace(/\/+$/, ""), world);
}

/**
 * Objects as files. A file is written as a draft beside its place, synced, and linked or renamed to
 * its name; then the folder is synced. After a crash at any moment there is the whole file or none,
 * and perhaps a draft, which {@linkcode FolderStore.removeOrphans} removes.
 */
class FolderStore implements Store {
  #canLink = true;

  constructor(
    readonly url: string,
    private readonly root: string,
    private readonly world: World,
  ) {}

  get hasConditionalPut(): boolean {
    return this.#canLink;
  }

  async check(): Promise<void> {
    const action = `use ${this.url} as a store`;
    const probe = `.sluice-probe-${crypto.randomUUID().slice(0, 8)}`;
    try {
      await makeFolder(this.root || "/");
      await Array.fromAsync(Deno.readDir(this.root || "/"));
      await using draft = await FolderDraft.create(this.root, probe);
      await draft.sync();
      try {
        await Deno.link(draft.path, `${this.root}/${probe}`);
        await Deno.remove(`${this.root}/${probe}`);
        this.#canLink = true;
      } catch (thrown) {
        if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK"].includes(codeOf(thrown))) throw thrown;
        this.#canLink = false;
        this.world.log("warn", "Store cannot write only what is absent, so it looks first", {
          store: this.url,
        });
      }
    } catch (thrown) {
      throw folderError(action, thrown);
    }
  }

  async put(
    key: string,
    body: Uint8Array | PutBody,
    options: PutOptions = {},
  ): Promise<PutOutcome> {
    const path = this.#pathOf("write", key);
    const action = `write ${path}`;
    try {
      if (options.ifAbsent && await this.#isThere(action, path)) return refused;
      await makeFolder(parentOf(path));
      const name = path.slice(path.lastIndexOf("/") + 1);
      await using draft = await FolderDraft.create(parentOf(path), name);
      await fill(draft, action, bodyOf(body), options.signal);
      const etag = etagOf(await draft.sync());
      checkNotGivenUp(action, options.signal);
      if (options.ifAbsent && this.#canLink) {
        try {
          await Deno.link(draft.path, path);
        } catch (thrown) {
          if (codeOf(thrown) === "EEXIST" && await this.#isThere(action, path)) return refused;
          throw thrown;
        }
      } else {
        if (options.ifAbsent && await this.#isThere(action, path)) return refused;
        await Deno.rename(draft.path, path);
      }
      await syncFolder(parentOf(path));
      return { isNew: true, etag };
    } catch (thrown) {
      throw folderError(action, thrown);
    }
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    const path = this.#pathOf("look at", key);
    const info = await this.#infoOf(`look at ${path}`, path);
    return info?.isFile ? { ...objectOf(key, info), metadata: {} } : undefined;
  }

  async get(key: string, range?: ByteRange): Promise<ByteSource> {
    const path = this.#pathOf("read", key);
    const asError = (thrown: unknown) => folderError(`read ${path}`, thrown);
    if (!(await this.#infoOf(`read ${path}`, path))?.isFile) {
      throw new SluiceError(`read ${path}`, "permanent", "there is no such file");
    }
    try {
      return new ReadAhead(await openPart(path, range), asError);
    } catch (thrown) {
      throw asError(thrown);
    }
  }

  async *list(
    prefix: string,
    options: { readonly after?: string } = {},
  ): AsyncGenerator<StoredObject> {
    const action = `list ${this.root}/${prefix}`;
    try {
      const walk = { root: this.root, prefix, after: options.after ?? "" };
      let keys: string[] = [];
      for await (const key of walkKeys(walk)) {
        keys.push(key);
        if (keys.length < lookedAtOnce) continue;
        yield* await this.#objectsOf(action, keys);
        keys = [];
      }
      yield* await this.#objectsOf(action, keys);
    } catch (thrown) {
      throw folderError(action, thrown);
    }
  }

  async *folders(prefix: string): AsyncGenerator<string> {
    try {
      yield* foldersBehind({ root: this.root, prefix, after: "" });
    } catch (thrown) {
      throw folderError(`list ${this.root}/${prefix}`, thrown);
    }
  }

  /** Looks at the etag and removes then: not atomic. */
  async delete(key: string, options: { readonly ifEtag?: string } = {}): Promise<boolean> {
    const path = this.#pathOf("remove", key);
    const head = await this.head(key);
    if (!head || (options.ifEtag !== undefined && head.etag !== options.ifEtag)) return false;
    try {
      await Deno.remove(path);
      await syncFolder(parentOf(path));
      return true;
    } catch (thrown) {
      if (codeOf(thrown) === "ENOENT") return false;
      throw folderError(`remove ${path}`, thrown);
    }
  }

  async removeOrphans(prefix: string, olderThanMs: number): Promise<number> {
    let count = 0;
    const below = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    try {
      for await (const path of draftsBelow(`${this.root}/${below}`.replace(/\/$/, ""))) {
        const key = path.slice(this.root.length + 1).replace(/(^|\/)\.(?=[^/]*$)/, "$1");
        if (!key.startsWith(prefix)) continue;
        try {
          if (!await isAbandoned(path, this.world.nowMs() - olderThanMs)) continue;
          await Deno.remove(path);
          count++;
        } catch (thrown) {
          if (codeOf(thrown) !== "ENOENT") throw thrown; // its process has finished it
        }
      }
      return count;
    } catch (thrown) {
      throw folderError(`clean ${this.root}/${prefix}`, thrown);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #pathOf(act: string, key: string): string {
    const path = `${this.root}/${key}`;
    checkKey(`${act} ${path}`, key);
    if (key.split("/").some(isDraftName)) {
      throw new SluiceError(`${act} ${path}`, "permanent", "a key cannot look like a draft");
    }
    return path;
  }

  async #objectsOf(action: string, keys: readonly string[]): Promise<StoredObject[]> {
    const found = await Promise.all(keys.map(async (key) => {
      const info = await this.#infoOf(action, `${this.root}/${key}`);
      return info ? [objectOf(key, info)] : []; // it was removed in the meantime
    }));
    return found.flat();
  }

  async #isThere(action: string, path: string): Promise<boolean> {
    const info = await this.#infoOf(action, path);
    if (info && !info.isFile) {
      throw new SluiceError(action, "permanent", "a folder is in the way of this key");
    }
    return info !== undefined;
  }

  async #infoOf(action: string, path: string): Promise<Deno.FileInfo | undefined> {
    try {
      return await Deno.stat(path);
    } catch (thrown) {
      if (codeOf(thrown) === "ENOENT" || codeOf(thrown) === "ENOTDIR") return undefined;
      throw folderError(action, thrown);
    }
  }
}

const refused: PutOutcome = { isNew: false, etag: "" };

async function fill(
  draft: FolderDraft,
  action: string,
  body: PutBody,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let at = 0; at < body.sizeBytes; at += pieceBytes) {
    checkNotGivenUp(action, signal);
    const length = Math.min(pieceBytes, body.sizeBytes - at);
    const piece = await readPiece(action, body, at, length);
    await draft.write(piece);
    body.release?.(piece);
  }
}

/** Another put makes another file, so the inode differs even within the clock's grain. */
function etagOf({ mtime, size, ino }: Deno.FileInfo): string {
  return `"${mtime?.getTime() ?? 0}-${size}-${ino ?? 0}"`;
}

function objectOf(key: string, info: Deno.FileInfo): StoredObject {
  return {
    key,
    sizeBytes: info.size,
    etag: etagOf(info),
    modifiedMs: info.mtime?.getTime() ?? 0,
  };
}
