import { appendRecord, type BatchRecord, type RecordBatch } from "../formats/record_batch.ts";
import { Gate } from "../core/gate.ts";
import type { Lane } from "./lane.ts";
import type { Ledger } from "./ledger.ts";
import { Shipment } from "./shipment.ts";

/** What is needed of a Kafka producer to send batches. */
export interface Carrier {
  /** An empty batch whose tag is the borrower's own. */
  borrow(): RecordBatch;
  /** Takes a batch; its acknowledgement comes back to {@linkcode Shipping.acknowledged}. */
  send(topic: string, partition: number, batch: RecordBatch): void;
}

/** How many batches of a partition may be under way. */
export const unackedMost = 2;

/** Fills batches, hands them on, and keeps account of what is held until Kafka has it. */
export class Shipping {
  /** Bytes of records that are being filled, under way or detained. */
  heldBytes = 0;
  /** Woken at each acknowledgement. */
  readonly gate = new Gate();
  readonly #underWay = new Set<Shipment>();
  readonly #filled = new Set<Shipment>();
  #detained = 0;
  #marked: Lane[] = [];
  #turnIsDue = false;

  constructor(
    private readonly carrier: Carrier,
    private readonly ledger: Ledger,
    /** How many bytes one batch may hold. */
    private readonly batchBytes: number,
    private readonly deadLetterTopic: string | undefined,
  ) {}

  /** Whether whoever writes to this lane had better wait. */
  isFull(lane: Lane): boolean {
    return lane.isFull(unackedMost, this.batchBytes);
  }

  /** The batch that the lane's next record goes into. */
  filling(lane: Lane): Shipment {
    if (lane.filling === null) {
      const batch = this.carrier.borrow();
      lane.filling = new Shipment(lane, batch, lane.topic === this.deadLetterTopic);
      batch.tag = lane.filling;
      this.#filled.add(lane.filling);
    }
    return lane.filling;
  }

  /** A record was written to the lane: it is sent when all that has arrived is read. */
  wrote(lane: Lane, shipment: Shipment): void {
    const { sizeBytes } = shipment.batch;
    this.heldBytes += sizeBytes - shipment.countedBytes;
    shipment.countedBytes = sizeBytes;
    if (lane.isMarked) return;
    lane.isMarked = true;
    this.#marked.push(lane);
    if (this.#turnIsDue) return;
    this.#turnIsDue = true;
    setImmediate(() => this.endTurn());
  }

  /** Sends what was written since the last turn, where no more than may be is under way. */
  endTurn(): void {
    this.#turnIsDue = false;
    const marked = this.#marked;
    this.#marked = [];
    for (const lane of marked) {
      lane.isMarked = false;
      if (lane.unacked < unackedMost) this.handOn(lane);
    }
  }

  /** Sends what the lane has, however much is under way. */
  handOn(lane: Lane): void {
    const shipment = lane.filling;
    if (shipment === null || shipment.batch.count === 0) return;
    lane.filling = null;
    lane.unacked++;
    this.#filled.delete(shipment);
    this.#underWay.add(shipment);
    this.carrier.send(lane.topic, lane.partition, shipment.batch);
  }

  /** A batch is safe in Kafka: what was waiting for it goes on. */
  acknowledged(batch: RecordBatch): void {
    const shipment = batch.tag as Shipment;
    const { lane } = shipment;
    if (!this.#underWay.delete(shipment)) throw new Error("a batch was acknowledged twice");
    if (shipment.deadLetter) this.ledger.deadLettered += shipment.records;
    else this.ledger.acknowledged += shipment.records;
    this.heldBytes -= shipment.countedBytes;
    lane.unacked--;
    shipment.obligation.pay();
    if (lane.unacked < unackedMost) this.handOn(lane);
    lane.gate.wake();
    this.gate.wake();
  }

  /** Records that are not acknowledged, counted from the batches that hold them. */
  get heldRecords(): number {
    let held = this.#detained;
    for (const shipment of this.#underWay) held += shipment.records;
    for (const shipment of this.#filled) held += shipment.records;
    return held;
  }

  /** One record of the batch is not this batch's any more. */
  withdraw(shipment: Shipment): void {
    shipment.refused++;
    this.ledger.refused++;
  }

  /** Counts a withdrawn record of this size as held until the function returned is called. */
  detain(shipment: Shipment, bytes: number): () => void {
    this.#detained++;
    this.heldBytes += bytes;
    shipment.obligation.share();
    return () => {
      this.#detained--;
      this.heldBytes -= bytes;
      shipment.obligation.pay();
    };
  }

  /** Waits until records may be added to this lane. */
  async room(lane: Lane): Promise<void> {
    while (this.isFull(lane)) await lane.gate.wait();
  }

  /** Writes what became of one withdrawn record; its sender is answered when all of it is safe. */
  reship(shipment: Shipment, lane: Lane, records: readonly BatchRecord[]): void {
    this.ledger.received += records.length - 1;
    for (const record of records) {
      if (!appendRecord(this.filling(lane).batch, record)) {
        this.handOn(lane);
        if (!appendRecord(this.filling(lane).batch, record)) {
          throw new RangeError("a record that was in one batch does not fit into another");
        }
      }
      const filling = this.filling(lane);
      this.wrote(lane, filling);
      shipment.obligation.share();
      filling.obligation.watch({ paid: () => shipment.obligation.pay() });
    }
  }
}
