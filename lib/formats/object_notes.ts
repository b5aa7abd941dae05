import { SluiceError, usageError } from "../core/errors.ts";
import { gzipExtra } from "./gzip_parts.ts";

/**
 * What an archived object says about itself, twice: in the store's metadata and in its gzip header,
 * so that a copied file still has it. It holds the chain together: `nextOffset` is the next object's
 * `firstOffset`.
 */
export interface ObjectNotes {
  /** Where the chain stood when the object was made; not the first record's offset. */
  readonly firstOffset: bigint;
  /** Behind the last offset that the object answers for. */
  readonly nextOffset: bigint;
  readonly records: number;
  /** Of those: records without a value, which a values-only object writes as empty ones. */
  readonly nullValues: number;
  /** The least time of its records, milliseconds since 1970; null when there is none. */
  readonly firstTimestampMs: number | null;
  /** The greatest time of its records. */
  readonly lastTimestampMs: number | null;
  /** What the object inflates to. */
  readonly uncompressedBytes: number;
  /** Of the inflated bytes, unsigned. */
  readonly crc32c: number;
  /** The sluice that wrote it. */
  readonly version: string;
  /** The partition's high watermark when the object was finished. */
  readonly highWatermark: bigint;
  readonly format: "value" | "record";
  /** The topic's id; empty when the cluster gives none. Another id is another topic of that name. */
  readonly topicId: string;
  /** Which process wrote it, for people. */
  readonly writer: string;
  /** `retention`: the object is empty, as Kafka had deleted these offsets before they were archived. */
  readonly gap: "retention" | null;
}

/** What S3 keeps for one object, names and values together. */
const metadataBytesMost = 2048;

const offsetMost = 2n ** 63n - 1n;
const encoder = new TextEncoder();

/** One of these tells that metadata is meant to be ours; none is a name that others would choose. */
const ours = ["first-offset", "next-offset", "sluice-version", "high-watermark"];

/**
 * The notes as metadata: ASCII, names in lower case; what is null or empty is left out.
 *
 * @throws {SluiceError} `usage` when they are longer than a store keeps, or contradict each other.
 */
export function notesToMetadata(notes: ObjectNotes): Record<string, string> {
  const metadata: Record<string, string> = {
    "first-offset": String(notes.firstOffset),
    "next-offset": String(notes.nextOffset),
    "records": String(notes.records),
    "null-values": String(notes.nullValues),
    "first-timestamp": String(notes.firstTimestampMs ?? ""),
    "last-timestamp": String(notes.lastTimestampMs ?? ""),
    "uncompressed-bytes": String(notes.uncompressedBytes),
    "crc32c": notes.crc32c.toString(16).padStart(8, "0"),
    "sluice-version": encodeText(notes.version),
    "high-watermark": String(notes.highWatermark),
    "format": notes.format,
    "topic-id": encodeText(notes.topicId),
    "writer": encodeText(notes.writer),
    "gap": notes.gap ?? "",
  };
  for (const [name, value] of Object.entries(metadata)) if (value === "") delete metadata[name];
  const bytes = Object.entries(metadata).reduce((sum, pair) => sum + pair.join("").length, 0);
  if (bytes > metadataBytesMost) {
    const detail = `they have ${bytes} bytes, stores keep ${metadataBytesMost}: shorten the writer`;
    throw usageError("write an object's notes", detail);
  }
  try {
    notesFromMetadata(metadata);
  } catch (thrown) {
    // Nobody could read them again: better no object than one that stops the chain.
    const detail = thrown instanceof SluiceError ? thrown.detail : String(thrown);
    throw usageError("write an object's notes", detail, thrown);
  }
  return metadata;
}

/**
 * Reads metadata; null when it is not ours. Names that it does not know are left alone.
 *
 * @throws {SluiceError} `corrupt` when only a part is there, or a value cannot be.
 */
export function notesFromMetadata(metadata: Readonly<Record<string, string>>): ObjectNotes | null {
  if (!ours.some((name) => Object.hasOwn(metadata, name))) return null;
  const fields = new Fields(metadata);
  const notes: ObjectNotes = {
    firstOffset: fields.offset("first-offset"),
    nextOffset: fields.offset("next-offset"),
    records: fields.count("records"),
    nullValues: fields.count("null-values"),
    firstTimestampMs: fields.timestamp("first-timestamp"),
    lastTimestampMs: fields.timestamp("last-timestamp"),
    uncompressedBytes: fields.count("uncompressed-bytes"),
    crc32c: fields.checksum("crc32c"),
    version: fields.text("sluice-version") || refuse("sluice-version is missing"),
    highWatermark: fields.offset("high-watermark"),
    format: fields.oneOf("format", ["value", "record"]),
    topicId: fields.text("topic-id"),
    writer: fields.text("writer"),
    gap: Object.hasOwn(metadata, "gap") ? fields.oneOf("gap", ["retention"] as const) : null,
  };
  refuseContradictions(notes);
  return notes;
}

/** The content of the gzip header's subfield: the metadata as JSON. @throws as {@linkcode notesToMetadata}. */
export function notesToExtra(notes: ObjectNotes): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(notesToMetadata(notes)));
}

/**
 * Reads the notes from a file's first bytes (`gzipHeadBytes` of them, or the whole file); null when
 * it is not gzip or not ours.
 *
 * @throws {SluiceError} `corrupt` when the header or the notes are damaged.
 */
export function notesFromGzip(firstBytes: Uint8Array): ObjectNotes | null {
  const extra = gzipExtra(firstBytes);
  if (extra === null) return null;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(extra));
  } catch (thrown) {
    refuse("what stands in the gzip header is no JSON", thrown);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    refuse("what stands in the gzip header is no JSON object");
  }
  for (const [name, value] of Object.entries(json)) {
    if (typeof value !== "string") refuse(`${name} is no text: ${JSON.stringify(value)}`);
  }
  return notesFromMetadata(json as Record<string, string>);
}

/** Values of metadata by name. */
class Fields {
  constructor(readonly metadata: Readonly<Record<string, string>>) {}

  /** Empty when it is not there. */
  #get(name: string): string {
    return Object.hasOwn(this.metadata, name) ? this.metadata[name] ?? "" : "";
  }

  #matching(name: string, form: RegExp): string {
    const value = this.#get(name);
    if (value === "") refuse(`${name} is missing`);
    if (!form.test(value)) refuse(`${name} cannot be ${JSON.stringify(value)}`);
    return value;
  }

  offset(name: string): bigint {
    const offset = BigInt(this.#matching(name, /^(0|[1-9]\d{0,18})$/));
    if (offset > offsetMost) refuse(`${name} cannot be ${offset}: offsets end at 2^63 - 1`);
    return offset;
  }

  #integer(name: string, form: RegExp): number {
    const value = this.#matching(name, form);
    const integer = Number(value);
    return Number.isSafeInteger(integer) ? integer : refuse(`${name} cannot be ${value}`);
  }

  count(name: string): number {
    return this.#integer(name, /^(0|[1-9]\d{0,15})$/);
  }

  timestamp(name: string): number | null {
    return this.#get(name) === "" ? null : this.#integer(name, /^(0|-?[1-9]\d{0,15})$/);
  }

  checksum(name: string): number {
    return parseInt(this.#matching(name, /^[0-9a-f]{8}$/), 16);
  }

  text(name: string): string {
    const value = this.#get(name);
    const text = decodeText(value);
    return text ?? refuse(`${name} cannot be ${JSON.stringify(value)}`);
  }

  oneOf<T extends string>(name: string, all: readonly T[]): T {
    const value = this.#get(name);
    if (value === "") refuse(`${name} is missing`);
    return all.find((one) => one === value) ?? refuse(`${name} cannot be ${JSON.stringify(value)}`);
  }
}

function refuseContradictions(notes: ObjectNotes): void {
  const { firstOffset, nextOffset, records, nullValues, gap } = notes;
  if (nextOffset <= firstOffset) {
    refuse(`next-offset ${nextOffset} is not behind first-offset ${firstOffset}`);
  }
  if (BigInt(records) > nextOffset - firstOffset) {
    refuse(`${records} records cannot be between the offsets ${firstOffset} and ${nextOffset}`);
  }
  if (nullValues > records) refuse(`${nullValues} of ${records} records cannot be without a value`);
  if ((notes.firstTimestampMs === null) !== (notes.lastTimestampMs === null)) {
    refuse("there is one timestamp without the other");
  }
  if (gap !== null && records > 0) refuse(`an object for a gap cannot hold ${records} records`);
}

/** Text as visible ASCII, percent-encoded where need be: HTTP headers carry no more unharmed. */
function encodeText(text: string): string {
  return text.toWellFormed().replace(/[^!-$&-~]/gu, (char) => {
    const bytes = encoder.encode(char);
    return Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  });
}

function decodeText(encoded: string): string | null {
  if (/[^!-~]/.test(encoded)) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}

function refuse(detail: string, cause?: unknown): never {
  throw new SluiceError("read an object's notes", "corrupt", detail, { cause });
}
