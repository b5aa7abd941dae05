import { SluiceError } from "../core/errors.ts";
import type { Store, StoredObject } from "../clients/store/store.ts";
import { type ArchivedPartition, type ParsedKey, parseKey } from "../formats/archive_key.ts";

/** Which part of an archive is looked at. */
export interface ArchiveFilter {
  /** Only this group. */
  readonly group?: string;
  /** Only topics whose whole name matches. */
  readonly topic?: RegExp;
}

/** A partition of an archive, as a listing tells of it. */
export interface ListedPartition extends ArchivedPartition {
  /** What the keys of its objects begin with, in the store that was listed; empty or ending in `/`. */
  readonly folder: string;
  readonly objects: number;
  /** Of all objects together, compressed. */
  readonly sizeBytes: number;
  /** The smallest first offset: where the archive of the partition begins. */
  readonly first: bigint;
  /** The greatest first offset: where its newest object begins. */
  readonly last: bigint;
  /** When the object that was written last was written, milliseconds since 1970-01-01 UTC. */
  readonly newestMs: number;
  /** How many notes about gaps lie beside the objects. */
  readonly gapNotes: number;
  /** How many digits the offsets in the keys have: listings are in order for one number of them only. */
  readonly digits: readonly number[];
}

/** One object of a partition. */
export interface ListedObject extends StoredObject {
  readonly kind: "values" | "records";
  /** By its key. */
  readonly first: bigint;
}

/** What an archive holds. */
export interface ArchiveListing {
  /** By group, topic and number. */
  readonly partitions: readonly ListedPartition[];
  /** Objects that are none of the archive's, all of them. */
  readonly foreign: number;
  /** The keys of the first ones. */
  readonly foreignKeys: readonly string[];
}

const foreignKeysMost = 100;

/**
 * Finds out what an archive holds, in one pass over the listing of its store. The store may be opened
 * at the archive's root (the prefix above the groups) or at the folder of a group, of a topic or of a
 * partition: a key with fewer steps is completed by the last ones of the store's URL. Memory grows
 * with the partitions, not with the objects.
 *
 * @throws {SluiceError} of the store.
 */
export async function listArchive(
  store: Store,
  filter: ArchiveFilter = {},
): Promise<ArchiveListing> {
  const above = pathOf(store.url);
  const found = new Map<string, Tally>();
  const foreignKeys: string[] = [];
  let foreign = 0;
  for await (const object of store.list("")) {
    const parsed = parseBelow(above, object.key);
    if (parsed === null) {
      if (foreign++ < foreignKeysMost) foreignKeys.push(object.key);
      continue;
    }
    if (!isWanted(parsed, filter)) continue;
    const folder = object.key.slice(0, object.key.lastIndexOf("/") + 1);
    let tally = found.get(folder);
    if (tally === undefined) found.set(folder, tally = new Tally(parsed, folder));
    tally.add(parsed, object);
  }
  const partitions = [...found.values()].map((tally) => tally.listed())
    .filter(({ objects }) => objects > 0).sort(byNames);
  return { partitions, foreign, foreignKeys };
}

/**
 * The error of a place where nothing is archived, with where something is if foreign keys tell: a
 * URL above the archive's root finds nothing but foreign objects.
 */
export function nothingArchived(
  url: string,
  { foreign, foreignKeys }: ArchiveListing,
  filter: ArchiveFilter,
): SluiceError {
  const action = `find an archive at ${url}`;
  if (filter.group !== undefined || filter.topic !== undefined) {
    return new SluiceError(action, "permanent", "no partition is of that group and topic");
  }
  const below = foreignKeys.map(rootOf).find((root) => root !== undefined);
  const detail = below !== undefined
    ? `it begins further below; give ${url.replace(/\/$/, "")}/${below}`
    : foreign > 0
    ? `no object there is of an archive; there ${
      foreign === 1 ? "is" : `are ${foreign}, such as`
    } ${foreignKeys[0]}`
    : "there are no objects; give the URL that was given as --to, or a folder in it";
  return new SluiceError(action, "permanent", detail);
}

/** The steps above the group in a key that is deeper than those of an archive. */
function rootOf(key: string): string | undefined {
  const steps = key.split("/");
  const above = steps.slice(0, -keySteps);
  const isArchived = parseKey(steps.slice(-keySteps).join("/")) !== null;
  return above.length > 0 && isArchived ? above.join("/") : undefined;
}

/**
 * The objects of a partition by first offset, values before records where two begin at the same one.
 * Read from the store anew: what came since {@linkcode listArchive} is among them, what went is not.
 * None is kept in memory.
 *
 * @throws {SluiceError} of the store.
 */
export async function* listObjects(
  store: Store,
  partition: Pick<ListedPartition, "folder" | "digits">,
): AsyncGenerator<ListedObject> {
  const above = pathOf(store.url);
  const left = new Set(partition.digits);
  while (left.size > 0) {
    const digits = Math.min(...left);
    left.delete(digits);
    // Keys of one length come in the order of their numbers; 10000000000 comes before 9999999999.
    for await (const object of store.list(partition.folder)) {
      const parsed = parseBelow(above, object.key);
      if (parsed === null || parsed.kind === "gap") continue;
      const length = digitsOf(object.key);
      if (length > digits) left.add(length);
      if (length === digits) yield { ...object, kind: parsed.kind, first: parsed.first };
    }
  }
}

/** Adds up what is in the folder of a partition. */
class Tally {
  objects = 0;
  sizeBytes = 0;
  gapNotes = 0;
  first = 0n;
  last = 0n;
  newestMs = 0;
  readonly #digits = new Set<number>();

  constructor(readonly of: ArchivedPartition, readonly folder: string) {}

  add({ kind, first }: ParsedKey, { key, sizeBytes, modifiedMs }: StoredObject): void {
    if (kind === "gap") {
      this.gapNotes++;
      return;
    }
    if (this.objects === 0 || first < this.first) this.first = first;
    if (first > this.last) this.last = first;
    this.newestMs = Math.max(this.newestMs, modifiedMs);
    this.sizeBytes += sizeBytes;
    this.objects++;
    this.#digits.add(digitsOf(key));
  }

  listed(): ListedPartition {
    const { of: { group, topic, partition }, folder } = this;
    const { objects, sizeBytes, gapNotes, first, last, newestMs } = this;
    const digits = [...this.#digits].sort((a, b) => a - b);
    const tallied = { objects, sizeBytes, gapNotes, first, last, newestMs, digits };
    return { group, topic, partition, folder, ...tallied };
  }
}

/** How many digits the offset in a key has. */
function digitsOf(key: string): number {
  return /^\d*/.exec(key.slice(key.lastIndexOf("/") + 1))?.[0].length ?? 0;
}

function isWanted({ group, topic }: ArchivedPartition, filter: ArchiveFilter): boolean {
  if (filter.group !== undefined && filter.group !== group) return false;
  return filter.topic === undefined || filter.topic.test(topic);
}

function byNames(a: ListedPartition, b: ListedPartition): number {
  return compare(a.group, b.group) || compare(a.topic, b.topic) || a.partition - b.partition;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The steps of a store's URL. */
function pathOf(url: string): readonly string[] {
  const [, scheme, path = ""] = /^([a-z0-9+.-]+):\/\/(.*)$/is.exec(url) ?? [];
  const steps = path.split("/").filter((step) => step !== "");
  // A bucket's keys stand in the URL as they are; a path is encoded, as in every file URL.
  return scheme === "file" ? steps.map((step) => decodeURIComponent(step)) : steps.slice(1);
}

/** Reads a key as if the store had been opened at the root of the archive. */
function parseBelow(above: readonly string[], key: string): ParsedKey | null {
  const missing = keySteps - key.split("/").length;
  if (missing < 0 || missing > above.length) return null;
  return parseKey([...above.slice(above.length - missing), key].join("/"));
}

/** Group, topic, partition, object. */
const keySteps = 4;
