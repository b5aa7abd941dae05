import { SluiceError } from "../core/errors.ts";

/** Bytes on disk that are added to at the end, read from anywhere, and thrown away. */
export interface SpoolFile {
  readonly sizeBytes: number;
  /**
   * Adds all of the bytes; when it fails, none count, and the next call writes over them.
   *
   * @throws {SluiceError} `transient` for a full disk, `corrupt` when what was added before is gone,
   *   `denied` without the right, else `permanent`.
   */
  append(parts: readonly Uint8Array[]): Promise<void>;
  /** Fills `into` with the bytes from `at` on. */
  read(at: number, into: Uint8Array): Promise<void>;
  /** Removes the file; what is gone already is no trouble. */
  remove(): Promise<void>;
}

/**
 * A folder for files that nobody needs after a crash: what they hold is fetched again. Each process
 * has a folder of its own inside, with a lock on it that ends with the process; folders without a
 * living owner are removed by the next who comes. Nothing is ever synced. No file stays open: there
 * may be thousands.
 */
export class Spool {
  #count = 0;

  private constructor(private readonly folder: string, private readonly lock: Deno.FsFile) {}

  /** @throws {SluiceError} when the folder cannot be made or written to. */
  static async open(parent: string): Promise<Spool> {
    try {
      await Deno.mkdir(parent, { recursive: true });
      await removeOrphans(parent);
      for (;;) {
        const folder = await Deno.makeTempDir({ dir: parent, prefix });
        const lock = await Deno.open(`${folder}/${lockName}`, { write: true, createNew: true });
        await lock.lock(true);
        // Another process may have taken the folder for an orphan before it was locked.
        if (await Deno.stat(folder).catch(() => null)) return new Spool(folder, lock);
        lock.close();
      }
    } catch (thrown) {
      throw spoolError("use --spool-dir", parent, thrown);
    }
  }

  file(): SpoolFile {
    return new OneFile(`${this.folder}/${++this.#count}`);
  }

  async close(): Promise<void> {
    await Deno.remove(this.folder, { recursive: true }).catch(() => {});
    this.lock.close();
  }
}

const prefix = "sluice-spool-";
const lockName = "lock";

/** Removes the folders of processes that were killed. */
async function removeOrphans(parent: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(parent)) {
    if (!isDirectory || !name.startsWith(prefix)) continue;
    const folder = `${parent}/${name}`;
    try {
      using lock = await Deno.open(`${folder}/${lockName}`, { write: true });
      if (await lock.tryLock(true)) await Deno.remove(folder, { recursive: true });
    } catch {
      // Another user's, or being made or removed at this moment: not ours to judge.
    }
  }
}

class OneFile implements SpoolFile {
  sizeBytes = 0;

  constructor(private readonly path: string) {}

  async append(parts: readonly Uint8Array[]): Promise<void> {
    try {
      // Made anew in the middle, it would begin with a hole that nobody sees when it is read.
      using file = await Deno.open(this.path, { write: true, create: this.sizeBytes === 0 });
      await file.seek(this.sizeBytes, Deno.SeekMode.Start);
      let sizeBytes = this.sizeBytes;
      for (const part of parts) {
        for (let at = 0; at < part.length;) at += await file.write(part.subarray(at));
        sizeBytes += part.length;
      }
      this.sizeBytes = sizeBytes;
    } catch (thrown) {
      throw spoolError("write to the spool", this.path, thrown);
    }
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    try {
      using file = await Deno.open(this.path);
      await file.seek(at, Deno.SeekMode.Start);
      for (let filled = 0; filled < into.length;) {
        const read = await file.read(into.subarray(filled));
        if (read === null) throw new Error(`it ends after ${at + filled} bytes`);
        filled += read;
      }
    } catch (thrown) {
      throw spoolError("read the spool", this.path, thrown);
    }
  }

  async remove(): Promise<void> {
    await Deno.remove(this.path).catch(() => {});
  }
}

function spoolError(act: string, path: string, thrown: unknown): SluiceError {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const isFull = /os error (28|122)\b|ENOSPC|EDQUOT/.test(text);
  if (isFull) {
    return new SluiceError(`${act} ${path}`, "transient", "the disk is full; make room", {
      cause: thrown,
    });
  }
  if (thrown instanceof Deno.errors.NotFound) {
    const detail = "it is gone; let nobody clean up --spool-dir";
    return new SluiceError(`${act} ${path}`, "corrupt", detail, { cause: thrown });
  }
  const denied = thrown instanceof Deno.errors.PermissionDenied;
  const detail = denied ? "this user may not write there; choose another --spool-dir" : text;
  return new SluiceError(`${act} ${path}`, denied ? "denied" : "permanent", detail, {
    cause: thrown,
  });
}
