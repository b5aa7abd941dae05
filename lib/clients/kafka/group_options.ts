import type { Fault } from "../../core/errors.ts";
import type { World } from "../../core/world.ts";
import type { TopicPartition } from "./group_protocol.ts";

/** How a member takes part in its group, and whom it tells. The callbacks must not throw. */
export interface GroupOptions {
  readonly group: string;
  /**
   * `cooperative`: members go on with what they keep while partitions are shared out anew, and a
   * partition goes to its new member when the old one has given it up (KIP-429). `eager`: all give
   * up everything each time, then are given their shares. All members of a group have to use the same.
   */
  readonly rebalance: "cooperative" | "eager";
  /** After this long without a heartbeat the group goes on without the member. */
  readonly sessionTimeoutMs: number;
  /** How long the others wait for a member to join again; half of it is for `revoking`. */
  readonly rebalanceTimeoutMs: number;
  readonly world: World;
  /** All partitions that this member knows; what the leader of the group knows is shared out. */
  partitions(): readonly TopicPartition[];
  /** The topics of which this member takes partitions. */
  topics(): readonly string[];
  /** These are ours from now on. */
  assigned(partitions: readonly TopicPartition[]): void;
  /**
   * These go to others; they are ours until the promise is fulfilled. If that takes longer than half
   * the rebalance time-out, or if it is rejected, they are `lost`.
   *
   * In an eager group that are all partitions at each rebalance, also those that come back: the others
   * may begin before we hear who gets what.
   */
  revoking(partitions: readonly TopicPartition[]): Promise<void>;
  /** These are not ours any more; another member may have them already. */
  lost(partitions: readonly TopicPartition[]): void;
}

/** How a member fares, for those who watch. */
export interface GroupState {
  /** `joining`: shares are being given out; what is held is still held. */
  readonly phase: "joining" | "member" | "stopped";
  /** What stands in the way; null when nothing does. */
  readonly trouble: { readonly fault: Fault; readonly reason: string } | null;
}

/** What a group has committed for a partition. */
export interface CommittedOffset {
  /** The next record to be read. */
  readonly offset: bigint;
  /** The note that was committed with it. */
  readonly metadata: string;
}
