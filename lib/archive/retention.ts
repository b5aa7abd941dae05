import type { Cluster } from "../clients/kafka/kafka.ts";
import { reasonOf } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import type { Partition } from "./partition.ts";

/** Topics are seldom given another retention. */
const askMs = 300_000;
const hourMs = 3_600_000;

/** How long Kafka will still have what is not archived yet. */
export class Retention {
  #ms: ReadonlyMap<string, number> = new Map();

  constructor(private readonly cluster: Cluster, private readonly world: World) {}

  /** Asks for the topics' settings now and then; without them there is no metric, and no harm. */
  async watch(topics: () => readonly string[], stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        const asked = topics();
        if (asked.length > 0) this.#ms = await this.cluster.retentionMs(asked);
      } catch (thrown) {
        this.world.log("debug", "Cannot ask for the retention of topics", {
          reason: reasonOf(thrown),
        });
      }
      await this.world.sleep(askMs, stop);
    }
  }

  /**
   * Hours until Kafka deletes the oldest record that is not archived, by its time and the topic's
   * `retention.ms`; negative when it may do so at any moment. Null when the topic keeps all, or when
   * nothing is known of the time at which the partition stands.
   */
  hoursLeft({ topic, highWatermark, tip, newestTimestampMs }: Partition): number | null {
    const keptMs = this.#ms.get(topic);
    if (keptMs === undefined) return null;
    if (tip >= highWatermark) return keptMs / hourMs;
    if (newestTimestampMs === null) return null;
    return (newestTimestampMs + keptMs - this.world.nowMs()) / hourMs;
  }
}
