import { codeOf } from "./folder_failures.ts";

const draftName = /^\..+\.\d+\.[0-9a-f]{8}\.draft$/;
/** Probes of `check()`, and what NFS keeps of a removed file that somebody has open. */
const otherHidden = /^\.(sluice-probe-|nfs[0-9a-f]{16})/;

/** Whether a name in a folder is no object of the store, whoever wrote it. */
export function isHidden(name: string): boolean {
  return isDraftName(name) || otherHidden.test(name);
}

/** Whether a name is one that drafts have. */
export function isDraftName(name: string): boolean {
  return draftName.test(name);
}

/**
 * A file that is being written beside its final place, `.NAME.PID.RANDOM.draft`. It is locked while
 * its process lives: the kernel drops the lock with the process, so that {@linkcode isAbandoned} can
 * tell, in whatever container the process was.
 */
export class FolderDraft {
  #isOpen = true;

  private constructor(readonly path: string, private readonly file: Deno.FsFile) {}

  static async create(folder: string, name: string): Promise<FolderDraft> {
    const path = `${folder}/.${name}.${Deno.pid}.${crypto.randomUUID().slice(0, 8)}.draft`;
    const file = await Deno.open(path, { write: true, createNew: true });
    // Without locks (some network file systems) drafts go by their age alone.
    await file.lock(true).catch(() => {});
    return new FolderDraft(path, file);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.file.write(bytes.subarray(at));
  }

  /** Lets everything reach the disk; gives what the file is now. */
  async sync(): Promise<Deno.FileInfo> {
    await this.file.sync();
    return await this.file.stat();
  }

  /** Removes the draft, or what is left of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Removed first: while it is locked nobody else takes it for abandoned.
    await Deno.remove(this.path).catch(() => {}); // renamed, or removed by somebody
    if (this.#isOpen) this.file.close();
    this.#isOpen = false;
  }
}

/**
 * Whether a draft's process is gone. Where files cannot be locked, it is taken to be when the draft
 * has not been written to since `beforeMs`.
 */
export async function isAbandoned(path: string, beforeMs: number): Promise<boolean> {
  using file = await Deno.open(path, { read: true, write: true });
  try {
    return await file.tryLock(true);
  } catch {
    return ((await file.stat()).mtime?.getTime() ?? 0) <= beforeMs;
  }
}

/** Every draft at or below a folder. */
export async function* draftsBelow(folder: string): AsyncGenerator<string> {
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(folder));
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT" || codeOf(thrown) === "ENOTDIR") return;
    throw thrown;
  }
  for (const { name, isDirectory } of entries) {
    if (isDirectory) yield* draftsBelow(`${folder}/${name}`);
    else if (isDraftName(name)) yield `${folder}/${name}`;
  }
}

/** Makes what was created, renamed or removed in a folder outlast a power cut. */
export async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path);
  await folder.sync();
}

/** Makes a folder and those above it; each new one outlasts a power cut. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path);
  } catch (thrown) {
    if (codeOf(thrown) === "EEXIST") return;
    if (codeOf(thrown) !== "ENOENT") throw thrown;
    await makeFolder(parentOf(path));
    await Deno.mkdir(path).catch((again) => {
      if (codeOf(again) !== "EEXIST") throw again; // somebody was faster
    });
  }
  await syncFolder(parentOf(path));
}

/** The folder that a path lies in. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
