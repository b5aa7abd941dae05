import { Gunzip } from "../../clients/gzip.ts";
import type { ByteSource } from "../../core/bytes.ts";
import { SluiceError } from "../../core/errors.ts";
import { BaldrFramer, LENGTH_BYTES, type RecordSink } from "../../formats/baldr.ts";
import { crc32c } from "../../formats/crc32c.ts";
import { combineCrc32c, gzipHeadBytes } from "../../formats/gzip_parts.ts";
import { notesFromGzip } from "../../formats/object_notes.ts";
import type { ListedObject } from "../listing.ts";
import type { Content, WholeRecords } from "./facts.ts";
import type { FoundNotes } from "./judge_object.ts";
import { RecordScan } from "./record_scan.ts";

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
    if (this.#whole !== undefined) {
      if (more || this.#parts.length > 0) this.#addPart(bytes.slice(start, end), more, length);
      else this.#whole.add(bytes, start, end);
    }
    if (more) return;
    if (length === 0) this.#emptyRecords++;
    this.#records++;
    this.#wholeBytes += LENGTH_BYTES + length;
  }

  #addPart(part: Uint8Array, more: boolean, length: number): void {
    this.#parts.push(part);
    if (more) return;
    const record = joined(this.#parts, length);
    this.#parts = [];
    this.#whole?.add(record, 0, length);
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
  readonly #scan = new RecordScan();
  #records = 0;
  #nullValues = 0;
  #firstOffset: number | bigint = 0;
  #lastOffset: number | bigint = -1;
  #leastTimestampMs = Infinity;
  #greatestTimestampMs = -Infinity;
  #disorder: WholeRecords["disorder"];

  /** Takes the record `bytes[start, end)`. @throws {SluiceError} `corrupt` when it is none. */
  add(bytes: Uint8Array, start: number, end: number): void {
    const scan = this.#scan;
    scan.read(bytes, start, end);
    const { offset, timestampMs } = scan;
    if (!scan.hasValue) this.#nullValues++;
    if (this.#records === 0) this.#firstOffset = offset;
    else if (offset <= this.#lastOffset) {
      this.#disorder ??= { index: this.#records, offset: BigInt(offset) };
    }
    this.#lastOffset = offset;
    if (timestampMs < this.#leastTimestampMs) this.#leastTimestampMs = timestampMs;
    if (timestampMs > this.#greatestTimestampMs) this.#greatestTimestampMs = timestampMs;
    this.#records++;
  }

  seen(): WholeRecords {
    const isEmpty = this.#records === 0;
    return {
      nullValues: this.#nullValues,
      firstOffset: isEmpty ? null : BigInt(this.#firstOffset),
      lastOffset: isEmpty ? null : BigInt(this.#lastOffset),
      firstTimestampMs: isEmpty ? null : this.#leastTimestampMs,
      lastTimestampMs: isEmpty ? null : this.#greatestTimestampMs,
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
