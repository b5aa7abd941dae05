import { Buffer } from "node:buffer";
import { kafkajsOf } from "./kafka_server.ts";
import { delay } from "./waiting.ts";

/** How much another client must read before it has read everything. */
export interface KafkajsReading {
  /** Committed records in all of the topics. */
  readonly expect: number;
  /** @default 120_000 */
  readonly timeoutMs?: number;
}

/**
 * Reads topics by kafkajs, committed records only, into a file for `compareArchive`. kafkajs knows no
 * other compression than gzip.
 *
 * @throws {Error} when other than `expect` records come within `timeoutMs`.
 */
export async function readByKafkajs(
  bootstrap: string,
  topics: readonly string[],
  path: string,
  { expect, timeoutMs = 120_000 }: KafkajsReading,
): Promise<void> {
  const consumer = kafkajsOf(bootstrap).consumer({
    groupId: `read-${crypto.randomUUID()}`,
    readUncommitted: false,
  });
  const lines: string[] = [];
  // A consumer that joins its group anew begins again.
  const seen = new Set<string>();
  const file = await Deno.open(path, { write: true, create: true, truncate: true });
  const writer = file.writable.getWriter();
  const encoder = new TextEncoder();
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const message of batch.messages) {
          const place = `${batch.topic} ${batch.partition} ${message.offset}`;
          if (seen.has(place)) continue;
          seen.add(place);
          lines.push(`${JSON.stringify(lineOf(batch.topic, batch.partition, message))}\n`);
        }
        await writer.write(encoder.encode(lines.splice(0).join("")));
      },
    });
    const deadline = performance.now() + timeoutMs;
    while (seen.size < expect && performance.now() < deadline) await delay(20);
    // What is too much comes late.
    await delay(1_000);
  } finally {
    await consumer.disconnect();
    await writer.close();
  }
  if (seen.size !== expect) {
    throw new Error(`kafkajs read ${seen.size} records instead of ${expect}`);
  }
}

interface Message {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: Readonly<Record<string, unknown>>;
}

function lineOf(topic: string, partition: number, message: Message): Record<string, unknown> {
  const headers = Object.entries(message.headers ?? {}).flatMap(([name, value]) =>
    // Repeated names come as a list.
    (Array.isArray(value) ? value : [value]).map((one) => [base64(Buffer.from(name)), base64(one)])
  );
  return {
    topic,
    partition,
    offset: message.offset,
    timestamp: Number(message.timestamp),
    key: base64(message.key),
    value: base64(message.value),
    headers,
  };
}

function base64(bytes: Uint8Array | null | undefined): string | null {
  return bytes === null || bytes === undefined ? null : Buffer.from(bytes).toString("base64");
}
