import type { Producer, ProducerIdentity, Refusal } from "../../clients/kafka/kafka.ts";
import { SluiceError } from "../../core/errors.ts";
import { type Gap, PartitionReader, type ReaderTools, type Seam } from "./partition_reader.ts";
import type { PartitionPlan } from "./plan.ts";
import type { Checkpoint, StateFile } from "./state.ts";
import { TargetWriter } from "./target_writer.ts";

/** What the restore of a partition works with. */
export interface RestoreTools extends ReaderTools {
  readonly producer: Producer;
  /** Null: nothing is kept that a later run could go on with. */
  readonly state: StateFile | null;
  /** Where a partition of Kafka ends now. */
  readonly end: (topic: string, partition: number) => Promise<bigint>;
  /** The same, once nothing more comes. */
  readonly settledEnd: (topic: string, partition: number) => Promise<bigint>;
}

/** How often a seam is looked at anew before it is given up. */
const seamsMost = 3;
const sequences = 2n ** 31n;

/** What to do about a record that the broker refuses. */
const hints: Record<Refusal["why"], string> = {
  "too-large": "raise the topic's max.message.bytes",
  "timestamp":
    "raise the topic's message.timestamp.after.max.ms or message.timestamp.before.max.ms",
  "invalid": "is the topic compacted? then it takes no records without a key",
};

/** Restores one partition into one of Kafka, from where an earlier run has stopped. */
export class PartitionRestore {
  /** By group, topic and number, as the state file has it. */
  readonly name: string;
  /** Records that Kafka acknowledged to this run. */
  acknowledged = 0;
  objects = 0;
  gaps: readonly Gap[] = [];
  #writer: TargetWriter;
  #identity: ProducerIdentity | null = null;
  /** As it was when the attempt began. */
  #checkpoint: Checkpoint | undefined;
  /** Where reading may begin anew once so many records of this attempt are acknowledged. */
  #marks: { readonly source: bigint; readonly written: number }[] = [];
  #begunAt = 0n;
  #acknowledgedBefore = 0;
  #failure: SluiceError | null = null;
  /** The broker knows our producer otherwise: what has arrived is to be counted anew. */
  readonly #moved = new SluiceError("go on", "permanent", "the seam has moved");

  /** @param options.isFresh nothing was written by an earlier run. */
  constructor(
    private readonly plan: PartitionPlan,
    private readonly tools: RestoreTools,
    private readonly options: { readonly isFresh: boolean },
  ) {
    const { group, topic, partition } = plan.from;
    this.name = `${group}/${topic}/${partition}`;
    this.#writer = this.#newWriter();
  }

  get topic(): string {
    return this.plan.topic;
  }

  get partition(): number {
    return this.plan.from.partition;
  }

  /** @throws {SluiceError} what keeps the partition from being restored to the end of what is wanted. */
  async run(): Promise<void> {
    for (let tries = 1;; tries++) {
      try {
        return await this.#attempt(tries > 1);
      } catch (thrown) {
        if (thrown !== this.#moved) throw thrown;
        if (tries === seamsMost) throw this.#foreign("its sequence of records is another's");
      }
    }
  }

  /** Nothing more can be written. */
  fail(failure: SluiceError): void {
    this.#failure ??= failure;
    this.tools.producer.drop(this.topic, this.partition);
    this.#writer.fail(failure);
  }

  /** A record that the broker will not have ends the restore of the partition: order is promised. */
  refused({ why }: Refusal): void {
    const detail = `the record behind the first ${this.acknowledged} of this run is refused as ` +
      `${why}; ${hints[why]}`;
    this.fail(new SluiceError(`write to ${this.topic}/${this.partition}`, "permanent", detail));
  }

  /** As whom the producer writes; only with a state file. Asked again when the broker disagrees. */
  identify(): ProducerIdentity {
    const identity = this.#identity;
    this.#identity = null;
    if (identity !== null) return identity;
    this.tools.producer.drop(this.topic, this.partition);
    this.#writer.fail(this.#moved);
    throw this.#moved;
  }

  async #attempt(isRepeated: boolean): Promise<void> {
    const seam = await this.#seam(isRepeated);
    this.#writer = this.#newWriter();
    this.#acknowledgedBefore = this.acknowledged;
    this.#marks = [];
    if (this.#failure !== null) throw this.#failure;
    const reader = new PartitionReader(this.tools, this.plan.from);
    const writer = this.#writer;
    try {
      await reader.read(writer, seam, (source) => {
        // While records are skipped, the target stood elsewhere than where this run began.
        if (reader.notSkipped === 0) this.#marks.push({ source, written: writer.written });
        this.#keep(reader);
      });
    } catch (thrown) {
      // What came before a damage is to arrive, and to be remembered.
      if (thrown instanceof SluiceError && thrown.fault === "corrupt") {
        await writer.drained();
        this.#keep(reader);
      }
      this.#tell(reader);
      throw thrown;
    }
    await writer.drained();
    this.#tell(reader);
    this.#keep(reader);
    if (reader.notSkipped > 0) {
      throw this.#foreign(`it has ${reader.notSkipped} records more than the archive gives`);
    }
    await this.#proveEnd();
  }

  /** Where to go on, by what the target has got since the last checkpoint. */
  async #seam(isRepeated: boolean): Promise<Seam> {
    const checkpoint = this.tools.state?.get(this.name);
    if (checkpoint === undefined) return { source: null, skip: 0 };
    this.#checkpoint = checkpoint;
    const { target, since, producerId, producerEpoch } = checkpoint;
    const isBegun = isRepeated || !this.options.isFresh;
    const end = isBegun ? await this.tools.settledEnd(this.topic, this.partition) : target;
    if (end < target) throw this.#foreign(`it ended at ${target} before and ends at ${end} now`);
    this.#begunAt = end;
    const sequence = Number((end - since) % sequences);
    this.#identity = { producerId, producerEpoch, sequence };
    return { source: checkpoint.source, skip: Number(end - target) };
  }

  #newWriter(): TargetWriter {
    const { topic, partition } = this;
    const writer: TargetWriter = new TargetWriter(this.tools.producer, topic, partition, {
      onAck: () => this.acknowledged = this.#acknowledgedBefore + writer.acknowledged,
      onRefusal: (refusal) => this.refused(refusal),
    });
    return writer;
  }

  #tell(reader: PartitionReader): void {
    this.objects = reader.objects;
    const before = this.#checkpoint?.gaps ?? [];
    const known = before.map(([from, to, isRetention]) => ({ from, to, isRetention }));
    this.gaps = [...known, ...reader.gaps];
  }

  /** Moves the checkpoint to the last object whose records are all acknowledged. */
  #keep(reader: PartitionReader): void {
    const { state } = this.tools;
    const begun = this.#checkpoint;
    if (state === null || begun === undefined) return;
    let reached: { readonly source: bigint; readonly written: number } | undefined;
    while ((this.#marks[0]?.written ?? Infinity) <= this.#writer.acknowledged) {
      reached = this.#marks.shift();
    }
    if (reached === undefined) return;
    const { source, written } = reached;
    state.set(this.name, {
      ...begun,
      source,
      target: this.#begunAt + BigInt(written),
      gaps: [
        ...begun.gaps,
        ...reader.gaps.filter(({ from }) => from < source)
          .map(({ from, to, isRetention }) => [from, to, isRetention] as const),
      ],
    });
    state.saveNowAndThen().catch((thrown) => {
      this.fail(
        thrown instanceof SluiceError ? thrown : new SluiceError(
          "write the state file",
          "permanent",
          String(thrown),
        ),
      );
    });
  }

  /** With a state file it matters that nobody else writes: it would be taken for ours. */
  async #proveEnd(): Promise<void> {
    const { state } = this.tools;
    if (state === null) return;
    const end = await this.tools.end(this.topic, this.partition);
    const expected = this.#begunAt + BigInt(this.#writer.written);
    if (end === expected) return;
    throw this.#foreign(`it ends at ${end}, and with our records alone it would at ${expected}`);
  }

  #foreign(detail: string): SluiceError {
    return new SluiceError(
      `restore exactly into ${this.topic}/${this.partition}`,
      "permanent",
      `${detail}: somebody else writes to the topic, or it was made anew; begin again with a topic ` +
        "and a state file of its own",
    );
  }
}
