import { gzipSync } from "node:zlib";
import type { ByteSink, ByteSource } from "../../lib/core/bytes.ts";
import type { BaldrFramer, RecordSink } from "../../lib/formats/baldr.ts";

const encoder = new TextEncoder();

/** Bytes of text, or bytes as they are. */
export function bytesOf(record: string | Uint8Array): Uint8Array {
  return typeof record === "string" ? encoder.encode(record) : record;
}

/** Several byte arrays as one. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A Baldr stream of these records, written independently of the code under test. */
export function baldrOf(records: readonly (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  return joined(records.map(bytesOf).flatMap((record) => [lengthBytes(record.length), record]));
}

/** A length as Baldr has it, whether a record may have it or not. */
export function lengthBytes(length: number | bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(length));
  return bytes;
}

/** Compresses with node:zlib's own one-call function. */
export function gzipped(bytes: Uint8Array, level = 6): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(gzipSync(bytes, { level }));
}

/** Puts the parts of records together, and checks that they are numbered and sized as promised. */
export class Collected implements RecordSink {
  readonly records: Uint8Array[] = [];
  /** Parts that came, of the open record too. */
  parts = 0;
  #open: Uint8Array[] = [];

  record(
    bytes: Uint8Array,
    start: number,
    end: number,
    part: number,
    more: boolean,
    length: number,
  ): void {
    if (part !== this.#open.length) throw new Error(`part ${part} came as ${this.#open.length}`);
    this.parts++;
    this.#open.push(bytes.slice(start, end));
    if (more) return;
    const record = joined(this.#open);
    if (record.length !== length) throw new Error(`${record.length} bytes, announced ${length}`);
    this.records.push(record);
    this.#open = [];
  }

  /** The records as text, one character a byte. */
  get texts(): string[] {
    return this.records.map((record) => String.fromCharCode(...record));
  }
}

/** A source of these chunks, each overwritten when the next is asked for. */
export function sourceOf(chunks: readonly Uint8Array[]): ByteSource {
  const left = [...chunks];
  let lent: Uint8Array | undefined;
  return {
    next: () => {
      lent?.fill(0xee);
      lent = left.shift()?.slice();
      return Promise.resolve(lent);
    },
    close: () => {},
  };
}

/** A sink that keeps what it gets. */
export class MemorySink implements ByteSink {
  readonly writes: Uint8Array[] = [];
  /** Set to have it behave like a pipe whose reader is gone. */
  isClosed = false;

  write(bytes: Uint8Array): Promise<void> {
    if (!this.isClosed) this.writes.push(bytes.slice());
    return Promise.resolve();
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return joined(this.writes);
  }

  /** What was written as text, one character a byte. */
  get text(): string {
    return Array.from(this.bytes, (byte) => String.fromCharCode(byte)).join("");
  }
}

/** Pushes chunks through a framer; each is overwritten after its push, as a source would. */
export function pushAll(framer: BaldrFramer, chunks: readonly Uint8Array[]): void {
  for (const chunk of chunks) {
    const lent = chunk.slice();
    framer.push(lent);
    lent.fill(0xee);
  }
}
