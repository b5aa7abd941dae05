import { SluiceError } from "../core/errors.ts";
import { crc32c } from "./crc32c.ts";
import { batchHeaderBytes } from "./record_batch.ts";

/**
 * The header of a record batch as a broker has stored it, version 2 ("magic 2",
 * kafka.apache.org/documentation/#recordbatch).
 */
export interface BatchHead {
  /** Offset of the first record that was ever in it; compaction may have removed that. */
  readonly baseOffset: bigint;
  /** Behind the last record that was ever in it: where reading goes on. */
  readonly nextOffset: bigint;
  /** The whole batch, header included. */
  readonly sizeBytes: number;
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly codec: number;
  /** It holds the end of a transaction and no records of anybody. */
  readonly isControl: boolean;
  readonly isTransactional: boolean;
  /** All its records have the maximal timestamp: when the broker took the batch. */
  readonly isLogAppendTime: boolean;
  /** -1 when the producer has none. */
  readonly producerId: bigint;
  /** What the records' time deltas count from: ms since 1970, or whatever the producer sent. */
  readonly baseTimestampMs: bigint;
  readonly maxTimestampMs: bigint;
  /** Records that are in it now. */
  readonly count: number;
}

/** How a transaction ended. `other` is none that consumers have to know. */
export type ControlType = "abort" | "commit" | "other";

// Places in a batch.
const lengthAt = 8;
const magicAt = 16;
const crcAt = 17;
const attributesAt = 21;

/** Bytes before those that the length counts. */
const beforeLength = 12;

/**
 * Reads the header of the batch at `at`; null when the rest holds no whole batch, as at the end of
 * a fetched answer.
 *
 * @throws {SluiceError} `permanent` for a batch of an older version, `corrupt` for one that cannot be.
 */
export function readBatchHead(bytes: Uint8Array, at: number): BatchHead | null {
  const rest = bytes.length - at;
  if (rest <= magicAt) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, rest);
  const baseOffset = view.getBigInt64(0);
  const sizeBytes = view.getInt32(lengthAt) + beforeLength;
  const magic = view.getInt8(magicAt);
  if (magic === 0 || magic === 1) {
    throw new SluiceError(
      `read the batch at offset ${baseOffset}`,
      "permanent",
      `its format is version ${magic}, of Kafka before 0.11, and only version 2 is read`,
    );
  }
  if (magic !== 2) corruptBatch(baseOffset, `its format has version ${magic}`);
  if (sizeBytes < batchHeaderBytes) corruptBatch(baseOffset, `it has a size of ${sizeBytes} bytes`);
  if (sizeBytes > rest) return null;
  const attributes = view.getInt16(attributesAt);
  const lastOffsetDelta = view.getInt32(23);
  const count = view.getInt32(57);
  if (baseOffset < 0n || lastOffsetDelta < 0 || count < 0 || count > lastOffsetDelta + 1) {
    corruptBatch(baseOffset, `${count} records and a last offset delta of ${lastOffsetDelta}`);
  }
  return {
    baseOffset,
    nextOffset: baseOffset + BigInt(lastOffsetDelta + 1),
    sizeBytes,
    codec: attributes & 7,
    isControl: (attributes & 32) !== 0,
    isTransactional: (attributes & 16) !== 0,
    isLogAppendTime: (attributes & 8) !== 0,
    producerId: view.getBigInt64(43),
    baseTimestampMs: view.getBigInt64(27),
    maxTimestampMs: view.getBigInt64(35),
    count,
  };
}

/**
 * Compares the batch at `at` with its checksum, which covers all but offset, length and version.
 *
 * @throws {SluiceError} `corrupt` when it is another.
 */
export function checkBatch(bytes: Uint8Array, at: number, head: BatchHead): void {
  const stored = new DataView(bytes.buffer, bytes.byteOffset + at, 21).getUint32(crcAt);
  const found = crc32c(bytes, at + attributesAt, at + head.sizeBytes);
  if (found !== stored) {
    corruptBatch(head.baseOffset, `its checksum is ${found}, where ${stored} is stored`);
  }
}

/** Where the records of the batch at `at` begin, compressed or not; they end with the batch. */
export function recordsAt(at: number): number {
  return at + batchHeaderBytes;
}

/**
 * What the control batch at `at` says; its one record's key has a version and a type, 2 bytes each.
 *
 * @throws {SluiceError} `corrupt` when there is no such key.
 */
export function controlTypeOf(bytes: Uint8Array, at: number, head: BatchHead): ControlType {
  // Length, attributes, time delta and offset delta are varints, or bytes: each ends where one is
  // below 128.
  let keyAt = recordsAt(at);
  const end = at + head.sizeBytes;
  for (let fields = 5; fields > 0 && keyAt < end; keyAt++) {
    if ((bytes[keyAt] as number) < 128) fields--;
  }
  if (keyAt + 4 > end) corruptBatch(head.baseOffset, "a control batch without a key");
  const type = (bytes[keyAt + 2] as number) << 8 | (bytes[keyAt + 3] as number);
  return type === 0 ? "abort" : type === 1 ? "commit" : "other";
}

export function corruptBatch(baseOffset: bigint, what: string): never {
  throw new SluiceError(`read the batch at offset ${baseOffset}`, "corrupt", what);
}

/**
 * Knows which batches of one fetched answer are to be delivered under read-committed: the answer
 * tells which transactions of its range were aborted, and this keeps step with them, batch by batch.
 * With an answer to a read-uncommitted fetch, which names none, it holds back control batches only.
 */
export class AbortedFilter {
  readonly #aborted: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[];
  #at = 0;
  /** Producers in the middle of a transaction that will be aborted. */
  readonly #producers = new Set<bigint>();

  /** @param aborted as the answer has them, sorted by first offset. */
  constructor(aborted: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[]) {
    this.#aborted = aborted;
  }

  /**
   * To be asked about every batch of the answer, in order.
   *
   * @param control what a control batch says, by {@linkcode controlTypeOf}.
   */
  isWanted(head: BatchHead, control: ControlType | null): boolean {
    if (this.#at < this.#aborted.length) this.#begin(head.nextOffset);
    if (head.isControl) {
      // From here on the producer is in its next transaction, which may have been committed.
      if (control === "abort") this.#producers.delete(head.producerId);
      return false;
    }
    return !(head.isTransactional && this.#producers.size > 0 &&
      this.#producers.has(head.producerId));
  }

  /** Takes in the aborted transactions that begin before `nextOffset`. */
  #begin(nextOffset: bigint): void {
    for (; this.#at < this.#aborted.length; this.#at++) {
      const one = this.#aborted[this.#at];
      if (one === undefined || one.firstOffset >= nextOffset) return;
      this.#producers.add(one.producerId);
    }
  }
}
