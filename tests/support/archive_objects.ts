import Encoder from "npm:kafkajs@2.2.4/src/protocol/encoder.js";
import Long from "npm:kafkajs@2.2.4/src/utils/long.js";
import { crc32, deflateRawSync } from "node:zlib";
import { objectKey, recordSuffix, valueSuffix } from "../../lib/formats/archive_key.ts";
import { crc32c } from "../../lib/formats/crc32c.ts";
import { gzipEnd, gzipHeader } from "../../lib/formats/gzip_parts.ts";
import { notesToExtra, type ObjectNotes } from "../../lib/formats/object_notes.ts";
import { baldrOf, bytesOf, joined } from "./baldr.ts";

/** A record for an archive. */
export interface SampleRecord {
  readonly offset: number;
  readonly timestampMs: number | bigint;
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly headers?: readonly (readonly [string, Uint8Array | string | null])[];
}

/** An object of an archive, as a test wants it. */
export interface SampleObject {
  readonly group?: string;
  readonly topic: string;
  readonly partition?: number;
  readonly kind?: "records" | "values";
  readonly first: number;
  /** @default behind the last record, and as far as so many records need */
  readonly next?: number;
  readonly records: readonly SampleRecord[];
  readonly gap?: "retention";
  /** Leave the notes out, as other programs do. */
  readonly bare?: boolean;
  /** Change the notes. */
  readonly notes?: Partial<ObjectNotes>;
}

/** A record as an archive has it, encoded by kafkajs's encoder: independent of the code under test. */
export function archivedRecord(record: SampleRecord): Uint8Array<ArrayBuffer> {
  const { offset, timestampMs, key, value, headers = [] } = record;
  const out = new Encoder();
  out.writeInt8(1).writeInt8(0);
  out.writeVarLong(Long.fromValue(String(timestampMs))).writeVarLong(Long.fromValue(offset));
  const field = (bytes: Uint8Array | string | null) => {
    if (bytes === null) return out.writeVarInt(-1);
    const content = bytesOf(bytes);
    out.writeVarInt(content.length);
    for (const byte of content) out.writeInt8(byte << 24 >> 24);
  };
  field(key);
  field(value);
  out.writeVarInt(headers.length);
  for (const pair of headers) pair.forEach(field);
  return Uint8Array.from(out.buffer);
}

/** The key and the bytes of an object. */
export function archivedObject(sample: SampleObject): { key: string; bytes: Uint8Array } {
  const { group = "sluice", topic, partition = 0, kind = "records", first, records } = sample;
  const last = records.at(-1)?.offset ?? first;
  const next = sample.next ?? Math.max(last + 1, first + Math.max(1, records.length));
  const content = baldrOf(
    records.map((one) => kind === "records" ? archivedRecord(one) : one.value ?? ""),
  );
  const times = records.map(({ timestampMs }) => Number(timestampMs))
    .filter(Number.isSafeInteger);
  const notes: ObjectNotes = {
    firstOffset: BigInt(first),
    nextOffset: BigInt(next),
    records: records.length,
    nullValues: records.filter(({ value }) => value === null).length,
    firstTimestampMs: times.length === 0 ? null : Math.min(...times),
    lastTimestampMs: times.length === 0 ? null : Math.max(...times),
    uncompressedBytes: content.length,
    crc32c: crc32c(content),
    version: "0.0.0-test",
    highWatermark: BigInt(next),
    format: kind === "records" ? "record" : "value",
    topicId: "",
    writer: "test",
    gap: sample.gap ?? null,
    ...sample.notes,
  };
  // A final block of our own ends the member; gzipEnd brings another, so this one is not final.
  const deflated = deflateRawSync(content, { finishFlush: 2 });
  const bytes = joined([
    gzipHeader(sample.bare ? null : notesToExtra(notes)),
    Uint8Array.from(deflated),
    gzipEnd(crc32(content), content.length),
  ]);
  const suffix = kind === "records" ? recordSuffix : valueSuffix;
  return { key: objectKey({ group, topic, partition, offset: BigInt(first), suffix }), bytes };
}

/** Writes objects under a folder, as a store of files has them. */
export async function writeArchive(folder: string, objects: readonly SampleObject[]) {
  for (const object of objects) {
    const { key, bytes } = archivedObject(object);
    const path = `${folder}/${key}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(path, bytes);
  }
}

/** So many plain records from an offset on. */
export function plainRecords(first: number, count: number, bytes = 20): SampleRecord[] {
  return Array.from({ length: count }, (_, n) => ({
    offset: first + n,
    timestampMs: 1_790_000_000_000 + first + n,
    key: `k${(first + n) % 7}`,
    value: `${first + n}:`.padEnd(bytes, "x"),
  }));
}
