import { kafkajsOf } from "./kafka_server.ts";
import { delay } from "./waiting.ts";

/** One record as an independent client has read it. */
export interface ReadRecord {
  readonly partition: number;
  readonly offset: bigint;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** How far to read. */
export interface ReadOptions {
  /** Wait until there are this many records; without it, read what is there now. */
  readonly expect?: number;
  /** @default 60_000 */
  readonly timeoutMs?: number;
}

/**
 * Reads a topic from its beginning by kafkajs, partition by partition in the order of offsets. It
 * knows gzip alone: use {@linkcode readAllKcat} for snappy, lz4 and zstd.
 *
 * @throws {Error} when `expect` records are not there within `timeoutMs`, with the number that is.
 */
export async function readAll(
  bootstrap: string,
  topic: string,
  options: ReadOptions = {},
): Promise<ReadRecord[]> {
  const deadline = performance.now() + (options.timeoutMs ?? 60_000);
  const ends = await endOffsets(bootstrap, topic, options.expect ?? 0, deadline);
  // By partition and offset: a consumer that joins its group anew begins again.
  const records = new Map<string, ReadRecord>();
  const left = new Set(
    ends.filter(({ low, high }) => low < high).map(({ partition }) => partition),
  );
  const highOf = new Map(ends.map(({ partition, high }) => [partition, high]));
  if (left.size === 0) return [];
  const consumer = kafkajsOf(bootstrap).consumer({ groupId: `read-${crypto.randomUUID()}` });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch }) => {
        const high = highOf.get(batch.partition) ?? 0n;
        for (const message of batch.messages) {
          const offset = BigInt(message.offset);
          if (offset >= high) continue;
          const record = recordOf(batch.partition, offset, message);
          records.set(`${batch.partition} ${offset}`, record);
        }
        if (BigInt(batch.lastOffset()) + 1n >= high) left.delete(batch.partition);
        return Promise.resolve();
      },
    });
    while (left.size > 0) {
      if (performance.now() > deadline) {
        throw new Error(`Cannot read ${topic} to its end: ${records.size} records came in time`);
      }
      await delay(20);
    }
  } finally {
    await consumer.disconnect();
  }
  return [...records.values()].sort((a, b) =>
    a.partition - b.partition || Number(a.offset - b.offset)
  );
}

interface KafkajsMessage {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: string;
  readonly headers?: Record<string, unknown>;
}

function recordOf(partition: number, offset: bigint, message: KafkajsMessage): ReadRecord {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    headers[name] = value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value);
  }
  return {
    partition,
    offset,
    timestamp: Number(message.timestamp),
    key: message.key,
    value: message.value ?? new Uint8Array(),
    headers,
  };
}

interface Ends {
  readonly partition: number;
  readonly low: bigint;
  readonly high: bigint;
}

/** The offsets of a topic as soon as it holds `least` records. */
async function endOffsets(
  bootstrap: string,
  topic: string,
  least: number,
  deadline: number,
): Promise<Ends[]> {
  const admin = kafkajsOf(bootstrap).admin();
  await admin.connect();
  try {
    while (true) {
      const isLast = performance.now() > deadline;
      // A partition of a new topic, or of a broker that was started again, may have no leader yet.
      const offsets = await admin.fetchTopicOffsets(topic).catch((thrown) => {
        if (isLast) throw thrown;
        return undefined;
      });
      const ends = offsets?.map(({ partition, low, high }) => ({
        partition,
        low: BigInt(low),
        high: BigInt(high),
      }));
      const count = ends?.reduce((sum, { low, high }) => sum + high - low, 0n) ?? -1n;
      if (ends !== undefined && count >= BigInt(least)) return ends;
      if (isLast) {
        throw new Error(`Not enough records in ${topic}: ${count} of ${least} came in time`);
      }
      await delay(100);
    }
  } finally {
    await admin.disconnect();
  }
}

/** How many records a topic holds, by its offsets. */
export async function countRecords(bootstrap: string, topic: string): Promise<number> {
  const ends = await endOffsets(bootstrap, topic, 0, performance.now() + 60_000);
  return ends.reduce((sum, { low, high }) => sum + Number(high - low), 0);
}

/** Waits until a topic holds at least `count` records, by its offsets. */
export async function waitForRecords(
  bootstrap: string,
  topic: string,
  count: number,
  timeoutMs = 60_000,
): Promise<void> {
  await endOffsets(bootstrap, topic, count, performance.now() + timeoutMs);
}
