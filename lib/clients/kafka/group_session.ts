import type { SluiceError } from "../../core/errors.ts";
import type { World } from "../../core/world.ts";
import { kafkaError, nameOf } from "./failures.ts";
import type { GroupCoordinator, Membership } from "./group_coordinator.ts";
import { groupCode, groupError, isElsewhere, isUnknownMember } from "./group_failures.ts";

/** The generation of those that are no members. */
export const noGeneration = -1;

/** Whom a session tells what. */
export interface SessionEvents {
  /** The group shares its partitions out anew: join again. */
  rebalance(): void;
  /** We are no member any more, and were one. */
  ended(reason: string): void;
  /** A heartbeat has failed; more follow. */
  failed(error: SluiceError): void;
  /** A heartbeat was answered. */
  well(): void;
}

/** Names and times, as in {@linkcode GroupOptions}. */
export interface SessionOptions {
  readonly group: string;
  readonly sessionTimeoutMs: number;
  readonly world: World;
}

const beatMsMost = 3_000;
const beatsPerSession = 10;

/**
 * Our membership as the coordinator last confirmed it, kept alive by heartbeats. It ends when the
 * coordinator says so, or when by our own clock the coordinator must have given us up: after
 * standing still for long (SIGSTOP, a suspended machine) we know that before anybody tells us.
 */
export class GroupSession {
  #memberId = "";
  #generation = noGeneration;
  /** When, at the earliest, the coordinator last took us for a member. */
  #provenMs = -Infinity;
  #isBeating = false;
  /** A joining is under way: what it answers counts more than what heartbeats say of the generation. */
  isJoining = false;

  constructor(
    private readonly coordinator: Pick<GroupCoordinator, "heartbeat" | "forget" | "cutJoin">,
    private readonly options: SessionOptions,
    private readonly events: SessionEvents,
  ) {}

  get membership(): Membership {
    return { memberId: this.#memberId, generation: this.#generation };
  }

  get isMember(): boolean {
    return this.#generation !== noGeneration;
  }

  /** Whether the coordinator may have given us up by now. */
  get hasExpired(): boolean {
    return this.options.world.monotonicMs() - this.#provenMs > this.options.sessionTimeoutMs;
  }

  /** Takes the id and generation of an answer. */
  become({ memberId, generation }: Membership): void {
    this.#memberId = memberId;
    this.#generation = generation;
  }

  /** Something was answered as to a member that was asked at `askedMs`, by the monotonic clock. */
  prove(askedMs: number): void {
    this.#provenMs = Math.max(this.#provenMs, askedMs);
  }

  /** Whether this is still our membership, with no joining under way that may change it. */
  isCurrent({ memberId, generation }: Membership): boolean {
    return memberId === this.#memberId && generation === this.#generation && !this.isJoining;
  }

  /** Ends the membership if this answer to a request made as `asked` says so; tells whether it did. */
  judge(errorCode: number, asked: Membership): boolean {
    // Member ids are never given twice, so this is true at any time; generations go on meanwhile.
    const isUnknown = isUnknownMember(errorCode) && asked.memberId === this.#memberId;
    const isOld = errorCode === groupCode.illegalGeneration && this.isCurrent(asked);
    if (isUnknown) this.#memberId = "";
    if (isUnknown || isOld) this.end(`the coordinator answers ${nameOf(errorCode)}`);
    return isUnknown || isOld;
  }

  /** Ends the membership for us; the id is kept, for the coordinator may know it still. */
  end(reason: string): void {
    const wasMember = this.isMember;
    this.#generation = noGeneration;
    this.#provenMs = -Infinity;
    if (!wasMember) return;
    // A joining under way that goes by what we were need not be answered.
    this.coordinator.cutJoin();
    this.events.ended(reason);
  }

  /** Sends heartbeats, whatever else is under way. Never rejects. */
  async beatUntil(ended: AbortSignal): Promise<void> {
    const { world, sessionTimeoutMs } = this.options;
    const everyMs = Math.min(beatMsMost, sessionTimeoutMs / beatsPerSession);
    while (!ended.aborted) {
      await world.sleep(everyMs, ended);
      if (ended.aborted || !this.isMember) continue;
      // Before the first proof we have nothing that could be given to others.
      if (this.hasExpired && Number.isFinite(this.#provenMs)) {
        this.end(`no heartbeat was answered for ${sessionTimeoutMs} ms`);
      } else if (!this.#isBeating) this.#beat();
    }
  }

  async #beat(): Promise<void> {
    this.#isBeating = true;
    const asked = this.membership;
    const askedMs = this.options.world.monotonicMs();
    try {
      this.#answered(await this.coordinator.heartbeat(asked), asked, askedMs);
    } catch (thrown) {
      this.events.failed(kafkaError(`send heartbeats to group ${this.options.group}`, thrown));
    } finally {
      this.#isBeating = false;
    }
  }

  #answered(errorCode: number, asked: Membership, askedMs: number): void {
    if (asked.memberId !== this.#memberId || !this.isMember) return;
    if (errorCode === groupCode.none) {
      this.prove(askedMs);
      return this.events.well();
    }
    if (errorCode === groupCode.rebalancing) {
      this.prove(askedMs);
      if (this.isCurrent(asked)) this.events.rebalance();
      return;
    }
    if (this.judge(errorCode, asked) || errorCode === groupCode.illegalGeneration) return;
    if (isElsewhere(errorCode)) this.coordinator.forget();
    this.events.failed(groupError("send heartbeats", this.options.group, errorCode));
  }
}
