import { Exit, type ExitCode } from "../core/exit.ts";
import type { Gate } from "../core/gate.ts";
import type { World } from "../core/world.ts";
import type { Partition } from "./partition.ts";
import type { Puts } from "./puts.ts";

/** How long a partition that makes no progress is waited for. */
const patienceMs = 300_000;
const checkMs = 20;

/** A partition that is ours, with who puts its objects. */
interface Held {
  readonly partition: Partition;
  readonly puts: Puts;
}

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
  readonly #progress = new Map<Partition, { tip: bigint; sinceMs: number }>();

  constructor(private readonly world: World, private readonly tools: OnceTools) {}

  /** @returns `ok`, or `partial` when something was given up. */
  async run(stop: AbortSignal, changed: Gate): Promise<ExitCode> {
    while (!stop.aborted) {
      const exit = this.#look();
      if (exit !== null) return exit;
      await Promise.race([changed.wait(), this.world.sleep(checkMs, stop)]);
    }
    return Exit.ok;
  }

  #look(): ExitCode | null {
    if (!this.tools.isMember()) return null;
    let given = 0;
    for (const held of this.tools.held()) {
      const { partition, puts } = held;
      if (partition.state === "reading" && partition.takenOffset >= partition.endAtStart) {
        this.tools.cut(held);
      }
      const isDone = partition.state === "leaving" && puts.isIdle;
      if (isDone || partition.isGone) continue;
      if (!this.#isHopeless(held)) return null;
      given++;
    }
    if (given === 0) return Exit.ok;
    this.world.log("error", "Some partitions could not be archived", { partitions: given });
    return Exit.partial;
  }

  #isHopeless({ partition, puts }: Held): boolean {
    if (partition.state === "refused") return true;
    const nowMs = this.world.monotonicMs();
    const tip = partition.takenOffset + partition.tip;
    const before = this.#progress.get(partition);
    if (before === undefined || before.tip !== tip) {
      this.#progress.set(partition, { tip, sinceMs: nowMs });
      return false;
    }
    const isStuck = puts.trouble !== null || partition.trouble !== null ||
      partition.fetchTrouble !== null;
    return isStuck && nowMs - before.sinceMs > patienceMs;
  }
}
