import { type ByteSource, ReadAhead } from "../core/bytes.ts";
import { SluiceError } from "../core/errors.ts";

/** A file that is being written beside its final place. */
export interface DraftFile {
  /** Where the draft is. */
  readonly draftPath: string;
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Makes the draft the file: syncs it, renames it over its target and syncs the folder. After a
   * crash at any moment there is the old file or the new one, whole, and perhaps a draft.
   */
  commit(): Promise<void>;
  /** Removes the draft; the target stays as it was. Safe to call after {@linkcode DraftFile.commit}. */
  discard(): void;
}

/**
 * Begins a file. Nothing is seen under `path` before {@linkcode DraftFile.commit}.
 *
 * @throws {SluiceError} `permanent` when the folder cannot be written to.
 */
export async function createFile(path: string): Promise<DraftFile> {
  const slash = path.lastIndexOf("/");
  const folder = slash < 0 ? "." : path.slice(0, slash) || "/";
  const name = path.slice(slash + 1);
  const info = await Deno.stat(path).catch(() => null);
  if (name === "" || info?.isDirectory) {
    throw new SluiceError(`write ${path}`, "permanent", "it is a folder; give the name of a file");
  }
  const draftPath = `${folder}/.${name}.${Deno.pid}.${crypto.randomUUID().slice(0, 8)}.draft`;
  try {
    return new Draft(
      path,
      folder,
      draftPath,
      await Deno.open(draftPath, { write: true, createNew: true }),
    );
  } catch (thrown) {
    throw fileError("write", path, thrown);
  }
}

class Draft implements DraftFile {
  #isOpen = true;
  #isDone = false;

  constructor(
    private readonly path: string,
    private readonly folder: string,
    readonly draftPath: string,
    private readonly file: Deno.FsFile,
  ) {}

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.file.write(bytes.subarray(at));
    } catch (thrown) {
      throw fileError("write", this.path, thrown);
    }
  }

  async commit(): Promise<void> {
    try {
      await this.file.sync();
      this.#close();
      await Deno.rename(this.draftPath, this.path);
      this.#isDone = true;
      const folder = await Deno.open(this.folder);
      try {
        await folder.sync();
      } finally {
        folder.close();
      }
    } catch (thrown) {
      throw fileError("write", this.path, thrown);
    }
  }

  discard(): void {
    this.#close();
    if (this.#isDone) return;
    this.#isDone = true;
    try {
      // At once: this is called when the process is about to leave.
      Deno.removeSync(this.draftPath);
    } catch {
      // Somebody else cleaned up.
    }
  }

  #close(): void {
    if (this.#isOpen) this.file.close();
    this.#isOpen = false;
  }
}

/** What is at a path, links followed: its own path, and whether it is an ordinary file. */
export async function findFile(
  path: string,
): Promise<{ readonly path: string; readonly isFile: boolean } | undefined> {
  try {
    return { path: await Deno.realPath(path), isFile: (await Deno.stat(path)).isFile };
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw fileError("look at", path, thrown);
  }
}

/**
 * Opens a file as a stream of bytes.
 *
 * @throws {SluiceError} `permanent` when there is no such file, it is a folder, or this user may not.
 */
export async function openFile(path: string): Promise<ByteSource> {
  try {
    const file = await Deno.open(path);
    if (!(await file.stat()).isDirectory) {
      return new ReadAhead(file, (e) => fileError("read", path, e));
    }
    file.close();
  } catch (thrown) {
    throw fileError("read", path, thrown);
  }
  throw new SluiceError(`read ${path}`, "permanent", "it is a folder; name the files in it");
}

/**
 * Reads a whole text file. `what` names its role in messages: "configuration".
 *
 * @throws {SluiceError} `usage`: the path came from the person who started us.
 */
export async function readAllText(path: string, what: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (thrown) {
    const { detail } = fileError("read", path, thrown);
    throw new SluiceError(`read ${what} ${path}`, "usage", detail, { cause: thrown });
  }
}

/** The error of a file, with what is wrong in words. */
export function fileError(act: string, path: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  if (thrown instanceof Deno.errors.NotFound) {
    return new SluiceError(`${act} ${path}`, "permanent", "there is no such file or folder", {
      cause: thrown,
    });
  }
  if (thrown instanceof Deno.errors.PermissionDenied) {
    return new SluiceError(`${act} ${path}`, "permanent", "this user may not", { cause: thrown });
  }
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError(`${act} ${path}`, "permanent", detail, { cause: thrown });
}
