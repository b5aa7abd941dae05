import type { Fault } from "../../core/errors.ts";
import { backoffMs, networkRetry } from "../../core/retry.ts";
import { sleep, type World } from "../../core/world.ts";
import { releaseBytes, reserveBytes } from "../../formats/kernel.ts";
import { RecordBatch } from "../../formats/record_batch.ts";
import { type Cluster, troubleOf } from "./cluster.ts";
import { code, faultOfRemedy, nameOf, type Remedy, remedyOf, topicAdvice } from "./failures.ts";
import {
  type Codec,
  type Consignment,
  type Freight,
  freightOf,
  partsOf,
  placeOf,
  sealFreight,
} from "./freight.ts";
import { Lane } from "./lane.ts";
import type { Link, ProduceReply, TopicMetadata } from "./link.ts";

/** Whether records are being taken. */
export type ProducerState =
  | { readonly ready: true }
  | { readonly ready: false; readonly fault: Fault; readonly reason: string };

/** A record that the broker will not take. */
export interface Refusal {
  readonly batch: RecordBatch;
  /** Which record of the batch. */
  readonly index: number;
  readonly why: "too-large" | "timestamp" | "invalid";
}

/** As whom a partition's batches are written, and which sequence its next record has. */
export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** 0 for a new id. Modulo 2^31. */
  readonly sequence: number;
}

/** How a producer works and whom it tells. */
export interface ProducerOptions {
  readonly world: World;
  readonly codec: Codec;
  /** What a batch may hold. */
  readonly batchBytes: number;
  /** Batches of a partition that may await their acknowledgement at once. */
  readonly maxInFlight: number;
  /** All records of the batch that were not refused are in Kafka; the batch is used again afterwards. */
  readonly onAck: (batch: RecordBatch) => void;
  readonly onState: (state: ProducerState) => void;
  /** The record is the owner's again, to be sent in another form; the batch goes on without it. */
  readonly refused: (refusal: Refusal) => void;
  /** Takes the seconds from sending a batch to its acknowledgement. */
  readonly onSent: (seconds: number) => void;
  /**
   * Gives a partition its identity, before its first batch and whenever the broker will not have the
   * one from before. Without it each partition gets a new id of the cluster.
   */
  readonly identify?: (topic: string, partition: number) => Promise<ProducerIdentity>;
}

interface Route {
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
  readonly lane: Lane<Freight>;
  producerId: bigint;
  producerEpoch: number;
  /** Something is being awaited; whoever finishes it drives the lane on. */
  isBusy: boolean;
  attempt: number;
  /** What the last failure asks for. */
  remedy: Remedy | null;
}

/** Batches kept for use again; more are left to the garbage collector. */
const poolMost = 32;

/**
 * An idempotent producer (acks=all) of whole batches. Nothing that was sent is given up: it retries
 * for ever, keeping the order within a partition; what the broker refuses goes back to its owner.
 */
export class Producer {
  readonly #routes = new Map<string, Route>();
  readonly #pool: RecordBatch[] = [];
  readonly #troubles = new Map<string, { fault: Fault; reason: string }>();
  readonly #closing = new AbortController();
  #told = "";

  constructor(private readonly cluster: Cluster, private readonly options: ProducerOptions) {}

  /** An empty batch. */
  borrow(): RecordBatch {
    const { batchBytes } = this.options;
    return this.#pool.pop() ?? new RecordBatch(batchBytes, reserveBytes(batchBytes));
  }

  /** Sends the batch, whatever it takes. Batches of one partition arrive in the order of the calls. */
  send(topic: string, partition: number, batch: RecordBatch): void {
    const route = this.#route(topic, partition);
    route.lane.push(freightOf({ batch, parcels: 1 }, batch, null));
    this.#drive(route);
  }

  /**
   * How many partitions the topic has. Waits for as long as the cluster cannot be reached or the
   * topic cannot be used, and says so.
   *
   * @throws {SluiceError} only after {@linkcode Producer.close}.
   */
  async partitionsOf(topic: string): Promise<number> {
    for (let attempt = 1;; attempt++) {
      try {
        const seen = await this.cluster.update(topic);
        if (seen !== undefined && seen.errorCode === code.none && seen.leaders.length > 0) {
          this.#clear(topic);
          return seen.leaders.length;
        }
        const errorCode = seen?.errorCode ?? code.unknownTopic;
        // A topic that is just being made is unknown once more, or has no leader yet.
        if (attempt > 1) this.#troubleWith(topic, topic, errorCode);
      } catch (thrown) {
        if (this.#closing.signal.aborted) throw thrown;
        this.#report(topic, troubleOf(thrown));
      }
      await this.#pause(attempt);
      if (this.#closing.signal.aborted) throw new Error("the producer was closed");
    }
  }

  /**
   * Forgets a partition: what of it was not acknowledged is given up, and nothing is told of it any
   * more. Requests under way may still be carried out.
   */
  drop(topic: string, partition: number): void {
    const route = this.#routes.get(`${topic}/${partition}`);
    if (route === undefined) return;
    this.#routes.delete(route.name);
    this.#clear(route.name);
  }

  /** Stops. Whatever was not acknowledged is given up: call it when nothing is. */
  close(): Promise<void> {
    this.#closing.abort();
    return Promise.resolve();
  }

  #route(topic: string, partition: number): Route {
    const name = `${topic}/${partition}`;
    let route = this.#routes.get(name);
    if (route === undefined) {
      route = {
        topic,
        partition,
        name,
        lane: new Lane(this.options.maxInFlight),
        producerId: -1n,
        producerEpoch: -1,
        isBusy: false,
        attempt: 0,
        remedy: null,
      };
      this.#routes.set(name, route);
    }
    return route;
  }

  /** Nobody wants to hear of it any more. */
  #isGone(route: Route): boolean {
    return this.#closing.signal.aborted || this.#routes.get(route.name) !== route;
  }

  /** Sends what may be sent, or sees to what is missing for that. */
  #drive(route: Route): void {
    if (route.isBusy || this.#isGone(route)) return;
    if (route.lane.isRecovering) {
      if (route.lane.mayRecover) this.#recover(route);
      return;
    }
    if (route.lane.length === 0) return;
    const link = this.cluster.leader(route.topic, route.partition);
    if (route.producerId < 0n || link === undefined || !link.isOpen) {
      return this.#prepare(route);
    }
    for (let next = route.lane.next(); next !== null; next = route.lane.next()) {
      this.#fly(route, link, next);
    }
  }

  #fly(route: Route, link: Link, freight: Freight): void {
    const sealed = sealFreight(freight, this.options.codec, route);
    freight.sentMs = this.options.world.monotonicMs();
    link.produce(
      route.topic,
      route.partition,
      sealed,
      (failure, reply) => this.#landed(route, freight, failure, reply),
    );
  }

  #landed(route: Route, freight: Freight, failure: unknown, reply: ProduceReply | null): void {
    if (this.#isGone(route)) return;
    const errorCode = reply?.errorCode ?? -1;
    if (errorCode === code.none || errorCode === code.duplicateSequence) {
      this.#arrived(route, freight);
    } else if (reply === null) {
      this.#setBack(route, freight, "retry");
      this.#report(route.name, troubleOf(failure));
    } else {
      this.#rejected(route, freight, reply);
    }
    this.#drive(route);
  }

  #arrived(route: Route, freight: Freight): void {
    this.options.onSent((this.options.world.monotonicMs() - freight.sentMs) / 1000);
    route.lane.acked(freight);
    route.attempt = 0;
    this.#clear(route.name);
    this.#delivered(freight.of);
  }

  #delivered(consignment: Consignment): void {
    if (--consignment.parcels > 0) return;
    const { batch } = consignment;
    this.options.onAck(batch);
    batch.clear();
    const isUsual = batch.limitBytes === this.options.batchBytes;
    if (isUsual && this.#pool.length < poolMost) this.#pool.push(batch);
    else releaseBytes(batch.bytes);
  }

  #setBack(route: Route, freight: Freight, remedy: Remedy): void {
    route.lane.failed(freight);
    // The first failure explains those behind it: without it they are out of sequence.
    if (route.remedy === null) route.remedy = remedy;
  }

  #rejected(route: Route, freight: Freight, reply: ProduceReply): void {
    const isHead = route.lane.head === freight;
    const remedy = remedyOf(reply.errorCode);
    if (remedy === "new-id" && !isHead) return this.#setBack(route, freight, "retry");
    this.#setBack(route, freight, remedy);
    if (remedy === "split") this.#split(route, freight);
    else if (remedy === "refused") this.#refuse(route, freight, reply);
    else if (remedy !== "new-id") this.#troubleWith(route.name, route.topic, reply.errorCode);
  }

  /** Too large: two halves instead, or, when it is one record, the owner has to think of something. */
  #split(route: Route, freight: Freight): void {
    if (freight.count === 1) return this.#giveBack(route, freight, [0], "too-large");
    const middle = freight.count >> 1;
    const parts = partsOf(freight, [range(0, middle), range(middle, freight.count)]);
    freight.of.parcels++;
    route.lane.replace(freight, parts);
  }

  #refuse(route: Route, freight: Freight, reply: ProduceReply): void {
    const why = reply.errorCode === code.invalidTimestamp ? "timestamp" : "invalid";
    // A broker that does not say which means all of them.
    const refused = reply.refusedRecords.length > 0
      ? reply.refusedRecords
      : range(0, freight.count);
    this.#giveBack(route, freight, refused, why);
  }

  /** Hands records back to the owner; the others go on. */
  #giveBack(
    route: Route,
    freight: Freight,
    refused: readonly number[],
    why: Refusal["why"],
  ): void {
    const gone = new Set(refused);
    const kept = range(0, freight.count).filter((index) => !gone.has(index));
    route.lane.replace(freight, kept.length === 0 ? [] : partsOf(freight, [kept]));
    for (const index of refused) {
      this.options.refused({ batch: freight.of.batch, index: placeOf(freight, index), why });
    }
    if (kept.length === 0) this.#delivered(freight.of);
  }

  /** All replies are in after a failure: does what it asks for, then begins with the first again. */
  #recover(route: Route): void {
    const remedy = route.remedy ?? "retry";
    route.remedy = null;
    if (route.lane.mustRestart) route.producerId = -1n;
    if (remedy === "split" || remedy === "refused") {
      route.lane.recover();
      return this.#drive(route);
    }
    if (remedy === "new-id") route.producerId = -1n;
    this.#await(route, async () => {
      await this.#pause(++route.attempt);
      await this.cluster.update(route.topic);
      route.lane.recover();
    });
  }

  /** Gets the producer id, the leader and the connection that are missing. */
  #prepare(route: Route): void {
    this.#await(route, async () => {
      if (route.attempt > 0) await this.#pause(route.attempt);
      route.attempt++;
      if (route.producerId < 0n) {
        const { producerId, producerEpoch, sequence } = await this.#identify(route);
        Object.assign(route, { producerId, producerEpoch });
        route.lane.restart(sequence);
      }
      if (this.cluster.leader(route.topic, route.partition) === undefined) {
        const seen = await this.cluster.update(route.topic);
        if (seen !== undefined && seen.errorCode !== code.none) {
          this.#troubleWith(route.name, route.topic, seen.errorCode);
        } else if (seen !== undefined && route.attempt > 1) this.#troubleWithout(route, seen);
      }
      try {
        await this.cluster.leader(route.topic, route.partition)?.open();
      } catch (thrown) {
        // It may lead no longer: look again.
        this.#report(route.name, troubleOf(thrown));
        await this.cluster.update(route.topic);
      }
    });
  }

  async #identify({ topic, partition }: Route): Promise<ProducerIdentity> {
    const { identify } = this.options;
    if (identify !== undefined) return await identify(topic, partition);
    return { ...await this.cluster.producerId(), sequence: 0 };
  }

  /** Runs `act` with the route to itself; whatever comes of it, the route is driven on. */
  #await(route: Route, act: () => Promise<void>): void {
    route.isBusy = true;
    act().catch((thrown) => {
      if (!this.#isGone(route)) this.#report(route.name, troubleOf(thrown));
    }).finally(() => {
      route.isBusy = false;
      this.#drive(route);
    });
  }

  #pause(attempt: number): Promise<void> {
    const { world } = this.options;
    return sleep(backoffMs(networkRetry, attempt, world.random()), this.#closing.signal);
  }

  #troubleWith(name: string, topic: string, errorCode: number): void {
    const remedy = remedyOf(errorCode);
    const reason = remedy === "retry" ? nameOf(errorCode) : topicAdvice(topic, errorCode);
    this.#report(name, { fault: faultOfRemedy(remedy), reason });
  }

  /** The topic is there, but the partition has no leader. */
  #troubleWithout({ name, topic, partition }: Route, { leaders }: TopicMetadata): void {
    if (this.cluster.leader(topic, partition) !== undefined) return;
    const reason = partition < leaders.length
      ? `partition ${partition} of topic ${topic} has no leader`
      : `topic ${topic} has ${leaders.length} partitions now, and records wait for number ` +
        `${partition}, counted from 0; add partitions`;
    this.#report(name, { fault: partition < leaders.length ? "transient" : "permanent", reason });
  }

  #report(name: string, trouble: { fault: Fault; reason: string }): void {
    this.#troubles.set(name, trouble);
    this.#tell();
  }

  #clear(name: string): void {
    if (this.#troubles.delete(name)) this.#tell();
  }

  /** One log line and one call when what is wrong has changed. */
  #tell(): void {
    const { world, onState } = this.options;
    const [first] = this.#troubles.values();
    if (first === undefined) {
      if (this.#told !== "") world.log("info", "Kafka takes records again");
      this.#told = "";
      return onState({ ready: true });
    }
    if (first.reason === this.#told) return;
    this.#told = first.reason;
    world.log(
      first.fault === "transient" ? "warn" : "error",
      "Kafka takes no records, trying on",
      first,
    );
    onState({ ready: false, ...first });
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
