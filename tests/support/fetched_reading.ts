import {
  type Cluster,
  decompress,
  type FetchedPartition,
  type Isolation,
  releaseFetched,
} from "../../lib/clients/kafka/kafka.ts";
import {
  AbortedFilter,
  checkBatch,
  controlTypeOf,
  readBatchHead,
  recordsAt,
} from "../../lib/formats/fetched_batches.ts";
import { RecordWalk } from "../../lib/formats/record_walk.ts";
import { VarintCursor } from "../../lib/formats/varint.ts";

/** A record as it stands in a fetched batch. */
export interface FetchedRecord {
  readonly offset: bigint;
  readonly timestampMs: bigint;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly { readonly key: Uint8Array; readonly value: Uint8Array | null }[];
}

/** What came of one answer. */
export interface ReadAnswer {
  readonly records: readonly FetchedRecord[];
  /** Where reading goes on; what was wanted when there was no whole batch. */
  readonly nextOffset: bigint;
}

/** Reads the batches of an answer as an archive does, into objects. */
export function readFetched(
  { records: bytes, aborted }: Pick<FetchedPartition, "records" | "aborted">,
  wanted: bigint,
): ReadAnswer {
  const filter = new AbortedFilter(aborted);
  const walk = new RecordWalk();
  const records: FetchedRecord[] = [];
  let nextOffset = wanted;
  for (let at = 0;;) {
    const head = readBatchHead(bytes, at);
    if (head === null) return { records, nextOffset };
    checkBatch(bytes, at, head);
    const control = head.isControl ? controlTypeOf(bytes, at, head) : null;
    if (filter.isWanted(head, control)) {
      const stored = bytes.subarray(recordsAt(at), at + head.sizeBytes);
      const plain = head.codec === 0 ? stored : decompress(head.codec, stored);
      walk.begin(head, plain, 0, plain.length, wanted);
      while (walk.next()) records.push(recordOf(walk));
    }
    nextOffset = head.nextOffset;
    at += head.sizeBytes;
  }
}

/** The record at which the walk stands. */
export function recordOf(walk: RecordWalk): FetchedRecord {
  const { bytes, hasKey, keyStart, keyEnd, hasValue, valueStart, valueEnd } = walk;
  const cursor = new VarintCursor(bytes, valueEnd);
  const headers = [];
  for (let left = cursor.read(); left > 0; left--) {
    headers.push({ key: cursor.readBytes() ?? new Uint8Array(0), value: cursor.readBytes() });
  }
  if (cursor.at !== walk.recordEnd) throw new Error("the record does not end behind its headers");
  return {
    offset: walk.offset,
    timestampMs: walk.timestampMs,
    key: hasKey ? bytes.subarray(keyStart, keyEnd) : null,
    value: hasValue ? bytes.subarray(valueStart, valueEnd) : null,
    headers,
  };
}

/** Fetches a partition from `from` to its end as it is now, `maxBytes` at a time. */
export async function fetchAll(
  cluster: Cluster,
  topic: string,
  options: {
    readonly partition?: number;
    readonly from?: bigint;
    readonly maxBytes?: number;
    readonly isolation?: Isolation;
  } = {},
): Promise<{ readonly records: FetchedRecord[]; readonly answers: number }> {
  const { partition = 0, from = 0n, maxBytes = 1_048_576, isolation = "read-committed" } = options;
  await cluster.listTopics();
  const nodeId = cluster.leaderId(topic, partition);
  if (nodeId === undefined) throw new Error(`Nobody leads partition ${partition} of ${topic}`);
  const [end] = await cluster.listOffsets([{ topic, partition, at: "latest" }], isolation);
  const stop = end?.offset ?? null;
  if (stop === null) throw end?.error ?? new Error("no answer");
  const records: FetchedRecord[] = [];
  let answers = 0;
  for (let offset = from; offset < stop; answers++) {
    const [fetched] = await cluster.fetch(nodeId, [{ topic, partition, offset, maxBytes }], {
      maxWaitMs: 1_000,
      minBytes: 1,
      maxBytes,
      isolation,
    });
    if (fetched?.outcome !== "ok") throw fetched?.error ?? new Error("no answer");
    const read = readFetched({ ...fetched, records: fetched.records.slice() }, offset);
    releaseFetched([fetched]);
    if (read.nextOffset === offset) throw new Error(`Nothing came at offset ${offset}`);
    records.push(...read.records);
    offset = read.nextOffset;
  }
  return { records, answers };
}
