import { type Cluster, Producer, type ProducerState } from "../clients/kafka/kafka.ts";
import type { World } from "../core/world.ts";
import { murmur2 } from "../formats/murmur2.ts";
import type { ObjectNotes } from "../formats/object_notes.ts";
import { appendRecord, type RecordBatch } from "../formats/record_batch.ts";
import type { Partition } from "./partition.ts";

const batchBytes = 64 * 1024;
const encoder = new TextEncoder();

/** What the event of an object says, for those who read the objects. */
export function noticeOf(
  url: string,
  { topic, partition, chain }: Pick<Partition, "topic" | "partition" | "chain">,
  notes: ObjectNotes,
  fileBytes: number | null,
): string {
  return JSON.stringify({
    url: `${url.replace(/\/$/, "")}/${chain.keyOf(notes.firstOffset)}`,
    topic,
    partition,
    firstOffset: String(notes.firstOffset),
    nextOffset: String(notes.nextOffset),
    records: notes.records,
    nullValues: notes.nullValues,
    firstTimestampMs: notes.firstTimestampMs,
    lastTimestampMs: notes.lastTimestampMs,
    fileBytes,
    uncompressedBytes: notes.uncompressedBytes,
    crc32c: notes.crc32c.toString(16).padStart(8, "0"),
    format: notes.format,
    gap: notes.gap,
  });
}

/**
 * Tells in a topic of every object that is in the store, before its offset is committed: so each is
 * told of once at least, and again after a crash in between. Events of a partition are in order.
 */
export class Notices {
  readonly #producer: Producer;
  readonly #waiting = new Map<RecordBatch, () => void>();
  #trouble: string | null = null;

  constructor(cluster: Cluster, private readonly topic: string, world: World) {
    this.#producer = new Producer(cluster, {
      world,
      codec: "none",
      batchBytes,
      maxInFlight: 5,
      onAck: (batch) => this.#acknowledged(batch),
      onState: (state: ProducerState) => this.#trouble = state.ready ? null : state.reason,
      refused: ({ batch, why }) => {
        world.log("error", "Kafka refuses an event of --notify-topic", { topic, why });
        this.#acknowledged(batch);
      },
      onSent: () => {},
    });
  }

  /** Why events do not arrive; null when they do. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** Resolves when Kafka has acknowledged the event. */
  async tell(partition: Partition, notice: string, nowMs: number): Promise<void> {
    const key = encoder.encode(partition.name);
    const partitions = await this.#producer.partitionsOf(this.topic);
    const batch = this.#producer.borrow();
    appendRecord(batch, {
      timestampMs: nowMs,
      key,
      value: encoder.encode(notice),
      headers: [],
    });
    await new Promise<void>((resolve) => {
      this.#waiting.set(batch, resolve);
      // As Kafka's own clients choose by the key.
      this.#producer.send(this.topic, (murmur2(key) & 0x7fffffff) % partitions, batch);
    });
  }

  async close(): Promise<void> {
    await this.#producer.close();
  }

  #acknowledged(batch: RecordBatch): void {
    this.#waiting.get(batch)?.();
    this.#waiting.delete(batch);
  }
}
