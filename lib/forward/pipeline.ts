import type { World } from "../core/world.ts";
import { murmur2 } from "../formats/murmur2.ts";
import type { RecordBatch, RecordHeader } from "../formats/record_batch.ts";
import { SyslogMessage, SyslogParser } from "../formats/syslog_message.ts";
import { Encoder } from "./encoder.ts";
import { Gate } from "./gate.ts";
import type { Lane } from "./lane.ts";
import type { Ledger } from "./ledger.ts";
import { Obligation } from "./obligations.ts";
import type { LooseRecord } from "./refusals.ts";
import { header, headerNames, partHeader } from "./record_headers.ts";
import type { ForwardSettings } from "./settings.ts";
import { Shipment } from "./shipment.ts";
import type { Source } from "./source.ts";
import { type PartitionsOf, type Topic, Topics } from "./topics.ts";

/** What the pipeline needs of a Kafka producer. */
export interface Outlet {
  /** An empty batch whose tag is the pipeline's own. */
  borrow(): RecordBatch;
  /** Takes a batch; its acknowledgement comes back to {@linkcode Pipeline.acknowledged}. */
  send(topic: string, partition: number, batch: RecordBatch): void;
  readonly partitionsOf: PartitionsOf;
}

/** How many batches of a partition may be under way. */
export const unackedMost = 2;

/** A message whose topic's partitions are not known yet, copied out of the read buffer. */
interface Parked {
  readonly source: Source;
  readonly topic: Topic;
  readonly slot: number;
  readonly bytes: Uint8Array;
  readonly part: number;
  readonly more: boolean;
  readonly obligation: Obligation;
}

/**
 * From frames to record batches: parses, encodes each record straight into the batch of its
 * partition, and hands batches on. Everything here is synchronous; whoever reads from a socket asks
 * {@linkcode Pipeline.hasRoom} before, so that what is held stays within bounds.
 */
export class Pipeline {
  readonly topics: Topics;
  /** Bytes of records that are held: being filled or under way. */
  heldBytes = 0;
  readonly #budget = new Gate();
  readonly #underWay = new Set<Shipment>();
  #parked: Parked[] = [];
  #detained = 0;
  #marked: Lane[] = [];
  #turnIsDue = false;
  #nowMs: number;
  readonly #deadLetterTopic: Topic | null;
  readonly #message = new SyslogMessage();
  readonly #parser: SyslogParser;
  readonly #encoder: Encoder;

  constructor(
    private readonly settings: ForwardSettings,
    private readonly outlet: Outlet,
    readonly ledger: Ledger,
    private readonly world: World,
    /** How many bytes of records one batch may hold. */
    private readonly batchBytes: number,
  ) {
    this.topics = new Topics(
      settings.topic,
      settings.topicsMost,
      outlet.partitionsOf,
      world.log,
      () => this.#unpark(),
    );
    this.#deadLetterTopic = settings.deadLetterTopic === undefined
      ? null
      : this.topics.named(settings.deadLetterTopic);
    this.#parser = new SyslogParser({ timeZone: settings.timeZone });
    this.#encoder = new Encoder(settings);
    this.#nowMs = world.nowMs();
  }

  /** Whether `source` may read on. */
  hasRoom(source: Source): boolean {
    return source.awaits === null && this.heldBytes < this.settings.memoryBytes &&
      !(source.lane?.isFull(unackedMost, this.batchBytes) ?? false);
  }

  /** Waits until {@linkcode hasRoom} may have changed for `source`. */
  async room(source: Source): Promise<void> {
    if (source.awaits !== null) {
      await source.awaits.coming;
      if (source.awaits.isKnown) source.awaits = null;
    } else if (source.lane?.isFull(unackedMost, this.batchBytes)) {
      await source.lane.gate.wait();
    } else {
      await this.#budget.wait();
    }
  }

  /** Takes the time for the messages of the read that follows. */
  tick(): void {
    this.#nowMs = this.world.nowMs();
  }

  /** Takes one frame of `source`, or one part of an over-long one; `bytes` may be reused afterwards. */
  accept(
    source: Source,
    bytes: Uint8Array,
    start: number,
    end: number,
    part: number,
    more: boolean,
  ): void {
    if (part === 0) this.ledger.messages++;
    this.ledger.bytes += end - start;
    if (part > 0 && this.settings.oversize === "truncate") {
      this.ledger.truncatedBytes += end - start;
      if (source.obligation !== null) source.landed(source.obligation, more);
      return;
    }
    if (part === 0) this.#read(source, bytes, start, end);
    else this.#message.setUnparsed("a further part of an over-long message", start, end);
    this.ledger.received++;
    const topic = this.#topicOf(source, part, more);
    if (!topic.isKnown) return this.#park(source, topic, bytes.slice(start, end), part, more);
    const lane = topic.lanes[source.slot % topic.lanes.length] as Lane;
    source.landed(this.#write(lane, source, bytes, start, end, part, more), more);
  }

  /** Parses a message and settles which topic and slot it and its further parts go to. */
  #read(source: Source, bytes: Uint8Array, start: number, end: number): void {
    const message = this.#message;
    this.#parser.parse(bytes, start, end, this.#nowMs, message);
    source.topic = this.topics.of(message, bytes, source.peerText);
    if (message.form === "unparsed") this.ledger.unparsed++;
    const key = this.#encoder.keyOf(message, bytes, source);
    source.slot = key === null ? source.home : murmur2(key) & 0x7fffffff;
  }

  #topicOf(source: Source, part: number, more: boolean): Topic {
    const overlong = part > 0 || more;
    if (overlong && this.settings.oversize === "dead-letter" && this.#deadLetterTopic !== null) {
      return this.#deadLetterTopic;
    }
    return source.topic as Topic; // Set by #read of part 0.
  }

  #write(
    lane: Lane,
    source: Source,
    bytes: Uint8Array,
    start: number,
    end: number,
    part: number,
    more: boolean,
  ): Obligation {
    const headers = this.#headersOf(source, part, more);
    let shipment = this.#filling(lane);
    const encode = () =>
      this.#encoder.write(
        this.#message,
        bytes,
        start,
        end,
        this.#nowMs,
        source,
        shipment.batch,
        headers,
      );
    if (!encode()) {
      if (shipment.batch.count > 0) {
        this.#handOn(lane);
        shipment = this.#filling(lane);
      }
      if (!encode()) return this.#cut(lane, source, bytes, start, end, part, more);
    }
    source.lane = lane;
    this.#mark(lane);
    return shipment.obligation;
  }

  /** The record does not fit into any batch: it goes on in two parts. */
  #cut(
    lane: Lane,
    source: Source,
    bytes: Uint8Array,
    start: number,
    end: number,
    part: number,
    more: boolean,
  ): Obligation {
    this.ledger.received++;
    const middle = start + ((end - start) >> 1);
    source.landed(this.#write(lane, source, bytes, start, middle, part, true), true);
    this.#message.setUnparsed("a further part of an over-long message", middle, end);
    return this.#write(lane, source, bytes, middle, end, part + 1, more);
  }

  #headersOf(source: Source, part: number, more: boolean): readonly RecordHeader[] {
    const { problem, form } = this.#message;
    if (form !== "unparsed" && part === 0 && !more) return source.headers;
    const headers = [...source.headers];
    if (form === "unparsed" && part === 0) headers.push(header(headerNames.parseError, problem));
    if (part === 0 && !more) return headers;
    if (this.settings.oversize === "truncate") {
      this.ledger.truncated++;
      headers.push(header(headerNames.truncated, "true"));
    } else {
      headers.push(partHeader(part, more));
    }
    return headers;
  }

  #park(source: Source, topic: Topic, bytes: Uint8Array, part: number, more: boolean): void {
    const obligation = new Obligation();
    this.#parked.push({ source, topic, slot: source.slot, bytes, part, more, obligation });
    source.awaits = topic;
    source.landed(obligation, more);
  }

  /** Writes what was parked for topics that have become known, in the order it came. */
  #unpark(): void {
    const parked = this.#parked;
    this.#parked = [];
    for (const one of parked) {
      const { source, topic, slot, bytes, part, more, obligation } = one;
      if (!topic.isKnown) {
        this.#parked.push(one);
        continue;
      }
      if (part > 0) {
        this.#message.setUnparsed("a further part of an over-long message", 0, bytes.length);
      } else this.#parser.parse(bytes, 0, bytes.length, this.#nowMs, this.#message);
      const lane = topic.lanes[slot % topic.lanes.length] as Lane;
      this.#write(lane, source, bytes, 0, bytes.length, part, more)
        .watch({ paid: () => obligation.pay() });
    }
  }

  #filling(lane: Lane): Shipment {
    if (lane.filling === null) {
      const deadLetter = lane.topic === this.#deadLetterTopic?.name;
      const batch = this.outlet.borrow();
      lane.filling = new Shipment(lane, batch, deadLetter);
      batch.tag = lane.filling;
    }
    return lane.filling;
  }

  /** Remembers that a lane has something to send; it is sent when all that has arrived is read. */
  #mark(lane: Lane): void {
    if (!lane.isMarked) {
      lane.isMarked = true;
      this.#marked.push(lane);
    }
    if (this.#turnIsDue) return;
    this.#turnIsDue = true;
    setImmediate(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#turnIsDue = false;
    const marked = this.#marked;
    this.#marked = [];
    for (const lane of marked) {
      lane.isMarked = false;
      if (lane.filling === null) continue;
      if (lane.unacked < unackedMost) this.#handOn(lane);
      else this.#count(lane.filling);
    }
  }

  #count(shipment: Shipment): void {
    this.heldBytes += shipment.batch.sizeBytes - shipment.countedBytes;
    shipment.countedBytes = shipment.batch.sizeBytes;
  }

  #handOn(lane: Lane): void {
    const shipment = lane.filling;
    if (shipment === null) return;
    this.#count(shipment);
    lane.filling = null;
    lane.unacked++;
    this.#underWay.add(shipment);
    this.outlet.send(lane.topic, lane.partition, shipment.batch);
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
    if (lane.filling !== null && lane.unacked < unackedMost) this.#handOn(lane);
    lane.gate.wake();
    this.#budget.wake();
  }

  /** Records that are neither acknowledged nor given up, counted from the batches that hold them. */
  get heldRecords(): number {
    let held = this.#parked.length + this.#detained;
    for (const shipment of this.#underWay) held += shipment.records;
    for (const lane of this.topics.lanes()) held += lane.filling?.records ?? 0;
    return held;
  }

  /** Resolves when nothing is held any more. Nothing may be accepted meanwhile. */
  async drained(): Promise<void> {
    while (this.heldRecords > 0) {
      this.#endTurn();
      if (this.#parked.length > 0) await Promise.all([...this.topics.all].map((one) => one.coming));
      else await this.#budget.wait();
    }
  }

  /** One record of the batch is not this batch's any more. */
  withdraw(shipment: Shipment): void {
    shipment.refused++;
    this.ledger.refused++;
  }

  /** Counts a withdrawn record as held until the function returned is called. */
  detain(shipment: Shipment): () => void {
    this.#detained++;
    shipment.obligation.share();
    return () => {
      this.#detained--;
      shipment.obligation.pay();
    };
  }

  /** Where a refused record of this shipment goes; null when it was refused there, or there is none. */
  deadLetterLane(shipment: Shipment): Lane | null {
    const lanes = this.#deadLetterTopic?.lanes ?? [];
    if (shipment.deadLetter || lanes.length === 0) return null;
    return lanes[shipment.lane.partition % lanes.length] ?? null;
  }

  /** Writes what became of one withdrawn record; its sender is answered when all of it is safe. */
  reship(shipment: Shipment, lane: Lane, records: readonly LooseRecord[]): void {
    this.ledger.received += records.length - 1;
    for (const { value, timestampMs, key, headers } of records) {
      const put = () => {
        const { batch } = this.#filling(lane);
        const at = batch.begin(value.length, timestampMs, key, headers);
        if (at < 0) return false;
        batch.bytes.set(value, at);
        batch.commit(at + value.length);
        return true;
      };
      if (!put()) {
        this.#handOn(lane);
        if (!put()) {
          throw new RangeError("a record that was in one batch does not fit into another");
        }
      }
      shipment.obligation.share();
      this.#filling(lane).obligation.watch({ paid: () => shipment.obligation.pay() });
    }
    this.#mark(lane);
  }
}
