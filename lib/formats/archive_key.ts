import { usageError } from "../core/errors.ts";

/** What an object with values only is called behind its offset. */
export const valueSuffix = ".baldr.gz";

/** What an object with whole records is called behind its offset. */
export const recordSuffix = ".records.gz";

export type ObjectSuffix = typeof valueSuffix | typeof recordSuffix;

/** One partition of one group's archive. */
export interface ArchivedPartition {
  /** The consumer group; any text. */
  readonly group: string;
  /** A topic's name, as Kafka allows them: 1 to 249 of `a-z A-Z 0-9 . _ -`, and not `.` or `..`. */
  readonly topic: string;
  /** 0 to 2^31 - 1. */
  readonly partition: number;
}

/** What a key says. */
export interface ParsedKey extends ArchivedPartition {
  readonly kind: "values" | "records" | "gap";
  /** The object's first offset; the gap's first missing one. */
  readonly first: bigint;
  /** Of a gap: the first offset behind it. */
  readonly next?: bigint;
}

/** Every offset has so many digits at least, so that listings of usual topics are in order. */
const leastDigits = 10;
const offsetMost = 2n ** 63n - 1n;
const partitionMost = 2 ** 31 - 1;

/** File systems end a name there. */
const groupBytesMost = 255;

const encoder = new TextEncoder();

/**
 * Where the objects of a partition are: `GROUP/TOPIC/partition=N/`, below the store's own prefix.
 *
 * @throws {SluiceError} `usage` when a part cannot stand in a key.
 */
export function partitionFolder({ group, topic, partition }: ArchivedPartition): string {
  if (!isTopic(topic)) {
    throw usageError("name an object", `${JSON.stringify(topic)} is no name of a Kafka topic`);
  }
  if (!Number.isInteger(partition) || partition < 0 || partition > partitionMost) {
    throw usageError("name an object", `${partition} is no number of a partition`);
  }
  return `${encodeGroup(group)}/${topic}/partition=${partition}/`;
}

/** The key of an object: `GROUP/TOPIC/partition=N/OFFSET.SUFFIX`. @throws as {@linkcode partitionFolder}. */
export function objectKey(
  of: ArchivedPartition & { readonly offset: bigint; readonly suffix: ObjectSuffix },
): string {
  return `${partitionFolder(of)}${digitsOf(of.offset)}${of.suffix}`;
}

/** The key of the note about a gap `[first, next)`. @throws as {@linkcode partitionFolder}. */
export function gapKey(
  of: ArchivedPartition & { readonly first: bigint; readonly next: bigint },
): string {
  if (of.next <= of.first) {
    throw usageError("name a gap", `it would end at ${of.next}, before or where it begins`);
  }
  return `${partitionFolder(of)}gap-${digitsOf(of.first)}-${digitsOf(of.next)}.json`;
}

/**
 * Reads a key that is relative to the store's prefix. Null for everything that the functions above
 * do not make, to the letter: a stray file is nobody's object, and no object has two keys.
 */
export function parseKey(key: string): ParsedKey | null {
  const found = /^([^/]+)\/([^/]+)\/partition=(\d{1,10})\/([^/]+)$/.exec(key);
  const group = decodeGroup(found?.[1] ?? "");
  if (found === null || group === null) return null;
  const [, , topic = "", partition = "", name = ""] = found;
  const of = { group, topic, partition: Number(partition) };
  if (!isTopic(topic) || of.partition > partitionMost || String(of.partition) !== partition) {
    return null;
  }
  const [, first, suffix] = /^(\d+)(\.baldr\.gz|\.records\.gz)$/.exec(name) ?? [];
  if (first !== undefined) {
    const offset = offsetOf(first);
    const kind = suffix === valueSuffix ? "values" : "records";
    return offset === null ? null : { ...of, kind, first: offset };
  }
  const [, from, to] = /^gap-(\d+)-(\d+)\.json$/.exec(name) ?? [];
  const [start, next] = [offsetOf(from ?? ""), offsetOf(to ?? "")];
  if (start === null || next === null || next <= start) return null;
  return { ...of, kind: "gap", first: start, next };
}

function isTopic(topic: string): boolean {
  return /^[a-zA-Z0-9._-]{1,249}$/.test(topic) && topic !== "." && topic !== "..";
}

function digitsOf(offset: bigint): string {
  if (offset < 0n || offset > offsetMost) {
    throw usageError("name an object", `${offset} is no offset: they go from 0 to 2^63 - 1`);
  }
  return String(offset).padStart(leastDigits, "0");
}

function offsetOf(digits: string): bigint | null {
  if (digits.length < leastDigits || digits.length > 19) return null;
  const offset = BigInt(digits);
  return offset <= offsetMost && digitsOf(offset) === digits ? offset : null;
}

/**
 * A group in one step of a path: `/`, `%`, what is no character or a control one, and the names that
 * file systems give a meaning are percent-encoded as UTF-8; all else stays as it is.
 */
function encodeGroup(group: string): string {
  if (group === "") throw usageError("name an object", "the group has no name");
  if (!group.isWellFormed()) {
    throw usageError("name an object", `the group ${JSON.stringify(group)} is not Unicode text`);
  }
  const encoded = group === "." || group === ".."
    ? group.replaceAll(".", "%2E")
    // deno-lint-ignore no-control-regex -- control characters are what it is about
    : group.replace(/[/%\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g, percentEncoded);
  if (encoder.encode(encoded).length > groupBytesMost) {
    throw usageError(
      "name an object",
      `the group's name has more than ${groupBytesMost} bytes: ${JSON.stringify(group)}`,
    );
  }
  return encoded;
}

function percentEncoded(char: string): string {
  return Array.from(
    encoder.encode(char),
    (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
}

/** Null for what {@linkcode encodeGroup} does not give. */
function decodeGroup(encoded: string): string | null {
  try {
    const group = decodeURIComponent(encoded);
    return encodeGroup(group) === encoded ? group : null;
  } catch {
    return null; // no percent-encoded text, or a group without a name
  }
}
