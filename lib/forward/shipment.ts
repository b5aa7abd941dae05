import type { RecordBatch } from "../formats/record_batch.ts";
import type { Lane } from "./lane.ts";
import { Obligation } from "./obligations.ts";

/** What the pipeline remembers of a batch while it is filled and under way. */
export class Shipment {
  readonly obligation = new Obligation();
  /** Bytes of the batch that are counted as held. */
  countedBytes = 0;
  /** Records that the broker refused and that go on in other batches. */
  refused = 0;

  constructor(
    readonly lane: Lane,
    readonly batch: RecordBatch,
    /** Whether it goes to the dead-letter topic. */
    readonly deadLetter: boolean,
  ) {}

  /** Records of the batch that are this batch's own. */
  get records(): number {
    return this.batch.count - this.refused;
  }
}
