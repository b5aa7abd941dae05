import type { Cluster } from "../clients/kafka/kafka.ts";
import type { World } from "../core/world.ts";
import type { Partition } from "./partition.ts";

const askMs = 10_000;

/**
 * Asks where partitions end that are not being fetched just now, as their objects cannot be put or an
 * operator is needed: their lag grows, and whoever watches it has to see that.
 */
export class Watermarks {
  constructor(
    private readonly cluster: Cluster,
    private readonly world: World,
    private readonly partitions: () => readonly Partition[],
  ) {}

  /** Asks now and then until `stop`. What fails is asked again the next time. */
  async watch(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.world.sleep(askMs, stop);
      if (!stop.aborted) await this.ask();
    }
  }

  /** Asks once. */
  async ask(): Promise<void> {
    const resting = new Map(
      this.partitions().filter((one) => !one.wantsMore).map((one) => [one.name, one]),
    );
    if (resting.size === 0) return;
    const wishes = Array.from(
      resting.values(),
      ({ topic, partition }) => ({ topic, partition, at: "latest" as const }),
    );
    for (const found of await this.cluster.listOffsets(wishes, "read-uncommitted")) {
      const partition = resting.get(`${found.topic}-${found.partition}`);
      if (partition === undefined || found.offset === null) continue;
      if (found.offset > partition.highWatermark) partition.highWatermark = found.offset;
    }
  }
}
