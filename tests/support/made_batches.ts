import { crc32c } from "../../lib/formats/crc32c.ts";

/** A record to be put into a batch. */
export interface MadeRecord {
  /** Counted from the batch's base. */
  readonly offsetDelta: number;
  readonly timestampDelta?: bigint;
  readonly key?: Uint8Array | null;
  readonly value?: Uint8Array | null;
  readonly headers?: readonly { readonly key: Uint8Array; readonly value: Uint8Array | null }[];
}

/** A batch as a broker may have stored it. What is left out is as in a plain batch. */
export interface MadeBatch {
  readonly baseOffset?: bigint;
  readonly records: readonly MadeRecord[];
  /** What compaction has left: the last offset may have no record any more. */
  readonly lastOffsetDelta?: number;
  readonly baseTimestampMs?: bigint;
  readonly maxTimestampMs?: bigint;
  readonly isLogAppendTime?: boolean;
  readonly isTransactional?: boolean;
  readonly isControl?: boolean;
  readonly producerId?: bigint;
  readonly codec?: number;
  readonly compress?: (bytes: Uint8Array) => Uint8Array;
  readonly magic?: number;
}

/** A zigzag varint, by its definition. */
export function varint(value: bigint | number): number[] {
  const wide = BigInt(value);
  let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n));
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

function field(bytes: Uint8Array | null): number[] {
  return bytes === null ? varint(-1) : [...varint(bytes.length), ...bytes];
}

/** Key, value and headers as both record formats have them. */
export function tailOf({ key = null, value = null, headers = [] }: MadeRecord): number[] {
  return [
    ...field(key),
    ...field(value),
    ...varint(headers.length),
    ...headers.flatMap((header) => [...field(header.key), ...field(header.value)]),
  ];
}

/** The bytes of a batch, with its checksum. */
export function madeBatch(batch: MadeBatch): Uint8Array<ArrayBuffer> {
  const records = Uint8Array.from(batch.records.flatMap((record) => {
    const body = [
      0,
      ...varint(record.timestampDelta ?? 0n),
      ...varint(record.offsetDelta),
      ...tailOf(record),
    ];
    return [...varint(body.length), ...body];
  }));
  const stored = batch.compress?.(records) ?? records;
  const bytes = new Uint8Array(61 + stored.length);
  bytes.set(stored, 61);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, batch.baseOffset ?? 0n);
  view.setInt32(8, bytes.length - 12);
  view.setInt8(16, batch.magic ?? 2);
  view.setInt16(
    21,
    (batch.codec ?? 0) | (batch.isLogAppendTime ? 8 : 0) | (batch.isTransactional ? 16 : 0) |
      (batch.isControl ? 32 : 0),
  );
  view.setInt32(23, batch.lastOffsetDelta ?? batch.records.at(-1)?.offsetDelta ?? 0);
  view.setBigInt64(27, batch.baseTimestampMs ?? 0n);
  view.setBigInt64(35, batch.maxTimestampMs ?? 0n);
  view.setBigInt64(43, batch.producerId ?? -1n);
  view.setInt32(57, batch.records.length);
  view.setUint32(17, crc32c(bytes, 21));
  return bytes;
}

/** The end of a transaction: a control batch of one record. */
export function madeMarker(
  type: "abort" | "commit",
  producerId: bigint,
  baseOffset: bigint,
): Uint8Array<ArrayBuffer> {
  const key = Uint8Array.of(0, 0, 0, type === "abort" ? 0 : 1);
  const records = [{ offsetDelta: 0, key, value: new Uint8Array(6) }];
  return madeBatch({ baseOffset, producerId, records, isControl: true, isTransactional: true });
}

/** One behind the other, as in an answer. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
