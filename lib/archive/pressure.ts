import type { Memory } from "./memory.ts";
import type { SpoolUse } from "./object_body.ts";
import type { Partition } from "./partition.ts";
import type { ArchiveSettings } from "./settings.ts";

/** From this share of the spool on objects are cut before their time. */
const cutShare = 0.75;

/**
 * Keeps all partitions together within memory and disk: compresses early, cuts early, and says when
 * nothing more may be read.
 */
export class Pressure {
  readonly spoolUse: SpoolUse = { usedBytes: 0 };

  constructor(
    private readonly settings: Pick<ArchiveSettings, "spoolBytes">,
    private readonly memory: Memory,
    private readonly partitions: () => readonly Partition[],
  ) {}

  /** Whether nothing more is read until objects have gone. */
  get isSpoolFull(): boolean {
    return this.spoolUse.usedBytes >= this.settings.spoolBytes;
  }

  /**
   * Memory is full: the fullest block goes to be compressed. When all blocks are on their way already
   * there is nothing to do but wait.
   */
  relieve(): void {
    let fullest: Partition["open"] = null;
    for (const { open } of this.partitions()) {
      if (open !== null && open.filled > (fullest?.filled ?? 0)) fullest = open;
    }
    if (fullest !== null) fullest.seal();
    else this.#spoolLargest();
  }

  /**
   * The spool is filling up: the largest objects are ended, so that they can be put and removed. When
   * it is full of such as wait already, to end more of them would help nobody.
   */
  cutEarly(): void {
    const most = this.settings.spoolBytes * cutShare;
    if (this.spoolUse.usedBytes < most) return;
    const open = this.partitions().filter((one) => one.open !== null && one.open.records > 0);
    open.sort((a, b) => heldBy(b) - heldBy(a));
    let left = open.reduce((sum, one) => sum + heldBy(one), 0) - most / 2;
    for (const one of open) {
      if (left <= 0) return;
      left -= heldBy(one);
      one.cut();
    }
  }

  /** Compressed bytes of many objects may fill memory, too, although each has few. */
  #spoolLargest(): void {
    if (this.memory.hasPlenty(0)) return;
    let largest: Partition["open"] = null;
    for (const { open } of this.partitions()) {
      if (open !== null && open.memoryBytes > (largest?.memoryBytes ?? 0)) largest = open;
    }
    largest?.spoolNow();
  }
}

function heldBy({ open }: Partition): number {
  return open?.heldBytes ?? 0;
}
