import type { ListenUrl } from "../../lib/formats/listen_url.ts";
import { RecordBatch, recordsIn } from "../../lib/formats/record_batch.ts";
import type { Fields, LogLevel, World } from "../../lib/core/world.ts";
import { Ledger } from "../../lib/forward/ledger.ts";
import { type Outlet, Pipeline } from "../../lib/forward/pipeline.ts";
import type { Refusal } from "../../lib/clients/kafka/kafka.ts";
import { Refusals } from "../../lib/forward/refusals.ts";
import type { ForwardSettings } from "../../lib/forward/settings.ts";
import { Source } from "../../lib/forward/source.ts";
import { parseTopicTemplate } from "../../lib/forward/topic_template.ts";
import { bytesOf, NOW_MS, textOf } from "../support/syslog_reading.ts";

/** A record as a reader of the topic sees it; bytes as one character each. */
export interface SeenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly timestampMs: number;
  readonly key: string | null;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A batch on its way to Kafka. */
export interface Sent {
  readonly topic: string;
  readonly partition: number;
  readonly batch: RecordBatch;
  /** Records that the broker refused. */
  readonly refused: Set<number>;
}

/** Stands for Kafka and its producer: batches are acknowledged when the test says so. */
export class FakeOutlet implements Outlet {
  /** Sent and not acknowledged, in order. */
  readonly sent: Sent[] = [];
  /** What was acknowledged, in the order of sending within a partition. */
  readonly delivered: SeenRecord[] = [];
  readonly #pool: RecordBatch[] = [];
  readonly #partitions = new Map<string, number>();
  readonly #asked = new Map<string, PromiseWithResolvers<number>>();

  constructor(private readonly batchBytes: number) {}

  borrow(): RecordBatch {
    return this.#pool.pop() ?? new RecordBatch(this.batchBytes);
  }

  send(topic: string, partition: number, batch: RecordBatch): void {
    this.sent.push({ topic, partition, batch, refused: new Set() });
  }

  partitionsOf = (topic: string): Promise<number> => {
    const known = this.#partitions.get(topic);
    if (known !== undefined) return Promise.resolve(known);
    const asked = this.#asked.get(topic) ?? Promise.withResolvers<number>();
    this.#asked.set(topic, asked);
    return asked.promise;
  };

  /** The topic is there, or has more partitions now. */
  create(topic: string, partitions = 1): void {
    this.#partitions.set(topic, partitions);
    this.#asked.get(topic)?.resolve(partitions);
    this.#asked.delete(topic);
  }

  /** The topic is gone: whoever asks for it has to wait. */
  delete(topic: string): void {
    this.#partitions.delete(topic);
  }

  /** Whoever waits for this topic gives up. */
  fail(topic: string, thrown: Error): void {
    this.#asked.get(topic)?.reject(thrown);
    this.#asked.delete(topic);
  }

  /** Topics that were asked for and are not there. */
  get missing(): string[] {
    return [...this.#asked.keys()];
  }

  /** Takes a batch off its way, as a broker does when it has written it. */
  take(sent: Sent): void {
    this.sent.splice(this.sent.indexOf(sent), 1);
    for (const [index, record] of seenIn(sent).entries()) {
      if (!sent.refused.has(index)) this.delivered.push(record);
    }
  }

  /** Uses the batch again, as the producer does: whoever kept a view of it sees other bytes. */
  giveBack(batch: RecordBatch): void {
    batch.clear();
    batch.bytes.fill(0xee);
    this.#pool.push(batch);
  }
}

/** The records of a batch. */
export function seenIn({ topic, partition, batch }: Sent): SeenRecord[] {
  return [...recordsIn(batch)].map(({ timestampMs, key, value, headers }) => ({
    topic,
    partition,
    timestampMs,
    key: key === null ? null : textOf(key),
    value: textOf(value),
    headers: Object.fromEntries(headers.map((one) => [textOf(one.key), textOf(one.value)])),
  }));
}

/** A world whose clock, chance and sleepers are the test's. */
export class FakeWorld implements World {
  clockMs = NOW_MS;
  readonly lines: { level: LogLevel; message: string; fields: Fields }[] = [];
  #sleepers: (() => void)[] = [];

  nowMs = (): number => this.clockMs;
  monotonicMs = (): number => this.clockMs;
  random = (): number => 0.5;
  log = (level: LogLevel, message: string, fields: Fields = {}): void => {
    this.lines.push({ level, message, fields });
  };
  sleep = (): Promise<void> => new Promise((resolve) => this.#sleepers.push(resolve));

  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Lets everybody who sleeps go on. */
  wake(): void {
    for (const resolve of this.#sleepers.splice(0)) resolve();
  }

  /** Messages of the log at this level. */
  said(level: LogLevel): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }
}

/** Settings for tests; everything may be replaced, the topic by its text. */
export type Wanted = Partial<Omit<ForwardSettings, "topic">> & { readonly topic?: string };

export function settingsOf(wanted: Wanted = {}): ForwardSettings {
  const { topic = "syslog", ...others } = wanted;
  return {
    listen: [],
    topic: parseTopicTemplate(topic),
    topicsMost: 100,
    key: "none",
    format: "raw",
    recordTime: "receive",
    timeZone: "UTC",
    headers: false,
    oversize: "split",
    lineBytesMost: 1_000,
    memoryBytes: 1_000_000,
    connectionsMost: 100,
    idleMs: 0,
    drainMs: 1_000,
    ...others,
  };
}

/** A pipeline with everything around it. */
export class Rig {
  readonly settings: ForwardSettings;
  readonly world = new FakeWorld();
  readonly ledger = new Ledger();
  readonly outlet: FakeOutlet;
  readonly pipeline: Pipeline;
  readonly refusals: Refusals;
  #sources = 0;

  constructor(wanted: Wanted = {}, readonly batchBytes = 10_000) {
    this.settings = settingsOf(wanted);
    this.outlet = new FakeOutlet(batchBytes);
    this.pipeline = new Pipeline(
      this.settings,
      this.outlet,
      this.ledger,
      this.world,
      batchBytes,
    );
    this.refusals = new Refusals(this.settings, this.pipeline, this.world);
    this.pipeline.topics.begin();
  }

  /** A rig whose topics are there already. */
  static async ready(
    wanted: Wanted = {},
    options: { topics?: Record<string, number>; batchBytes?: number } = {},
  ): Promise<Rig> {
    const rig = new Rig(wanted, options.batchBytes);
    const fixed = rig.settings.topic.fields.length === 0 ? { [rig.settings.topic.text]: 1 } : {};
    const deadLetter = rig.settings.deadLetterTopic;
    const topics = { ...fixed, ...(deadLetter ? { [deadLetter]: 1 } : {}), ...options.topics };
    for (const [topic, partitions] of Object.entries(topics)) rig.outlet.create(topic, partitions);
    await turn();
    return rig;
  }

  source(peer = "192.0.2.7", home = this.#sources): Source {
    this.#sources++;
    return new Source(home, peer, []);
  }

  /** One whole message of a sender. */
  accept(source: Source, line: string): void {
    this.part(source, line, 0, false);
  }

  /** One part of an over-long message; the bytes are overwritten afterwards, as read buffers are. */
  part(source: Source, line: string, part: number, more: boolean): void {
    const bytes = bytesOf(`..${line}..`);
    this.pipeline.accept(source, bytes, 2, bytes.length - 2, part, more);
    bytes.fill(0xee);
  }

  /** Acknowledges a batch: the oldest of all unless another is named. */
  ack(sent: Sent | undefined = this.outlet.sent[0]): void {
    if (sent === undefined) throw new Error("nothing is under way");
    this.outlet.take(sent);
    this.pipeline.shipping.acknowledged(sent.batch);
    this.outlet.giveBack(sent.batch);
  }

  /** The broker refuses some records of a batch; the others go on. */
  refuse(sent: Sent, indexes: readonly number[], why: Refusal["why"]): void {
    for (const index of indexes) {
      sent.refused.add(index);
      this.refusals.take({ batch: sent.batch, index, why });
    }
    if (sent.refused.size === sent.batch.count) this.ack(sent);
  }

  /** Acknowledges all there is, and what follows from it, until nothing is held. */
  async settle(): Promise<SeenRecord[]> {
    await turn();
    while (this.outlet.sent.length > 0) {
      this.ack();
      await turn();
    }
    return this.outlet.delivered;
  }

  /** The books agree, whatever has happened so far. */
  get missing(): number {
    return this.ledger.missing(this.pipeline.heldRecords);
  }
}

/** Waits until everything has run that was due in this turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** Where a test's connections come in. */
export function listenUrl(protocol: ListenUrl["protocol"] = "syslog"): ListenUrl {
  return { transport: "tcp", protocol, host: "::1", port: 1, path: "", text: `${protocol}://x:1` };
}
