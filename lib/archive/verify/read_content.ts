import { Gunzip } from "../../clients/gzip.ts";
import type { ByteSource } from "../../core/bytes.ts";
import { SluiceError } from "../../core/errors.ts";
import { BaldrFramer, LENGTH_BYTES, type RecordSink } from "../../formats/baldr.ts";
import { decodeArchivedRecord } from "../../formats/archived_record.ts";
import { crc32c } from "../../formats/crc32c.ts";
import { combineCrc32c, gzipHeadBytes } from "../../formats/gzip_parts.ts";
import { notesFromGzip } from "../../formats/object_notes.ts";
import type { ListedObject } from "../listing.ts";
import type { Content, WholeRecords } from "./facts.ts";
import type { FoundNotes } from "./judge_object.ts";

/** No record of Kafka is longer: its sizes are 32-bit numbers. A longer length is damage. */
export const recordBytesMost = 2 ** 31 - 1;

/**
 * Reads an object to its end, or to where it is damaged. Memory is a few blocks; of whole records,
 * one record that lies across two blocks besides.
 *
 * @param source the object's bytes; closed at the end.
 * @throws {SluiceError} of the source when it breaks off. Damage is no error here.
 */
export async function readContent(
  source: ByteSource,
  kind: ListedObject["kind"],
): Promise<{ readonly header: FoundNotes; readonly content: Content }> {
  const headed = new Headed(source);
  const gunzip = new Gunzip(headed);
  const counter = new Counter(kind);
  let trouble: SluiceError | undefined;
  try {
    await inflateInto(gunzip, counter);
  } catch (thrown) {
    if (!(thrown instanceof SluiceError) || thrown.fault !== "corrupt") throw thrown;
    trouble = thrown;
  } finally {
    gunzip.close();
  }
  const content = counter.content(
    trouble && {
      what: trouble.detail,
      atByte: counter.wholeBytes,
      atCompressedByte: gunzip.compressedBytes,
    },
  );
  return { header: notesIn(headed.beginning()), content };
}

/** The notes of an object's first bytes; an error where they cannot be read. */
export function notesIn(firstBytes: Uint8Array): FoundNotes {
  try {
    return notesFromGzip(firstBytes);
  } catch (thrown) {
    if (thrown instanceof SluiceError) return thrown;
    throw thrown;
  }
}

async function inflateInto(gunzip: Gunzip, counter: Counter): Promise<void> {
  for (;;) {
    const bytes = await gunzip.next();
    if (bytes === undefined) break;
    counter.push(bytes);
  }
  counter.finish();
}

/** A source that keeps a copy of its first bytes, as many as a gzip header can have. */
class Headed implements ByteSource {
  #kept: Uint8Array[] = [];
  #keptBytes = 0;

  constructor(private readonly source: ByteSource) {}

  async next(): Promise<Uint8Array | undefined> {
    const piece = await this.source.next();
    if (piece !== undefined && this.#keptBytes < gzipHeadBytes) {
      this.#kept.push(piece.slice(0, gzipHeadBytes - this.#keptBytes));
      this.#keptBytes += this.#kept.at(-1)?.length ?? 0;
    }
    return piece;
  }

  close(): void {
    this.source.close();
  }

  beginning(): Uint8Array {
    return joined(this.#kept, this.#keptBytes);
  }
}

/** Counts what the records of an object come to. */
class Counter implements RecordSink {
  readonly #framer = new BaldrFramer(this, { recordBytesMost });
  readonly #whole: WholeCounter | undefined;
  #records = 0;
  #emptyRecords = 0;
  #bytes = 0;
  #crc32c = 0;
  #wholeBytes = 0;
  /** The parts of a whole record that lies across blocks. */
  #parts: Uint8Array[] = [];

  constructor(kind: ListedObject["kind"]) {
    this.#whole = kind === "records" ? new WholeCounter() : undefined;
  }

  /** Where the last whole record ends. */
  get wholeBytes(): number {
    return this.#wholeBytes;
  }

  /** @throws {SluiceError} `corrupt` at a record that cannot be. */
  push(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    this.#crc32c = combineCrc32c(this.#crc32c, crc32c(bytes), bytes.length);
    this.#framer.push(bytes);
  }

  /** @throws {SluiceError} `corrupt` when the end is inside a record. */
  finish(): void {
    this.#framer.finish();
  }

  record(
    bytes: Uint8Array,
    start: number,
    end: number,
    _part: number,
    more: boolean,
    length: number,
  ): void {
    if (this.#whole !== undefined) this.#add(this.#whole, bytes.subarray(start, end), more, length);
    if (more) return;
    if (length === 0) this.#emptyRecords++;
    this.#records++;
    this.#wholeBytes += LENGTH_BYTES + length;
  }

  #add(whole: WholeCounter, bytes: Uint8Array, more: boolean, length: number): void {
    if (!more && this.#parts.length === 0) return whole.add(bytes);
    this.#parts.push(bytes.slice());
    if (more) return;
    const record = joined(this.#parts, length);
    this.#parts = [];
    whole.add(record);
  }

  content(damage: Content["damage"]): Content {
    return {
      records: this.#records,
      emptyRecords: this.#emptyRecords,
      bytes: this.#bytes,
      crc32c: this.#crc32c,
      whole: this.#whole?.seen(),
      damage,
    };
  }
}

/** Takes note of what whole records say. */
class WholeCounter {
  #records = 0;
  #nullValues = 0;
  #firstOffset: bigint | null = null;
  #lastOffset: bigint | null = null;
  #firstTimestampMs: number | null = null;
  #lastTimestampMs: number | null = null;
  #disorder: WholeRecords["disorder"];

  /** @throws {SluiceError} `corrupt` when it is no record. */
  add(bytes: Uint8Array): void {
    const { offset, timestampMs: exactMs, value } = decodeArchivedRecord(bytes);
    const timestampMs = Number(exactMs);
    if (value === null) this.#nullValues++;
    if (this.#lastOffset !== null && offset <= this.#lastOffset) {
      this.#disorder ??= { index: this.#records, offset };
    }
    this.#firstOffset ??= offset;
    this.#lastOffset = offset;
    this.#firstTimestampMs = Math.min(this.#firstTimestampMs ?? timestampMs, timestampMs);
    this.#lastTimestampMs = Math.max(this.#lastTimestampMs ?? timestampMs, timestampMs);
    this.#records++;
  }

  seen(): WholeRecords {
    return {
      nullValues: this.#nullValues,
      firstOffset: this.#firstOffset,
      lastOffset: this.#lastOffset,
      firstTimestampMs: this.#firstTimestampMs,
      lastTimestampMs: this.#lastTimestampMs,
      disorder: this.#disorder,
    };
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
