import { Exit, type ExitCode } from "../core/exit.ts";
import type { Gate } from "../core/gate.ts";
import type { World } from "../core/world.ts";
import type { Held } from "./held.ts";
import type { Partition } from "./partition.ts";

/** How long a partition that makes no progress is waited for. */
const patienceMs = 300_000;
const checkMs = 20;

/** What is watched. */
export interface OnceTools {
  readonly isMember: () => boolean;
  readonly held: () => Iterable<Held>;
  /** Ends the object of a partition that has been read to its end. */
  readonly cut: (held: Held) => void;
}

/**
 * `--once`: everything that was in the topics when their partitions were begun with is archived, and
 * then that is it. What cannot be archived is given up after a while; a later run does it.
 */
export class OnceWatch {
  readonly #progress = new Map<Partition, { offsets: bigint; sinceMs: number }>();
  /** When any partition made progress last: whoever has no trouble may only be waiting its turn. */
  #progressMs = 0;

  constructor(private readonly world: World, private readonly tools: OnceTools) {}

  /** @returns `ok`, or `partial` when something was given up, or `stop` came first. */
  async run(stop: AbortSignal, changed: Gate): Promise<ExitCode> {
    this.#progressMs = this.world.monotonicMs();
    while (!stop.aborted) {
      const exit = this.#look();
      if (exit !== null) return exit;
      await Promise.race([changed.wait(), this.world.sleep(checkMs, stop)]);
    }
    return Exit.partial;
  }

  #look(): ExitCode | null {
    if (!this.tools.isMember()) return this.#lookWithoutGroup();
    let given = 0;
    let hoped = 0;
    for (const held of this.tools.held()) {
      const { partition, puts } = held;
      if (partition.state === "reading" && partition.takenOffset >= partition.endAtStart) {
        this.tools.cut(held);
      }
      const isDone = partition.state === "leaving" && puts.isIdle;
      if (isDone || partition.isGone) continue;
      if (this.#isHopeless(held)) given++;
      else hoped++;
    }
    if (hoped > 0) return null;
    if (given === 0) return Exit.ok;
    this.world.log("error", "Some partitions could not be archived", { partitions: given });
    return Exit.partial;
  }

  /** As long as we are no member nobody tells what there is to be archived. */
  #lookWithoutGroup(): ExitCode | null {
    if (this.world.monotonicMs() - this.#progressMs <= patienceMs) return null;
    this.world.log("error", "The group gives no partitions", { waitedMs: patienceMs });
    return Exit.partial;
  }

  #isHopeless({ partition, puts }: Held): boolean {
    if (partition.state === "refused") return true;
    const nowMs = this.world.monotonicMs();
    // What was read and what was put: either is progress.
    const offsets = partition.takenOffset + partition.tip;
    const before = this.#progress.get(partition);
    if (before === undefined || before.offsets !== offsets) {
      this.#progress.set(partition, { offsets, sinceMs: nowMs });
      this.#progressMs = nowMs;
      return false;
    }
    const hasTrouble = puts.trouble !== null || partition.trouble !== null ||
      partition.fetchTrouble !== null;
    return nowMs - (hasTrouble ? before.sinceMs : this.#progressMs) > patienceMs;
  }
}
