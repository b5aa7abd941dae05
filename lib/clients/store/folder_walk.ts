import { SluiceError } from "../../core/errors.ts";
import { isHidden } from "./folder_draft.ts";
import { codeOf } from "./folder_failures.ts";
import { byUtf8 } from "./keys.ts";

/** Links may lead in a circle; nothing that sluice writes is this deep. */
const mostLevels = 32;

/** What a walk is about. */
export interface Walk {
  /** The folder of the store. */
  readonly root: string;
  /** The beginning of the keys that are wanted. */
  readonly prefix: string;
  /** Only keys behind this one. */
  readonly after: string;
}

/**
 * The keys of all files, in the order of their UTF-8 bytes over whole keys: `a-b/x` comes before
 * `a/x`, as S3 has it. One folder's names at a time are held for each level.
 */
export async function* walkKeys(walk: Walk): AsyncGenerator<string> {
  yield* walkFolder(walk, walk.prefix.slice(0, walk.prefix.lastIndexOf("/") + 1), 0);
}

/** The names behind a folder's key (empty or ending in "/"), folders with their "/", sorted. */
export async function* foldersBehind(walk: Walk): AsyncGenerator<string> {
  const folder = walk.prefix.slice(0, walk.prefix.lastIndexOf("/") + 1);
  for (const name of await namesIn(walk.root, folder)) {
    const key = folder + name;
    if (!name.endsWith("/") || !key.startsWith(walk.prefix)) continue;
    // S3 knows no folders, only keys: a folder without a file is none.
    const inside = walkFolder({ root: walk.root, prefix: key, after: "" }, key, 1);
    if (!(await inside.next()).done) yield key;
    await inside.return(undefined);
  }
}

async function* walkFolder(walk: Walk, folder: string, level: number): AsyncGenerator<string> {
  if (level > mostLevels) {
    const detail = `there are more than ${mostLevels} folders in each other; does a link go round?`;
    throw new SluiceError(`list ${walk.root}/${folder}`, "permanent", detail);
  }
  for (const name of await namesIn(walk.root, folder)) {
    const key = folder + name;
    if (!name.endsWith("/")) {
      if (key.startsWith(walk.prefix) && byUtf8(key, walk.after) > 0) yield key;
      continue;
    }
    if (!key.startsWith(walk.prefix) && !walk.prefix.startsWith(key)) continue;
    // All keys of a folder begin with its own: it lies before `after` as a whole, or may not.
    if (byUtf8(key, walk.after) < 0 && !walk.after.startsWith(key)) continue;
    yield* walkFolder(walk, key, level + 1);
  }
}

/** With its "/" a folder's name sorts where its keys do. A folder that is not there has no names. */
async function namesIn(root: string, folder: string): Promise<string[]> {
  const path = `${root}/${folder}`;
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(path)) {
      if (isHidden(entry.name)) continue;
      const kind = entry.isSymlink ? await targetOf(`${path}${entry.name}`) : entry;
      if (kind?.isDirectory) names.push(`${entry.name}/`);
      else if (kind?.isFile) names.push(entry.name);
    }
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT" || codeOf(thrown) === "ENOTDIR") return [];
    throw thrown;
  }
  return names.sort(byUtf8);
}

async function targetOf(path: string): Promise<Deno.FileInfo | undefined> {
  return await Deno.stat(path).catch(() => undefined); // a link that leads nowhere
}
