import { SluiceError } from "../core/errors.ts";
import { visibleLines } from "../core/visible.ts";
import { type ArchivedRecord, decodeArchivedRecord } from "../formats/archived_record.ts";
import { type BaldrFramer, LENGTH_BYTES, type RecordSink } from "../formats/baldr.ts";
import { prettyJson } from "../formats/json_pretty.ts";
import type { Output } from "./output.ts";
import type { Reading } from "./reading.ts";
import { wholeRecords } from "./whole_records.ts";

const LF = 10;
const noBytes = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Takes the records of an archive of whole records apart, and hands their values on; one without a
 * value has an empty one. Reading ends at a record that is none.
 */
export class ArchivedDecoder {
  /** The record whose value is being handed on. */
  current: ArchivedRecord | undefined;
  readonly #sink: RecordSink;
  readonly #whole: RecordSink;
  #framer: BaldrFramer | undefined;
  #records = 0;
  #wholeBytes = 0;
  #problem: SluiceError | undefined;

  constructor(sink: RecordSink) {
    this.#sink = sink;
    this.#whole = wholeRecords((bytes) => this.#take(bytes));
  }

  /** Where the framer puts what it finds. */
  get sink(): RecordSink {
    return this.#whole;
  }

  /** The framer that brings the records. */
  readFrom(framer: BaldrFramer): void {
    this.#framer = framer;
  }

  /** What was read, with the record in it that is none. */
  judge(reading: Reading): Reading {
    if (this.#problem === undefined) return reading;
    const { compressedBytes, bytes } = reading;
    return {
      records: this.#records,
      wholeBytes: this.#wholeBytes,
      bytes,
      compressedBytes,
      error: this.#problem,
    };
  }

  #take(bytes: Uint8Array): void {
    if (this.#problem !== undefined) return;
    try {
      this.current = decodeArchivedRecord(bytes);
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      this.#problem = thrown;
      this.#framer?.stop();
      return;
    }
    this.#records++;
    this.#wholeBytes += LENGTH_BYTES + bytes.length;
    const value = this.current.value ?? noBytes;
    this.#sink.record(value, 0, value.length, 0, false, value.length);
  }
}

/** How records are shown. */
export interface ArchivedView {
  /** On several lines, for people; nothing in it commands their terminal. */
  readonly isPretty: boolean;
  readonly colours: boolean;
}

/** Each record of `decoder` as a line of JSON, or indented. */
export function renderArchived(
  output: Output,
  decoder: ArchivedDecoder,
  { isPretty, colours }: ArchivedView,
): RecordSink {
  return {
    record: () => {
      if (decoder.current === undefined) return;
      const line = archivedJson(decoder.current);
      const text = encoder.encode(isPretty ? prettyJson(visibleLines(line), { colours }) : line);
      output.append(text, 0, text.length);
      output.byte(LF);
      output.endRecord();
    },
  };
}

/**
 * A record as JSON: `offset`, `timestamp` (milliseconds since 1970), `key`, `value`, `headers` in
 * their order. What is text is a string, other bytes are `{"base64":"…"}`, and what is absent is null.
 */
export function archivedJson({ offset, timestampMs, key, value, headers }: ArchivedRecord): string {
  const told = headers.map((header) =>
    `{"key":${jsonOf(header.key)},"value":${jsonOf(header.value)}}`
  );
  return `{"offset":${offset},"timestamp":${timestampMs},"key":${jsonOf(key)},` +
    `"value":${jsonOf(value)},"headers":[${told.join(",")}]}`;
}

function jsonOf(bytes: Uint8Array | null): string {
  if (bytes === null) return "null";
  try {
    return JSON.stringify(decoder.decode(bytes));
  } catch {
    return `{"base64":"${bytes.toBase64()}"}`; // no UTF-8
  }
}
