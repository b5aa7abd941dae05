import { findCoordinatorV3 } from "@platformatic/kafka";
import type { Buffer } from "node:buffer";
import { type Fault, reasonOf, SluiceError } from "../../core/errors.ts";
import type { Secret } from "../../core/secret.ts";
import type { World } from "../../core/world.ts";
import { code, kafkaError, topicAdvice } from "./failures.ts";
import {
  type FetchedPartition,
  fetchFrom,
  type FetchOptions,
  type FetchWish,
  type Isolation,
} from "./fetch.ts";
import { type ClusterMetadata, Link, type TopicMetadata } from "./link.ts";
import { findOffsets, type OffsetFound, type OffsetWish } from "./offsets.ts";
import { askRetention } from "./retention.ts";
import { askTopics, type ListedTopic, type TopicListing } from "./topics.ts";

/** How to reach a cluster. */
export interface ClusterOptions {
  /** Brokers to begin with, `HOST:PORT`; asked again whenever no known broker answers. */
  readonly bootstrap: () => Promise<readonly string[]>;
  /** PEM texts; given, even if empty, it means TLS. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly sasl?: SaslOptions;
  readonly clientId: string;
  readonly world: World;
  /** How long an answer may take before the connection is given up. */
  readonly requestTimeoutMs?: number;
}

/** How to log in. */
export interface SaslOptions {
  readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" | "OAUTHBEARER";
  readonly username?: string;
  readonly password?: Secret;
  readonly token?: () => Promise<Secret>;
}

/** What `--check` tells. */
export interface CheckReport {
  readonly brokers: readonly string[];
  readonly topics: readonly { readonly name: string; readonly partitions: number }[];
}

const connectMs = 5_000;
const requestMs = 30_000;
/** What a coordinator is looked for: a consumer group. */
const groupKey = 0;
/** Connections to each broker for data: two let it work on one batch while it reads another. */
const linksPerBroker = 2;
/** Fetches wait at the broker, and whatever is asked for behind them waits, too. */
const fetchSlot = 1 + linksPerBroker;

/** A Kafka cluster: its brokers, the leaders of partitions, and the connections to them. */
export class Cluster {
  readonly #links = new Map<string, Link>();
  readonly #topics = new Map<string, TopicMetadata>();
  #brokers: ClusterMetadata["brokers"] = [];
  /** As last listed; apart from {@linkcode #topics}, which are asked for by name and may be made. */
  #listed: TopicListing["leaders"] = new Map();
  #updating: Promise<void> | null = null;
  #isClosed = false;

  constructor(private readonly options: ClusterOptions) {}

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * One try to reach the cluster and to see these topics.
   *
   * @throws {SluiceError} `transient` when it cannot be reached, `denied` for a wrong login or
   * missing rights, `permanent` for a topic that does not exist.
   */
  async check(topics: readonly string[]): Promise<CheckReport> {
    const seen = await this.#ask((link) => link.metadata(topics, false));
    for (const { name, errorCode } of seen.topics) {
      if (errorCode === code.none) continue;
      const fault: Fault = errorCode === code.topicDenied ? "denied" : "permanent";
      throw new SluiceError(`use topic ${name}`, fault, topicAdvice(name, errorCode));
    }
    return {
      brokers: seen.brokers.map(({ host, port }) => `${host}:${port}`),
      topics: seen.topics.map(({ name, leaders }) => ({ name, partitions: leaders.length })),
    };
  }

  /** Forgets who leads what; it is asked again when it is needed. */
  refresh(): void {
    this.#topics.clear();
  }

  /** Asks for the topic and all others that are known. Returns it as the cluster describes it. */
  async update(topic: string): Promise<TopicMetadata | undefined> {
    const known = this.#topics.has(topic);
    if (!known) this.#topics.set(topic, { name: topic, errorCode: code.none, leaders: [] });
    // Whoever asks for a topic already being asked about shares that answer.
    if (this.#updating === null || !known) this.#updating = this.#update();
    await this.#updating;
    return this.#topics.get(topic);
  }

  /** The connection to the leader of a partition; undefined when none is known. */
  leader(topic: string, partition: number): Link | undefined {
    const nodeId = this.#topics.get(topic)?.leaders[partition];
    const broker = this.#brokers.find((one) => one.nodeId === nodeId);
    return broker && this.#link(broker.host, broker.port, 1 + partition % linksPerBroker);
  }

  /** All topics that this user may see. Afterwards the leaders of their partitions are known. */
  async listTopics(): Promise<readonly ListedTopic[]> {
    const { brokers, topics, leaders } = await this.#ask(askTopics);
    this.#brokers = brokers;
    this.#listed = leaders;
    return topics;
  }

  /** How long topics keep their records, milliseconds; those that keep them for ever are left out. */
  retentionMs(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#ask((link) => askRetention(link, topics));
  }

  /** The node that leads a partition, as the topics were last listed; undefined when none does. */
  leaderId(topic: string, partition: number): number | undefined {
    const nodeId = this.#listed.get(topic)?.[partition];
    return nodeId === undefined || nodeId < 0 ? undefined : nodeId;
  }

  /**
   * Fetches from a broker, over a connection that only fetches use; one fetch at a time.
   *
   * @throws {SluiceError} `transient` or `denied`, or the reason of `options.signal`.
   */
  async fetch(
    nodeId: number,
    wishes: readonly FetchWish[],
    options: FetchOptions,
  ): Promise<readonly FetchedPartition[]> {
    const link = this.#linkTo(nodeId, fetchSlot);
    if (link === undefined) {
      throw new SluiceError("fetch", "transient", `broker ${nodeId} is not there now`);
    }
    return await fetchFrom(link, wishes, options);
  }

  /** Asks the leaders for offsets. What fails is told of each partition, so nothing is thrown. */
  listOffsets(wishes: readonly OffsetWish[], isolation: Isolation): Promise<OffsetFound[]> {
    return findOffsets(wishes, isolation, ({ topic, partition }) => {
      const nodeId = this.leaderId(topic, partition);
      return nodeId === undefined ? undefined : this.#linkTo(nodeId, 0);
    });
  }

  producerId(): Promise<{ producerId: bigint; producerEpoch: number }> {
    return this.#ask((link) => link.producerId());
  }

  /** Asks for the coordinator of a consumer group. */
  coordinator(group: string): Promise<{ host: string; port: number; errorCode: number }> {
    return this.#ask(async (link) => {
      const { coordinators: [found] } = await link.request(findCoordinatorV3, groupKey, [group]);
      return found ?? { host: "", port: 0, errorCode: code.unknownServer };
    });
  }

  /** A connection of the caller's own, for requests that wait long or must not; it closes it. */
  connection(host: string, port: number, requestTimeoutMs?: number): Link {
    if (this.#isClosed) throw new SluiceError("reach Kafka", "permanent", "it was closed");
    const options = this.#connectionOptions();
    const requestTimeout = requestTimeoutMs ?? options.requestTimeout;
    return new Link(host, port, this.options.clientId, { ...options, requestTimeout });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    this.#links.clear();
  }

  async #update(): Promise<void> {
    try {
      const names = [...this.#topics.keys()];
      const { brokers, topics } = await this.#ask((link) => link.metadata(names, true));
      this.#brokers = brokers;
      for (const topic of topics) this.#topics.set(topic.name, topic);
    } finally {
      this.#updating = null;
    }
  }

  /** Asks the brokers that are known, one after the other, then those to begin with. */
  async #ask<T>(act: (link: Link) => Promise<T>): Promise<T> {
    let last: unknown;
    const tried = new Set<string>();
    for (const find of [() => this.#known(), () => this.options.bootstrap()]) {
      for (const address of await find()) {
        if (tried.has(address)) continue;
        tried.add(address);
        const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(address) ?? [];
        try {
          return await act(this.#link(host.replace(/^\[|\]$/g, ""), Number(port), 0));
        } catch (thrown) {
          last = thrown;
          // A wrong password is wrong at every broker; more tries may lock the user out.
          if (thrown instanceof SluiceError && thrown.fault === "denied") throw thrown;
        }
      }
    }
    throw kafkaError(
      `reach Kafka at ${[...tried].join(", ") || "any broker"}`,
      last ?? new Error("no broker is known"),
    );
  }

  #known(): Promise<readonly string[]> {
    return Promise.resolve(this.#brokers.map(({ host, port }) => `${host}:${port}`));
  }

  /** The connection to a broker for one kind of work; undefined when no such broker is known. */
  #linkTo(nodeId: number, slot: number): Link | undefined {
    const broker = this.#brokers.find((one) => one.nodeId === nodeId);
    return broker && this.#link(broker.host, broker.port, slot);
  }

  #link(host: string, port: number, slot: number): Link {
    if (this.#isClosed) throw new SluiceError("reach Kafka", "permanent", "it was closed");
    const name = `${host}:${port}/${slot}`;
    let link = this.#links.get(name);
    if (link === undefined) {
      link = new Link(host, port, this.options.clientId, this.#connectionOptions());
      this.#links.set(name, link);
    }
    return link;
  }

  #connectionOptions() {
    const { tls, sasl, requestTimeoutMs } = this.options;
    return {
      connectTimeout: connectMs,
      requestTimeout: requestTimeoutMs ?? requestMs,
      ...(tls ? { tls } : {}),
      ...(sasl ? { sasl: librarySasl(sasl) } : {}),
    };
  }
}

/** The login as the library takes it: secrets are handed over at the moment of the login only. */
function librarySasl({ mechanism, username, password, token }: SaslOptions) {
  return {
    mechanism,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: () => password.reveal() }),
    ...(token === undefined ? {} : { token: async () => (await token()).reveal() }),
    ...(mechanism === "OAUTHBEARER" ? { authBytesValidator: refuseBearerError } : {}),
  };
}

/**
 * A broker that refuses a token answers without an error code: what is wrong is in the answer's bytes
 * (RFC 7628, 3.2.2), which are empty when all is well.
 */
function refuseBearerError(
  bytes: Buffer,
  done: (failure: Error | null, bytes: Buffer) => void,
): void {
  if (bytes.length === 0) return done(null, bytes);
  done(new Error(`the broker refuses the token: ${new TextDecoder().decode(bytes)}`), bytes);
}

/** For messages: why something of the cluster failed. */
export function troubleOf(thrown: unknown): { fault: Fault; reason: string } {
  const error = kafkaError("reach Kafka", thrown);
  return { fault: error.fault, reason: reasonOf(error) };
}
