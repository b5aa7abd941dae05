import type { SyslogMessage } from "../formats/syslog_message.ts";
import { reasonOf } from "../core/errors.ts";
import type { Log } from "../core/world.ts";
import { Lane } from "./lane.ts";
import { overflowWord, type TopicField, topicOf, type TopicTemplate } from "./topic_template.ts";

/** A topic in use: its partitions as lanes, once their number is known. */
export class Topic {
  lanes: Lane[] = [];
  /** Set while the number of partitions is being asked for. */
  coming: Promise<void> | null = null;

  constructor(readonly name: string) {}

  get isKnown(): boolean {
    return this.lanes.length > 0;
  }
}

/** Asks Kafka for the number of a topic's partitions; waits for ever rather than fail. */
export type PartitionsOf = (topic: string) => Promise<number>;

/** The topics that messages go to, made as messages name them, up to a limit. */
export class Topics {
  readonly #known = new Map<string, Topic>();
  readonly #fixed: Topic | null;
  readonly #decoder = new TextDecoder("latin1");
  /** How many topics messages have named. */
  #made = 0;
  #hasBegun = false;
  #overflowed = false;

  constructor(
    private readonly template: TopicTemplate,
    private readonly most: number,
    private readonly partitionsOf: PartitionsOf,
    private readonly log: Log,
    /** Called in the very turn in which a topic's partitions became known. */
    private readonly onKnown: () => void,
  ) {
    this.#fixed = template.fields.length === 0 ? this.named(template.text) : null;
  }

  /** The topic of a message. Its lanes may have to be awaited. */
  of(message: SyslogMessage, bytes: Uint8Array, peerName: string): Topic {
    if (this.#fixed !== null) return this.#fixed;
    const values = this.template.fields.map((field) =>
      this.#value(field, message, bytes, peerName)
    );
    const name = topicOf(this.template, values);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    if (this.#made < this.most) {
      this.#made++;
      return this.named(name);
    }
    if (!this.#overflowed) {
      this.#overflowed = true;
      this.log("warn", "More topics are named than allowed; the rest goes to one topic", {
        limit: this.most,
        topic: topicOf(this.template, values.map(() => overflowWord)),
      });
    }
    return this.named(topicOf(this.template, values.map(() => overflowWord)));
  }

  /** Asks for the topics that are named so far, and from now on for each as soon as it is named. */
  begin(): void {
    this.#hasBegun = true;
    for (const topic of this.#known.values()) this.#ask(topic);
  }

  /** The topic of this name, made known to Kafka's client when it is new. */
  named(name: string): Topic {
    let topic = this.#known.get(name);
    if (topic === undefined) {
      topic = new Topic(name);
      this.#known.set(name, topic);
      if (this.#hasBegun) this.#ask(topic);
    }
    return topic;
  }

  /** Asks again how many partitions each topic has; new ones are used from now on. */
  async refresh(): Promise<void> {
    const known = [...this.#known.values()].filter(({ isKnown }) => isKnown);
    // At once: one that was deleted must not keep the others waiting.
    await Promise.all(known.map(async (topic) => {
      this.#extend(topic, await this.partitionsOf(topic.name));
    }));
  }

  get all(): Iterable<Topic> {
    return this.#known.values();
  }

  #ask(topic: Topic): void {
    topic.coming = this.partitionsOf(topic.name).then(
      (count) => {
        this.#extend(topic, count);
        this.onKnown();
      },
      (thrown) =>
        this.log("error", "Cannot use topic", { topic: topic.name, reason: reasonOf(thrown) }),
    ).finally(() => {
      topic.coming = null;
    });
  }

  #extend(topic: Topic, partitions: number): void {
    while (topic.lanes.length < partitions) {
      topic.lanes.push(new Lane(topic.name, topic.lanes.length));
    }
  }

  #value(field: TopicField, message: SyslogMessage, bytes: Uint8Array, peerName: string): string {
    switch (field) {
      case "hostname":
        return this.#text(bytes, message.hostStart, message.hostEnd) || peerName;
      case "tag":
        return this.#text(bytes, message.tagStart, message.tagEnd);
      case "facility":
        return String(message.facility);
      case "severity":
        return String(message.severity);
    }
  }

  #text(bytes: Uint8Array, start: number, end: number): string {
    return start < 0 ? "" : this.#decoder.decode(bytes.subarray(start, end));
  }
}
