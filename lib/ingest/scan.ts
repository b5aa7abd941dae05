import type { Store, StoredObject } from "../clients/store/store.ts";
import { manifestKindOf } from "./manifest.ts";

/** A directory with a manifest: what is right in it, without what lies deeper. */
export interface Unit {
  readonly kind: "unit";
  /** Without the slash at the end; empty for the store's own root. */
  readonly directory: string;
  readonly manifest: StoredObject;
  /** Everything but manifests, in the order of the keys' UTF-8 bytes. */
  readonly files: readonly StoredObject[];
}

/** A directory that cannot be a unit of work as it is. */
export interface Misfit {
  readonly kind: "misfit";
  readonly directory: string;
  readonly reason: string;
}

/** Bad files are moved below this; nothing in it is ever looked at. */
export const rejectedFolder = "_rejected";

/** What ingest keeps for Redshift lies below this. */
export const ownFolder = ".sluice";

/** A directory on the way from the root to the key that was listed last. */
interface Open {
  readonly directory: string;
  readonly isWanted: boolean;
  readonly manifests: StoredObject[];
  readonly files: StoredObject[];
}

/**
 * Goes through a whole store and gives its units of work as they end in the listing. In memory are the
 * keys of the directories on the way to the present one, no more: those of a directory stand together
 * but for what lies deeper.
 *
 * @param matches tells whether a directory is wanted, by its key.
 */
export async function* scan(
  store: Store,
  matches: (directory: string) => boolean,
): AsyncGenerator<Unit | Misfit> {
  const path: Open[] = [];
  for await (const object of store.list("")) {
    if (isMarker(object)) continue;
    const directory = directoryOf(object.key);
    if (isOurs(directory)) continue;
    while (path.length > 0 && !isWithin(directory, path[path.length - 1]?.directory ?? "")) {
      yield* concluded(path.pop());
    }
    if (path[path.length - 1]?.directory !== directory) path.push(opened(directory, matches));
    const open = path[path.length - 1];
    if (!open?.isWanted) continue;
    (manifestKindOf(object.key) === null ? open.files : open.manifests).push(object);
  }
  while (path.length > 0) yield* concluded(path.pop());
}

/** One directory as it is now; undefined when it has no manifest any more. */
export async function look(store: Store, directory: string): Promise<Unit | Misfit | undefined> {
  const open = opened(directory, () => true);
  for await (const object of store.list(directory === "" ? "" : `${directory}/`)) {
    if (isMarker(object) || directoryOf(object.key) !== directory) continue;
    (manifestKindOf(object.key) === null ? open.files : open.manifests).push(object);
  }
  const [found] = concluded(open);
  return found;
}

/** The directory of a key, without the slash; empty at the root. */
export function directoryOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf("/")));
}

/** The name of a key within its directory. */
export function nameOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}

/** A name in a directory as a key. */
export function keyIn(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/**
 * Whether an object only stands for a folder, as S3's console and Hadoop put them, or has a name that
 * cannot be used: keys with segments that are empty, `.` or `..` are nobody's file.
 */
function isMarker({ key, sizeBytes }: StoredObject): boolean {
  if (key.split("/").some((one) => one === "" || one === "." || one === "..")) return true;
  return sizeBytes === 0 && key.endsWith("_$folder$");
}

function isOurs(directory: string): boolean {
  return directory !== "" &&
    directory.split("/").some((one) => one === rejectedFolder || one === ownFolder);
}

function isWithin(directory: string, outer: string): boolean {
  return outer === "" || directory === outer || directory.startsWith(`${outer}/`);
}

function opened(directory: string, matches: (directory: string) => boolean): Open {
  return { directory, isWanted: matches(directory), manifests: [], files: [] };
}

function* concluded(open: Open | undefined): Generator<Unit | Misfit> {
  const [manifest, ...others] = open?.manifests ?? [];
  if (open === undefined || manifest === undefined) return;
  const { directory, files } = open;
  if (others.length === 0) return yield { kind: "unit", directory, manifest, files };
  const names = [manifest, ...others].map(({ key }) => nameOf(key)).join(", ");
  yield { kind: "misfit", directory, reason: `it holds ${names}: leave one of them` };
}
