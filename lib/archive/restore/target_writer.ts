import type { Producer, Refusal } from "../../clients/kafka/kafka.ts";
import type { SluiceError } from "../../core/errors.ts";
import { Gate } from "../../core/gate.ts";
import { batchHeaderBytes, RecordBatch } from "../../formats/record_batch.ts";

/** Batches of a partition that may await their acknowledgement at once. */
export const unackedMost = 2;

/** What a batch needs besides a record's key, value and headers, at most. */
const overheadBytes = batchHeaderBytes + 64;

/** Takes records in order; what may be written is asked for before each. */
export interface RecordTaker {
  /** Whether a record may be written now; if not, wait for {@linkcode RecordTaker.room}. */
  readonly hasRoom: boolean;
  /** Waits until there is room. @throws what has made writing impossible. */
  room(): Promise<void>;
  /** Writes a record whose key, value and headers are `bytes[start, end)` as a batch holds them. */
  tail(bytes: Uint8Array, start: number, end: number, timestampMs: number | bigint): void;
  /** Writes a record that has a value and nothing else. */
  value(bytes: Uint8Array, start: number, end: number, timestampMs: number): void;
  /** What was written need not wait for more to come. */
  flush(): void;
}

/** Whom a writer tells. */
export interface WriterWatcher {
  /** After each acknowledgement. */
  onAck(): void;
  /** Has to see to it that nothing more is written. */
  onRefusal(refusal: Refusal): void;
}

/** Writes to one partition of Kafka; a few batches are on their way at most. */
export class TargetWriter implements RecordTaker {
  /** Records that Kafka has acknowledged; they are the first ones that were written. */
  acknowledged = 0;
  written = 0;
  #filling: RecordBatch | null = null;
  #unacked = 0;
  #failure: SluiceError | null = null;
  readonly #gate = new Gate();

  constructor(
    private readonly producer: Pick<Producer, "borrow" | "send">,
    readonly topic: string,
    readonly partition: number,
    private readonly watcher: WriterWatcher,
  ) {}

  get hasRoom(): boolean {
    return this.#unacked < unackedMost && this.#failure === null;
  }

  async room(): Promise<void> {
    while (!this.hasRoom) {
      if (this.#failure !== null) throw this.#failure;
      await this.#gate.wait();
    }
  }

  tail(bytes: Uint8Array, start: number, end: number, timestampMs: number | bigint): void {
    if (typeof timestampMs === "bigint") this.#alone(bytes, start, end, timestampMs);
    else if (!this.#usual().appendTail(bytes, start, end, timestampMs)) {
      this.#fit((batch) => batch.appendTail(bytes, start, end, timestampMs), end - start);
    }
    this.written++;
  }

  value(bytes: Uint8Array, start: number, end: number, timestampMs: number): void {
    if (!appendValue(this.#usual(), bytes, start, end, timestampMs)) {
      this.#fit((batch) => appendValue(batch, bytes, start, end, timestampMs), end - start);
    }
    this.written++;
  }

  flush(): void {
    const batch = this.#filling;
    if (batch === null || batch.count === 0) return;
    this.#filling = null;
    this.#send(batch);
  }

  /** Waits until all that was written is acknowledged. @throws as {@linkcode room}. */
  async drained(): Promise<void> {
    this.flush();
    while (this.#unacked > 0 || this.#failure !== null) {
      if (this.#failure !== null) throw this.#failure;
      await this.#gate.wait();
    }
  }

  /** The producer's word: all records of the batch are in Kafka. */
  batchAcknowledged(batch: RecordBatch): void {
    // Of a batch with a refused record it is said, too, when nothing of it is left on the way.
    if (this.#failure !== null) return;
    this.#unacked--;
    this.acknowledged += batch.count;
    this.watcher.onAck();
    this.#gate.wake();
  }

  /** The producer's word: the broker will not have a record of ours. */
  refused(refusal: Refusal): void {
    this.watcher.onRefusal(refusal);
  }

  /** Nothing can be written any more: whoever waits is told so. */
  fail(failure: SluiceError): void {
    this.#failure ??= failure;
    this.#gate.wake();
  }

  #usual(): RecordBatch {
    if (this.#filling === null) {
      this.#filling = this.producer.borrow();
      this.#filling.tag = this;
    }
    return this.#filling;
  }

  /** A time that no number can hold goes into the header of a batch of its own. */
  #alone(bytes: Uint8Array, start: number, end: number, timestampMs: bigint): void {
    this.flush();
    const own = new RecordBatch(overheadBytes + end - start);
    own.tag = this;
    own.appendTail(bytes, start, end, 0);
    own.exactTimestampMs = timestampMs;
    this.#send(own);
  }

  /** The batch is full: the record goes into the next one, or into one of its own size. */
  #fit(append: (batch: RecordBatch) => boolean, recordBytes: number): void {
    this.flush();
    if (append(this.#usual())) return;
    const own = new RecordBatch(overheadBytes + recordBytes);
    own.tag = this;
    if (!append(own)) throw new RangeError("a record does not fit into a batch of its size");
    this.#send(own);
  }

  #send(batch: RecordBatch): void {
    this.#unacked++;
    this.producer.send(this.topic, this.partition, batch);
  }
}

function appendValue(
  batch: RecordBatch,
  bytes: Uint8Array,
  start: number,
  end: number,
  timestampMs: number,
): boolean {
  const at = batch.begin(end - start, timestampMs, null);
  if (at < 0) return false;
  batch.bytes.set(bytes.subarray(start, end), at);
  batch.commit(at + end - start);
  return true;
}

/** Counts what would be written. */
export class CountingTaker implements RecordTaker {
  readonly hasRoom = true;
  written = 0;

  room(): Promise<void> {
    return Promise.resolve();
  }

  tail(): void {
    this.written++;
  }

  value(): void {
    this.written++;
  }

  flush(): void {}
}
