import { reasonOf, SluiceError } from "../../core/errors.ts";
import { backoffMs, networkRetry } from "../../core/retry.ts";
import type { Cluster } from "./cluster.ts";
import { kafkaError } from "./failures.ts";
import { GroupCoordinator, type GroupOffset, type JoinReply } from "./group_coordinator.ts";
import { groupCode, groupError, isElsewhere } from "./group_failures.ts";
import {
  decodeAssignment,
  decodeSubscription,
  encodeSubscription,
  partitionKey,
  type TopicPartition,
} from "./group_protocol.ts";
import type { CommittedOffset, GroupOptions, GroupState } from "./group_options.ts";
import { GroupSession, noGeneration } from "./group_session.ts";
import { shareOut, type Sharer, type Shares, withoutHeld } from "./share_out.ts";

/** How long to wait for an operator's doing before the next try. */
const deniedMs = 30_000;
const leaveMs = 5_000;
/** How long a round under way is waited for after the stop. */
const lastRoundMs = 5_000;
/** That often it is tried at once, after answers that ask for it. */
const promptTries = 4;

/**
 * A member of a consumer group (the classic protocol, protocol type "consumer"), whatever happens to
 * the group's coordinator. The members share the partitions out among themselves: the one that Kafka
 * calls leader does it for all, with {@linkcode shareOut}.
 */
export class GroupMember {
  readonly #coordinator: GroupCoordinator;
  readonly #protocol: string;
  /** What is ours, by {@linkcode partitionKey}. */
  readonly #held = new Map<string, TopicPartition>();
  /** Eager only: what was given up for a rebalance and is wanted back. */
  #wantedBack: readonly TopicPartition[] = [];
  /** The generation in which we got what we hold, or want back. */
  #heldSince = noGeneration;
  readonly #session: GroupSession;
  #mustJoin = true;
  #isStopped = false;
  #rebalances = 0;
  #trouble: GroupState["trouble"] = null;
  /** An answer after which it makes no sense to go on. */
  #refusal: SluiceError | null = null;
  #bell = Promise.withResolvers<void>();

  constructor(cluster: Cluster, private readonly options: GroupOptions) {
    this.#coordinator = new GroupCoordinator(cluster, options);
    this.#session = new GroupSession(this.#coordinator, options, {
      rebalance: () => this.topicsChanged(),
      ended: (reason) => this.#lose(reason),
      failed: (error) => this.#report(error),
      well: () => this.#mustJoin || this.#clear(),
    });
    // Names of our own: other programs share out by other rules, and the coordinator keeps them off.
    this.#protocol = `sluice-${options.rebalance}`;
  }

  /** How often this member was given its share. */
  get rebalances(): number {
    return this.#rebalances;
  }

  get state(): GroupState {
    const isSettled = this.#session.isMember && !this.#session.isJoining;
    const phase = this.#isStopped ? "stopped" : isSettled ? "member" : "joining";
    return { phase, trouble: this.#trouble };
  }

  /** Whether the partition is ours and, by our own clock, cannot have been given to another. */
  holds(one: TopicPartition): boolean {
    return this.#held.has(partitionKey(one)) && !this.#session.hasExpired;
  }

  /** The topics, or their partitions, are others now: they have to be shared out anew. */
  topicsChanged(): void {
    this.#mustJoin = true;
    this.#bell.resolve();
  }

  /**
   * Takes part until `stop` is aborted, then hands over what it holds and leaves. Whatever fails is
   * tried again for ever, with one log line when it begins and one when it is over.
   *
   * @throws {SluiceError} `permanent` when the group cannot be joined: it is used by other programs or
   * with the other kind of rebalance, or its name or the session time-out are not allowed.
   */
  async run(stop: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const beating = this.#session.beatUntil(ended.signal);
    const onStop = () => {
      this.#bell.resolve();
      // With the round that is nearly over we would lose the right to commit what we still hold.
      const graceMs = this.#held.size > 0 ? lastRoundMs : 0;
      this.options.world.sleep(graceMs, ended.signal).then(() => this.#coordinator.endJoining());
    };
    stop.addEventListener("abort", onStop);
    try {
      await this.#takePart(stop);
      await this.#handOver([...this.#held.values()]);
    } finally {
      stop.removeEventListener("abort", onStop);
      ended.abort();
      await beating;
      this.#session.end("this member ends");
      await this.#leave();
      await this.close();
    }
  }

  /**
   * What is committed by {@linkcode partitionKey}, null where there is nothing. No membership is
   * needed.
   *
   * @throws {SluiceError} `transient`: try again; `denied`.
   */
  async committed(
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyMap<string, CommittedOffset | null>> {
    if (partitions.length === 0) return new Map();
    const answers = await this.#coordinator.committed(partitions);
    for (const { errorCode } of answers) {
      if (errorCode === groupCode.none) continue;
      if (isElsewhere(errorCode)) this.#coordinator.forget();
      throw groupError("read committed offsets", this.options.group, errorCode);
    }
    return new Map(
      answers.map((one) => {
        const { offset, metadata = "" } = one;
        return [partitionKey(one), offset < 0n ? null : { offset, metadata }];
      }),
    );
  }

  /**
   * Commits offsets of partitions that are ours.
   *
   * @throws {SluiceError} `transient`: try again, also because of a rebalance under way; `permanent`
   * when the partition is not ours any more or the group has gone on without us; `denied`.
   */
  async commit(offsets: readonly GroupOffset[]): Promise<void> {
    if (offsets.length === 0) return;
    const action = "commit offsets";
    const { group } = this.options;
    const strange = offsets.find((one) => !this.#held.has(partitionKey(one)));
    if (strange !== undefined) {
      const detail = `${partitionKey(strange)} is not this member's any more in group ${group}`;
      throw new SluiceError(action, "permanent", detail);
    }
    const { membership } = this.#session;
    const answers = await this.#coordinator.commit(membership, offsets);
    const errorCode = answers.find((one) => one.errorCode !== groupCode.none)?.errorCode;
    if (errorCode === undefined) return;
    if (isElsewhere(errorCode)) this.#coordinator.forget();
    // The round has changed while the commit was under way: we still hold what we hold.
    if (errorCode === groupCode.illegalGeneration && !this.#session.isCurrent(membership)) {
      throw groupError(action, group, groupCode.rebalancing);
    }
    this.#session.judge(errorCode, membership);
    throw groupError(action, group, errorCode);
  }

  /** Closes the connections; {@linkcode run} does that at its end. */
  async close(): Promise<void> {
    this.#isStopped = true;
    await this.#coordinator.close();
  }

  async #takePart(stop: AbortSignal): Promise<void> {
    for (let attempt = 1; !stop.aborted;) {
      if (!this.#mustJoin) {
        await this.#bell.promise;
        this.#bell = Promise.withResolvers();
        continue;
      }
      let pauseMs = backoffMs(networkRetry, attempt, this.options.world.random());
      try {
        if (await this.#rebalance(stop)) {
          attempt = 1;
          continue;
        }
        if (attempt < promptTries) pauseMs = 0;
      } catch (thrown) {
        if (stop.aborted) return;
        if (thrown === this.#refusal) throw thrown;
        const error = kafkaError(`join group ${this.options.group}`, thrown);
        this.#report(error);
        if (error.fault === "denied") pauseMs = deniedMs;
      }
      this.#mustJoin = true;
      attempt++;
      await this.options.world.sleep(pauseMs, stop);
    }
  }

  /** One round: joins, is given a share and takes it. False when it has to be tried again. */
  async #rebalance(stop: AbortSignal): Promise<boolean> {
    if (this.options.rebalance === "eager" && this.#held.size > 0) {
      const all = [...this.#held.values()];
      this.#wantedBack = all;
      await this.#handOver(all);
      if (stop.aborted) return false;
    }
    const { memberId } = this.#session.membership;
    // Whatever comes up from now on asks for one more round.
    this.#mustJoin = false;
    this.#session.isJoining = true;
    try {
      const reply = await this.#join();
      const share = reply && await this.#sync(reply);
      if (share === null) return false;
      this.#session.isJoining = false;
      await this.#take(share);
      return true;
    } catch (thrown) {
      // A heartbeat has told that the group does not know us, and so the joining was given up.
      if (memberId !== "" && this.#session.membership.memberId === "") return false;
      throw thrown;
    } finally {
      this.#session.isJoining = false;
    }
  }

  async #join(): Promise<JoinReply | null> {
    const { memberId } = this.#session.membership;
    const metadata = encodeSubscription({
      topics: this.options.topics(),
      owned: this.#held.size > 0 ? [...this.#held.values()] : this.#wantedBack,
      generation: this.#heldSince,
    });
    const reply = await this.#coordinator.join(memberId, this.#protocol, metadata);
    if (memberId !== this.#session.membership.memberId) return null;
    if (reply.errorCode === groupCode.memberIdRequired) {
      this.#session.become({ memberId: reply.memberId, generation: noGeneration });
      return null;
    }
    if (reply.errorCode !== groupCode.none) return this.#setBack("join the group", reply.errorCode);
    this.#session.become({ memberId: reply.memberId, generation: reply.generationId });
    return reply;
  }

  async #sync(reply: JoinReply): Promise<TopicPartition[] | null> {
    const { memberId, generationId: generation, leader, members } = reply;
    const shares = leader === memberId ? this.#shareOut(members) : new Map();
    // Of an answer we know only that it is younger than the question.
    const askedMs = this.options.world.monotonicMs();
    const answer = await this.#coordinator.sync({ memberId, generation }, this.#protocol, shares);
    if (memberId !== this.#session.membership.memberId) return null;
    if (answer.errorCode !== groupCode.none) {
      return this.#setBack("get a share of the group", answer.errorCode);
    }
    this.#session.become({ memberId, generation });
    this.#session.prove(askedMs);
    return decodeAssignment(answer.assignment);
  }

  #shareOut(members: JoinReply["members"]): Shares {
    const sharers = members.map(({ memberId, metadata }): Sharer => {
      try {
        return { id: memberId, ...decodeSubscription(metadata) };
      } catch (thrown) {
        // A defect of that member must not keep all the others from their shares.
        const { group, world } = this.options;
        world.log("error", "A member of the group gets no partitions", {
          group,
          member: memberId,
          reason: reasonOf(thrown),
        });
        return { id: memberId, topics: [], owned: [], generation: noGeneration };
      }
    });
    const shares = shareOut(sharers, this.options.partitions());
    return this.options.rebalance === "eager" ? shares : withoutHeld(sharers, shares);
  }

  async #take(share: readonly TopicPartition[]): Promise<void> {
    const wanted = new Map(share.map((one) => [partitionKey(one), one]));
    const gone = [...this.#held].filter(([key]) => !wanted.has(key)).map(([, one]) => one);
    const fresh = share.filter((one) => !this.#held.has(partitionKey(one)));
    this.#rebalances++;
    const { generation } = this.#session.membership;
    this.#heldSince = generation;
    this.#wantedBack = [];
    for (const one of fresh) this.#held.set(partitionKey(one), one);
    const { group, world } = this.options;
    world.log("info", "Got a share of the group's partitions", {
      group,
      generation,
      partitions: share.length,
      new: fresh.length,
      gone: gone.length,
    });
    this.#clear();
    if (fresh.length > 0) this.options.assigned(fresh);
    if (gone.length === 0) return;
    await this.#handOver(gone);
    // Only when we join again do the others get what we gave up.
    this.#mustJoin = true;
  }

  /** Lets the owner finish with partitions, for as long as the others will wait. */
  async #handOver(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    const { world, group, rebalanceTimeoutMs } = this.options;
    const timer = new AbortController();
    const isDone = await Promise.race([
      this.options.revoking(partitions).then(() => true),
      world.sleep(rebalanceTimeoutMs / 2, timer.signal).then(() => false),
    ]).catch((thrown) => {
      world.log("error", "Cannot hand over partitions", { group, reason: reasonOf(thrown) });
      return false;
    });
    timer.abort();
    // Whatever was lost meanwhile, the owner was told already.
    const given = partitions.filter((one) => this.#held.delete(partitionKey(one)));
    if (isDone || given.length === 0) return;
    world.log("warn", "Gave up partitions that were not finished", {
      group,
      partitions: given.length,
    });
    this.options.lost(given);
  }

  /** What an error code asks for; null: join again. */
  #setBack(action: string, errorCode: number): null {
    if (errorCode === groupCode.rebalancing) return null;
    this.#session.isJoining = false; // the answer is in, so it tells of the membership as it is
    if (this.#session.judge(errorCode, this.#session.membership)) return null;
    if (isElsewhere(errorCode)) this.#coordinator.forget();
    const error = groupError(action, this.options.group, errorCode);
    if (error.fault === "permanent") this.#refusal = error;
    throw error;
  }

  /** We are no member any more: what we held may be another's already. */
  #lose(reason: string): void {
    const all = [...this.#held.values()];
    this.#held.clear();
    this.#wantedBack = [];
    this.#heldSince = noGeneration;
    const { group, world } = this.options;
    if (all.length > 0) {
      world.log("warn", "Lost the group's partitions", { group, reason, partitions: all.length });
      this.options.lost(all);
    }
    this.topicsChanged();
  }

  /** Leaves, so that the others need not wait for the end of the session. */
  async #leave(): Promise<void> {
    const { memberId } = this.#session.membership;
    if (memberId === "") return;
    const timer = new AbortController();
    // Who cannot leave is given up by the coordinator after the session time-out.
    const leaving = this.#coordinator.leave(memberId).catch(() => {});
    await Promise.race([leaving, this.options.world.sleep(leaveMs, timer.signal)]);
    timer.abort();
  }

  /** One log line when something begins to stand in the way, or becomes another kind of trouble. */
  #report({ fault, message: reason }: SluiceError): void {
    const isNew = this.#trouble?.fault !== fault;
    this.#trouble = { fault, reason };
    if (!isNew) return;
    const { group, world } = this.options;
    const level = fault === "transient" ? "warn" : "error";
    world.log(level, "Cannot reach the group, trying on", { group, fault, reason });
  }

  #clear(): void {
    if (this.#trouble === null) return;
    this.#trouble = null;
    this.options.world.log("info", "Reached the group again", { group: this.options.group });
  }
}
