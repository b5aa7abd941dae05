import { compressionsAlgorithms } from "@platformatic/kafka";
import { Buffer } from "node:buffer";
import {
  batchOfTails,
  type ProducerStamp,
  type RecordBatch,
  recordBytes,
  restamp,
  sealBatch,
  sealCompressed,
  tailsIn,
} from "../../formats/record_batch.ts";
import type { Parcel } from "./lane.ts";

/** How record batches are compressed. */
export type Codec = "none" | "gzip" | "snappy" | "lz4" | "zstd";

/** A batch that was handed over; it may travel in several parcels. */
export interface Consignment {
  readonly batch: RecordBatch;
  /** How many of them have not arrived. */
  parcels: number;
}

/** Part or all of a consignment, as it goes to the broker. */
export interface Freight extends Parcel {
  readonly of: Consignment;
  /** The records: the consignment's own batch, or one made of some of its records. */
  readonly records: RecordBatch;
  /** Where each record stands in the consignment; null when they are the same. */
  readonly places: readonly number[] | null;
  /** The bytes on the wire; null before they were made. */
  sealed: Uint8Array<ArrayBuffer> | null;
  /** Producer and sequence that it was sealed with. */
  sealedAs: string;
  /** When it was sent last, monotonic milliseconds. */
  sentMs: number;
}

/** A freight of these records. */
export function freightOf(
  of: Consignment,
  records: RecordBatch,
  places: readonly number[] | null,
): Freight {
  return {
    of,
    records,
    places,
    count: records.count,
    sequence: 0,
    flying: false,
    sealed: null,
    sealedAs: "",
    sentMs: 0,
  };
}

/** The bytes to send under this producer id and sequence; made once, re-stamped when those change. */
export function sealFreight(
  freight: Freight,
  codec: Codec,
  { producerId, producerEpoch }: Pick<ProducerStamp, "producerId" | "producerEpoch">,
): Uint8Array<ArrayBuffer> {
  const as = `${producerId}/${producerEpoch}/${freight.sequence}`;
  if (freight.sealed !== null && freight.sealedAs === as) return freight.sealed;
  const stamp = { producerId, producerEpoch, baseSequence: freight.sequence };
  if (freight.sealed !== null) restamp(freight.sealed, stamp);
  else if (codec === "none") freight.sealed = sealBatch(freight.records, stamp);
  else {
    const { bitmask, compressSync } = compressionsAlgorithms[codec];
    const raw = recordBytes(freight.records);
    const compressed = compressSync(Buffer.from(raw.buffer, raw.byteOffset, raw.length));
    freight.sealed = sealCompressed(freight.records, bitmask, compressed, stamp);
  }
  freight.sealedAs = as;
  return freight.sealed;
}

/** Some records of a freight, by their index in it, as freights of their own: one for each list. */
export function partsOf(freight: Freight, lists: readonly (readonly number[])[]): Freight[] {
  const tails = tailsIn(freight.records);
  return lists.map((indexes) => {
    const chosen = indexes.map((index) => {
      const tail = tails[index];
      if (tail !== undefined) return tail;
      throw new RangeError(`no record ${index} in a batch of ${tails.length}`);
    });
    const batch = batchOfTails(freight.records.bytes, chosen);
    return freightOf(freight.of, batch, indexes.map((index) => placeOf(freight, index)));
  });
}

/** Where a record of the freight stands in the batch that was handed over. */
export function placeOf(freight: Freight, index: number): number {
  return freight.places === null ? index : freight.places[index] ?? index;
}
