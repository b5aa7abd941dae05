import { Gate } from "../core/gate.ts";
import type { Obligation } from "./obligations.ts";
import type { Source } from "./source.ts";
import type { Topic } from "./topics.ts";

/** A message whose topic's partitions are not known yet, copied out of the read buffer. */
export interface Parked {
  readonly source: Source;
  readonly topic: Topic;
  readonly slot: number;
  readonly key: Uint8Array | null;
  readonly bytes: Uint8Array;
  readonly receivedMs: number;
  /** Which part of an over-long message it is; empty for a whole one. */
  readonly partName: string;
  readonly isFurther: boolean;
  /** Paid when all that is made of it is safe. */
  readonly obligation: Obligation;
}

/** What a parked message costs besides its bytes (seen with 10-byte messages: 280). */
const overheadBytes = 300;

/** Where messages wait until Kafka has told how many partitions their topics have. */
export class Parking {
  /** Woken when messages have left. */
  readonly gate = new Gate();
  /** Bytes of what is there. */
  heldBytes = 0;
  #parked: Parked[] = [];

  get count(): number {
    return this.#parked.length;
  }

  /** Takes a message; its source must not read on meanwhile. */
  add(parked: Parked): void {
    this.#parked.push(parked);
    parked.source.parked++;
    this.heldBytes += bytesOf(parked);
  }

  /** Hands over what is there for topics that are known now, in the order it came. */
  leave(go: (parked: Parked) => void): void {
    const [leaving, staying]: [Parked[], Parked[]] = [[], []];
    for (const one of this.#parked) (one.topic.isKnown ? leaving : staying).push(one);
    this.#parked = staying;
    for (const one of leaving) {
      one.source.parked--;
      this.heldBytes -= bytesOf(one);
      go(one);
    }
    this.gate.wake();
  }
}

function bytesOf({ bytes, key }: Parked): number {
  return bytes.length + (key?.length ?? 0) + overheadBytes;
}
