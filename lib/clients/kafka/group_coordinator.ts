import {
  heartbeatV4,
  joinGroupV7,
  leaveGroupV4,
  offsetCommitV8,
  offsetFetchV7,
  syncGroupV5,
} from "@platformatic/kafka";
import type { Buffer } from "node:buffer";
import type { Cluster } from "./cluster.ts";
import { kafkaError } from "./failures.ts";
import { groupCode, groupError } from "./group_failures.ts";
import { encodeAssignment, protocolType, type TopicPartition } from "./group_protocol.ts";
import type { Link, Protocol } from "./link.ts";
import type { Shares } from "./share_out.ts";

/** How the coordinator knows a member: the id it gave, and the round of sharing out it took part in. */
export interface Membership {
  readonly memberId: string;
  readonly generation: number;
}

/** A partition's offset in a group. */
export interface GroupOffset extends TopicPartition {
  /** The next record to be read; -1 when nothing was committed. */
  readonly offset: bigint;
  /** A note that is kept with it. @default "" */
  readonly metadata?: string;
}

/** How a partition of a request was answered. */
export interface OffsetAnswer {
  readonly errorCode: number;
}

/** How a joining is answered: to the leader with all members. */
export type JoinReply = ReturnType<typeof joinGroupV7.parseResponse>;

/** What a connection is for: the broker answers the requests of one connection one after the other. */
type Use = "beat" | "join" | "work";

/** Names and time limits, as in {@linkcode GroupOptions}. */
export interface CoordinatorOptions {
  readonly group: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
}

const beatMsLeast = 1_000;
const beatMsMost = 10_000;
/** How much longer than the others may take to join we wait for the answer. */
const joinGraceMs = 5_000;
/** We do not remain members under one name over restarts (KIP-345). */
const noInstance = null;
const noEpoch = -1;

/**
 * The broker that keeps a group, wherever it is just now. Joining, heartbeats and offsets have a
 * connection each, as joining may take minutes. The versions of the requests are those of Kafka 2.8
 * and newer. Error codes of the answers are the caller's to read.
 *
 * All methods throw a SluiceError when there is no answer; the coordinator is then looked for anew
 * with the next request.
 */
export class GroupCoordinator {
  readonly #links = new Map<Use, Link>();
  #address: { readonly host: string; readonly port: number } | null = null;
  #finding: Promise<void> | null = null;
  /** It has to be looked for; links are kept if it is where it was. */
  #isForgotten = true;
  #mayJoin = true;

  constructor(private readonly cluster: Cluster, private readonly options: CoordinatorOptions) {}

  /** Joins, or joins again: answered when all members have, or their time is up. */
  join(memberId: string, protocol: string, metadata: Buffer): Promise<JoinReply> {
    const { group, sessionTimeoutMs, rebalanceTimeoutMs } = this.options;
    return this.#ask(
      "join",
      joinGroupV7,
      ...[group, sessionTimeoutMs, rebalanceTimeoutMs, memberId, noInstance] as const,
      protocolType,
      [{ name: protocol, metadata }],
    );
  }

  /** Hands in the shares, when this member is the leader, and is given its own. */
  sync(
    { memberId, generation }: Membership,
    protocol: string,
    shares: Shares,
  ): Promise<{ errorCode: number; assignment: Uint8Array }> {
    const assignments = [...shares].map(([id, share]) => ({
      memberId: id,
      assignment: encodeAssignment(share),
    }));
    return this.#ask(
      "join",
      syncGroupV5,
      ...[this.options.group, generation, memberId, noInstance] as const,
      protocolType,
      protocol,
      assignments,
    );
  }

  /** Tells that the member is alive; gives the error code. */
  async heartbeat({ memberId, generation }: Membership): Promise<number> {
    const { group } = this.options;
    return (await this.#ask("beat", heartbeatV4, group, generation, memberId, noInstance))
      .errorCode;
  }

  /** Tells that the member goes, so that the others need not wait for its session to end. */
  async leave(memberId: string): Promise<void> {
    // It goes whatever is answered. Not on the connection for joining: the answer to that may be due.
    await this.#ask("beat", leaveGroupV4, this.options.group, [{ memberId }]);
  }

  /** Commits offsets; gives what became of each. */
  async commit(
    { memberId, generation }: Membership,
    offsets: readonly GroupOffset[],
  ): Promise<(TopicPartition & OffsetAnswer)[]> {
    const topics = byTopic(offsets).map(([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ partition, offset, metadata = "" }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: noEpoch,
        committedMetadata: metadata,
      })),
    }));
    const { group } = this.options;
    const reply = await this.#ask(
      "work",
      offsetCommitV8,
      ...[group, generation, memberId, noInstance] as const,
      topics,
    );
    return reply.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode }) => (
        { topic: name, partition: partitionIndex, errorCode }
      ))
    );
  }

  /** The committed offsets of the group, -1 where there is none; no membership is needed. */
  async committed(partitions: readonly TopicPartition[]): Promise<(GroupOffset & OffsetAnswer)[]> {
    const { group } = this.options;
    const topics = byTopic(partitions).map(([name, ofTopic]) => ({
      name,
      partitionIndexes: ofTopic.map(({ partition }) => partition),
    }));
    // Offsets of a transaction under way are not waited for: we commit without transactions.
    const isStableWanted = false;
    const asked = [{ groupId: group, memberEpoch: -1, topics }];
    const reply = await this.#ask("work", offsetFetchV7, asked, isStableWanted);
    const { errorCode } = reply;
    // Such an answer names no partitions.
    if (errorCode !== groupCode.none) {
      return partitions.map((one) => ({ ...one, offset: -1n, errorCode }));
    }
    return reply.topics.flatMap(({ name, partitions: answered }) =>
      answered.map(({ partitionIndex, committedOffset, metadata, errorCode }) => ({
        topic: name,
        partition: partitionIndex,
        offset: committedOffset,
        metadata: metadata ?? "",
        errorCode,
      }))
    );
  }

  /** The coordinator may be another broker now. */
  forget(): void {
    this.#isForgotten = true;
  }

  /** Gives up waiting for the answer to a joining under way, if there is one: it throws. */
  cutJoin(): void {
    this.#close("join");
  }

  /** From now on all joining throws, also one under way. */
  endJoining(): void {
    this.#mayJoin = false;
    this.cutJoin();
  }

  async close(): Promise<void> {
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  async #ask<Args extends unknown[], Reply>(
    use: Use,
    protocol: Protocol<Args, Reply>,
    ...args: Args
  ): Promise<Reply> {
    try {
      const link = await this.#link(use);
      if (use === "join" && !this.#mayJoin) throw new Error("this member ends");
      return await link.request(protocol, ...args);
    } catch (thrown) {
      this.forget();
      throw kafkaError(`ask the coordinator of group ${this.options.group}`, thrown);
    }
  }

  async #link(use: Use): Promise<Link> {
    if (this.#isForgotten) {
      this.#finding ??= this.#find().finally(() => this.#finding = null);
      await this.#finding;
    }
    let link = this.#links.get(use);
    if (link === undefined) {
      const { host, port } = this.#address ?? { host: "", port: 0 };
      link = this.cluster.connection(host, port, this.#timeoutMs(use));
      this.#links.set(use, link);
    }
    return link;
  }

  async #find(): Promise<void> {
    const { group } = this.options;
    const { host, port, errorCode } = await this.cluster.coordinator(group);
    if (errorCode !== groupCode.none) {
      throw groupError(`find the coordinator of group ${group}`, group, errorCode);
    }
    const hasMoved = this.#address?.host !== host || this.#address.port !== port;
    this.#address = { host, port };
    this.#isForgotten = false;
    if (!hasMoved) return;
    for (const use of [...this.#links.keys()]) this.#close(use);
  }

  #close(use: Use): void {
    const link = this.#links.get(use);
    this.#links.delete(use);
    link?.close(); // never rejects
  }

  #timeoutMs(use: Use): number | undefined {
    const { sessionTimeoutMs, rebalanceTimeoutMs } = this.options;
    if (use === "join") return rebalanceTimeoutMs + joinGraceMs;
    // Of a connection that hangs we must be rid while the session can still be saved.
    if (use === "beat") return Math.min(beatMsMost, Math.max(beatMsLeast, sessionTimeoutMs / 3));
    return undefined;
  }
}

function byTopic<T extends TopicPartition>(partitions: readonly T[]): [string, T[]][] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)];
}
