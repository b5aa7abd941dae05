import type { Store } from "../../lib/clients/store/store.ts";
import {
  objectKey,
  type ObjectSuffix,
  recordSuffix,
  valueSuffix,
} from "../../lib/formats/archive_key.ts";
import { encodeArchivedRecord } from "../../lib/formats/archived_record.ts";
import { crc32c } from "../../lib/formats/crc32c.ts";
import { gzipEnd, gzipHeader } from "../../lib/formats/gzip_parts.ts";
import { notesToExtra, notesToMetadata, type ObjectNotes } from "../../lib/formats/object_notes.ts";
import { constants, crc32, deflateRawSync } from "node:zlib";
import { baldrOf, gzipped, joined } from "./baldr.ts";

/** One object as it is wanted. */
export interface Wanted {
  readonly topic?: string;
  readonly partition?: number;
  readonly first: bigint;
  readonly next: bigint;
  /** Values, or encoded records in an object of whole records. */
  readonly records?: readonly (string | Uint8Array)[];
  readonly suffix?: ObjectSuffix;
  /** Changed in the notes of metadata and gzip header. */
  readonly notes?: Partial<ObjectNotes>;
  /** Changed in the metadata only. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** As the predecessor wrote them: a gzip without notes. */
  readonly plain?: boolean;
}

export const group = "sluice";

/** Where an object belongs. */
export function keyOf(wanted: Wanted): string {
  const { topic = "web", partition = 0, first: offset, suffix = valueSuffix } = wanted;
  return objectKey({ group, topic, partition, offset, suffix });
}

/** The notes of an object as archive writes them. */
export function notesOf(wanted: Wanted): ObjectNotes {
  const { records = [], suffix = valueSuffix } = wanted;
  const raw = baldrOf(records);
  return {
    firstOffset: wanted.first,
    nextOffset: wanted.next,
    records: records.length,
    nullValues: 0,
    firstTimestampMs: records.length === 0 ? null : 1_700_000_000_000,
    lastTimestampMs: records.length === 0 ? null : 1_700_000_009_000,
    uncompressedBytes: raw.length,
    crc32c: crc32c(raw),
    version: "0.0.0",
    highWatermark: wanted.next,
    format: suffix === recordSuffix ? "record" : "value",
    topicId: "",
    writer: "archive_maker",
    gap: null,
    ...wanted.notes,
  };
}

/** An object's bytes, put together from two blocks as archive does. */
export function bytesOf(wanted: Wanted): Uint8Array<ArrayBuffer> {
  const raw = baldrOf(wanted.records ?? []);
  if (wanted.plain) return gzipped(raw);
  const middle = Math.floor(raw.length / 2);
  const blocks = [raw.subarray(0, middle), raw.subarray(middle)].map((block) =>
    deflateRawSync(block, { finishFlush: constants.Z_SYNC_FLUSH })
  );
  const header = gzipHeader(notesToExtra(notesOf(wanted)));
  return joined([header, ...blocks, gzipEnd(crc32(raw), raw.length)]);
}

/** Puts an object; gives its key. */
export async function putObject(
  store: Store,
  wanted: Wanted,
  bytes: Uint8Array = bytesOf(wanted),
): Promise<string> {
  const key = keyOf(wanted);
  const metadata = wanted.plain ? {} : { ...notesToMetadata(notesOf(wanted)), ...wanted.metadata };
  await store.put(key, bytes, { metadata });
  return key;
}

/** Puts objects that make a chain: each with records for every offset from its first to its next. */
export async function putChain(
  store: Store,
  ends: readonly bigint[],
  options: Pick<Wanted, "topic" | "partition" | "plain"> = {},
): Promise<string[]> {
  const keys: string[] = [];
  for (const [i, first] of ends.slice(0, -1).entries()) {
    const next = ends[i + 1] ?? first;
    const records = Array.from(
      { length: Number(next - first) },
      (_, j) => `record ${first} + ${j}`,
    );
    keys.push(await putObject(store, { ...options, first, next, records }));
  }
  return keys;
}

/** A whole record as archive encodes it. */
export function recordOf(
  { offset, value, key = null, timestampMs = 1_700_000_000_000n }: {
    readonly offset: bigint;
    readonly value: string | null;
    readonly key?: string | null;
    readonly timestampMs?: bigint;
  },
): Uint8Array<ArrayBuffer> {
  const bytesOrNull = (text: string | null) => text === null ? null : encoder.encode(text);
  return Uint8Array.from(encodeArchivedRecord({
    offset,
    timestampMs,
    isLogAppendTime: false,
    key: bytesOrNull(key),
    value: bytesOrNull(value),
    headers: [{ key: encoder.encode("h"), value: null }],
  }));
}

const encoder = new TextEncoder();
