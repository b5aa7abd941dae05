import type { World } from "../core/world.ts";
import { type RecordBatch, type RecordHeader, recordsIn } from "../formats/record_batch.ts";
import type { Lane } from "./lane.ts";
import type { Pipeline } from "./pipeline.ts";
import { header, headerNames } from "./record_headers.ts";
import type { ForwardSettings } from "./settings.ts";
import type { Shipment } from "./shipment.ts";
import { cutText } from "./truncate.ts";

/** A record that the broker will not take as it is. */
export interface Refusal {
  readonly batch: RecordBatch;
  /** Which record of the batch. */
  readonly index: number;
  readonly why: "too-large" | "timestamp" | "invalid";
}

/** A record on its own. */
export interface LooseRecord {
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  readonly headers: readonly RecordHeader[];
}

/** How long to wait before a record is tried again that cannot be sent in any other form. */
const againMs = 10_000;

/**
 * Finds another way for records that the broker refused; none is dropped. A stamp it will not have
 * is replaced by the receive time; what is too large goes to the dead-letter topic, is split, or
 * loses its end, as `--oversize` says.
 */
export class Refusals {
  constructor(
    private readonly settings: Pick<ForwardSettings, "oversize" | "format">,
    private readonly pipeline: Pipeline,
    private readonly world: World,
  ) {}

  /** Sends the record on in another form. The batch it was in goes on without it. */
  take({ batch, index, why }: Refusal): void {
    const shipment = batch.tag as Shipment;
    const record = recordAt(batch, index);
    this.pipeline.withdraw(shipment);
    if (why === "timestamp") return this.#restamp(shipment, record);
    const deadLetter = this.pipeline.deadLetterLane(shipment);
    if (deadLetter !== null) {
      return this.#ship(shipment, deadLetter, [this.#marked(record, why)]);
    }
    if (why === "invalid") return this.#tryAgain(shipment, record);
    const shorter = this.settings.oversize === "truncate"
      ? [this.#truncated(record)]
      : halves(record);
    this.#ship(shipment, shipment.lane, shorter.map((one) => this.#marked(one, why)));
  }

  #restamp(shipment: Shipment, record: LooseRecord): void {
    this.pipeline.ledger.restamped++;
    const stamp = new Date(record.timestampMs).toISOString();
    const headers = [...record.headers, header(headerNames.recordTime, stamp)];
    this.#ship(shipment, shipment.lane, [{ ...record, timestampMs: this.world.nowMs(), headers }]);
  }

  #truncated(record: LooseRecord): LooseRecord {
    const { value, lostBytes } = cutText(record.value, this.settings.format);
    this.pipeline.ledger.truncated++;
    this.pipeline.ledger.truncatedBytes += lostBytes;
    const headers = without(record.headers, headerNames.truncated);
    return { ...record, value, headers: [...headers, header(headerNames.truncated, "true")] };
  }

  #marked(record: LooseRecord, why: Refusal["why"]): LooseRecord {
    const headers = without(record.headers, headerNames.refused);
    return { ...record, headers: [...headers, header(headerNames.refused, why)] };
  }

  /** The topic takes no such record at all (one without a key, say): only an operator can help. */
  #tryAgain(shipment: Shipment, record: LooseRecord): void {
    this.world.log("error", "Kafka refuses a record for what it is; trying on", {
      topic: shipment.lane.topic,
      partition: shipment.lane.partition,
      hint: "is the topic compacted? then give --key; or set --dead-letter-topic",
    });
    const release = this.pipeline.detain(shipment);
    this.world.sleep(againMs).then(() => {
      this.#ship(shipment, shipment.lane, [record]);
      release();
    });
  }

  #ship(shipment: Shipment, lane: Lane, records: readonly LooseRecord[]): void {
    this.pipeline.reship(shipment, lane, records);
  }
}

function recordAt(batch: RecordBatch, index: number): LooseRecord {
  let at = 0;
  for (const record of recordsIn(batch)) {
    if (at++ === index) return record;
  }
  throw new RangeError(`a batch of ${at} records has none at ${index}`);
}

function without(headers: readonly RecordHeader[], name: string): RecordHeader[] {
  const decoder = new TextDecoder();
  return headers.filter((one) => decoder.decode(one.key) !== name);
}

/** The record as two, its value cut in the middle; the header says which half of what each is. */
function halves(record: LooseRecord): LooseRecord[] {
  const { value, headers } = record;
  const part = headers.find((one) => new TextDecoder().decode(one.key) === headerNames.part);
  const prefix = part === undefined ? "" : `${new TextDecoder().decode(part.value)}.`;
  const middle = value.length >> 1;
  const rest = without(headers, headerNames.part);
  return [
    {
      ...record,
      value: value.slice(0, middle),
      headers: [...rest, header(headerNames.part, `${prefix}1`)],
    },
    {
      ...record,
      value: value.slice(middle),
      headers: [...rest, header(headerNames.part, `${prefix}2/2`)],
    },
  ];
}
