import type { Fault } from "../../core/errors.ts";
import type { ObjectNotes } from "../../formats/object_notes.ts";
import type { ListedObject } from "../listing.ts";

/** Where the bytes of an object stop making sense. */
export interface Damage {
  /** In words. */
  readonly what: string;
  /** Where the damaged record begins: bytes of the inflated data. */
  readonly atByte: number;
  /** How far the gzip data had been read: the damage lies there or before. */
  readonly atCompressedByte: number;
}

/** What was found in an object by reading all of it, or up to where it is damaged. */
export interface Content {
  /** Whole records. */
  readonly records: number;
  /** Of those: without a byte; among them are, in an object of values, those without a value. */
  readonly emptyRecords: number;
  /** Inflated. */
  readonly bytes: number;
  /** CRC-32C of the inflated bytes, unsigned. */
  readonly crc32c: number;
  /** What only whole records tell; undefined in an object of values. */
  readonly whole: WholeRecords | undefined;
  readonly damage: Damage | undefined;
}

/** What the records of a `.records.gz` say. */
export interface WholeRecords {
  readonly nullValues: number;
  /** Of the first and last record; null when there is none. */
  readonly firstOffset: bigint | null;
  readonly lastOffset: bigint | null;
  /** The least and greatest: timestamps need not ascend. */
  readonly firstTimestampMs: number | null;
  readonly lastTimestampMs: number | null;
  /** The first record whose offset is not behind that of the record before it. */
  readonly disorder: { readonly index: number; readonly offset: bigint } | undefined;
}

/**
 * - `damaged`: bytes that make no sense, or not those that were written.
 * - `contradiction`: key, notes and content do not say the same.
 * - `gap`: offsets that no object answers for.
 * - `overlap`: offsets that two objects answer for.
 * - `unreadable`: the store did not give the object.
 * - `retention`: Kafka had deleted these offsets before they could be archived, and an empty object
 *   says so.
 * - `unknown`: perhaps a gap: the object before says nothing of its end.
 * - `notice`: nothing is wrong with the data; somebody may want to know.
 */
export type FindingKind =
  | "damaged"
  | "contradiction"
  | "gap"
  | "overlap"
  | "unreadable"
  | "retention"
  | "unknown"
  | "notice";

/** One thing that verify has to say of a partition. */
export interface Finding {
  readonly kind: FindingKind;
  /** A sentence for people; it names neither key nor offsets. */
  readonly what: string;
  /** The object that it is about; of gaps and overlaps, the one that begins behind or in them. */
  readonly key?: string;
  /** The offsets that it is about, `[from, to)`. */
  readonly from?: bigint;
  readonly to?: bigint;
  /** Where in the object, as in {@linkcode Damage}. */
  readonly atByte?: number;
  readonly atCompressedByte?: number;
  /** Of an unreadable object. */
  readonly fault?: Fault;
}

/** What is known of one object, by its key, its notes and its content. */
export interface ObjectFacts extends ListedObject {
  /** What it says of itself; null when it says nothing: the predecessor's do not. */
  readonly notes: ObjectNotes | null;
  /** Undefined when it was not read. */
  readonly content: Content | undefined;
  /** What is wrong with it by itself. */
  readonly findings: readonly Finding[];
}
