import type { Refusal } from "../clients/kafka/kafka.ts";
import type { World } from "../core/world.ts";
import { cutBefore } from "../formats/parts.ts";
import { type BatchRecord, type RecordHeader, recordsIn } from "../formats/record_batch.ts";
import type { Lane } from "./lane.ts";
import type { Pipeline } from "./pipeline.ts";
import { halfNames, header, headerNames } from "./record_headers.ts";
import type { ForwardSettings } from "./settings.ts";
import type { Shipment } from "./shipment.ts";
import { cutText } from "./truncate.ts";

/** How long to wait before a record is tried again that cannot be sent in any other form. */
const againMs = 10_000;

/** What an operator can do about a record for which there is no other form. */
const hints: Record<Refusal["why"], string> = {
  "invalid": "is the topic compacted? then give --key; or set --dead-letter-topic",
  "timestamp": "compare the clocks of this machine and of the brokers",
  "too-large": "even without its text it is too large: raise the topic's max.message.bytes",
};

/**
 * Finds another way for records that the broker refused; none is dropped. A stamp it will not have
 * is replaced by the receive time; what is too large goes to the dead-letter topic, is split, or
 * loses its end, as `--oversize` says. Where there is no other way the same record is tried again and
 * again, and counts as held meanwhile, so that reading stops when there are too many.
 */
export class Refusals {
  readonly #waiting = new Map<string, { readonly why: Refusal["why"]; readonly acts: Again[] }>();
  // The records of the batch that was looked into last: one refusal seldom comes alone.
  #opened: Shipment | null = null;
  #records: readonly BatchRecord[] = [];

  constructor(
    private readonly settings: Pick<ForwardSettings, "oversize" | "format">,
    private readonly pipeline: Pipeline,
    private readonly world: World,
  ) {}

  /** Which topic takes no record in any form, and what to do; null when there is none. */
  get trouble(): string | null {
    for (const [topic, { why }] of this.#waiting) {
      return `topic ${topic} refuses records: ${hints[why]}`;
    }
    return null;
  }

  /** Sends the record on in another form. The batch it was in goes on without it. */
  take({ batch, index, why }: Refusal): void {
    const shipment = batch.tag as Shipment;
    const record = this.#recordAt(shipment, index);
    this.pipeline.shipping.withdraw(shipment);
    if (why === "timestamp" && !has(record, headerNames.recordTime)) {
      return this.#restamp(shipment, record);
    }
    const deadLetter = this.#mayDeadLetter(why) ? this.pipeline.deadLetterLane(shipment) : null;
    if (deadLetter !== null) {
      return this.#ship(shipment, deadLetter, [marked(record, why)]);
    }
    const smaller = why === "too-large" ? this.#smaller(record) : null;
    if (smaller === null) return this.#tryAgain(shipment, record, why);
    this.#ship(shipment, shipment.lane, smaller.map((one) => marked(one, why)));
  }

  #recordAt(shipment: Shipment, index: number): BatchRecord {
    if (this.#opened !== shipment) {
      this.#opened = shipment;
      this.#records = [...recordsIn(shipment.batch)];
    }
    const record = this.#records[index];
    if (record === undefined) {
      throw new RangeError(`a batch of ${this.#records.length} records has none at ${index}`);
    }
    return record;
  }

  /** A stamp would be refused there, too; what is too large goes there only if that is wanted. */
  #mayDeadLetter(why: Refusal["why"]): boolean {
    return why === "invalid" || (why === "too-large" && this.settings.oversize === "dead-letter");
  }

  #restamp(shipment: Shipment, record: BatchRecord): void {
    this.pipeline.ledger.restamped++;
    const stamp = new Date(record.timestampMs).toISOString();
    const headers = [...record.headers, header(headerNames.recordTime, stamp)];
    this.#ship(shipment, shipment.lane, [{ ...record, timestampMs: this.world.nowMs(), headers }]);
  }

  /** The record as two, or without its end; null when nothing is left to take away. */
  #smaller(record: BatchRecord): BatchRecord[] | null {
    if (this.settings.oversize !== "truncate") {
      return record.value.length < 2 ? null : halves(record);
    }
    const { value, lostBytes } = cutText(record.value, this.settings.format);
    if (lostBytes <= 0) return null;
    const { ledger } = this.pipeline;
    if (!has(record, headerNames.truncated)) ledger.truncated++;
    ledger.truncatedBytes += lostBytes;
    const headers = without(record.headers, headerNames.truncated);
    return [{ ...record, value, headers: [...headers, header(headerNames.truncated, "true")] }];
  }

  /** Only an operator can help. */
  #tryAgain(shipment: Shipment, record: BatchRecord, why: Refusal["why"]): void {
    // The batch is used for others as soon as the rest of it is acknowledged.
    const kept = copyOf(record);
    const release = this.pipeline.shipping.detain(shipment, bytesOf(kept));
    const { lane } = shipment;
    const act = async () => {
      await this.pipeline.shipping.room(lane);
      const timestampMs = why === "timestamp" ? this.world.nowMs() : kept.timestampMs;
      this.#ship(shipment, lane, [{ ...kept, timestampMs }]);
      release();
    };
    const waiting = this.#waiting.get(lane.topic);
    if (waiting !== undefined) {
      waiting.acts.push(act);
      return;
    }
    const acts = [act];
    this.#waiting.set(lane.topic, { why, acts });
    this.world.log("error", "Kafka refuses records for what they are; trying on", {
      topic: lane.topic,
      why,
      hint: hints[why],
    });
    this.world.sleep(againMs).then(async () => {
      this.#waiting.delete(lane.topic);
      for (const again of acts) await again();
    });
  }

  #ship(shipment: Shipment, lane: Lane, records: readonly BatchRecord[]): void {
    this.pipeline.shipping.reship(shipment, lane, records);
  }
}

type Again = () => Promise<void>;

const decoder = new TextDecoder();

function without(headers: readonly RecordHeader[], name: string): RecordHeader[] {
  return headers.filter((one) => decoder.decode(one.key) !== name);
}

function has({ headers }: BatchRecord, name: string): boolean {
  return headers.some((one) => decoder.decode(one.key) === name);
}

function marked(record: BatchRecord, why: Refusal["why"]): BatchRecord {
  const headers = without(record.headers, headerNames.refused);
  return { ...record, headers: [...headers, header(headerNames.refused, why)] };
}

function copyOf({ timestampMs, key, value, headers }: BatchRecord): BatchRecord {
  return {
    timestampMs,
    key: key === null ? null : key.slice(),
    value: value.slice(),
    headers: headers.map((one) => ({ key: one.key.slice(), value: one.value.slice() })),
  };
}

/** What a kept record costs, its objects included. */
function bytesOf({ key, value, headers }: BatchRecord): number {
  return value.length + (key?.length ?? 0) + 500 + 200 * headers.length;
}

/** The record as two, its value cut in the middle; the header says which half of what each is. */
function halves(record: BatchRecord): BatchRecord[] {
  const { value, headers } = record;
  const part = headers.find((one) => decoder.decode(one.key) === headerNames.part);
  const [firstName, secondName] = halfNames(part === undefined ? "" : decoder.decode(part.value));
  const middle = cutBefore(value, 0, value.length >> 1);
  const rest = without(headers, headerNames.part);
  const half = (bytes: Uint8Array, name: string) => ({
    ...record,
    value: bytes,
    headers: [...rest, header(headerNames.part, name)],
  });
  return [half(value.slice(0, middle), firstName), half(value.slice(middle), secondName)];
}
