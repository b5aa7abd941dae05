/** What the lane must know of a batch on its way. */
export interface Parcel {
  /** Number of records. */
  count: number;
  /** Sequence of the first record, as the broker knows it. */
  sequence: number;
  /** Whether a request with it has been sent and not answered. */
  flying: boolean;
}

/** Sequences are 31 bits and begin again at 0 (KIP-98). */
const sequenceMask = 0x7fffffff;

/**
 * The batches of one partition in order, as an idempotent producer has to keep them. Pure: it says
 * what may be sent next, and what a reply means for those behind it.
 *
 * After any failure nothing new is sent until every request under way has been answered; then all
 * that is not acknowledged is sent again, in order and with the same sequences. The broker drops
 * what it has already, so nothing is doubled, lost or overtaken.
 *
 * A broker that knows nothing of a producer, because it is new or was silent for a day, takes any
 * sequence (ProducerAppendInfo.checkSequence). So a batch can be taken although the one before it was
 * refused; numbers that are then given anew would look like those of the batch that was taken, and
 * the broker would drop records as repetitions that it has never seen (so it did: Kafka 4.1). Against
 * that stand {@linkcode Lane.mustRestart} and that a new producer flies one batch only until the
 * first is acknowledged.
 */
export class Lane<P extends Parcel> {
  #parcels: P[] = [];
  #flying = 0;
  #nextSequence = 0;
  #isRecovering = false;
  /** Whether the broker is known to know the producer. */
  #isKnown = false;
  #isReplaced = false;
  #mustRestart = false;

  constructor(private readonly flyingMost: number) {}

  get length(): number {
    return this.#parcels.length;
  }

  get head(): P | undefined {
    return this.#parcels[0];
  }

  /** Whether a failure waits for the last replies, or to be dealt with. */
  get isRecovering(): boolean {
    return this.#isRecovering;
  }

  /** Whether all replies are in and {@linkcode Lane.recover} may be called. */
  get mayRecover(): boolean {
    return this.#isRecovering && this.#flying === 0;
  }

  /**
   * Whether a batch was taken although records before it were refused: the broker's count is not
   * ours any more, and only a new producer id, with {@linkcode Lane.restart}, mends that.
   */
  get mustRestart(): boolean {
    return this.#mustRestart;
  }

  push(parcel: P): void {
    parcel.sequence = this.#nextSequence;
    this.#nextSequence = (this.#nextSequence + parcel.count) & sequenceMask;
    this.#parcels.push(parcel);
  }

  /** The next parcel that may be sent now; the caller sends it. */
  next(): P | null {
    const flyingMost = this.#isKnown ? this.flyingMost : 1;
    if (this.#isRecovering || this.#flying >= flyingMost) return null;
    const parcel = this.#parcels[this.#flying];
    if (parcel === undefined) return null;
    parcel.flying = true;
    this.#flying++;
    return parcel;
  }

  /** The broker has it. */
  acked(parcel: P): void {
    this.#landed(parcel);
    this.#parcels.splice(this.#parcels.indexOf(parcel), 1);
    this.#isKnown = true;
    if (this.#isReplaced) this.#mustRestart = true;
  }

  /** It may or may not have arrived, or was refused: nothing new goes out until that is settled. */
  failed(parcel: P): void {
    this.#landed(parcel);
    this.#isRecovering = true;
  }

  /** Begins anew with the first parcel that is not acknowledged. */
  recover(): void {
    if (!this.mayRecover) throw new Error("recovery began with requests under way");
    this.#isRecovering = false;
    this.#isReplaced = false;
  }

  /**
   * The broker has refused the parcel as it is, after {@linkcode Lane.failed}: `parts` take its
   * place. Records that are in none of them are gone from the sequence, so those behind move up. A
   * broker that knows the producer has taken none of those; what another has done, the replies tell.
   */
  replace(parcel: P, parts: readonly P[]): void {
    const at = this.#parcels.indexOf(parcel);
    this.#parcels.splice(at, 1, ...parts);
    this.#isReplaced = true;
    this.#renumber(at, parcel.sequence);
  }

  /**
   * Another producer id: sequences begin anew, at 0, or where an earlier process that wrote under
   * this id has stopped.
   */
  restart(sequence = 0): void {
    this.#isKnown = false;
    this.#mustRestart = false;
    this.#renumber(0, sequence & sequenceMask);
  }

  #renumber(from: number, first: number): void {
    let sequence = first;
    for (const parcel of this.#parcels.slice(from)) {
      parcel.sequence = sequence;
      sequence = (sequence + parcel.count) & sequenceMask;
    }
    this.#nextSequence = sequence;
  }

  #landed(parcel: P): void {
    if (!parcel.flying) throw new Error("a reply came for a batch that was not sent");
    parcel.flying = false;
    this.#flying--;
  }
}
