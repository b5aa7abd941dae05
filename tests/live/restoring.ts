import { Buffer } from "node:buffer";
import { kafkajsOf } from "../support/kafka_server.ts";
import { countRecords } from "../support/kafka_reader.ts";
import { delay } from "../support/waiting.ts";

/** A record to the byte, as kafkajs read it; bytes as base64, headers with their names. */
export interface ExactRecord {
  readonly partition: number;
  readonly offset: string;
  readonly timestamp: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: string;
}

/** Reads a topic to its end by kafkajs, in the order of partitions and offsets. */
export async function readExactly(bootstrap: string, topic: string): Promise<ExactRecord[]> {
  const expect = await countRecords(bootstrap, topic);
  // By partition and offset: a consumer that joins its group anew begins again.
  const records = new Map<string, ExactRecord>();
  if (expect === 0) return [];
  const consumer = kafkajsOf(bootstrap).consumer({ groupId: `exact-${crypto.randomUUID()}` });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch }) => {
        for (const { offset, timestamp, key, value, headers } of batch.messages) {
          records.set(`${batch.partition} ${offset}`, {
            partition: batch.partition,
            offset,
            timestamp,
            key: base64(key),
            value: base64(value),
            headers: JSON.stringify(
              Object.entries(headers ?? {}).map(([name, values]) => [
                name,
                [values].flat().map((one) =>
                  base64((one ?? null) === null ? null : Buffer.from(one as string))
                ),
              ]),
            ),
          });
        }
        return Promise.resolve();
      },
    });
    const deadline = performance.now() + 120_000;
    while (records.size < expect) {
      if (performance.now() > deadline) {
        throw new Error(`kafkajs read ${records.size} of ${expect} records of ${topic}`);
      }
      await delay(20);
    }
  } finally {
    await consumer.disconnect();
  }
  return [...records.values()].sort((a, b) =>
    a.partition - b.partition || Number(a.offset) - Number(b.offset)
  );
}

function base64(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString("base64");
}
