import {
  type Cluster,
  Producer,
  type ProducerOptions,
  type ProducerState,
} from "../../clients/kafka/kafka.ts";
import { SluiceError } from "../../core/errors.ts";
import { retry } from "../../core/retry.ts";
import { PartitionRestore } from "./partition_restore.ts";
import type { Gap, ReaderTools } from "./partition_reader.ts";
import type { PartitionPlan, RestorePlan } from "./plan.ts";
import type { StateFile } from "./state.ts";
import { type TargetWriter, unackedMost } from "./target_writer.ts";
import { endsOf } from "./targets.ts";

/** How to restore. */
export interface RestoreSettings {
  readonly cluster: Cluster;
  readonly codec: ProducerOptions["codec"];
  /** Null: a run that is broken off cannot be gone on with. */
  readonly state: StateFile | null;
}

/** What became of one partition. */
export interface PartitionReport {
  readonly plan: PartitionPlan;
  /** Objects of which something was wanted. */
  readonly objects: number;
  /** Records that this run wrote. */
  readonly records: number;
  readonly gaps: readonly Gap[];
  /** Why it is not complete; null when it is. */
  readonly error: SluiceError | null;
}

/** Partitions at once; one waits for the store while another is written. */
const partitionsMost = 4;
/** A batch holds this much; larger ones gained nothing when syslog was forwarded. */
const batchBytes = 512 * 1024;
/** A partition's end has settled when it has been the same for so long. */
const settleMs = 500;
const settleTries = 20;
/** How long Kafka may say of a topic that it is not there. */
const patienceMs = 15_000;
const tellMs = 10_000;

/**
 * Restores the planned partitions; the targets are there and large enough.
 *
 * @param tell called with what became of each partition, when it is over.
 * @throws {SluiceError} when nothing can go on: Kafka refuses the user, or the state file cannot be
 * written.
 */
export async function restore(
  plan: RestorePlan,
  settings: RestoreSettings,
  tools: ReaderTools,
  tell: (report: PartitionReport) => Promise<void>,
): Promise<void> {
  const { world } = tools;
  const run = new Run(plan, settings, tools);
  world.log("info", "Restoring", { partitions: plan.partitions.length });
  const ended = new AbortController();
  const telling = (async () => {
    for (;;) {
      await world.sleep(tellMs, ended.signal);
      if (ended.signal.aborted) return;
      world.log("info", "Restored so far", { records: run.acknowledged });
    }
  })();
  try {
    await run.all(tell);
    world.log("info", "Restored", { records: run.acknowledged });
  } finally {
    ended.abort();
    await telling;
    await run.close();
  }
}

/** The parts of a running restore. */
class Run {
  readonly #producer: Producer;
  readonly #restores = new Map<string, PartitionRestore>();
  /** Records of partitions that are done. */
  #acknowledged = 0;
  #fatal: SluiceError | null = null;
  #state: ProducerState = { ready: true };
  readonly #closing = new AbortController();

  constructor(
    private readonly plan: RestorePlan,
    private readonly settings: RestoreSettings,
    private readonly tools: ReaderTools,
  ) {
    this.#producer = new Producer(settings.cluster, {
      world: tools.world,
      codec: settings.codec,
      batchBytes,
      maxInFlight: unackedMost,
      onAck: (batch) => (batch.tag as TargetWriter).batchAcknowledged(batch),
      refused: (refusal) => (refusal.batch.tag as TargetWriter).refused(refusal),
      onSent: () => {},
      onState: (state) => this.#judge(state),
      ...(settings.state === null ? {} : {
        identify: (topic: string, partition: number) => this.#identify(topic, partition),
      }),
    });
  }

  get acknowledged(): number {
    let sum = this.#acknowledged;
    for (const one of this.#restores.values()) sum += one.acknowledged;
    return sum;
  }

  async all(tell: (report: PartitionReport) => Promise<void>): Promise<void> {
    const isFresh = await this.#begin();
    const waiting = this.plan.partitions[Symbol.iterator]();
    await Promise.all(Array.from({ length: partitionsMost }, async () => {
      for (const plan of waiting) {
        if (this.#fatal !== null) return;
        const report = await this.#one(plan, isFresh(plan));
        // What ends the whole run is told once, by the throw below.
        if (this.#fatal === null || report.error !== this.#fatal) await tell(report);
      }
    }));
    await this.settings.state?.save();
    if (this.#fatal !== null) throw this.#fatal;
  }

  close(): Promise<void> {
    this.#closing.abort();
    return this.#producer.close();
  }

  /** Puts every partition that is new to the state file into it, before anything is written. */
  async #begin(): Promise<(plan: PartitionPlan) => boolean> {
    const { state, cluster } = this.settings;
    if (state === null) return () => true;
    const fresh = new Set(
      this.plan.partitions.filter((plan) => state.get(nameOf(plan)) === undefined),
    );
    if (fresh.size === 0) return () => false;
    const places = [...fresh].map(({ topic, from: { partition } }) => ({ topic, partition }));
    const ends = await this.#ends(places);
    const { world, signal } = this.tools;
    const { producerId, producerEpoch } = await retry(world, () => cluster.producerId(), {
      signal,
      what: "get a producer id",
    });
    for (const plan of fresh) {
      const target = ends.get(`${plan.topic}/${plan.from.partition}`) ?? 0n;
      state.set(nameOf(plan), {
        source: null,
        target,
        producerId,
        producerEpoch,
        since: target,
        gaps: [],
      });
    }
    await state.save();
    return (plan) => fresh.has(plan);
  }

  async #one(plan: PartitionPlan, isFresh: boolean): Promise<PartitionReport> {
    const tools = {
      ...this.tools,
      producer: this.#producer,
      state: this.settings.state,
      end: (topic: string, partition: number) => this.#end(topic, partition),
      settledEnd: (topic: string, partition: number) => this.#settledEnd(topic, partition),
    };
    const restoring = new PartitionRestore(plan, tools, { isFresh });
    const target = `${restoring.topic}/${restoring.partition}`;
    this.#restores.set(target, restoring);
    let error: SluiceError | null = null;
    try {
      await restoring.run();
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      error = thrown;
    } finally {
      this.#restores.delete(target);
      this.#acknowledged += restoring.acknowledged;
    }
    const { objects, acknowledged, gaps } = restoring;
    return { plan, objects, records: acknowledged, gaps, error };
  }

  #identify(topic: string, partition: number) {
    const restoring = this.#restores.get(`${topic}/${partition}`);
    if (restoring === undefined) throw new Error(`${topic}/${partition} is not being restored`);
    return Promise.resolve(restoring.identify());
  }

  /** What only a person can mend ends the run; what passes is waited for. */
  #judge(state: ProducerState): void {
    this.#state = state;
    if (state.ready || state.fault === "transient") return;
    const stop = () => {
      this.#fatal ??= new SluiceError("write to Kafka", state.fault, state.reason);
      for (const one of this.#restores.values()) one.fail(this.#fatal);
    };
    if (state.fault === "denied") return stop();
    // A topic that was just made is unknown to some brokers for a moment.
    this.tools.world.sleep(patienceMs, this.#closing.signal).then(() => {
      if (this.#state === state && !this.#closing.signal.aborted) stop();
    });
  }

  /** Where partitions end; a topic that was just made may not be ready to tell at once. */
  #ends(places: readonly { topic: string; partition: number }[]): Promise<Map<string, bigint>> {
    const { world, signal } = this.tools;
    const { cluster } = this.settings;
    return retry(world, async () => {
      await cluster.listTopics();
      return await endsOf(cluster, places);
    }, { signal, what: "find the ends of the topics" });
  }

  async #end(topic: string, partition: number): Promise<bigint> {
    return (await this.#ends([{ topic, partition }])).get(`${topic}/${partition}`) ?? 0n;
  }

  /**
   * Where a partition ends when what a dead process had sent has been dealt with. That is a matter of
   * milliseconds; what comes later all the same is refused by its sequence.
   */
  async #settledEnd(topic: string, partition: number): Promise<bigint> {
    const { world, signal } = this.tools;
    let end = await this.#end(topic, partition);
    for (let tries = 1; tries <= settleTries; tries++) {
      await world.sleep(settleMs, signal);
      const before = end;
      end = await this.#end(topic, partition);
      if (end === before) return end;
    }
    const detail = "it does not come to rest: somebody else writes to it";
    throw new SluiceError(`find the end of ${topic}/${partition}`, "permanent", detail);
  }
}

function nameOf({ from: { group, topic, partition } }: PartitionPlan): string {
  return `${group}/${topic}/${partition}`;
}
