import type { World } from "../core/world.ts";
import { murmur2 } from "../formats/murmur2.ts";
import { cutBefore } from "../formats/parts.ts";
import type { RecordHeader } from "../formats/record_batch.ts";
import { SyslogMessage, SyslogParser } from "../formats/syslog_message.ts";
import { Encoder } from "./encoder.ts";
import type { Lane } from "./lane.ts";
import type { Ledger } from "./ledger.ts";
import { Obligation } from "./obligations.ts";
import { Parking } from "./parking.ts";
import { halfNames, header, headerNames, partName } from "./record_headers.ts";
import type { ForwardSettings } from "./settings.ts";
import type { Shipment } from "./shipment.ts";
import { type Carrier, Shipping } from "./shipping.ts";
import type { Source } from "./source.ts";
import { type PartitionsOf, type Topic, Topics } from "./topics.ts";

/** What the pipeline needs of a Kafka producer. */
export interface Outlet extends Carrier {
  readonly partitionsOf: PartitionsOf;
}

/** What the parser would say of a part that is not a message's first. */
const furtherPart = "a further part of an over-long message";
/** Stands for the part's name where all but the first part is left out. */
const truncatedName = "truncated";

/**
 * From frames to record batches: parses, encodes each record straight into the batch of its
 * partition, and hands batches on. Everything here is synchronous; whoever reads from a socket asks
 * {@linkcode Pipeline.hasRoom} before, so that what is held stays within bounds.
 */
export class Pipeline {
  readonly topics: Topics;
  readonly shipping: Shipping;
  readonly #parking = new Parking();
  readonly #deadLetterTopic: Topic | null;
  // The message at hand, its key, and when it came.
  readonly #message = new SyslogMessage();
  #key: Uint8Array | null = null;
  #nowMs: number;
  readonly #parser: SyslogParser;
  readonly #encoder: Encoder;

  constructor(
    private readonly settings: ForwardSettings,
    outlet: Outlet,
    readonly ledger: Ledger,
    private readonly world: World,
    /** How many bytes of records one batch may hold. */
    batchBytes: number,
  ) {
    this.shipping = new Shipping(outlet, ledger, batchBytes, settings.deadLetterTopic);
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
    return source.parked === 0 && this.heldBytes < this.settings.memoryBytes &&
      (source.lane === null || !this.shipping.isFull(source.lane));
  }

  /** Waits until {@linkcode hasRoom} may have changed for `source`. */
  room(source: Source): Promise<void> {
    if (source.parked > 0) return this.#parking.gate.wait();
    if (source.lane !== null && this.shipping.isFull(source.lane)) return source.lane.gate.wait();
    return this.shipping.gate.wait();
  }

  /** Bytes of records and parked messages that Kafka has not acknowledged. */
  get heldBytes(): number {
    return this.shipping.heldBytes + this.#parking.heldBytes;
  }

  /** Records that are neither acknowledged nor given up, counted where they are. */
  get heldRecords(): number {
    return this.shipping.heldRecords + this.#parking.count;
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
    const truncates = this.settings.oversize === "truncate";
    if (part > 0 && truncates) {
      this.ledger.truncatedBytes += end - start;
      if (source.obligation !== null) source.landed(source.obligation, more);
      return;
    }
    if (part === 0) this.#read(source, bytes, start, end, more);
    else {
      this.#message.setUnparsed(furtherPart, start, end);
      this.#key = source.key;
    }
    this.ledger.received++;
    const name = more && truncates ? truncatedName : partName(part, more);
    if (name === truncatedName) this.ledger.truncated++;
    const topic = this.#topicOf(source, name);
    if (!topic.isKnown) {
      source.landed(this.#park(source, topic, bytes.slice(start, end), name), more);
    } else {
      const lane = topic.lanes[source.slot % topic.lanes.length] as Lane;
      source.landed(this.#write(lane, source, bytes, start, end, name), more);
    }
  }

  /** Parses a message and settles which topic, slot and key it and its further parts have. */
  #read(source: Source, bytes: Uint8Array, start: number, end: number, more: boolean): void {
    const message = this.#message;
    this.#parser.parse(bytes, start, end, this.#nowMs, message);
    source.topic = this.topics.of(message, bytes, source.peerText);
    if (message.form === "unparsed") this.ledger.unparsed++;
    const key = this.#encoder.keyOf(message, bytes, source);
    source.slot = key === null ? source.home : murmur2(key) & 0x7fffffff;
    this.#key = key;
    if (more) source.key = key === null ? null : key.slice();
  }

  #topicOf(source: Source, name: string): Topic {
    if (
      name !== "" && this.settings.oversize === "dead-letter" && this.#deadLetterTopic !== null
    ) return this.#deadLetterTopic;
    return source.topic as Topic; // Set by #read of part 0.
  }

  /** Writes the message at hand; what is returned is paid when all of it is safe. */
  #write(
    lane: Lane,
    source: Source,
    bytes: Uint8Array,
    start: number,
    end: number,
    name: string,
  ): Obligation {
    const { shipping } = this;
    const headers = this.#headersOf(source, name);
    let shipment = shipping.filling(lane);
    if (!this.#encode(shipment, source, bytes, start, end, headers)) {
      if (shipment.batch.count > 0) {
        shipping.handOn(lane);
        shipment = shipping.filling(lane);
      }
      if (!this.#encode(shipment, source, bytes, start, end, headers)) {
        return this.#cut(lane, source, bytes, start, end, name);
      }
    }
    shipping.wrote(lane, shipment);
    source.lane = lane;
    return shipment.obligation;
  }

  #encode(
    { batch }: Shipment,
    source: Source,
    bytes: Uint8Array,
    start: number,
    end: number,
    headers: readonly RecordHeader[],
  ): boolean {
    const message = this.#message;
    return this.#encoder.write(
      message,
      bytes,
      start,
      end,
      this.#nowMs,
      source,
      this.#key,
      batch,
      headers,
    );
  }

  /** What is made of the message at hand does not fit into any batch: it goes on in two parts. */
  #cut(
    lane: Lane,
    source: Source,
    bytes: Uint8Array,
    start: number,
    end: number,
    name: string,
  ): Obligation {
    const middle = cutBefore(bytes, start, start + ((end - start) >> 1));
    if (this.settings.oversize === "truncate") {
      if (name === "") this.ledger.truncated++;
      this.ledger.truncatedBytes += end - middle;
      this.#reparse(bytes, start, middle, this.#message.problem === furtherPart);
      return this.#write(lane, source, bytes, start, middle, truncatedName);
    }
    this.ledger.received++;
    const [firstName, secondName] = halfNames(name);
    const topic = this.#topicOf(source, firstName);
    const to = topic.isKnown ? topic.lanes[source.slot % topic.lanes.length] as Lane : lane;
    this.#reparse(bytes, start, middle, this.#message.problem === furtherPart);
    const first = this.#write(to, source, bytes, start, middle, firstName);
    this.#reparse(bytes, middle, end, true);
    const second = this.#write(to, source, bytes, middle, end, secondName);
    return bothOf(first, second);
  }

  #reparse(bytes: Uint8Array, start: number, end: number, isFurther: boolean): void {
    if (isFurther) this.#message.setUnparsed(furtherPart, start, end);
    else this.#parser.parse(bytes, start, end, this.#nowMs, this.#message);
  }

  #headersOf(source: Source, name: string): readonly RecordHeader[] {
    const { problem, form } = this.#message;
    if (form !== "unparsed" && name === "") return source.headers;
    const headers = [...source.headers];
    if (form === "unparsed" && problem !== furtherPart) {
      headers.push(header(headerNames.parseError, problem));
    }
    if (name === truncatedName) headers.push(header(headerNames.truncated, "true"));
    else if (name !== "") headers.push(header(headerNames.part, name));
    return headers;
  }

  #park(source: Source, topic: Topic, bytes: Uint8Array, name: string): Obligation {
    const obligation = new Obligation();
    this.#parking.add({
      source,
      topic,
      slot: source.slot,
      key: this.#key === null ? null : this.#key.slice(),
      bytes,
      receivedMs: this.#nowMs,
      partName: name,
      isFurther: this.#message.problem === furtherPart,
      obligation,
    });
    return obligation;
  }

  /** Writes what was parked for topics that have become known, in the order it came. */
  #unpark(): void {
    const nowMs = this.#nowMs;
    this.#parking.leave((parked) => {
      const { source, topic, slot, bytes, obligation } = parked;
      this.#nowMs = parked.receivedMs;
      this.#key = parked.key;
      this.#reparse(bytes, 0, bytes.length, parked.isFurther);
      const lane = topic.lanes[slot % topic.lanes.length] as Lane;
      this.#write(lane, source, bytes, 0, bytes.length, parked.partName)
        .watch({ paid: () => obligation.pay() });
    });
    this.#nowMs = nowMs;
  }

  /** Resolves when nothing is held any more. Nothing may be accepted meanwhile. */
  async drained(): Promise<void> {
    while (this.heldRecords > 0) {
      this.shipping.endTurn();
      await (this.#parking.count > 0 ? this.#parking.gate : this.shipping.gate).wait();
    }
  }

  /** Where a refused record of this shipment goes; null when it was refused there, or there is none. */
  deadLetterLane(shipment: Shipment): Lane | null {
    const lanes = this.#deadLetterTopic?.lanes ?? [];
    if (shipment.deadLetter || lanes.length === 0) return null;
    return lanes[shipment.lane.partition % lanes.length] ?? null;
  }
}

/** Paid when both are. */
function bothOf(first: Obligation, second: Obligation): Obligation {
  if (first === second) return first;
  const both = new Obligation();
  both.share();
  for (const one of [first, second]) one.watch({ paid: () => both.pay() });
  return both;
}
