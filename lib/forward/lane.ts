import { Gate } from "../core/gate.ts";
import type { Shipment } from "./shipment.ts";

/** One partition as the pipeline sees it: the batch being filled and what is on its way. */
export class Lane {
  /** The batch that records are being written into; null when there is nothing to send. */
  filling: Shipment | null = null;
  /** Batches handed to the producer that are not acknowledged. */
  unacked = 0;
  /** Whether it waits in the list of lanes to be sent at the end of this turn. */
  isMarked = false;
  /** Woken at each acknowledgement. */
  readonly gate = new Gate();

  constructor(readonly topic: string, readonly partition: number) {}

  /**
   * Whether a sender had better wait before more is read: as many batches as may be are under way
   * and the next one is half full. The other half takes what the reads already begun will bring.
   */
  isFull(unackedMost: number, batchBytes: number): boolean {
    if (this.unacked < unackedMost) return false;
    return this.unacked > unackedMost || (this.filling?.batch.sizeBytes ?? 0) * 2 > batchBytes;
  }
}
