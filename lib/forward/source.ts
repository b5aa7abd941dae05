import type { RecordHeader } from "../formats/record_batch.ts";
import type { Lane } from "./lane.ts";
import type { Obligation } from "./obligations.ts";
import type { Topic } from "./topics.ts";

const encoder = new TextEncoder();

/** One sender, as far as its records are concerned; sessions extend it. */
export class Source {
  /** The sender's address as the inside of a JSON string. */
  readonly peerName: Uint8Array;
  /** The topic, slot and key of the last message: the further parts of an over-long one follow it. */
  topic: Topic | null = null;
  slot: number;
  /** Kept of over-long messages only. */
  key: Uint8Array | null = null;
  /** The lane written to last; when it is full, nothing more is read. */
  lane: Lane | null = null;
  /** How many of its messages are parked because the partitions of their topics are not known yet. */
  parked = 0;
  /** What is owed for the message handled last. */
  obligation: Obligation | null = null;

  constructor(
    /**
     * Chooses the partition of lines without a key: all lines of one connection go to one
     * partition, so that they keep their order.
     */
    readonly home: number,
    readonly peerText: string,
    /** Headers of every record; none unless asked for. */
    readonly headers: readonly RecordHeader[],
  ) {
    this.slot = home;
    this.peerName = encoder.encode(JSON.stringify(peerText).slice(1, -1));
  }

  /** Called for each part of a message once it is clear what its safety hangs on. */
  landed(obligation: Obligation, _more: boolean): void {
    this.obligation = obligation;
  }
}
